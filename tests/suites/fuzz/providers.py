"""Lying providers: the stub, with one thing wrong about what it takes or how it refuses."""

import json
from collections.abc import Callable
from typing import Any

from harness.contract.agreement import Agreement
from harness.exchange import Request, Response
from harness.provider.stub import Stub
from harness.provider.stubbed import CREDENTIAL, StubProvider
from harness.wire.clock import VirtualClock

Answering = Callable[[Stub, Request], Response]
JSON = (("content-type", "application/json"),)


class Liar(StubProvider):
    """A stub whose answers go through a function first."""

    def __init__(self, agreement: Agreement, answering: Answering) -> None:
        super().__init__(agreement)
        self._answering = answering

    def upstream(self, clock: Callable[[], float] | VirtualClock = lambda: 0.0) -> Any:
        stub, answering = super().upstream(clock), self._answering

        class Lying:
            async def answer(self, request: Request) -> Response:
                return answering(stub, request)

        return Lying()


def _changed(request: Request, change: Callable[[dict[str, Any]], object]) -> Request:
    """The request with its body changed in place, if it is an object."""
    try:
        body = json.loads(request.body)
    except ValueError:
        return request
    if isinstance(body, dict):
        change(body)
    return Request(method=request.method, target=request.target, headers=request.headers, body=json.dumps(body).encode())


def _good(stub: Stub, request: Request) -> Response:
    """A good answer, whatever was asked."""
    operation = stub.agreement.operation_of(request.method, request.path)
    if operation is None:
        return stub.answer_now(request)
    example = next(iter(operation[0].model.examples.values())).request.body
    headers = (*JSON, ("authorization", f"Bearer {CREDENTIAL}"))
    return stub.answer_now(Request(method=request.method, target=request.target, headers=headers, body=json.dumps(example).encode()))


def accepts_everything(stub: Stub, request: Request) -> Response:
    honest = stub.answer_now(request)
    return _good(stub, request) if honest.status in (400, 401) else honest


def accepts_any_credential(stub: Stub, request: Request) -> Response:
    honest = stub.answer_now(request)
    return _good(stub, request) if honest.status == 401 else honest


def refuses_with(status: int) -> Answering:
    def answering(stub: Stub, request: Request) -> Response:
        honest = stub.answer_now(request)
        return Response(status=status, headers=honest.headers, body=honest.body) if honest.status == 400 else honest

    return answering


def refuses_with_success(stub: Stub, request: Request) -> Response:
    """A 200 with an error in it."""
    honest = stub.answer_now(request)
    return Response(status=200, headers=honest.headers, body=honest.body) if honest.status == 400 else honest


def refuses_in_html(stub: Stub, request: Request) -> Response:
    honest = stub.answer_now(request)
    page = Response(status=400, headers=(("content-type", "text/html"),), body=b"<html>Bad Request</html>")
    return page if honest.status == 400 else honest


def refuses_without_detail(stub: Stub, request: Request) -> Response:
    honest = stub.answer_now(request)
    return Response(status=400, headers=JSON, body=b'{"error": "no"}') if honest.status == 400 else honest


def crashes_on_bad_json(stub: Stub, request: Request) -> Response:
    try:
        json.loads(request.body)
    except ValueError:
        return Response(status=500, headers=(("content-type", "text/plain"),), body=b"Internal Server Error")
    return stub.answer_now(request)


def takes_unknown_properties(stub: Stub, request: Request) -> Response:
    return stub.answer_now(_changed(request, lambda body: body.pop("unexpected_property", None)))


def takes_empty_texts(stub: Stub, request: Request) -> Response:
    def fill(body: dict[str, Any]) -> None:
        for name in ("query", "input"):
            body[name] = "text" if body.get(name) == "" else body.get(name)
        body.update({name: value for name, value in body.items() if value is not None})
        for name in [name for name, value in body.items() if value is None]:
            del body[name]

    honest = stub.answer_now(request)
    return stub.answer_now(_changed(request, fill)) if honest.status == 400 else honest


def takes_too_many(stub: Stub, request: Request) -> Response:
    return stub.answer_now(
        _changed(request, lambda body: body.update(documents=body["documents"][:1000]) if isinstance(body.get("documents"), list) else None)
    )


def takes_unknown_models(stub: Stub, request: Request) -> Response:
    honest = stub.answer_now(request)
    if honest.status == 400 and b"known_model" in honest.body:
        return stub.answer_now(_changed(request, lambda body: body.update(model="rerank-2")))
    return honest


def refuses_at_the_bound(stub: Stub, request: Request) -> Response:
    """999 documents are the most, it thinks."""
    body = json.loads(request.body) if request.body[:1] == b"{" and request.body[-1:] == b"}" else {}
    if len(body.get("documents", [])) == 1000:
        return stub.declared("rerank", 400)
    return stub.answer_now(request)


def refuses_nulls(stub: Stub, request: Request) -> Response:
    body = json.loads(request.body) if request.body[:1] == b"{" and b"NaN" not in request.body else {}
    if isinstance(body, dict) and body.get("top_k", 0) is None:
        return stub.declared("rerank", 400)
    return stub.answer_now(request)


def fails_on_unicode(stub: Stub, request: Request) -> Response:
    honest = stub.answer_now(request)
    if honest.status == 200 and b"\\u" in request.body:
        return Response(status=500, headers=(("content-type", "text/plain"),), body=b"UnicodeDecodeError")
    return honest


def dies_of_garbage() -> Answering:
    """After one bad request it answers nothing well any more."""
    dead: set[int] = set()

    def answering(stub: Stub, request: Request) -> Response:
        if id(stub) in dead:
            return Response(status=502, headers=(("content-type", "text/plain"),), body=b"gone")
        honest = stub.answer_now(request)
        if honest.status in (400, 404, 405):
            dead.add(id(stub))
        return honest

    return answering


def renames_a_field(stub: Stub, request: Request) -> Response:
    honest = stub.answer_now(request)
    return Response(status=honest.status, headers=honest.headers, body=honest.body.replace(b'"relevance_score"', b'"score"'))


def answers_one_less_in_long_lists(stub: Stub, request: Request) -> Response:
    honest = stub.answer_now(request)
    if honest.status != 200:
        return honest
    value = json.loads(honest.body)
    if len(value["data"]) > 20:
        value["data"] = value["data"][:-1]
    return Response(status=200, headers=honest.headers, body=json.dumps(value).encode())
