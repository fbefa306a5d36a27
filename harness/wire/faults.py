"""What can go wrong on the wire, named as Toxiproxy and WireMock name it.

A fault says what to do as steps, without doing it: a port plays them on a socket, the in-process seam
in memory, so that both mean the same.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final, Protocol

from harness.exchange import Failure, Response
from harness.wire.http1 import Message, Persistence


@dataclass(frozen=True, slots=True)
class Send:
    """These bytes go out now."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing goes out for so long; 0 only separates what is before from what is after."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more will come of this exchange: it is complete, or has failed."""

    failure: Failure | None = None


class Stop(Enum):
    """How the connection stops being of use."""

    CLOSE = "closed in order"
    RESET = "reset"
    HOLD = "held open, silent, until the client leaves"


Step = Send | Pause | Ended | Stop


class Fault(Protocol):
    """One way to spoil an answer; ``needs_answer`` tells whether there must be one to spoil."""

    @property
    def name(self) -> str: ...

    @property
    def needs_answer(self) -> bool: ...

    def play(self, message: Message) -> Iterator[Step]: ...


Reply = Response | Fault
NOTHING: Final = Response(status=200)  # for faults that spoil no particular answer


def deliver(message: Message) -> Iterator[Step]:
    """The answer as it should be."""
    yield Send(message.data())
    yield from _finish(message)


def _finish(message: Message) -> Iterator[Step]:
    yield Ended()
    if message.closes:
        yield Stop.CLOSE


def play(reply: Reply, *, to_head: bool, persistence: Persistence = "") -> Iterator[Step]:
    """The steps of any reply to one request."""
    fault = Answer(response=reply) if isinstance(reply, Response) else reply
    return fault.play(Message(response=NOTHING, to_head=to_head, persistence=persistence))


def _check_at_least(minimum: float, **values: float) -> None:
    for name, value in values.items():
        if not value >= minimum:  # NaN is not
            raise ValueError(f"{name} is {value}: it must be at least {minimum}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """This response instead of the provider's, spoiled in its turn by ``fault`` if one is given."""

    needs_answer: ClassVar[bool] = False
    response: Response
    fault: Fault | None = None

    @property
    def name(self) -> str:
        return self.fault.name if self.fault else "answer"

    def play(self, message: Message) -> Iterator[Step]:
        own = message.carrying(self.response)
        return self.fault.play(own) if self.fault else deliver(own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The provider's answer comes so much later."""

    name: ClassVar[str] = "latency"
    needs_answer: ClassVar[bool] = True
    seconds: float

    def __post_init__(self) -> None:
        _check_at_least(0, seconds=self.seconds)

    def play(self, message: Message) -> Iterator[Step]:
        yield Pause(self.seconds)
        yield from deliver(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """No answer ever comes; the connection stays open."""

    name: ClassVar[str] = "timeout"
    needs_answer: ClassVar[bool] = False

    def play(self, message: Message) -> Iterator[Step]:
        yield Stop.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPeer:
    """The connection is reset (TCP RST) instead of an answer."""

    name: ClassVar[str] = "reset_peer"
    needs_answer: ClassVar[bool] = False

    def play(self, message: Message) -> Iterator[Step]:
        yield Ended(Failure.CONNECTION)
        yield Stop.RESET


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyResponse:
    """The connection is closed in order, without a byte of an answer."""

    name: ClassVar[str] = "empty_response"
    needs_answer: ClassVar[bool] = False

    def play(self, message: Message) -> Iterator[Step]:
        yield Ended(Failure.PROTOCOL)
        yield Stop.CLOSE


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitData:
    """The answer declares its whole length, and the connection is closed after so much of its body.

    An answer that is no longer than that comes whole, and its exchange is not a failed one.
    """

    name: ClassVar[str] = "limit_data"
    needs_answer: ClassVar[bool] = True
    body_bytes: int

    def __post_init__(self) -> None:
        _check_at_least(0, body_bytes=self.body_bytes)

    def play(self, message: Message) -> Iterator[Step]:
        cut = message.body[: self.body_bytes]
        yield Send(message.head() + cut)
        yield Ended(None if len(cut) == len(message.body) else Failure.PROTOCOL)
        yield Stop.CLOSE


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedChunk:
    """A chunked answer: half of the body in a good chunk, then one without a length, then the end.

    An answer that has no body (to HEAD, 204, 304) has no chunk to spoil and comes as it is.
    """

    name: ClassVar[str] = "malformed_chunk"
    needs_answer: ClassVar[bool] = True

    def play(self, message: Message) -> Iterator[Step]:
        if message.bodiless:
            yield from deliver(message)
            return
        half = message.body[: len(message.body) // 2]
        chunk = b"%x\r\n%b\r\n" % (len(half), half) if half else b""
        yield Send(message.chunked_head() + chunk + b"no length\r\nno chunk\r\n")
        yield Ended(Failure.PROTOCOL)
        yield Stop.CLOSE


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomData:
    """Bytes that are no HTTP, the same for the same seed, then the end."""

    name: ClassVar[str] = "random_data"
    needs_answer: ClassVar[bool] = False
    seed: int = 0
    size: int = 512

    def __post_init__(self) -> None:
        _check_at_least(1, size=self.size)

    def play(self, message: Message) -> Iterator[Step]:
        # The first byte starts no method, no version and no empty line.
        yield Send(b"\xff" + random.Random(self.seed).randbytes(self.size - 1))  # noqa: S311 - repeatable on purpose
        yield Ended(Failure.PROTOCOL)
        yield Stop.CLOSE


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowBody:
    """The head comes at once and the body in pieces over so long, the first after one gap.

    Toxiproxy's bandwidth, WireMock's dribble: no gap need exceed a read timeout, so only a deadline helps.
    """

    name: ClassVar[str] = "bandwidth"
    needs_answer: ClassVar[bool] = True
    seconds: float
    pieces: int = 20

    def __post_init__(self) -> None:
        _check_at_least(0, seconds=self.seconds)
        _check_at_least(1, pieces=self.pieces)

    def play(self, message: Message) -> Iterator[Step]:
        yield Send(message.head())
        body, count = message.body, min(self.pieces, len(message.body))
        for piece in range(count):
            yield Pause(self.seconds / count)
            yield Send(body[piece * len(body) // count : (piece + 1) * len(body) // count])
        yield from _finish(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicer:
    """The answer comes in pieces of so many bytes: HTTP allows it, so it must do no harm."""

    name: ClassVar[str] = "slicer"
    needs_answer: ClassVar[bool] = True
    size: int = 64

    def __post_init__(self) -> None:
        _check_at_least(1, size=self.size)

    def play(self, message: Message) -> Iterator[Step]:
        data = message.data()
        for start in range(0, len(data), self.size):
            if start:  # not after the last one: whoever has it all may leave at once
                yield Pause(0)
            yield Send(data[start : start + self.size])
        yield from _finish(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose:
    """The answer comes whole and announces the close, which comes so much later: it must do no harm."""

    name: ClassVar[str] = "slow_close"
    needs_answer: ClassVar[bool] = True
    seconds: float

    def __post_init__(self) -> None:
        _check_at_least(0, seconds=self.seconds)

    def play(self, message: Message) -> Iterator[Step]:
        yield Send(message.closing().data())
        yield Ended()
        yield Pause(self.seconds)
        yield Stop.CLOSE
