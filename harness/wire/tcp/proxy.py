"""A proxy for any protocol on TCP, between a client and the port that it is meant for."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Self

from harness.exchange import Connection
from harness.wire.tcp.journal import Deaf, Ear
from harness.wire.tcp.toxics import Cut, Direction, Sleep, Toxic

PIECE_BYTES = 64 * 1024
Toxics = tuple[Toxic, ...]


@dataclass
class TcpProxy:
    """Listens on a free port and hands everything on to another.

    ``toxics`` are those of every connection, or of the one with that number (from 0); they work from the first
    request on that its ``ear`` hears. ``seen`` tells of the connections that have ended, ``errors`` of what went
    wrong in the harness itself.
    """

    host: str
    port: int
    toxics: Toxics | Callable[[int], Toxics] = ()
    sleep: Sleep = asyncio.sleep
    connections: int = 0
    ear: Callable[[str | None], Ear] = Deaf  # is told what is wrong with the connection
    clock: Callable[[], float] = monotonic
    seen: list[Connection] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    _server: asyncio.Server | None = field(default=None, repr=False)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set, repr=False)

    @property
    def address(self) -> str:
        """Where it listens, such as 127.0.0.1:1234."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        toxics = self.toxics(self.connections) if callable(self.toxics) else self.toxics
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            onward_reader, onward_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.close()
            return
        link = _Link(toxics, self.sleep, self.ear("+".join(toxic.name for toxic in toxics) or None), self.clock)
        try:
            await link.join(client=(reader, writer), server=(onward_reader, onward_writer))
        except asyncio.CancelledError:
            pass  # the proxy is closing: so is this
        except Exception as error:  # noqa: BLE001 - whatever it is, what was heard proves nothing then
            self.errors.append(error)
        finally:
            self.seen.append(link.connection())
            for each in (writer, onward_writer):
                each.close()


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection from end to end."""

    def __init__(self, toxics: Toxics, sleep: Sleep, ear: Ear, clock: Callable[[], float]) -> None:
        self._toxics, self._sleep, self._ear, self._clock = toxics, sleep, ear, clock
        self._opened_s = clock()
        self._ended_s: float | None = None
        self._ended_by = "client"
        self._bytes = {"upstream": 0, "downstream": 0}
        self._held = b""  # the beginning of something that its client gets whole: what the ear has to tell must not break into it

    def connection(self) -> Connection:
        """What was seen of it."""
        return Connection(
            opened_s=self._opened_s,
            ended_s=self._clock() if self._ended_s is None else self._ended_s,
            sent_bytes=self._bytes["upstream"],
            received_bytes=self._bytes["downstream"],
            answered_bytes=self._ear.answer_bytes,
            ended_by=self._ended_by,
        )

    async def join(self, *, client: Ends, server: Ends) -> None:
        self._ear.heed(client[1].write)
        up = asyncio.ensure_future(self._pump(client[0], server[1], "upstream"))
        down = asyncio.ensure_future(self._pump(server[0], client[1], "downstream"))
        try:
            await asyncio.gather(up, down)
        except Cut as cut:
            self._over("reset" if cut.reset else "cut")
            if cut.reset:
                _reset(client[1])
            else:
                client[1].write(self._held)
        except (ConnectionError, OSError):
            self._over("client")  # an end is gone: the other is told by being closed
        finally:
            for pump in (up, down):
                pump.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    def _over(self, ended_by: str) -> None:
        if self._ended_s is None:
            self._ended_s, self._ended_by = self._clock(), ended_by
            self._ear.over(ended_by)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction) -> None:
        toxics = [toxic for toxic in self._toxics if toxic.direction == direction]
        passed = 0
        while data := await self._read(reader, direction):
            armed = toxics if self._ear.asked else []
            async for piece in self._through(armed, data, passed):
                writer.write(self._heard(piece) if direction == "downstream" else piece)
                await writer.drain()
            passed += len(data) if armed else 0
        for toxic in toxics:
            await toxic.close(self._sleep)
        self._over("client" if direction == "upstream" else "provider")
        writer.write(self._held if direction == "downstream" else b"")
        with suppress(OSError):  # the other end may be gone by now
            if writer.can_write_eof():
                writer.write_eof()

    def _heard(self, piece: bytes) -> bytes:
        """What goes on to the client now that this has come."""
        self._bytes["downstream"] += len(piece)
        self._ear.came(piece)
        whole = self._held + piece
        self._held = b"" if self._ear.is_between else whole
        return whole if self._ear.is_between else b""

    async def _read(self, reader: asyncio.StreamReader, direction: Direction) -> bytes:
        try:
            data = await reader.read(PIECE_BYTES)
        except OSError:
            self._over("client" if direction == "upstream" else "provider")
            raise
        if direction == "upstream":
            self._bytes[direction] += len(data)
            if data:
                self._ear.sent(data)
            else:
                self._over("client")
        return data

    async def _through(self, toxics: list[Toxic], data: bytes, passed: int) -> AsyncIterator[bytes]:
        if not toxics:
            yield data
            return
        first, *others = toxics
        async for piece in first.pass_on(data, passed, self._sleep):
            async for part in self._through(others, piece, passed):
                yield part
            passed += len(piece)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST: nothing lingers."""
    held = writer.get_extra_info("socket")
    if held is not None:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
