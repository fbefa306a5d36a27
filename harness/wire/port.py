"""The wire as a local port: the one seam that every client shares, in any language."""

import asyncio
from collections.abc import Awaitable, Callable

from harness.exchange import Failure, Request
from harness.wire.faults import Reply
from harness.wire.server import Server
from harness.wire.wire import Passage, Wire


def port_seam(
    wire: Wire,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Server:
    """A server, not yet started, whose every request goes through ``wire``; faults take time by ``sleep``."""
    passages: dict[int, Passage] = {}  # by identity: equal requests are still different ones

    def answer(request: Request) -> Awaitable[Reply]:
        passages[id(request)] = passage = wire.open(request)
        return passage

    def ended(request: Request, failure: Failure | None) -> None:
        if passage := passages.pop(id(request), None):
            passage.end(failure)

    return Server(answer=answer, host=host, port=port, ended=ended, sleep=sleep)
