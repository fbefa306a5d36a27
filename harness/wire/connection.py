"""One client's connection to a port: requests answered strictly in order, and broken at byte level."""

import asyncio
import inspect
import logging
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, cast

from harness.exchange import Failure, Request, Response
from harness.wire.faults import Ended, Pause, Reply, Send, Step, Stop, play
from harness.wire.http1 import Message
from harness.wire.parser import Refusal, RequestParser, Turn

MAX_TURNS: Final = 64  # pipelined requests that may wait before reading stops
LINGER_S: Final = 1.0  # for a client that is still sending to read why it was refused
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
RESET_WHEN_CLOSED: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s
FAILED: Final = Response(
    status=500,
    headers=(("content-type", "text/plain; charset=utf-8"),),
    body=b"the harness itself failed to answer: its log says why\n",
)

Answerer = Callable[[Request], Reply | Awaitable[Reply]]
logger = logging.getLogger("harness.wire")


@dataclass(slots=True, kw_only=True)
class Service:
    """What all connections to one port share."""

    answer: Answerer
    ended: Callable[[Request, Failure | None], None] | None
    sleep: Callable[[float], Awaitable[object]]
    max_body_bytes: int
    origin: str = ""
    connections: "set[Connection]" = field(default_factory=set)
    departure: asyncio.Event | None = None  # of the last connection, while somebody waits for it

    async def emptied(self, *, within_s: float) -> None:
        """Returns when no connection is left, or after so long."""
        if self.connections:
            self.departure = asyncio.Event()
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self.departure.wait()

    def part(self, connection: "Connection") -> None:
        self.connections.discard(connection)
        if self.departure and not self.connections:
            self.departure.set()


class Connection(asyncio.Protocol):
    """Busy while an answer is on its way, blocked while the client does not take what was sent,
    stopped when no further answer will be sent."""

    _transport: asyncio.Transport

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._turns: deque[Turn | Refusal] = deque()
        self._current: Request | None = None
        self._task: asyncio.Task[None] | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._busy = self._blocked = self._stopped = False
        self._sent = self._invite_due = self._retiring = False
        self._parser = RequestParser(
            origin=service.origin,
            max_body_bytes=service.max_body_bytes,
            on_turn=self._take,
            on_invite=self._invite,
        )

    def retire(self) -> None:
        """Close, but not before the answer that is on its way."""
        if self._busy and not self._stopped:
            self._retiring = True
        else:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not derive from it
        self._service.connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed(data)

    def eof_received(self) -> None:
        """The client has left: the transport closes itself, and what is on its way is lost."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.part(self)
        self._busy = self._stopped = True
        if self._lingering:
            self._lingering.cancel()
        if self._task:
            self._task.cancel()
        self._end(Failure.TIMEOUT)

    def pause_writing(self) -> None:
        self._blocked = True

    def resume_writing(self) -> None:
        self._blocked = False
        self._go_on()

    # Whose turn it is.

    def _take(self, turn: Turn | Refusal) -> None:
        self._invite_due = False
        if self._busy or self._blocked or self._turns:
            self._turns.append(turn)
            if len(self._turns) == MAX_TURNS:
                self._transport.pause_reading()
        else:
            self._answer(turn)

    def _invite(self) -> None:
        self._invite_due = True
        self._go_on()

    def _go_on(self) -> None:
        was_full = len(self._turns) >= MAX_TURNS
        while self._turns and not self._busy and not self._blocked:
            self._answer(self._turns.popleft())
        if was_full and len(self._turns) < MAX_TURNS and not self._transport.is_closing():
            self._transport.resume_reading()
        if self._invite_due and not self._turns and not self._busy:
            self._invite_due = False
            self._transport.write(CONTINUE)

    # Answers.

    def _answer(self, turn: Turn | Refusal) -> None:
        if isinstance(turn, Refusal):
            self._refuse(turn)
            return
        self._current = turn.request
        self._sent = False
        try:
            reply = self._service.answer(turn.request)
            if isinstance(reply, Response):
                self._send(_message(turn, reply))
                return
        except Exception:  # noqa: BLE001 - whatever it is, the peer is answered and the log has it
            self._fail(turn)
            return
        self._busy = True
        self._task = self._loop.create_task(self._work(turn, reply))

    def _send(self, message: Message) -> None:
        """The fast path: one write, no task, no copy of the body."""
        self._transport.writelines((message.head(), message.body))
        self._sent = True
        self._end(None)
        if message.closes:
            self._close()

    async def _work(self, turn: Turn, reply: Reply | Awaitable[Reply]) -> None:
        try:
            settled = await reply if inspect.isawaitable(reply) else reply
            to_head = turn.request.method == "HEAD"
            for step in play(settled, to_head=to_head, persistence=turn.persistence):
                await self._perform(step)
        except Exception:  # noqa: BLE001 - as above
            self._fail(turn)
        self._task = None
        if not self._stopped:
            self._busy = False
            self._go_on()
        if self._retiring:
            self._transport.close()

    async def _perform(self, step: Step) -> None:
        match step:
            case Send(data=data):
                self._transport.write(data)
                self._sent = True
            case Pause(seconds=seconds):
                await self._service.sleep(seconds)
            case Ended(failure=failure):
                self._end(failure)
            case Stop.CLOSE:
                self._close()
            case Stop.RESET:
                self._stop()
                connected: socket.socket = self._transport.get_extra_info("socket")
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_WHEN_CLOSED)
                self._transport.abort()
            case Stop.HOLD:
                self._stop()

    def _refuse(self, refusal: Refusal) -> None:
        """Closing at once, with something still unread, would reset the connection and lose the reason."""
        message = Message(response=refusal.response, persistence="close")
        self._transport.write(message.data())
        self._stop()
        self._transport.write_eof()
        self._lingering = self._loop.call_later(LINGER_S, self._transport.close)

    def _fail(self, turn: Turn) -> None:
        logger.exception("no answer to %s %s", turn.request.method, turn.request.path)  # noqa: LOG004 - called while one is handled
        if self._sent:
            self._stop()
            self._transport.abort()
        else:
            self._send(_message(turn, FAILED))

    def _close(self) -> None:
        self._stop()
        self._transport.close()

    def _stop(self) -> None:
        self._busy = self._stopped = self._parser.deaf = True

    def _end(self, failure: Failure | None) -> None:
        request, self._current = self._current, None
        if request is not None and self._service.ended is not None:
            self._service.ended(request, failure)


def _message(turn: Turn, response: Response) -> Message:
    to_head = turn.request.method == "HEAD"
    return Message(response=response, to_head=to_head, persistence=turn.persistence)
