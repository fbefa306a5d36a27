"""A real HTTP/1.1 server on a local port, quick when all is well and able to break any answer."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_address
from threading import Event, Thread
from typing import Final, Self

from harness.exchange import Failure, Request
from harness.wire.connection import Answerer, Connection, Service
from harness.wire.parser import MAX_BODY_BYTES

BACKLOG: Final = 2048


class PortUnavailable(OSError):
    """The address can't be listened on; the message says why and what to do."""


class Server:
    """Answers at ``origin`` from ``start`` to ``stop``.

    ``answer`` runs on the event loop, request by request: a Response it returns at once goes out in one
    write; a fault, or an awaitable of either, is played in a task. ``ended`` hears of each request once:
    None when its answer is out, else the failure (TIMEOUT: the client left first).
    """

    def __init__(
        self,
        *,
        answer: Answerer,
        host: str = "127.0.0.1",
        port: int = 0,
        max_body_bytes: int = MAX_BODY_BYTES,
        ended: Callable[[Request, Failure | None], None] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if not 0 <= port <= 65_535:
            raise ValueError(f"port is {port}: it must be 0 (any free port) to 65535")
        self._host, self._port = host, port
        self._service = Service(answer=answer, ended=ended, sleep=sleep, max_body_bytes=max_body_bytes)
        self._listener: asyncio.Server | None = None

    @property
    def address(self) -> tuple[str, int]:
        if self._listener is None:
            raise RuntimeError("the server has no address: it is not started")
        return self._host, self._port

    @property
    def origin(self) -> str:
        host, port = self.address
        address = ip_address(host)
        if address.is_unspecified:  # every address of this machine: name one that can be connected to
            host = "127.0.0.1" if address.version == 4 else "::1"
        return f"http://{host}:{port}" if address.version == 4 else f"http://[{host}]:{port}"

    async def start(self) -> None:
        """PortUnavailable when it can't."""
        if self._listener is not None:
            raise RuntimeError("the server is started already")
        listening = _listen(self._host, self._port)
        self._host, self._port = listening.getsockname()[:2]
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._service), sock=listening, backlog=BACKLOG
        )
        self._service.origin = self.origin

    async def stop(self, *, grace_s: float = 1.0) -> None:
        """Idle connections are closed, answers on their way get ``grace_s`` to arrive."""
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        for connection in list(self._service.connections):
            connection.retire()
        await self._service.emptied(within_s=grace_s)
        for connection in list(self._service.connections):
            connection.abort()
        await self._service.emptied(within_s=grace_s)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket of one family, so that port 0 is one port even where ``host`` has two addresses."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortUnavailable(_explain(host, port, error)) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)  # now, not later: only this tells that the port is free
    except OSError as error:
        listening.close()
        raise PortUnavailable(_explain(host, port, error)) from error
    listening.setblocking(False)
    return listening


def _explain(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"{host!r} is no known host: listen on 127.0.0.1 or on an address of this machine"
    remedies = {
        errno.EADDRINUSE: "another program listens there: stop it, or choose another port (0: any free one)",
        errno.EACCES: "that needs privileges: choose a port from 1024 up (0: any free one)",
        errno.EADDRNOTAVAIL: "this machine has no such address: listen on 127.0.0.1 or on one that it has",
    }
    return f"can't listen on {host}:{port}: {remedies.get(error.errno or 0, error.strerror or str(error))}"


class ThreadedServer:
    """A server on a thread and an event loop of its own; ``with`` gives it started, to clients that block.

    It keeps real time: within a run in virtual time, start a Server on the event loop of the run instead.
    """

    def __init__(self, server: Server, *, grace_s: float = 1.0) -> None:
        self._server = server
        self._grace_s = grace_s
        self._settled = Event()  # started, or failed to
        self._failure: BaseException | None = None
        self._leave: Callable[[], object] | None = None
        self._thread = Thread(target=self._run, name="harness-server", daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        self._settled.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self._server

    def __exit__(self, *exc_info: object) -> None:
        if self._leave is not None:
            self._leave()
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=fastest_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        leaving = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._leave = partial(loop.call_soon_threadsafe, leaving.set)
        try:
            await self._server.start()
        except Exception as error:  # noqa: BLE001 - told to whoever starts the server, in its own thread
            self._failure = error
            return
        finally:
            self._settled.set()
        await leaving.wait()
        await self._server.stop(grace_s=self._grace_s)


def fastest_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed, else the standard one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
