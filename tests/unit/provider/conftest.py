"""Stubs to ask, and what they answer."""

import json
from collections.abc import Callable

import pytest

from harness.contract.agreement import Agreement
from harness.exchange import Request, Response
from harness.provider.stub import Stub

Ask = Callable[..., Response]


@pytest.fixture
def make(read: Callable[..., Agreement]) -> Callable[..., Stub]:
    """Makes a stub of the small contract, which may be changed before."""
    return lambda *changes, **options: Stub(read(*changes), **options)


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Asks a stub; a body that is not bytes is sent as JSON."""

    def ask(
        stub: Stub, target: str = "/v1/orders", body: object = None, *, method: str = "POST", headers: dict[str, str] | None = None
    ) -> Response:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = tuple({"content-type": "application/json", **(headers or {})}.items())
        return stub.answer_now(Request(method=method, target=target, headers=sent, body=content))

    return ask
