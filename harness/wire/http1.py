"""Responses as HTTP/1.1 bytes, framed anew whatever framing they were observed with."""

import re
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final, Literal, NamedTuple

from harness.contract.bodiless import has_no_body
from harness.exchange import Headers, Response

# Framing belongs to one connection: what the provider's connection said of itself is not passed on.
FRAMING: Final = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding"}
)
BREAKS_A_LINE: Final = re.compile(r"[\r\n\0]")
REASONS: Final = {status.value: status.phrase for status in HTTPStatus}

Persistence = Literal["", "close", "keep-alive"]  # the connection header to send; "" sends none


class Start(NamedTuple):
    """Status line and header lines without the framing, and whether they ask to close the connection."""

    data: bytes
    closes: bool


@lru_cache(maxsize=512)
def start_of_head(status: int, headers: Headers) -> Start:
    """ValueError when these can't be sent."""
    if not 200 <= status <= 999:
        raise ValueError(f"{status} is no final status: 200 to 999 are")
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() not in FRAMING]
    if any(BREAKS_A_LINE.search(line) for line in lines):
        raise ValueError("a header holds a line break or NUL: it would be read as another header")
    closes = any(name.lower() == "connection" and value.lower() == "close" for name, value in headers)
    return Start("\r\n".join([*lines, ""]).encode("latin-1"), closes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A response on its way to one request: ``to_head`` says that the request's method was HEAD."""

    response: Response
    to_head: bool = False
    persistence: Persistence = ""

    def carrying(self, response: Response) -> "Message":
        """Another response in the same place."""
        return Message(response=response, to_head=self.to_head, persistence=self.persistence)

    def closing(self) -> "Message":
        """The same response as the last one of its connection."""
        return Message(response=self.response, to_head=self.to_head, persistence="close")

    @property
    def bodiless(self) -> bool:
        return has_no_body("HEAD" if self.to_head else "", self.response.status)

    @property
    def body(self) -> bytes:
        return b"" if self.bodiless else self.response.body

    @property
    def closes(self) -> bool:
        return self.persistence == "close" or self._start.closes

    def head(self) -> bytes:
        if self.response.status in (204, 304):
            return self._head(b"")
        return self._head(b"content-length: %d\r\n" % self._length())

    def chunked_head(self) -> bytes:
        return self._head(b"transfer-encoding: chunked\r\n")

    def data(self) -> bytes:
        return self.head() + self.body

    @property
    def _start(self) -> Start:
        return start_of_head(self.response.status, self.response.headers)

    def _length(self) -> int:
        # The answer to a HEAD says how long a body would have been; only the provider knows that.
        declared = (self.response.header("content-length") or "") if self.to_head else ""
        return int(declared) if declared.isdecimal() else len(self.response.body)

    def _head(self, framing: bytes) -> bytes:
        start, closes = self._start
        persistence = "close" if closes else self.persistence
        connection = b"connection: %b\r\n" % persistence.encode() if persistence else b""
        return b"%b%b%b\r\n" % (start, connection, framing)
