"""A connection that exists in memory: what a port would do to a socket, played to httpcore.

httpcore parses the very bytes that a port would send, and what it sends is parsed as a port would: a client
meets the errors that it would really meet, and the record is the same.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import Final

import httpcore

from harness.exchange import Failure
from harness.wire.faults import Ended, Pause, Reply, Send, Step, Stop, play
from harness.wire.parser import MAX_BODY_BYTES, Refusal, RequestParser, Turn
from harness.wire.wire import Passage, Wire

FOREVER_S: Final = 86_400.0  # what a client without a read timeout waits until the harness ends it


class Playback:
    """The far end of a connection, on a timeline of its own: it goes on while nobody reads."""

    def __init__(
        self, *, steps: Iterator[Step], ended: Callable[[Failure | None], None], started_s: float
    ) -> None:
        self._steps = steps
        self._ended = ended
        self._due_s = started_s
        self._chunks: deque[memoryview] = deque()
        self._stop: Stop | None = None
        self.advance(started_s)

    def advance(self, now_s: float) -> None:
        """Play all that is due by now."""
        while self._stop is None and self._due_s <= now_s:
            match next(self._steps, Stop.HOLD):
                case Send(data=data):
                    self._chunks.append(memoryview(data))
                case Pause(seconds=seconds):
                    self._due_s += seconds
                case Ended(failure=failure):
                    self._ended(failure)
                case Stop() as stop:
                    self._stop = stop

    def wake(self, now_s: float) -> None:
        """The next pause has been waited for, whatever rounding makes of the clock."""
        self._due_s = min(self._due_s, now_s)

    def read(self, max_bytes: int) -> bytes | None:
        """What has come so far, empty when there will be no more, None when it is still to come."""
        if self._chunks:
            chunk = self._chunks.popleft()
            if len(chunk) > max_bytes:
                self._chunks.appendleft(chunk[max_bytes:])
            return bytes(chunk[:max_bytes])
        if self._stop is Stop.RESET:
            raise httpcore.ReadError("connection reset by peer")
        return b"" if self._stop is Stop.CLOSE else None

    def wait_s(self, now_s: float) -> float:
        return math.inf if self._stop else self._due_s - now_s


Reading = Generator[float, None, bytes]


class _MemoryStream:
    """What both kinds of stream share: no I/O and no waiting, only what to wait for."""

    def __init__(self, *, wire: Wire, origin: str) -> None:
        self._clock = wire.clock
        self._open = wire.open
        self._turns: list[Turn | Refusal] = []
        self._passage: Passage | None = None
        self._playback: Playback | None = None
        self._parser = RequestParser(
            origin=origin,
            max_body_bytes=MAX_BODY_BYTES,
            on_turn=self._turns.append,
            on_invite=lambda: None,  # httpcore does not wait for it
        )

    def get_extra_info(self, info: str) -> None:
        return None

    def _hear(self, data: bytes) -> None:
        self._parser.feed(data)
        if self._passage is None and self._turns and isinstance(self._turns[0], Turn):
            self._passage = self._open(self._turns[0].request)

    def _begin(self, reply: Reply | None) -> Playback:
        """Of the reply to the request; of None when there was a refusal instead of a request."""
        turn = self._turns[0]
        if isinstance(turn, Refusal):
            steps = play(turn.response, to_head=False, persistence="close")
        else:
            assert reply is not None
            steps = play(reply, to_head=turn.request.method == "HEAD", persistence=turn.persistence)
        self._playback = Playback(steps=steps, ended=self._end, started_s=self._clock())
        return self._playback

    def _end(self, failure: Failure | None) -> None:
        if self._passage:
            self._passage.end(failure)

    def _reading(self, playback: Playback, max_bytes: int, patience_s: float) -> Reading:
        """Yields the seconds to sleep, returns what was read."""
        while True:
            playback.advance(self._clock())
            data = playback.read(max_bytes)
            if data is not None:
                return data
            wait_s = playback.wait_s(self._clock())
            if wait_s >= patience_s:
                yield patience_s
                raise self._timed_out()
            yield wait_s
            patience_s -= wait_s
            playback.wake(self._clock())

    def _timed_out(self) -> httpcore.ReadTimeout:
        self._end(Failure.TIMEOUT)
        return httpcore.ReadTimeout("nothing came within the read timeout")


class AsyncMemoryStream(_MemoryStream, httpcore.AsyncNetworkStream):
    """For asyncio: it waits on the running loop, whatever time that keeps."""

    def __init__(self, *, wire: Wire, origin: str, sleep: Callable[[float], Awaitable[object]]) -> None:
        super().__init__(wire=wire, origin=origin)
        self._sleep = sleep

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._hear(buffer)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        asked_s = self._clock()
        playback = self._playback or self._begin(await self._reply(timeout))
        patience_s = _patience_s(timeout) - (self._clock() - asked_s)
        reading = self._reading(playback, max_bytes, patience_s)
        try:
            while True:
                await self._sleep(next(reading))
        except StopIteration as done:
            data: bytes = done.value
            return data

    async def _reply(self, timeout_s: float | None) -> Reply | None:
        try:
            async with asyncio.timeout(_patience_s(timeout_s)):
                return await self._passage.reply() if self._passage else None
        except TimeoutError:
            raise self._timed_out() from None

    async def aclose(self) -> None:
        self._end(Failure.TIMEOUT)


class MemoryStream(_MemoryStream, httpcore.NetworkStream):
    """For clients that block: it waits by ``sleep`` and has the provider asked by ``ask``."""

    def __init__(
        self,
        *,
        wire: Wire,
        origin: str,
        sleep: Callable[[float], object],
        ask: Callable[[Passage, float], Reply],
    ) -> None:
        super().__init__(wire=wire, origin=origin)
        self._sleep = sleep
        self._ask = ask

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._hear(buffer)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        asked_s = self._clock()
        playback = self._playback or self._begin(self._reply(timeout))
        patience_s = _patience_s(timeout) - (self._clock() - asked_s)
        reading = self._reading(playback, max_bytes, patience_s)
        try:
            while True:
                self._sleep(next(reading))
        except StopIteration as done:
            data: bytes = done.value
            return data

    def _reply(self, timeout_s: float | None) -> Reply | None:
        try:
            return self._ask(self._passage, _patience_s(timeout_s)) if self._passage else None
        except TimeoutError:
            raise self._timed_out() from None

    def close(self) -> None:
        self._end(Failure.TIMEOUT)


def _patience_s(timeout_s: float | None) -> float:
    return FOREVER_S if timeout_s is None else timeout_s
