"""What Qdrant's messages mean: what our client writes into them is what the contract's examples say."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("grpc")

from adapters.qdrant import over_grpc, translation
from adapters.qdrant.messages import message
from adapters.qdrant.points import Point
from harness.checks.compare import close
from harness.client.reaching import example_request
from harness.contract.catalog import load
from harness.provider.qdrant_messages import QdrantMessages
from harness.provider.stub import Stub

ROOT = Path(__file__).parents[3]
AGREEMENT = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
EXAMPLES = [
    (operation, name)
    for operation in over_grpc._OPERATIONS
    if operation in AGREEMENT.operations
    for name, example in AGREEMENT.operations[operation].model.examples.items()
    if not isinstance((example.request.body or {}).get("query"), dict)
]


def written(operation: str, body: Any) -> tuple[str, bytes]:
    rpc, request, _, fill, _ = over_grpc._OPERATIONS[operation]
    made = message(request)(collection_name="some")
    fill(made, body)
    return f"/qdrant.Points/{rpc}", made.SerializeToString()


def bare(body: Any) -> Any:
    """Without what is left open, and without the difference between no filter and one without a condition."""
    found = {name: each for name, each in body.items() if name != "filter" or each.get("must")}
    return {name: each for name, each in found.items() if each is not None}


@pytest.mark.parametrize(("operation", "name"), EXAMPLES)
def test_an_example_is_read_as_it_was_meant(operation: str, name: str) -> None:
    body = AGREEMENT.operations[operation].model.examples[name].request.body
    method, data = written(operation, body)
    parts = QdrantMessages().request(method, data)
    assert parts["path"] == {"collection": "some"}
    assert bare(parts["body"]) == bare(body)


def test_points_are_read_as_they_were_meant() -> None:
    given = [{"id": 1, "vector": [0.6, 0.8], "payload": {"a": [1, None, "x"], "b": {"c": 0.1}}}, {"id": 2, "vector": {}}]
    points = [translation.point(Point(id=each["id"], vector=each["vector"], payload=each.get("payload")), older=False) for each in given]  # type: ignore[arg-type]  # plain values
    made = message("UpsertPoints")(collection_name="some", wait=True)
    data = made.SerializeToString() + b"".join(b"\x1a" + bytes([len(each)]) + each for each in points)
    parts = QdrantMessages().request("/qdrant.Points/Upsert", data)
    assert (parts["query"], parts["body"]["points"]) == ({"wait": True}, given)


def test_a_number_is_the_shortest_that_is_meant() -> None:
    method, data = written("query", {"query": [0.1], "limit": 1, "score_threshold": 0.7})
    body = QdrantMessages().request(method, data)["body"]
    assert (body["query"], body["score_threshold"]) == ([0.1], 0.7)


def test_an_answer_is_read_with_what_was_asked_for() -> None:
    made = message("QueryResponse")(time=0.5)
    found = made.result.add()
    found.id.num, found.score, found.version = 7, 0.25, 3
    answer = made.SerializeToString()
    read = QdrantMessages().response
    point = {"id": 7, "score": 0.25, "version": 3}
    assert read("/qdrant.Points/Query", answer, {}) == {"result": {"points": [point]}, "status": "ok", "time": 0.5}
    assert read("/qdrant.Points/Query", answer, {"with_payload": True})["result"]["points"] == [{**point, "payload": {}}]


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="QueryPoints"):
        QdrantMessages().request("/qdrant.Points/Query", b"\xff\xff\xff")
    with pytest.raises(ValueError, match="CountResponse"):
        QdrantMessages().response("/qdrant.Points/Count", b"\xff\xff\xff", {})


# Answers that are made up


@pytest.mark.parametrize("version", ["v1.16", "v1.8"])
def test_every_answer_that_the_contract_shows_can_be_said_and_is_read_as_it_was_meant(version: str) -> None:
    agreement = load(ROOT / "contracts" / "qdrant" / f"{version}.yaml", root=ROOT)
    grpc, stub, messages = agreement.contract.provider.grpc, Stub(agreement), QdrantMessages()
    assert grpc is not None
    for operation, method in grpc.operations.items():
        for example in agreement.operations[operation].model.examples.values():
            request = example_request(agreement, operation, example.request, "")
            body: Any = stub.answer_now(request).json()
            again = messages.response(method, messages.answer(method, body, b""), request.json())
            assert close(without_nulls(again), without_nulls(body), 1e-5), (operation, body, again)


def without_nulls(value: Any) -> Any:
    """A message tells no null from nothing."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def test_vectors_are_in_the_form_of_the_answer_that_they_are_like() -> None:
    body = {"result": [{"id": 1, "vector": [0.6, 0.8]}], "status": "ok", "time": 0.5}
    older = message("GetResponse")()
    older.result.add().vectors.vector.data = b"\0" * 8
    for like, is_newer in ((b"", True), (older.SerializeToString(), False)):
        made = message("GetResponse").FromString(QdrantMessages().answer("/qdrant.Points/Get", body, like))
        assert made.result[0].vectors.vector.HasField("dense") is is_newer
        assert (made.time, made.result[0].id.num) == (0.5, 1)


@pytest.mark.parametrize("result", [{"count": "three"}, {"count": -1}, {}, None, 3])
def test_what_a_message_has_no_words_for_is_refused(result: Any) -> None:
    with pytest.raises((TypeError, ValueError, LookupError)):
        QdrantMessages().answer("/qdrant.Points/Count", {"result": result, "time": 0.0}, b"")
