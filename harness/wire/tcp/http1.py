"""Overhearing HTTP/1.1: requests and answers out of the bytes of one connection."""

from collections import deque
from collections.abc import Callable, Iterable

import h11

from harness.exchange import Failure, Headers, Request, Response
from harness.wire.tcp.journal import Heard, Journal

FAILURES = {"client": Failure.TIMEOUT, "reset": Failure.CONNECTION}  # any other end is one in the middle of an answer


class Http1Ear:
    """One connection; ``origin`` is the address that the client was given."""

    is_between = True

    def __init__(self, journal: Journal, *, origin: str, injected: str | None = None) -> None:
        self._journal, self._origin, self._injected = journal, origin, injected
        self._requests = h11.Connection(h11.SERVER)
        self._answers = h11.Connection(h11.CLIENT)
        self._open: deque[Heard] = deque()
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._answer: h11.Response | None = None
        self._content: list[bytes] = []
        self._deaf = False
        self._came_bytes = self.answer_bytes = 0
        self.asked = False

    def heed(self, tell: Callable[[bytes], None]) -> None:
        """Nothing: what keeps a client's limits over HTTP is in the harness's time."""

    def sent(self, data: bytes) -> None:
        self.asked = True
        try:
            self._requests.receive_data(data)
            while not self._deaf and (event := self._requests.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                self._asks(event)
        except h11.ProtocolError:
            self._deaf = True

    def came(self, data: bytes) -> None:
        self._came_bytes += len(data) if self.asked else 0
        if data and not self._deaf and self._open:
            self._listen(data)

    def over(self, ended_by: str) -> None:
        if not self._deaf and self._open and ended_by in ("provider", "cut"):
            self._listen(b"")  # an answer may be as long as its connection
        for heard in self._open:
            self._journal.end(heard, failure=FAILURES.get(ended_by, Failure.PROTOCOL))

    def _asks(self, event: object) -> None:
        match event:
            case h11.Request():
                self._head, self._body = event, []
            case h11.Data():
                self._body.append(bytes(event.data))
            case h11.EndOfMessage():
                self._asked()
            case h11.ConnectionClosed():
                self._deaf = True

    def _asked(self) -> None:
        head = self._head
        assert head is not None
        request = Request(
            method=head.method.decode(),
            target=head.target.decode("ascii", "replace"),
            headers=_plain(head.headers),
            body=b"".join(self._body),
            origin=self._origin,
        )
        self._open.append(self._journal.begin(request, injected=self._injected))
        if len(self._open) == 1:
            self._expect(request.method)
        # The parser is told that it was answered, so that it reads on.
        self._requests.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
        self._requests.send(h11.EndOfMessage())
        if self._requests.our_state is h11.DONE and self._requests.their_state is h11.DONE:
            self._requests.start_next_cycle()
        else:
            self._deaf = not self._open

    def _expect(self, method: str) -> None:
        """The other parser has to know what is being answered."""
        if self._answers.our_state is h11.DONE:
            self._answers.start_next_cycle()
        self._answers.send(h11.Request(method=method, target="/", headers=[("host", "harness")]))
        self._answers.send(h11.EndOfMessage())

    def _listen(self, data: bytes) -> None:
        try:
            self._answers.receive_data(data)
            while self._open and (event := self._answers.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                self._answers_with(event)
        except h11.ProtocolError:
            for heard in self._open:
                self._journal.end(heard, failure=Failure.PROTOCOL)
            self._deaf = True

    def _answers_with(self, event: object) -> None:
        match event:
            case h11.Response():
                self._answer, self._content = event, []
            case h11.Data():
                self._content.append(bytes(event.data))
            case h11.EndOfMessage():
                self._answered()

    def _answered(self) -> None:
        answer = self._answer
        assert answer is not None
        heard = self._open.popleft()
        self.answer_bytes = self._came_bytes
        response = Response(status=answer.status_code, headers=_plain(answer.headers), body=b"".join(self._content))
        self._journal.end(heard, response=response)
        if self._open and self._answers.their_state is h11.DONE:
            self._expect(self._open[0].request.method)


def _plain(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
