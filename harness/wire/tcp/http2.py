"""Overhearing gRPC: its calls out of the frames of one HTTP/2 connection."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import hpack
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, RstStreamFrame

from harness.exchange import Failure, Request, Response, Rpc
from harness.wire.rpc import MARK
from harness.wire.tcp.journal import Heard, Journal
from harness.wire.tcp.toxics import Sleep

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEAD = 9
LARGEST_TABLE = 1 << 20
UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
AFTER_S = 0.001  # a client's own timer for the same moment comes first
DEADLINE_EXCEEDED = 4
NOT_TOLD = (":", "grpc-", "content-type", MARK)  # what of an answer's fields is no metadata of the provider's
Fields = dict[str, str]


class Meaning(Protocol):
    """What gRPC calls mean in the terms of a contract."""

    def request(self, method: str, metadata: Fields, message: bytes) -> Request: ...

    def response(self, request: Request, method: str, message: bytes) -> Response: ...

    def refusal(self, request: Request, status: int, text: str, metadata: Fields) -> Response: ...


@dataclass
class _Call:
    """One stream."""

    stream: int
    method: str
    metadata: Fields
    sent: bytearray = field(default_factory=bytearray)
    got: bytearray = field(default_factory=bytearray)
    fields: Fields = field(default_factory=dict)
    heard: Heard | None = None


class GrpcEar:
    """One connection; a call begins with its whole message, for only then it is known what it asks for.

    A limit that a client has left to its library passes by ``sleep``: the library keeps real time, and is told when it is over.
    ``given`` is the limit that the client meant by the one that it told.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        meaning: Meaning,
        injected: str | None = None,
        sleep: Sleep | None = None,
        given: Callable[[float], float] = float,
    ) -> None:
        self._journal, self._meaning, self._injected, self._sleep, self._given = journal, meaning, injected, sleep, given
        self._tell: Callable[[bytes], None] = lambda data: None
        self._limits: set[asyncio.Future[None]] = set()
        self._up, self._down = _Frames(), _Frames()
        self._up.preface = len(PREFACE)
        self._calls: dict[int, _Call] = {}
        self._before_bytes = self.answer_bytes = 0
        self.asked = False

    @property
    def is_between(self) -> bool:
        return self._down.is_between

    def heed(self, tell: Callable[[bytes], None]) -> None:
        self._tell = tell

    def sent(self, data: bytes) -> None:
        self._up.feed(data, self._asks)

    def came(self, data: bytes) -> None:
        self._down.feed(data, self._answers)

    def over(self, ended_by: str) -> None:
        for limit in self._limits:
            limit.cancel()
        failure = Failure.TIMEOUT if ended_by == "client" else Failure.CONNECTION
        for call in self._calls.values():
            self._end(call, failure=failure)
        self._calls.clear()

    def _asks(self, frame: Frame, fields: Fields | None) -> None:
        call = self._calls.get(frame.stream_id)
        if fields is not None and call is None:
            if not self.asked:
                self.asked, self._before_bytes = True, self._down.read_bytes
            call = self._calls[frame.stream_id] = _Call(stream=frame.stream_id, method=fields.get(":path", ""), metadata=fields)
        elif call is not None and isinstance(frame, DataFrame):
            call.sent += frame.data
        elif call is not None and isinstance(frame, RstStreamFrame):
            self._end(self._calls.pop(frame.stream_id), failure=Failure.TIMEOUT)
            return
        if call is not None and _ends(frame):
            self._begun(call)

    def _begun(self, call: _Call) -> None:
        if call.heard is None:
            request = self._meaning.request(call.method, call.metadata, _message(call.sent))
            rpc = Rpc(method=call.method, sent_bytes=len(call.sent))
            told_s = _seconds(call.metadata.get("grpc-timeout", ""))
            limit_s = None if told_s is None else self._given(told_s)
            call.heard = self._journal.begin(request, rpc=rpc, injected=self._injected, limit_s=limit_s)
            if limit_s is not None and self._sleep is not None:
                limit = asyncio.ensure_future(self._limited(call, limit_s, self._sleep))
                self._limits.add(limit)
                limit.add_done_callback(self._limits.discard)

    async def _limited(self, call: _Call, limit_s: float, sleep: Sleep) -> None:
        """End a call as its library would have: the provider's answer comes too late from here on."""
        await sleep(limit_s + AFTER_S)
        if self._calls.pop(call.stream, None) is not None:
            self._tell(_last_words(call))
            self._end(call, failure=Failure.TIMEOUT)

    def _answers(self, frame: Frame, fields: Fields | None) -> None:
        call = self._calls.get(frame.stream_id)
        if call is None:
            return
        if fields is not None:
            call.fields |= fields
        elif isinstance(frame, DataFrame):
            call.got += frame.data
        if isinstance(frame, RstStreamFrame):
            self._end(self._calls.pop(frame.stream_id), failure=Failure.CONNECTION)
        elif _ends(frame):
            self.answer_bytes = self._down.read_bytes - self._before_bytes
            self._answered(self._calls.pop(frame.stream_id))

    def _answered(self, call: _Call) -> None:
        self._begun(call)
        heard, status = call.heard, call.fields.get("grpc-status", "")
        assert heard is not None
        if not status.isdigit():
            self._journal.end(heard, failure=Failure.PROTOCOL)
            return
        assert heard.rpc is not None
        heard.rpc = replace(heard.rpc, status=int(status))
        heard.injected = call.fields.get(MARK, heard.injected)
        if int(status):
            told = {name: value for name, value in call.fields.items() if not name.startswith(NOT_TOLD)}
            response = self._meaning.refusal(heard.request, int(status), call.fields.get("grpc-message", ""), told)
        else:
            response = self._meaning.response(heard.request, call.method, _message(call.got))
        self._journal.end(heard, response=response)

    def _end(self, call: _Call, *, failure: Failure) -> None:
        self._begun(call)
        assert call.heard is not None
        self._journal.end(call.heard, failure=failure)


