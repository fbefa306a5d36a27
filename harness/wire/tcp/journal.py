"""What is overheard on the connections of a proxy: each request and what its client got of the answer, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harness.exchange import Exchange, Failure, Request, Response, Rpc

SLACK_S = 0.005


@dataclass(kw_only=True)
class Heard:
    """One request; it is over once ``ended_s`` is set, with a complete response or a failure."""

    request: Request
    started_s: float
    response: Response | None = None
    failure: Failure | None = None
    rpc: Rpc | None = None
    injected: str | None = None
    limit_s: float | None = None  # that the client has told its own library to keep, by a clock that is not the harness's
    ended_s: float | None = None


class Unjudged(Exception):
    """What was heard says nothing about the client, because the harness could not keep its time; the message says why."""


class Journal:
    """All that was heard, in the order in which it began; ``began`` is told of each request."""

    def __init__(self, *, clock: Callable[[], float], began: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._began = began
        self._heard: list[Heard] = []

    def begin(self, request: Request, *, injected: str | None, rpc: Rpc | None = None, limit_s: float | None = None) -> Heard:
        """A client has begun to ask, on a connection with this wrong with it."""
        heard = Heard(request=request, rpc=rpc, injected=injected, limit_s=limit_s, started_s=self._clock())
        self._heard.append(heard)
        self._began()
        return heard

    def end(self, heard: Heard, *, response: Response | None = None, failure: Failure | None = None) -> None:
        """It has the whole answer, or never will; only the first word counts."""
        if heard.ended_s is not None:
            return
        heard.ended_s, heard.failure = self._clock(), failure
        heard.response = None if failure else response
        if heard.limit_s is not None and heard.ended_s - heard.started_s > heard.limit_s + SLACK_S:
            raise Unjudged(
                f"the client leaves its timeout of {heard.limit_s:g} s to gRPC, which keeps real time: "
                "what it makes of an answer that is later can't be seen here"
            )

    def close(self) -> None:
        """What is still open will not be answered: the client is gone."""
        for heard in self._heard:
            self.end(heard, failure=Failure.TIMEOUT)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Those that have ended."""
        return tuple(
            Exchange(
                request=each.request,
                response=each.response,
                failure=each.failure,
                rpc=each.rpc,
                injected=each.injected,
                started_s=each.started_s,
                ended_s=each.ended_s,
            )
            for each in self._heard
            if each.ended_s is not None
        )


class Ear(Protocol):
    """Listens to one connection; it never changes what passes, and never fails on what it can't read."""

    @property
    def is_between(self) -> bool:
        """Whether what came so far may go on to the client: it is not in the middle of anything."""
        ...

    def heed(self, tell: Callable[[bytes], None]) -> None:
        """How the client is told what nobody else tells it in the harness's time: that a limit of its own is over."""
        ...

    @property
    def asked(self) -> bool:
        """Whether a request has begun: what goes wrong before is no matter of the contract."""
        ...

    @property
    def answer_bytes(self) -> int:
        """How many bytes came after the first request, up to the end of the last answer that came whole."""
        ...

    def sent(self, data: bytes) -> None:
        """By the client."""
        ...

    def came(self, data: bytes) -> None:
        """To the client."""
        ...

    def over(self, ended_by: str) -> None:
        """The connection has ended, by ``client``, ``provider``, ``cut`` or ``reset``."""
        ...


class Deaf:
    """Hears nothing: for any protocol."""

    answer_bytes = 0
    is_between = True

    def __init__(self, injected: str | None = None) -> None:
        self.asked = True

    def heed(self, tell: Callable[[bytes], None]) -> None: ...

    def sent(self, data: bytes) -> None: ...

    def came(self, data: bytes) -> None: ...

    def over(self, ended_by: str) -> None: ...
