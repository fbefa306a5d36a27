"""What calls over gRPC mean in the terms of the contract: by the methods it names and a reader of the provider's messages."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, cast
from urllib.parse import quote, unquote

from harness.checks.compare import close
from harness.client.binding import resolve
from harness.contract.agreement import Agreement
from harness.contract.rpc import http_statuses, status_for
from harness.exchange import Request, Response
from harness.wire.rpc import Answer, Said, Status

NEARLY = 1e-5  # a score is a single float on its way
NOTHING: Mapping[str, str] = MappingProxyType({})


class Messages(Protocol):
    """Reads a provider's messages as the bodies that REST has; ValueError for one that can't be read."""

    def request(self, method: str, message: bytes) -> Mapping[str, Any]:
        """Its parts: path, query, body."""
        ...

    def response(self, method: str, message: bytes, body: Any) -> Any:
        """The body of the answer to a request with this body."""
        ...

    def answer(self, method: str, body: Any, like: bytes) -> bytes:
        """The message that says what a body does, as far as messages have words for it, in the form of another one."""
        ...


class Meaning:
    """Of all calls to one provider; ``origin`` is the address that the client was given."""

    def __init__(self, agreement: Agreement, *, origin: str) -> None:
        declared = agreement.contract.provider.grpc
        assert declared is not None
        self._agreement, self._origin, self._statuses = agreement, origin, http_statuses(declared.statuses)
        self._messages = cast(Messages, resolve(declared.messages)())
        self._operations = {method: name for name, method in declared.operations.items()}

    def request(self, method: str, metadata: Mapping[str, str], message: bytes) -> Request:
        """The request that a call stands for; one to no operation when the contract does not know it."""
        headers = tuple((name, value) for name, value in metadata.items() if not name.startswith(":") and name != "content-type")
        operation = self._operations.get(method)
        if operation is None:
            return Request(method="POST", target=method, headers=headers, body=message, origin=self._origin)
        terms = self._agreement.operations[operation].model
        try:
            parts = self._messages.request(method, message)
        except ValueError:
            return Request(method=terms.method, target=method, headers=headers, body=message, origin=self._origin)
        return Request(
            method=terms.method,
            target=self._agreement.target(operation, parts["path"], parts["query"]),
            headers=(*headers, ("content-type", terms.request.media_type)),
            body=json.dumps(parts["body"]).encode(),
            origin=self._origin,
        )

    def response(self, request: Request, method: str, message: bytes) -> Response:
        """The success that a message stands for; what can't be read is a body that is no JSON."""
        try:
            body = json.dumps(self._messages.response(method, message, request.json())).encode()
        except ValueError:
            body = message
        return Response(status=200, headers=(("content-type", "application/json"),), body=body)

    def refusal(self, request: Request, status: int, text: str, metadata: Mapping[str, str] = NOTHING) -> Response:
        """The declared failure that a status stands for, in the provider's words; what it says besides are headers."""
        code, found = self._statuses.get(status, 500), self._agreement.operation_of(request.method, request.path)
        shape = found[0].response_for(code) if found else None
        error = self._agreement.contract.errors.get(shape.error) if shape is not None and shape.error else None
        said = unquote(text)
        if error is None or not error.media_type.endswith("json"):
            return Response(status=code, headers=(*metadata.items(), ("content-type", "text/plain")), body=said.encode())
        body = _said(error.example, (error.message or "").split("/")[1:], said)
        return Response(status=code, headers=(*metadata.items(), ("content-type", error.media_type)), body=json.dumps(body).encode())

    def heard(self, request: Request, method: str, said: Said) -> Response:
        """What a client was told."""
        if isinstance(said, Answer):
            return self.response(request, method, said.message)
        metadata = {name: value for name, value in said.metadata if isinstance(value, str)}
        return self.refusal(request, said.code, quote(said.message), metadata)

    # The other way round

    def method(self, request: Request) -> str | None:
        """The method that asks for what a request does; None when the contract names none."""
        found, declared = self._agreement.operation_of(request.method, request.path), self._agreement.contract.provider.grpc
        return declared.operations.get(found[0].name) if found is not None and declared is not None else None

    def said(self, request: Request, method: str, lie: Response, *, honest: Response | None = None, like: bytes = b"") -> Said:
        """What tells a client this instead of what is ``honest``; ValueError for what gRPC has no way to say.

        A message is made in the form of the one that it is ``like``. Of a failure that was none, or another one, the text may be lost.
        """
        said = self._put(lie, method, like)
        heard = self.heard(request, method, said)
        if not _same(heard, lie) and (lie.status < 300 or honest is None or honest.status == lie.status):
            raise ValueError("something of it would be lost")
        if honest is not None and _same(heard, honest):
            raise ValueError("it says nothing else")
        return said

    def can_say(self, request: Request, honest: Response | None, lie: Response) -> bool:
        """Whether the lie can be told over gRPC, where the provider would have said what is honest, if it were asked."""
        method = self.method(request)
        try:
            return method is not None and bool(self.said(request, method, lie, honest=honest))
        except ValueError:
            return False

    def _put(self, response: Response, method: str, like: bytes) -> Said:
        if response.status >= 300:
            declared = self._agreement.contract.provider.grpc
            code = status_for(response.status, declared.statuses) if declared else None
            if code is None:
                raise ValueError(f"gRPC has no status for {response.status}")
            return Status(code=code, message=_text(response))
        try:
            return Answer(message=self._messages.answer(method, response.json(), like))
        except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"no message says this: {error}") from None


def _same(one: Response, other: Response) -> bool:
    return one.status == other.status and close(_without_nulls(_body(one)), _without_nulls(_body(other)), NEARLY)


def _without_nulls(value: Any) -> Any:
    """A message has no way to tell a member that is null from one that is not there."""
    if isinstance(value, Mapping):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _body(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.body


def _text(response: Response) -> str:
    """What a failure says in words."""
    body = _body(response)
    while isinstance(body, Mapping):
        body = next((each for each in body.values() if isinstance(each, str | Mapping)), "")
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)


def _said(example: Any, steps: list[str], text: str) -> Any:
    """An error like the example, with this text for its message."""
    if not steps:
        return text if isinstance(example, str) else example
    if not isinstance(example, Mapping):
        return example
    return {**example, steps[0]: _said(example.get(steps[0]), steps[1:], text)}
