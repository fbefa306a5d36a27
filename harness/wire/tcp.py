"""What can go wrong below HTTP: a proxy for any protocol on TCP, with the toxics of Toxiproxy by their names."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Self

Sleep = Callable[[float], Awaitable[None]]
Direction = Literal["downstream", "upstream"]
PIECE_BYTES = 64 * 1024


class Cut(Exception):
    """This connection ends here; with ``reset`` as by a peer that is gone."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic:
    """Something wrong with the data in one direction; ``downstream`` is towards the client. By itself nothing is."""

    direction: Direction = "downstream"

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        """What becomes of a piece of data, after ``passed`` bytes before it."""
        yield data

    async def close(self, sleep: Sleep) -> None:
        """What comes between the end of the data and the end of the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency(Toxic):
    """Every piece of data is late."""

    seconds: float

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        await sleep(self.seconds)
        yield data


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth(Toxic):
    """Only so many bytes a second."""

    bytes_per_s: float

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        step = max(1, int(self.bytes_per_s / 10))
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            await sleep(len(piece) / self.bytes_per_s)
            yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicer(Toxic):
    """Data comes in small pieces, with a pause between them."""

    piece_bytes: int
    pause_s: float = 0.0

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        for start in range(0, len(data), self.piece_bytes):
            if start:
                await sleep(self.pause_s)
            yield data[start : start + self.piece_bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitData(Toxic):
    """The connection is closed after so many bytes."""

    most_bytes: int

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        left = self.most_bytes - passed
        yield data[: max(0, left)]
        if len(data) >= left:
            raise Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPeer(Toxic):
    """The connection is reset, after so many seconds, when there is data to be sent."""

    after_s: float = 0.0

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        await sleep(self.after_s)
        raise Cut(reset=True)
        yield data  # pragma: no cover - makes this a generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout(Toxic):
    """No data comes through; the connection is closed after so many seconds."""

    seconds: float

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        await sleep(self.seconds)
        raise Cut
        yield data  # pragma: no cover - makes this a generator


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose(Toxic):
    """The connection stays open for so many seconds after its end."""

    seconds: float

    async def close(self, sleep: Sleep) -> None:
        await sleep(self.seconds)


@dataclass
class TcpProxy:
    """Listens on a free port and hands everything on to another; ``toxics`` may change between connections.

    ``connections`` counts those that were made; the toxics of a connection are those that stood when it began.
    """

    host: str
    port: int
    toxics: tuple[Toxic, ...] = ()
    sleep: Sleep = asyncio.sleep
    connections: int = 0
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
        link = _Link(self.toxics, self.sleep)
        try:
            await link.join(client=(reader, writer), server=(onward_reader, onward_writer))
        except asyncio.CancelledError:
            pass  # the proxy is closing: so is this
        finally:
            for each in (writer, onward_writer):
                each.close()


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One connection from end to end."""

    def __init__(self, toxics: tuple[Toxic, ...], sleep: Sleep) -> None:
        self._toxics = toxics
        self._sleep = sleep

    async def join(self, *, client: Ends, server: Ends) -> None:
        up = asyncio.ensure_future(self._pump(client[0], server[1], "upstream"))
        down = asyncio.ensure_future(self._pump(server[0], client[1], "downstream"))
        try:
            await asyncio.gather(up, down)
        except Cut as cut:
            if cut.reset:
                _reset(client[1])
        except (ConnectionError, OSError):
            pass  # an end is gone: the other is told by being closed
        finally:
            for pump in (up, down):
                pump.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction) -> None:
        toxics = [toxic for toxic in self._toxics if toxic.direction == direction]
        passed = 0
        while data := await reader.read(PIECE_BYTES):
            async for piece in self._through(toxics, data, passed):
                writer.write(piece)
                await writer.drain()
            passed += len(data)
        for toxic in toxics:
            await toxic.close(self._sleep)
        if writer.can_write_eof():
            writer.write_eof()

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
