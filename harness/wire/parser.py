"""Bytes from a client in, requests out, however the bytes are cut; no I/O."""

from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import httptools

from harness.exchange import Request, Response
from harness.wire.http1 import Persistence

MAX_HEAD_BYTES: Final = 65_536
MAX_BODY_BYTES: Final = 64 * 1024 * 1024  # unless another limit is given
NOTED: Final = frozenset({b"host", b"expect", b"content-length"})


class Turn(NamedTuple):
    """A request to be answered, and what to say of the connection in doing so."""

    request: Request
    persistence: Persistence


class Refusal(NamedTuple):
    """What to say to something that is no request; the last that is said."""

    response: Response


class RequestParser:
    """Turns, in order, to ``on_turn``; ``on_invite`` when a client waits to be told to send its body.

    ``deaf`` once nothing more will be read: after a refusal, or the last request of a connection.
    """

    def __init__(
        self,
        *,
        origin: str,
        max_body_bytes: int,
        on_turn: Callable[[Turn | Refusal], None],
        on_invite: Callable[[], None],
    ) -> None:
        self.deaf = False
        self._origin = origin
        self._max_body_bytes = max_body_bytes
        self._on_turn = on_turn
        self._on_invite = on_invite
        self._before_upgrade: list[tuple[str, str]] | None = None
        self._parser = httptools.HttpRequestParser(self)
        self.on_message_begin()
        self._in_head = False

    def feed(self, data: bytes) -> None:
        if self.deaf:
            return
        self._began = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            raise  # ours, not the client's
        except httptools.HttpParserError as error:
            self._refuse(400, f"bad request: {error}")
        if self._in_head and not self._began:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"the head of a request is limited to {MAX_HEAD_BYTES} bytes")

    def _refuse(self, status: int, reason: str) -> None:
        if not self.deaf:
            self.deaf = True
            headers = (("content-type", "text/plain; charset=utf-8"),)
            self._on_turn(Refusal(Response(status=status, headers=headers, body=f"{reason}\n".encode())))

    def _decline_upgrade(self, rest: bytes) -> None:
        """Go on in HTTP/1.1: the parser stops at any offer to upgrade and would skip the body after it."""
        if self.deaf:
            return
        self._before_upgrade = self._headers
        kept = [f"{name}: {value}" for name, value in self._headers if name not in ("connection", "upgrade")]
        start = f"{self._parser.get_method().decode()} {self._url.decode('latin-1')} HTTP/1.1"
        self._parser = httptools.HttpRequestParser(self)
        self.feed("\r\n".join([start, *kept, "", ""]).encode("latin-1") + rest)

    # What the parser calls, in this order for each request.

    def on_message_begin(self) -> None:
        self._began = self._in_head = True
        self._head_bytes = 0
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self._noted: dict[bytes, bytes] = {}
        self._pieces: list[bytes] = []
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer
        name = name.lower()
        value = value.strip()
        if name in NOTED:
            self._noted[name] = value
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self.deaf or self._parser.should_upgrade():
            return
        modern = self._parser.get_http_version() != "1.0"
        if modern and b"host" not in self._noted:
            self._refuse(400, "bad request: HTTP/1.1 needs a Host header")
        elif int(self._noted.get(b"content-length", 0)) > self._max_body_bytes:
            self._refuse_body()
        elif modern and self._noted.get(b"expect", b"").lower() == b"100-continue":
            self._on_invite()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._max_body_bytes:
            self._refuse_body()
        elif not self.deaf:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        if self.deaf:
            return
        if self._parser.should_upgrade() and self._parser.get_method() != b"CONNECT":
            return  # the parser raises next, and the request is read again without the offer
        self._on_turn(Turn(self._request(), self._persistence()))

    def _refuse_body(self) -> None:
        self._refuse(413, f"the body of a request is limited to {self._max_body_bytes} bytes")

    def _request(self) -> Request:
        url = self._url
        if not url.startswith(b"/") and b"://" in url:  # as sent to a proxy
            url = urlsplit(url)._replace(scheme=b"", netloc=b"").geturl() or b"/"
        headers, self._before_upgrade = self._before_upgrade or self._headers, None
        return Request(
            method=self._parser.get_method().decode(),
            target=url.decode("latin-1"),
            headers=tuple(headers),
            body=self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces),
            origin=self._origin,
        )

    def _persistence(self) -> Persistence:
        if not self._parser.should_keep_alive() or self._parser.should_upgrade():
            self.deaf = True
            return "close"
        return "keep-alive" if self._parser.get_http_version() == "1.0" else ""