class _Frames:
    """Cuts the bytes of one direction into frames, with the fields of those that carry some."""

    def __init__(self) -> None:
        self.preface = 0
        self.read_bytes = 0
        self._rest = bytearray()
        self._block: bytearray | None = None
        self._first: Frame | None = None
        self._decoder = hpack.Decoder()
        self._decoder.max_allowed_table_size = LARGEST_TABLE
        self._deaf = False

    @property
    def is_between(self) -> bool:
        """Whether no frame, and no block of fields, has only begun."""
        return self._deaf or not (self._rest or self._block)

    def feed(self, data: bytes, take: Callable[[Frame, Fields | None], None]) -> None:
        if self._deaf:
            return
        self._rest += data
        try:
            while (frame := self._next()) is not None:
                self._read(frame, take)
        except (HyperframeError, hpack.HPACKError):
            self._deaf = True

    def _next(self) -> Frame | None:
        if self.preface:
            skipped = min(self.preface, len(self._rest))
            del self._rest[:skipped]
            self.preface -= skipped
        if self.preface or len(self._rest) < FRAME_HEAD:
            return None
        frame, length = Frame.parse_frame_header(memoryview(bytes(self._rest[:FRAME_HEAD])))
        if len(self._rest) < FRAME_HEAD + length:
            return None
        frame.parse_body(memoryview(bytes(self._rest[FRAME_HEAD : FRAME_HEAD + length])))
        del self._rest[: FRAME_HEAD + length]
        self.read_bytes += FRAME_HEAD + length
        return frame

    def _read(self, frame: Frame, take: Callable[[Frame, Fields | None], None]) -> None:
        if isinstance(frame, HeadersFrame):
            self._first, self._block = frame, bytearray(frame.data)
        elif isinstance(frame, ContinuationFrame) and self._block is not None:
            self._block += frame.data
        else:
            take(frame, None)
            return
        if "END_HEADERS" in frame.flags and self._block is not None and self._first is not None:
            with _silent():
                decoded = self._decoder.decode(bytes(self._block), raw=True)
            fields = {_text(name): _text(value) for name, value in decoded}
            first, self._first, self._block = self._first, None, None
            take(first, fields)


def _last_words(call: _Call) -> bytes:
    """The end of a stream whose time is over; its fields are in no table, so the provider's later ones still mean what they did."""
    fields = [("grpc-status", str(DEADLINE_EXCEEDED)), ("grpc-message", "Deadline Exceeded")]
    if not call.fields:
        fields = [(":status", "200"), ("content-type", "application/grpc"), *fields]
    block = b"".join(b"\0" + _short(name) + _short(value) for name, value in fields)
    return HeadersFrame(call.stream, data=block, flags=["END_HEADERS", "END_STREAM"]).serialize()


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


@contextmanager
def _silent() -> Iterator[None]:
    """The decoder logs every field, a credential too: what is listened to here must not look like the client's own words."""
    loggers = [logging.getLogger(name) for name in ("hpack.hpack", "hpack.table")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _ends(frame: Frame) -> bool:
    return isinstance(frame, HeadersFrame | DataFrame) and "END_STREAM" in frame.flags


def _seconds(timeout: str) -> float | None:
    """A timeout as gRPC writes it, such as 30S; None for anything else."""
    number, unit = timeout[:-1], timeout[-1:]
    return int(number) * UNITS[unit] if number.isdigit() and unit in UNITS else None


def _message(data: bytes | bytearray) -> bytes:
    """The message of a call of one message: five bytes of flag and length stand before it."""
    return bytes(data[5:])


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "replace")
