"""The official client, unchanged, against both ports."""

import asyncio
from typing import Any

import pytest
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from harness.provider.qdrant_engine import QdrantServer

from .conftest import connect

CITIES = {
    1: ("Berlin", [0.05, 0.61, 0.76, 0.74]),
    2: ("London", [0.19, 0.81, 0.75, 0.11]),
    3: ("Moscow", [0.36, 0.55, 0.47, 0.94]),
    4: ("New York", [0.18, 0.01, 0.85, 0.80]),
    5: ("Beijing", [0.24, 0.18, 0.22, 0.44]),
    6: ("Mumbai", [0.35, 0.08, 0.11, 0.44]),
}
POINTS = [
    models.PointStruct(id=number, vector=vector, payload={"city": city})
    for number, (city, vector) in CITIES.items()
]
PARAMS = models.VectorParams(size=4, distance=models.Distance.DOT)
LONDON = models.Filter(must=[models.FieldCondition(key="city", match=models.MatchValue(value="London"))])
QUERY = [0.2, 0.1, 0.9, 0.7]


def ids(answer: Any) -> list[int]:
    return [point.id for point in answer.points]


def test_the_quick_start_runs(client: Any, name: str) -> None:
    assert client.create_collection(collection_name=name, vectors_config=PARAMS) is True
    done = client.upsert(collection_name=name, wait=True, points=POINTS)
    assert done.status == models.UpdateStatus.COMPLETED
    found = client.query_points(collection_name=name, query=QUERY, with_payload=False, limit=3)
    assert [(point.id, round(point.score, 3)) for point in found.points] == [
        (4, 1.362),
        (1, 1.273),
        (3, 1.208),
    ]
    found = client.query_points(
        collection_name=name, query=QUERY, query_filter=LONDON, with_payload=True, limit=3
    )
    assert [(point.id, point.payload) for point in found.points] == [(2, {"city": "London"})]


@pytest.mark.parametrize("prefer_grpc", [False, True])
def test_the_quick_start_runs_in_asyncio(server: QdrantServer, name: str, prefer_grpc: bool) -> None:
    async def run() -> list[int]:
        host, _, port = server.url.removeprefix("http://").partition(":")
        client = AsyncQdrantClient(
            host=host,
            port=int(port),
            grpc_port=int(str(server.grpc_address).partition(":")[2]),
            prefer_grpc=prefer_grpc,
            check_compatibility=False,
            timeout=60,
        )
        await client.create_collection(collection_name=name, vectors_config=PARAMS)
        await client.upsert(collection_name=name, wait=True, points=POINTS)
        found = ids(await client.query_points(collection_name=name, query=QUERY, limit=3))
        await client.close()
        return found

    assert asyncio.run(run()) == [4, 1, 3]


def test_what_was_created_is_what_the_client_reads_back(client: Any, name: str) -> None:
    client.create_collection(
        name,
        vectors_config={
            "text": models.VectorParams(size=8, distance=models.Distance.COSINE, on_disk=True),
            "tokens": models.VectorParams(
                size=2,
                distance=models.Distance.DOT,
                multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
            ),
        },
        sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        hnsw_config=models.HnswConfigDiff(m=16, ef_construct=200, max_indexing_threads=0),
        optimizers_config=models.OptimizersConfigDiff(deleted_threshold=0.2, default_segment_number=5),
        quantization_config=models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
        ),
    )
    config = client.get_collection(name).config
    assert config.params.vectors["text"].size == 8
    assert config.params.vectors["text"].on_disk is True
    assert config.params.vectors["tokens"].multivector_config is not None
    assert config.params.sparse_vectors["words"].modifier == models.Modifier.IDF
    assert (config.hnsw_config.ef_construct, config.optimizer_config.default_segment_number) == (200, 5)
    assert config.quantization_config.scalar.always_ram is True


@pytest.mark.parametrize("kind", ["keyword", "integer", "float", "bool", "datetime", "text", "uuid", "geo"])
def test_every_kind_of_payload_index_is_created_and_deleted(client: Any, name: str, kind: str) -> None:
    client.create_collection(name, vectors_config=PARAMS)
    client.create_payload_index(name, "field", kind, wait=True)
    assert client.get_collection(name).payload_schema["field"].data_type == kind
    client.delete_payload_index(name, "field", wait=True)
    assert client.get_collection(name).payload_schema == {}


def test_an_index_keeps_its_parameters(client: Any, name: str) -> None:
    client.create_collection(name, vectors_config=PARAMS)
    params = models.TextIndexParams(
        type="text", tokenizer=models.TokenizerType.PREFIX, min_token_len=2, lowercase=True
    )
    client.create_payload_index(name, "field", params, wait=True)
    read = client.get_collection(name).payload_schema["field"].params
    assert (read.tokenizer, read.min_token_len, read.lowercase) == (models.TokenizerType.PREFIX, 2, True)


def test_collections_are_listed_and_told_to_exist(client: Any, name: str) -> None:
    assert client.collection_exists(name) is False
    client.create_collection(name, vectors_config=PARAMS)
    assert client.collection_exists(name) is True
    assert name in [collection.name for collection in client.get_collections().collections]
    assert client.delete_collection(name) is True


def test_upload_points_in_batches_loses_none(client: Any, name: str) -> None:
    client.create_collection(name, vectors_config=PARAMS)
    points = (
        models.PointStruct(id=number, vector=[number, 1.0, 1.0, 1.0], payload={"n": number})
        for number in range(500)
    )
    client.upload_points(name, points, batch_size=64, wait=True)
    assert client.count(name).count == 500


def test_a_scroll_by_the_client_goes_through_every_page(client: Any, name: str) -> None:
    client.create_collection(name, vectors_config=PARAMS)
    client.upsert(name, POINTS, wait=True)
    first, offset = client.scroll(name, limit=4)
    rest, end = client.scroll(name, limit=4, offset=offset)
    assert [record.id for record in first + rest] == [1, 2, 3, 4, 5, 6]
    assert end is None


def test_an_error_of_the_server_reaches_the_caller_of_the_client(server: QdrantServer, name: str) -> None:
    client = connect(server)
    with pytest.raises(UnexpectedResponse) as caught:
        client.query_points(name, query=QUERY)
    assert caught.value.status_code == 404
    assert f"Not found: Collection `{name}`" in str(caught.value)


def test_the_client_gets_in_with_the_key_and_not_without(name: str) -> None:
    with QdrantServer(api_key="key") as server:
        for prefer_grpc in (False, True):
            assert connect(server, api_key="key", prefer_grpc=prefer_grpc).collection_exists(name) is False
            with pytest.raises(Exception, match=r"Must provide an API key|Unauthorized"):
                connect(server, prefer_grpc=prefer_grpc).count(name)
