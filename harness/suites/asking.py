"""How the suites ask the provider without a client."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from harness.client.reaching import Reaching
from harness.exchange import Exchange, Failure, Request
from harness.suites.case import Setting
from harness.wire.wire import Upstream


def ask(
    setting: Setting, requests: list[Request], *, given: str | None = None, state: str | None = None, steps: list[str] | None = None
) -> list[Exchange]:
    """Ask the provider each request in turn: in a declared state of failure, or from a state that is reached before."""
    upstream = setting.provider.upstream(monotonic)
    if given is not None and hasattr(upstream, "enter"):
        upstream.enter(given)

    async def all_of_them() -> list[Exchange]:
        ready = Reaching(upstream, agreement=setting.agreement, credential=setting.provider.credential)
        ready.need(state if setting.provider.remembers else None, renewed=steps is None)
        exchanges = [await _asked(ready, request, given) for request in requests]
        named: Sequence[str | None] = steps or [None for _ in exchanges]
        return [replace(exchange, step=step) for exchange, step in zip(exchanges, named, strict=True)]

    return asyncio.run(all_of_them())


async def _asked(upstream: Upstream, request: Request, given: str | None) -> Exchange:
    started_s = monotonic()
    try:
        response, failure = await upstream.answer(request), None
    except TimeoutError:
        response, failure = None, Failure.TIMEOUT
    except ConnectionError:
        response, failure = None, Failure.CONNECTION
    return Exchange(request=request, response=response, failure=failure, given=given, started_s=started_s, ended_s=monotonic())
