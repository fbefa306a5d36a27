"""Who has a say on a client's calls: the faults of a case before the provider, a liar behind it, as far as gRPC can say it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.client.interposing import Interposed
from harness.client.meaning import Meaning
from harness.contract.catalog import load
from harness.exchange import Request, Response
from harness.provider.lying import LyingOverGrpc
from harness.provider.stubbed import StubProvider
from harness.wire.rpc import Answer, Asked, Status

pytest.importorskip("google.protobuf")
ROOT = Path(__file__).parents[3]
AGREEMENT = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
METHOD = "/qdrant.Points/Count"
ASKED = Asked(method=METHOD, message=b"\x0a\x04some")  # CountPoints{collection_name: "some"}
THREE = Answer(message=b"\x0a\x02\x08\x03")  # CountResponse{result: {count: 3}}
DOWN = Status(code=14, injected="UNAVAILABLE")
JSON = (("content-type", "application/json"),)


def liar(change: Callable[[Any], Any], *, instead: Response | None = None) -> LyingOverGrpc:
    """One that changes the body of each answer."""

    def changed(request: Request, response: Response) -> Response:
        return replace(response, body=json.dumps(change(response.json())).encode())

    return LyingOverGrpc(StubProvider(AGREEMENT), changed, instead=lambda request: instead)


def interposed(liar: LyingOverGrpc | None = None, *, faults: int = 0) -> Interposed:
    script = (lambda number: DOWN if number < faults else None) if faults else None
    return Interposed(Meaning(AGREEMENT, origin="http://here"), script=script, liar=liar)


def counting(number: Any) -> Callable[[Any], Any]:
    return lambda body: {**body, "result": {"count": number}}


def test_the_first_calls_meet_the_fault_and_the_others_the_provider() -> None:
    between = interposed(faults=2)
    assert [between.instead(ASKED) for _ in range(3)] == [DOWN, DOWN, None]
    assert between.after(ASKED, THREE) is THREE


def test_a_lie_is_told_as_a_message_and_counted() -> None:
    lying = liar(counting(4))
    told = interposed(lying).after(ASKED, THREE)
    assert isinstance(told, Answer)
    assert Meaning(AGREEMENT, origin="").heard(Request(method="POST", target="/", body=b"{}"), METHOD, told).json()["result"] == {"count": 4}  # type: ignore[index]  # it is a mapping
    assert lying.changed == 1


@pytest.mark.parametrize("number", ["three", None, -1, 2**70, [3], {"of": 3}])
def test_what_a_message_has_no_words_for_is_not_told(number: Any) -> None:
    lying = liar(counting(number))
    assert interposed(lying).after(ASKED, THREE) is THREE
    assert lying.changed == 0


def test_what_says_nothing_else_is_no_lie() -> None:
    lying = liar(lambda body: {**body, "status": "ok"})
    assert interposed(lying).after(ASKED, THREE) is THREE
    assert lying.changed == 0


@pytest.mark.parametrize(("status", "code"), [(500, 13), (401, 16), (404, 5), (503, 14)])
def test_a_failure_is_told_as_a_status(status: int, code: int) -> None:
    failing = LyingOverGrpc(StubProvider(AGREEMENT), lambda request, response: replace(response, status=status))
    told = interposed(failing).after(ASKED, THREE)
    assert isinstance(told, Status)
    assert (told.code, told.injected, failing.changed) == (code, None, 1)


@pytest.mark.parametrize("status", [418, 422, 502])
def test_a_failure_that_grpc_has_no_status_for_is_not_told(status: int) -> None:
    failing = LyingOverGrpc(StubProvider(AGREEMENT), lambda request, response: replace(response, status=status))
    assert interposed(failing).after(ASKED, THREE) is THREE


def test_a_success_without_its_message_is_not_told() -> None:
    welcoming = LyingOverGrpc(StubProvider(AGREEMENT), lambda request, response: replace(response, status=200))
    refused = Status(code=5, message="no such thing")
    assert interposed(welcoming).after(ASKED, refused) is refused


def test_who_pretends_is_not_asked() -> None:
    made_up = Response(status=200, headers=JSON, body=b'{"result": {"count": 7}, "status": "ok", "time": 0.5}')
    pretending = liar(lambda body: body, instead=made_up)
    told = interposed(pretending).instead(ASKED)
    assert isinstance(told, Answer)
    assert pretending.changed == 1


def test_a_fault_comes_before_a_lie() -> None:
    lying = liar(counting(4), instead=Response(status=500))
    assert interposed(lying, faults=1).instead(ASKED) == DOWN
    assert lying.changed == 0


def test_over_rest_it_is_honest() -> None:
    honest = StubProvider(AGREEMENT)
    lying = LyingOverGrpc(honest, lambda request, response: replace(response, status=500))
    assert type(lying.upstream(lambda: 0.0)) is type(honest.upstream(lambda: 0.0))
    assert lying.grpc_address() is None  # a stub speaks none
