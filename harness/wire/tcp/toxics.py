"""What can go wrong below HTTP: the toxics of Toxiproxy, by their names."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

Sleep = Callable[[float], Awaitable[None]]
Direction = Literal["downstream", "upstream"]


class Cut(Exception):
    """This connection ends here; with ``reset`` as by a peer that is gone."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic:
    """Something wrong with the data in one direction; ``downstream`` is towards the client. By itself nothing is."""

    name: ClassVar[str] = ""
    direction: Direction = "downstream"

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        """What becomes of a piece of data, after ``passed`` bytes before it."""
        yield data

    async def close(self, sleep: Sleep) -> None:
        """What comes between the end of the data and the end of the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency(Toxic):
    """Every piece of data is late."""

    name: ClassVar[str] = "latency"
    seconds: float

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        await sleep(self.seconds)
        yield data


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth(Toxic):
    """Only so many bytes a second; what has come in ``every_s`` seconds goes out together."""

    name: ClassVar[str] = "bandwidth"
    bytes_per_s: float
    every_s: float = 0.1

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        step = max(1, int(self.bytes_per_s * self.every_s))
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            await sleep(len(piece) / self.bytes_per_s)
            yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicer(Toxic):
    """Data comes in small pieces, with a pause between them."""

    name: ClassVar[str] = "slicer"
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

    name: ClassVar[str] = "limit_data"
    most_bytes: int

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        left = self.most_bytes - passed
        yield data[: max(0, left)]
        if len(data) >= left:
            raise Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPeer(Toxic):
    """The connection is reset, after so many seconds, when there is data to be sent."""

    name: ClassVar[str] = "reset_peer"
    after_s: float = 0.0

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        await sleep(self.after_s)
        raise Cut(reset=True)
        yield data  # pragma: no cover - makes this a generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout(Toxic):
    """No data comes through; the connection is closed after so many seconds."""

    name: ClassVar[str] = "timeout"
    seconds: float

    async def pass_on(self, data: bytes, passed: int, sleep: Sleep) -> AsyncIterator[bytes]:
        await sleep(self.seconds)
        raise Cut
        yield data  # pragma: no cover - makes this a generator


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose(Toxic):
    """The connection stays open for so many seconds after its end."""

    name: ClassVar[str] = "slow_close"
    seconds: float

    async def close(self, sleep: Sleep) -> None:
        await sleep(self.seconds)
