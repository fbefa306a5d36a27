"""The gRPC face below the official client: codes, messages and what is not implemented."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from qdrant_client import grpc as q

from harness.provider.qdrant_engine import QdrantServer

Call = Callable[..., Any]


@pytest.fixture
def channel(server: QdrantServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(str(server.grpc_address)) as opened:
        yield opened


def refused(call: Call, *arguments: object, **settings: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **settings)
    return caught.value.code(), caught.value.details()


def dense(*values: float) -> q.Vectors:
    return q.Vectors(vector=q.Vector(dense=q.DenseVector(data=values)))


def older(*values: float) -> q.Vectors:
    return q.Vectors(vector=q.Vector(data=values))


def point(number: int, vectors: q.Vectors) -> q.PointStruct:
    return q.PointStruct(id=q.PointId(num=number), vectors=vectors)


@pytest.fixture
def points(channel: grpc.Channel, name: str) -> q.PointsStub:
    config = q.VectorsConfig(params=q.VectorParams(size=2, distance=q.Distance.Dot))
    q.CollectionsStub(channel).Create(q.CreateCollection(collection_name=name, vectors_config=config))
    return q.PointsStub(channel)


def test_an_unknown_collection_is_not_found(channel: grpc.Channel, name: str) -> None:
    request = q.CountPoints(collection_name=name)
    message = f"Not found: Collection `{name}` doesn't exist!"
    assert refused(q.PointsStub(channel).Count, request) == (grpc.StatusCode.NOT_FOUND, message)


def test_a_collection_created_twice_already_exists(
    channel: grpc.Channel, points: q.PointsStub, name: str
) -> None:
    config = q.VectorsConfig(params=q.VectorParams(size=2, distance=q.Distance.Dot))
    request = q.CreateCollection(collection_name=name, vectors_config=config)
    code, message = refused(q.CollectionsStub(channel).Create, request)
    assert (code, message) == (
        grpc.StatusCode.ALREADY_EXISTS,
        f"Wrong input: Collection `{name}` already exists!",
    )


@pytest.mark.parametrize("vectors", [dense(1, 2, 3), older(1, 2, 3)])
def test_a_vector_of_another_dimension_is_an_invalid_argument(
    points: q.PointsStub, name: str, vectors: q.Vectors
) -> None:
    request = q.UpsertPoints(collection_name=name, wait=True, points=[point(1, vectors)])
    message = "Wrong input: Vector dimension error: expected dim: 2, got 3"
    assert refused(points.Upsert, request) == (grpc.StatusCode.INVALID_ARGUMENT, message)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_vector_holds_finite_numbers_only(points: q.PointsStub, name: str, number: float) -> None:
    request = q.UpsertPoints(collection_name=name, wait=True, points=[point(1, dense(1, number))])
    code, message = refused(points.Upsert, request)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "every number must be finite" in message
    assert points.Count(q.CountPoints(collection_name=name)).result.count == 0


def test_an_id_that_is_no_uuid_is_an_invalid_argument(points: q.PointsStub, name: str) -> None:
    bad = q.PointStruct(id=q.PointId(uuid="chunk_0"), vectors=dense(1, 2))
    code, message = refused(points.Upsert, q.UpsertPoints(collection_name=name, points=[bad]))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert (
        message
        == "value chunk_0 is not a valid point ID, valid values are either an unsigned integer or a UUID"
    )


def test_vectors_of_both_generations_of_messages_are_read_alike(points: q.PointsStub, name: str) -> None:
    both = [point(1, dense(1, 2)), point(2, older(1, 2))]
    points.Upsert(q.UpsertPoints(collection_name=name, wait=True, points=both))
    request = q.GetPoints(
        collection_name=name,
        ids=[q.PointId(num=1), q.PointId(num=2)],
        with_vectors=q.WithVectorsSelector(enable=True),
    )
    vectors = [list(found.vectors.vector.dense.data) for found in points.Get(request).result]
    assert vectors == [[1, 2], [1, 2]]


def test_an_older_server_sends_vectors_the_older_way(name: str) -> None:
    with QdrantServer(version="1.12.0") as old, grpc.insecure_channel(str(old.grpc_address)) as channel:
        config = q.VectorsConfig(params=q.VectorParams(size=2, distance=q.Distance.Dot))
        q.CollectionsStub(channel).Create(q.CreateCollection(collection_name=name, vectors_config=config))
        points = q.PointsStub(channel)
        points.Upsert(q.UpsertPoints(collection_name=name, wait=True, points=[point(1, dense(1, 2))]))
        selector = q.WithVectorsSelector(enable=True)
        found = points.Get(q.GetPoints(collection_name=name, ids=[q.PointId(num=1)], with_vectors=selector))
        assert list(found.result[0].vectors.vector.data) == [1, 2]


def test_search_and_query_agree(points: q.PointsStub, name: str) -> None:
    stored = [point(number, dense(number, 1)) for number in range(1, 6)]
    points.Upsert(q.UpsertPoints(collection_name=name, wait=True, points=stored))
    searched = points.Search(q.SearchPoints(collection_name=name, vector=[1, 0], limit=2)).result
    nearest = q.Query(nearest=q.VectorInput(dense=q.DenseVector(data=[1, 0])))
    queried = points.Query(q.QueryPoints(collection_name=name, query=nearest, limit=2)).result
    assert [(found.id.num, found.score) for found in searched] == [(5, 5.0), (4, 4.0)]
    assert list(searched) == list(queried)


def test_a_large_integer_and_every_kind_of_value_survive_in_a_payload(
    points: q.PointsStub, name: str
) -> None:
    payload = {
        "integer": q.Value(integer_value=2**62),
        "double": q.Value(double_value=0.5),
        "none": q.Value(null_value=q.NullValue.NULL_VALUE),
        "list": q.Value(list_value=q.ListValue(values=[q.Value(bool_value=True), q.Value(string_value="é")])),
        "struct": q.Value(struct_value=q.Struct(fields={"a": q.Value(integer_value=-1)})),
    }
    stored = q.PointStruct(id=q.PointId(num=1), vectors=dense(1, 2), payload=payload)
    points.Upsert(q.UpsertPoints(collection_name=name, wait=True, points=[stored]))
    selector = q.WithPayloadSelector(enable=True)
    found = points.Get(q.GetPoints(collection_name=name, ids=[q.PointId(num=1)], with_payload=selector))
    assert dict(found.result[0].payload) == payload


def test_what_only_the_real_server_can_do_is_unimplemented(channel: grpc.Channel, name: str) -> None:
    for call, request in [
        (q.PointsStub(channel).Recommend, q.RecommendPoints(collection_name=name)),
        (q.SnapshotsStub(channel).Create, q.CreateSnapshotRequest(collection_name=name)),
        (q.CollectionsStub(channel).UpdateAliases, q.ChangeAliases()),
    ]:
        code, message = refused(call, request)
        assert code is grpc.StatusCode.UNIMPLEMENTED
        assert "is not supported by the embedded engine" in message


def test_query_is_no_method_before_1_10(name: str) -> None:
    with QdrantServer(version="1.8.0") as old, grpc.insecure_channel(str(old.grpc_address)) as channel:
        code, _ = refused(q.PointsStub(channel).Query, q.QueryPoints(collection_name=name))
        assert code is grpc.StatusCode.UNIMPLEMENTED


def test_both_health_services_answer(server: QdrantServer, channel: grpc.Channel) -> None:
    reply = q.QdrantStub(channel).HealthCheck(q.HealthCheckRequest())
    assert (reply.title, reply.version) == ("qdrant - vector search engine", "1.16.0")
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"") == b"\x08\x01", "status SERVING"


@pytest.mark.parametrize(
    ("version", "code", "missing", "wrong"),
    [
        ("1.8.0", grpc.StatusCode.PERMISSION_DENIED, "Invalid api-key", "Invalid api-key"),
        (
            "1.16.0",
            grpc.StatusCode.UNAUTHENTICATED,
            "Must provide an API key or an Authorization bearer token",
            "Invalid API key or JWT",
        ),
    ],
)
def test_the_key_is_demanded_of_every_method(
    version: str, code: grpc.StatusCode, missing: str, wrong: str
) -> None:
    with (
        QdrantServer(api_key="key", version=version) as server,
        grpc.insecure_channel(str(server.grpc_address)) as channel,
    ):
        call, request = q.CollectionsStub(channel).List, q.ListCollectionsRequest()
        assert refused(call, request) == (code, missing)
        assert refused(call, request, metadata=[("api-key", "other")]) == (code, wrong)
        for metadata in [("api-key", "key")], [("authorization", "Bearer key")]:
            assert list(call(request, metadata=metadata).collections) == []


def test_metrics_count_grpc_answers_by_code(server: QdrantServer, channel: grpc.Channel, name: str) -> None:
    refused(q.PointsStub(channel).Count, q.CountPoints(collection_name=name))
    from harness.exchange import Request

    text = server.answer(Request(method="GET", target="/metrics")).body.decode()
    assert 'grpc_responses_total{endpoint="/qdrant.Points/Count",status="NOT_FOUND"}' in text
