"""Bringing a provider into a state: the contract says by which of its examples."""

import asyncio
import json
from typing import Protocol, runtime_checkable

from harness.contract.agreement import Agreement
from harness.contract.model import ExampleRequest
from harness.exchange import Request, Response
from harness.wire.wire import Upstream


class StateNotReached(Exception):
    """A provider did not take one of the requests that lead to a state; the message says which."""


@runtime_checkable
class Standing(Protocol):
    """An upstream that knows whether anything can have changed since it took some requests."""

    def stands_after(self, requests: tuple[Request, ...]) -> bool: ...

    def has_taken(self, requests: tuple[Request, ...]) -> None: ...


class Reaching:
    """An upstream that is brought into the state that is needed only when it is asked: many a fault lets nothing through."""

    def __init__(self, upstream: Upstream, *, agreement: Agreement, credential: str) -> None:
        self._upstream = upstream
        self._agreement = agreement
        self._credential = credential
        self._needed: str | None = None
        self._reached: str | None = None
        self._renewed = False
        self._turn = asyncio.Lock()

    def need(self, state: str | None, *, renewed: bool) -> None:
        """What comes next has to find this state; None for any.

        If it is ``renewed``, it is reached anew after a request that can't be made a second time.
        """
        self._needed, self._renewed = state or self._needed, renewed

    async def now(self) -> None:
        """Reach the state without waiting to be asked: for a client that asks the provider itself."""
        async with self._turn:
            await self._reach()

    async def answer(self, request: Request) -> Response:
        if self._needed != self._reached:
            async with self._turn:
                await self._reach()
        response = await self._upstream.answer(request)
        found = self._agreement.operation_of(request.method, request.path) if self._renewed else None
        if found is not None and not found[0].model.idempotent:
            self._reached = None
        return response

    async def _reach(self) -> None:
        if self._needed is not None and self._needed != self._reached:
            await reach(self._agreement, self._upstream, self._needed, self._credential)
            self._reached = self._needed


async def reach(agreement: Agreement, upstream: Upstream, state: str, credential: str) -> None:
    """Make the requests that lead to a state; StateNotReached when one of them is refused.

    Nothing is cleaned up before: a state's first examples do that where the provider remembers. Nothing is done where the
    provider knows that nobody has changed anything since the same requests were made.
    """
    names = agreement.contract.states[state]
    requests = tuple(_leading(agreement, name, credential) for name in names)
    if isinstance(upstream, Standing) and upstream.stands_after(requests):
        return
    for name, request in zip(names, requests, strict=True):
        response = await upstream.answer(request)
        if response.status >= 300:
            text = response.body[:200].decode("utf-8", "replace")
            raise StateNotReached(f"`{state}` can't be reached: {name} was answered {response.status}: {text}")
    if isinstance(upstream, Standing):
        upstream.has_taken(requests)


def _leading(agreement: Agreement, name: str, credential: str) -> Request:
    operation, _, example = name.partition("/")
    return example_request(agreement, operation, agreement.operations[operation].model.examples[example].request, credential)


def example_request(agreement: Agreement, operation: str, example: ExampleRequest, credential: str) -> Request:
    """The request of an example, with a credential ('' for none)."""
    contract, model = agreement.contract, agreement.operations[operation].model
    headers = [(name.lower(), value) for name, value in example.headers.items()]
    has_body = model.request.body is not None
    if has_body:
        headers.append(("content-type", model.request.media_type))
    auth = contract.provider.auth
    if auth and credential:
        headers.append((auth.header.lower(), f"Bearer {credential}" if auth.scheme == "bearer" else credential))
    body = json.dumps(example.body).encode() if has_body else b""
    return Request(method=model.method, target=agreement.target(operation, example.path, example.query), headers=tuple(headers), body=body)
