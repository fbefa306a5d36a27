"""The wire inside the process: every httpx client in it, whenever made, sync or async, is led to it.

respx takes the place of httpcore's connection pools, which is innermost: a retrying or caching transport of
the client's own stays in place above. A client that brings a transport without a pool is not on a network.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, cast

from harness.wire.wire import Passage, Wire

if TYPE_CHECKING:
    import httpcore
    import httpx
    import respx

    from harness.wire.faults import Reply


@contextmanager
def httpx_seam(
    wire: Wire,
    *,
    sleep: Callable[[float], object] | None = None,
    sleep_async: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Iterator[None]:
    """While it is open, httpx reaches only ``wire``.

    ``sleep`` and ``sleep_async`` keep a client waiting while the far end is slow or silent; they default to
    time.sleep and asyncio.sleep. Give them where the clock tells such waits from the client's own.
    RuntimeError when something else already answers for httpx in this process.
    """
    from respx.mocks import HTTPCoreMocker

    if HTTPCoreMocker.routers:
        raise RuntimeError("httpx is already routed through respx in this process: close that first")
    asker = _Asker()
    try:
        with _silent("httpcore.http11"), _router(wire, sleep=sleep or time.sleep, sleep_async=sleep_async, asker=asker):
            yield
    finally:
        asker.close()


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """Without the debug log of the connection in here: it is the harness's, and the client had no part in it."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)


def _router(
    wire: Wire,
    *,
    sleep: Callable[[float], object],
    sleep_async: Callable[[float], Awaitable[object]],
    asker: "_Asker",
) -> "respx.MockRouter":
    import httpcore
    import httpx
    import respx

    from harness.wire.memory import AsyncMemoryStream, MemoryStream

    class WireRouter(respx.MockRouter):
        """Has no routes: whatever is asked goes to the wire, so no matcher can fail unnoticed."""

        def handler(self, request: httpx.Request) -> httpx.Response:
            stream = MemoryStream(wire=wire, origin=_origin(request), sleep=sleep, ask=asker.ask)
            sent = _resent(request)
            connection = httpcore.HTTP11Connection(origin=sent.url.origin, stream=stream)
            return _received(connection.handle_request(sent))

        async def async_handler(self, request: httpx.Request) -> httpx.Response:
            stream = AsyncMemoryStream(wire=wire, origin=_origin(request), sleep=sleep_async)
            sent = _resent(request)
            connection = httpcore.AsyncHTTP11Connection(origin=sent.url.origin, stream=stream)
            return _received(await connection.handle_async_request(sent))

    return WireRouter(assert_all_called=False, using="httpcore")


def _origin(request: "httpx.Request") -> str:
    return f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"


def _resent(request: "httpx.Request") -> "httpcore.Request":
    import httpcore

    url = request.url
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.content,
        extensions=request.extensions,
    )


def _received(response: "httpcore.Response") -> "httpx.Response":
    import httpx

    # respx hands the stream on to httpcore as it is: it is never read as an httpx stream.
    stream = cast(httpx.SyncByteStream, response.stream)
    return httpx.Response(
        response.status, headers=response.headers, stream=stream, extensions=dict(response.extensions)
    )


class _Asker:
    """Asks the provider for clients that block, on a loop and a thread of its own, started when needed."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None

    def ask(self, passage: Passage, timeout_s: float) -> "Reply":
        """TimeoutError when the answer takes longer."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = Thread(target=self._loop.run_forever, name="harness-asker", daemon=True)
            self._thread.start()
        asking = asyncio.run_coroutine_threadsafe(passage.reply(), self._loop)
        try:
            return asking.result(timeout_s)
        except TimeoutError:
            asking.cancel()
            raise

    def close(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
