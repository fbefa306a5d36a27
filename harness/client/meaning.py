"""What calls over gRPC mean in the terms of the contract: by the methods it names and a reader of the provider's messages."""

import json
from collections.abc import Mapping
from typing import Any, Protocol, cast
from urllib.parse import unquote

from harness.client.binding import resolve
from harness.contract.agreement import Agreement
from harness.exchange import Request, Response


class Messages(Protocol):
    """Reads a provider's messages as the bodies that REST has; ValueError for one that can't be read."""

    def request(self, method: str, message: bytes) -> Mapping[str, Any]:
        """Its parts: path, query, body."""
        ...

    def response(self, method: str, message: bytes, body: Any) -> Any:
        """The body of the answer to a request with this body."""
        ...


class Meaning:
    """Of all calls to one provider; ``origin`` is the address that the client was given."""

    def __init__(self, agreement: Agreement, *, origin: str) -> None:
        declared = agreement.contract.provider.grpc
        assert declared is not None
        self._agreement, self._origin, self._statuses = agreement, origin, declared.statuses
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

    def refusal(self, request: Request, status: int, text: str) -> Response:
        """The declared failure that a status stands for, in the provider's words."""
        code, found = self._statuses.get(status, 500), self._agreement.operation_of(request.method, request.path)
        shape = found[0].response_for(code) if found else None
        error = self._agreement.contract.errors.get(shape.error) if shape is not None and shape.error else None
        said = unquote(text)
        if error is None or not error.media_type.endswith("json"):
            return Response(status=code, headers=(("content-type", "text/plain"),), body=said.encode())
        body = _said(error.example, (error.message or "").split("/")[1:], said)
        return Response(status=code, headers=(("content-type", error.media_type),), body=json.dumps(body).encode())


def _said(example: Any, steps: list[str], text: str) -> Any:
    """An error like the example, with this text for its message."""
    if not steps:
        return text if isinstance(example, str) else example
    if not isinstance(example, Mapping):
        return example
    return {**example, steps[0]: _said(example.get(steps[0]), steps[1:], text)}
