"""What was observed: requests, responses, and the calls of a client that caused them."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from urllib.parse import parse_qsl, urlsplit

Headers = tuple[tuple[str, str], ...]


class Level(IntEnum):
    """What a clause was checked against, from the weakest evidence to the strongest."""

    STUB = 0
    RECORDED = 1
    EMBEDDED = 2
    CONTAINER = 3
    LIVE = 4

    def __str__(self) -> str:
        return self.name.lower()


class Failure(StrEnum):
    """Why an exchange has no complete response."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    PROTOCOL = "protocol"


def parsed(data: bytes) -> object:
    """JSON as RFC 8259 has it: in UTF-8, without the NaN and Infinity of Python; ValueError for anything else."""
    if len(data) > _LARGE and _LONG_INTEGER not in b"," + data.translate(_SHAPES):
        import orjson  # here, for who only looks at the plugin

        with suppress(orjson.JSONDecodeError):  # it refuses more, such as half a character: then the other one decides
            return orjson.loads(data)
    try:
        return json.loads(data.decode(), parse_constant=_refused)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


_LARGE = 2_048  # from here on vectors are likely, which orjson reads many times as fast
_SHAPES = bytes.maketrans(b"123456789 \t\r\n:[-", b"0" * 9 + b"," * 7)
_LONG_INTEGER = b"," + b"0" * 19  # by their shapes: it may be one that orjson rounds


def _refused(literal: str) -> object:
    raise ValueError(f"{literal} is not JSON")


def find_header(headers: Headers, name: str) -> str | None:
    """The value of the first header called ``name`` (any case), or None."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it was on the wire; ``target`` is path and query, ``origin`` scheme and authority."""

    method: str
    target: str
    headers: Headers = field(default=(), repr=False)  # may carry a credential
    body: bytes = field(default=b"", repr=False)
    origin: str = ""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)

    def json(self) -> object:
        """The body as JSON; ValueError when it is not JSON."""
        return parsed(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One complete response as it was on the wire."""

    status: int
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        return find_header(self.headers, name)

    def json(self) -> object:
        """The body as JSON; ValueError when it is not JSON."""
        return parsed(self.body)

    @property
    def media_type(self) -> str:
        """The media type without its parameters, lower-cased; empty when none was sent."""
        return (self.header("content-type") or "").split(";")[0].strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rpc:
    """How an exchange went over gRPC: ``method`` as in ``/package.Service/Method``, ``status`` the grpc-status, if one came."""

    method: str
    status: int | None = None
    sent_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection of a client, overheard below HTTP; ``ended_by`` is client, provider, cut or reset.

    ``answered_bytes`` are those that came after the first request, up to the end of the last whole answer.
    """

    opened_s: float
    ended_s: float
    sent_bytes: int
    received_bytes: int
    answered_bytes: int
    ended_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what came back; times are seconds on the harness clock.

    ``injected`` names the fault that answered; None says that the provider itself did. ``given`` is the
    provider state that was set for it, if any. With ``rpc`` it went over gRPC: request and response are then what
    its messages mean in the terms of the contract, and say nothing of HTTP itself.
    """

    request: Request
    response: Response | None = None
    failure: Failure | None = None
    injected: str | None = None
    operation: str | None = None
    given: str | None = None
    rpc: Rpc | None = None
    step: str | None = None  # `sequence/step`, when it is one of a sequence
    started_s: float = 0.0
    ended_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The client gave back a value: numbers, strings, lists and mappings only."""

    value: object = field(repr=False, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The client raised: ``bases`` are the names of all classes the error is an instance of.

    ``text`` is everything that an engineer would see of it (repr, traceback, log lines), ``report`` what it tells
    of a call of which only some requests went well, as the contract has it.
    """

    type: str
    bases: tuple[str, ...] = ()
    message: str = field(repr=False, default="")
    text: str = field(repr=False, default="")
    report: Mapping[str, object] | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """The call never came to an end."""


Ending = Returned | Raised | Unfinished


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a client's method: what it was given, what it did on the wire, what came of it.

    Times are seconds on the harness clock; ``intended`` is the request that the arguments were taken from.
    """

    operation: str
    arguments: Mapping[str, object] = field(default_factory=dict, repr=False)
    intended: Mapping[str, object] | None = field(default=None, repr=False)  # the request meant, by its parts
    exchanges: tuple[Exchange, ...] = ()
    ending: Ending
    started_s: float = 0.0
    ended_s: float = 0.0
    step: str | None = None  # as its exchanges have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that one case saw.

    ``exchanges`` are those the harness had with the provider itself, without a client. ``secrets`` are the
    credentials in use, so that a check can look for them; ``measured`` are figures such as a load run's.
    """

    calls: tuple[Call, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    level: Level = Level.STUB
    origin: str = ""  # the scheme and authority that the client was pointed at
    secrets: tuple[str, ...] = field(default=(), repr=False)
    measured: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None
    note: str = ""  # what a reader of the report should know, such as what was recorded and when
    hung: str = ""  # where the client was when it had to be stopped, because it did not come to an end
    connections: tuple[Connection, ...] = ()  # of the client, where they were overheard
    stray: str = ""  # what the client did besides its calls, such as a log line or an unexpected connection
