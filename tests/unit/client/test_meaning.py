"""What a call over gRPC means: an operation's request, its success, its declared failure."""

import json
from pathlib import Path

import pytest

from harness.client.meaning import Meaning
from harness.contract.catalog import load
from harness.exchange import Request

pytest.importorskip("google.protobuf")
ROOT = Path(__file__).parents[3]
AGREEMENT = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
COUNT = Request(method="POST", target="/collections/some/points/count", body=b"{}")


@pytest.fixture
def meaning() -> Meaning:
    return Meaning(AGREEMENT, origin="http://here")


def test_a_call_is_the_request_of_its_operation(meaning: Meaning) -> None:
    message = b"\x0a\x04some"  # CountPoints{collection_name: "some"}
    request = meaning.request("/qdrant.Points/Count", {":path": "/qdrant.Points/Count", "api-key": "k", "content-type": "application/grpc"}, message)
    assert (request.method, request.target, request.origin) == ("POST", "/collections/some/points/count", "http://here")
    assert request.headers == (("api-key", "k"), ("content-type", "application/json"))


@pytest.mark.parametrize(("method", "message"), [("/qdrant.Points/Facet", b""), ("/qdrant.Points/Count", b"\xff\xff\xff")])
def test_what_the_contract_does_not_know_belongs_to_no_operation(meaning: Meaning, method: str, message: bytes) -> None:
    request = meaning.request(method, {}, message)
    assert AGREEMENT.operation_of(request.method, request.target) is None


def test_an_answer_is_a_success(meaning: Meaning) -> None:
    response = meaning.response(COUNT, "/qdrant.Points/Count", b"\x0a\x02\x08\x03")  # CountResponse{result: {count: 3}}
    assert (response.status, json.loads(response.body)["result"]) == (200, {"count": 3})


def test_an_answer_that_can_not_be_read_is_no_json(meaning: Meaning) -> None:
    with pytest.raises(ValueError, match="."):
        meaning.response(COUNT, "/qdrant.Points/Count", b"\xff\xff\xff").json()


@pytest.mark.parametrize(
    ("status", "code", "body"),
    [
        (5, 404, {"status": {"error": "no such collection"}, "time": 0.001}),
        (16, 401, "no such collection"),
        (3, 400, {"status": {"error": "no such collection"}, "time": 0.001}),
        (2, 500, {"status": {"error": "no such collection"}, "time": 0.001}),
    ],
)
def test_a_status_is_the_declared_failure_in_the_providers_words(meaning: Meaning, status: int, code: int, body: object) -> None:
    response = meaning.refusal(COUNT, status, "no%20such%20collection")
    told = response.json() if response.media_type.endswith("json") else response.body.decode()
    assert (response.status, told) == (code, body)
