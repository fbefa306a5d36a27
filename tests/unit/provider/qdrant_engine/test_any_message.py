"""No gRPC message, whatever it holds, makes the server stumble: it answers, or refuses."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st
from qdrant_client import grpc as q

from harness.provider.qdrant_engine import QdrantServer
from harness.provider.qdrant_engine.errors import Refused

from .conftest import SQUARE, asking

DENSE = q.DenseVector(data=[0.1, 0.2, 0.3, 0.4])
VECTORS = q.Vectors(vector=q.Vector(dense=DENSE))
NEAREST = q.Query(nearest=q.VectorInput(dense=DENSE))
IDS = q.PointsSelector(points=q.PointsIdsList(ids=[q.PointId(num=1)]))
POINT = q.PointStruct(id=q.PointId(num=1), vectors=VECTORS, payload={"a": q.Value(integer_value=1)})


def field(**condition: Any) -> q.Condition:
    return q.Condition(field=q.FieldCondition(key="a", **condition))


FILTER = q.Filter(
    must=[
        field(match=q.Match(keyword="x")),
        field(match=q.Match(integers=q.RepeatedIntegers(integers=[1, 2]))),
        field(match=q.Match(except_keywords=q.RepeatedStrings(strings=["x"]))),
        field(range=q.Range(gte=1.0, lt=2.0)),
        field(datetime_range=q.DatetimeRange(gte=Timestamp(seconds=1_700_000_000))),
        field(values_count=q.ValuesCount(gt=1)),
        field(geo_radius=q.GeoRadius(center=q.GeoPoint(lon=1, lat=2), radius=3)),
        q.Condition(
            nested=q.NestedCondition(key="n", filter=q.Filter(must=[field(match=q.Match(boolean=True))]))
        ),
        q.Condition(has_id=q.HasIdCondition(has_id=[q.PointId(uuid="5c56c793-69f3-4fbf-87e6-c4bf54c28c26")])),
    ],
    min_should=q.MinShould(conditions=[q.Condition(is_empty=q.IsEmptyCondition(key="a"))], min_count=1),
)
PREFETCH = q.PrefetchQuery(query=NEAREST, limit=3, filter=FILTER)
REQUESTS: list[tuple[str, Any]] = [
    ("Points/Upsert", q.UpsertPoints(collection_name="c", wait=True, points=[POINT], update_filter=FILTER)),
    ("Points/Delete", q.DeletePoints(collection_name="c", wait=True, points=IDS)),
    (
        "Points/SetPayload",
        q.SetPayloadPoints(collection_name="c", points_selector=IDS, payload=POINT.payload),
    ),
    (
        "Points/UpdateVectors",
        q.UpdatePointVectors(
            collection_name="c", points=[q.PointVectors(id=q.PointId(num=1), vectors=VECTORS)]
        ),
    ),
    (
        "Points/UpdateBatch",
        q.UpdateBatchPoints(
            collection_name="c",
            operations=[
                q.PointsUpdateOperation(upsert=q.PointsUpdateOperation.PointStructList(points=[POINT]))
            ],
        ),
    ),
    (
        "Points/CreateFieldIndex",
        q.CreateFieldIndexCollection(
            collection_name="c",
            field_name="b",
            field_index_params=q.PayloadIndexParams(
                integer_index_params=q.IntegerIndexParams(lookup=True, range=True)
            ),
        ),
    ),
    ("Points/Get", q.GetPoints(collection_name="c", ids=[q.PointId(num=1)])),
    ("Points/Scroll", q.ScrollPoints(collection_name="c", limit=3, filter=FILTER, offset=q.PointId(num=1))),
    (
        "Points/Scroll",
        q.ScrollPoints(
            collection_name="c",
            order_by=q.OrderBy(
                key="a", direction=q.Direction.Desc, start_from=q.StartFrom(timestamp=Timestamp(seconds=1))
            ),
        ),
    ),
    ("Points/Count", q.CountPoints(collection_name="c", filter=FILTER, exact=True)),
    ("Points/Search", q.SearchPoints(collection_name="c", vector=DENSE.data, limit=3, filter=FILTER)),
    (
        "Points/Query",
        q.QueryPoints(
            collection_name="c",
            query=NEAREST,
            prefetch=[PREFETCH],
            limit=3,
            score_threshold=0.5,
            with_payload=q.WithPayloadSelector(include=q.PayloadIncludeSelector(fields=["a"])),
        ),
    ),
    (
        "Points/Query",
        q.QueryPoints(collection_name="c", prefetch=[PREFETCH], query=q.Query(rrf=q.Rrf(k=2, weights=[1.0]))),
    ),
    (
        "Points/QueryBatch",
        q.QueryBatchPoints(
            collection_name="c",
            query_points=[q.QueryPoints(query=q.Query(nearest=q.VectorInput(id=q.PointId(num=1))))],
        ),
    ),
    (
        "Collections/Create",
        q.CreateCollection(
            collection_name="d",
            vectors_config=q.VectorsConfig(params=q.VectorParams(size=4, distance=q.Distance.Dot)),
            hnsw_config=q.HnswConfigDiff(m=4),
            optimizers_config=q.OptimizersConfigDiff(deleted_threshold=0.5),
            quantization_config=q.QuantizationConfig(
                scalar=q.ScalarQuantization(type=q.QuantizationType.Int8)
            ),
        ),
    ),
    ("Collections/Update", q.UpdateCollection(collection_name="c", hnsw_config=q.HnswConfigDiff(m=4))),
    ("Collections/Get", q.GetCollectionInfoRequest(collection_name="c")),
]


@pytest.fixture(scope="module")
def opened() -> Iterator[QdrantServer]:
    server = QdrantServer()
    server.open()
    ask = asking(server)
    ask("PUT", "/collections/c", SQUARE)
    ask("PUT", "/collections/c/points?wait=true", {"points": [{"id": 1, "vector": [1, 2, 3, 4]}]})
    yield server
    server.stop()


def answer(server: QdrantServer, method: str, raw: bytes) -> Any:
    """Do what the gRPC server does with a request, without one."""
    from harness.provider.qdrant_engine.grpc_methods import METHODS
    from harness.provider.qdrant_engine.messages import message_class, service

    name, _, called = method.partition("/")
    described = service(f"qdrant.{name}").methods_by_name[called]
    request = message_class(described.input_type.full_name).FromString(raw)
    return METHODS[f"qdrant.{method}"](server.engine, request).SerializeToString()


@settings(max_examples=300, deadline=None)
@given(
    which=st.sampled_from(REQUESTS), at=st.floats(0, 1), length=st.integers(0, 8), noise=st.binary(max_size=8)
)
def test_a_message_with_noise_in_it_is_answered_or_refused(
    opened: QdrantServer, which: tuple[str, Any], at: float, length: int, noise: bytes
) -> None:
    method, request = which
    raw = request.SerializeToString()
    start = int(at * len(raw))
    with suppress(Refused, DecodeError):
        answer(opened, method, raw[:start] + noise + raw[start + length :])
    for name in set(opened.engine.names()) - {"c"}:
        opened.engine.delete_collection(name)


@pytest.mark.parametrize(("method", "request_"), REQUESTS)
def test_the_messages_themselves_are_answered(opened: QdrantServer, method: str, request_: Any) -> None:
    ask = asking(opened)
    ask("PUT", "/collections/c/points?wait=true", {"points": [{"id": 1, "vector": [1, 2, 3, 4]}]})
    ask("PUT", "/collections/c/index?wait=true", {"field_name": "a", "field_schema": "datetime"})
    answer(opened, method, request_.SerializeToString())
    opened.engine.delete_collection("d")
