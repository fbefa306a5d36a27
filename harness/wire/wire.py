"""The wire: it records every exchange between client and provider and can break any of them."""

from collections.abc import Callable, Generator
from threading import Lock
from typing import Any, Protocol

from harness.exchange import Exchange, Failure, Request, Response
from harness.wire.faults import Answer, Fault, Reply, ResetPeer
from harness.wire.http1 import start_of_head

Script = Callable[[int, Request], Fault | None]
Rewrite = Callable[[Request, Response], Response]
OperationOf = Callable[[Request], str | None]


class Upstream(Protocol):
    """The provider, however it is had; ConnectionError or TimeoutError says that it can't be reached."""

    async def answer(self, request: Request) -> Response: ...


class Wire:
    """What a seam asks about each request: ``script(n, request)`` breaks the n-th one (from 0) or lets it be.

    ``rewrite`` changes the provider's own answers, unmarked, as a lying provider would.
    Safe to be used from several threads; ``script`` is never called by two at once.
    """

    def __init__(
        self,
        *,
        upstream: Upstream,
        clock: Callable[[], float],
        script: Script | None = None,
        rewrite: Rewrite | None = None,
        operation_of: OperationOf | None = None,
    ) -> None:
        self.clock = clock
        self._upstream = upstream
        self._script = script
        self._rewrite = rewrite
        self._operation_of = operation_of
        self._passages: list[Passage] = []
        self._errors: list[Exception] = []
        self._arrival = Lock()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Those that have ended, in order of arrival."""
        return tuple(passage.exchange for passage in list(self._passages) if passage.exchange)

    @property
    def errors(self) -> tuple[Exception, ...]:
        """What went wrong in the harness itself: with any of these, the exchanges prove nothing."""
        return tuple(self._errors)

    def open(self, request: Request) -> "Passage":
        """A request has arrived."""
        with self._arrival:
            try:
                fault = self._script(len(self._passages), request) if self._script else None
                operation = self._operation_of(request) if self._operation_of else None
            except Exception as error:
                self.note(error)
                raise
            passage = Passage(wire=self, request=request, fault=fault, operation=operation)
            self._passages.append(passage)
        return passage

    def close(self) -> None:
        """End what is still open: the client has given up on it. The wire can go on to be used."""
        for passage in list(self._passages):
            passage.end(Failure.TIMEOUT)

    async def ask(self, request: Request) -> Response:
        """The provider's answer, rewritten if it is to lie."""
        response = await self._upstream.answer(request)
        return self._rewrite(request, response) if self._rewrite else response

    def note(self, error: Exception) -> None:
        """The harness itself has failed."""
        self._errors.append(error)


class Passage:
    """One request on its way through the wire, until its exchange has ended."""

    __slots__ = ("_fault", "_operation", "_response", "_started_s", "_wire", "exchange", "request")

    def __init__(self, *, wire: Wire, request: Request, fault: Fault | None, operation: str | None) -> None:
        self.request = request
        self.exchange: Exchange | None = None
        self._wire = wire
        self._fault = fault
        self._operation = operation
        self._response = fault.response if isinstance(fault, Answer) else None
        self._started_s = wire.clock()

    def __await__(self) -> Generator[Any, None, Reply]:
        """``reply``, begun only once somebody waits for it: a client may be gone before."""
        return self.reply().__await__()

    async def reply(self) -> Reply:
        """What the seam is to do; the provider is asked only if its answer is needed."""
        try:
            return await self._settle()
        except (ConnectionError, TimeoutError):
            return ResetPeer()  # the provider's doing, and a fact about it
        except Exception as error:
            self._wire.note(error)
            self.end(Failure.CONNECTION)
            raise

    async def _settle(self) -> Reply:
        fault = self._fault
        if fault is None or fault.needs_answer:
            response = self._response = await self._wire.ask(self.request)
            fault = Answer(response=response, fault=fault)
        if isinstance(fault, Answer):
            start_of_head(fault.response.status, fault.response.headers)  # ValueError: it can't be sent
        return fault

    def end(self, failure: Failure | None = None) -> None:
        """The client has the whole response, or never will; only the first call counts."""
        if self.exchange is None:
            self.exchange = Exchange(
                request=self.request,
                response=None if failure else self._response,
                failure=failure,
                injected=self._fault.name if self._fault else None,
                operation=self._operation,
                started_s=self._started_s,
                ended_s=self._wire.clock(),
            )
