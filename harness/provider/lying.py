"""A provider behind a liar: whatever it answers is changed on its way."""

from collections.abc import Callable

from harness.exchange import Level, Request, Response
from harness.provider.had import Provider
from harness.wire.clock import VirtualClock
from harness.wire.server import Server, ThreadedServer
from harness.wire.wire import Upstream

Change = Callable[[Request, Response], Response]
Instead = Callable[[Request], Response | None]


class LyingProvider:
    """Another provider, with its answers changed; ``changed`` counts the answers that really became others.

    What ``instead`` answers never reaches the provider: so it seems to have done what it has not.
    """

    def __init__(self, honest: Provider, change: Change, *, instead: Instead | None = None) -> None:
        self._honest = honest
        self._change = change
        self._instead = instead
        self._stood_in: LyingProvider | None = None
        self._server: ThreadedServer | None = None
        self._origin = ""
        self._changed = 0
        self.name = f"{honest.name} (lying)"

    @property
    def changed(self) -> int:
        return self._changed + (self._stood_in.changed if self._stood_in else 0)

    def over_grpc(self) -> "LyingOverGrpc":
        """The same lie, told over gRPC alone."""
        return LyingOverGrpc(self._honest, self._change, instead=self._instead)

    def about(self, stand_in: Provider) -> "LyingProvider":
        """The same lie about what stands in for the provider."""
        self._stood_in = LyingProvider(stand_in, self._change, instead=self._instead)
        return self._stood_in

    @property
    def level(self) -> Level:
        return self._honest.level

    @property
    def credential(self) -> str:
        return self._honest.credential

    @property
    def takes_states(self) -> bool:
        return self._honest.takes_states

    @property
    def remembers(self) -> bool:
        return self._honest.remembers

    def upstream(self, clock: Callable[[], float] | VirtualClock) -> Upstream:
        return _LyingUpstream(self, self._honest.upstream(clock))

    def lie(self, request: Request, response: Response) -> Response:
        """The changed answer; counted when it differs."""
        lie = self._change(request, response)
        if lie != response:
            self._changed += 1
        return lie

    def made_up(self, request: Request) -> Response | None:
        """An answer without asking the provider; None to ask it."""
        answer = self._instead(request) if self._instead else None
        if answer is not None:
            self._changed += 1
        return answer

    def origin(self) -> str:
        if self._server is None:
            upstream = self.upstream(lambda: 0.0)
            self._server = ThreadedServer(Server(answer=upstream.answer))
            self._origin = self._server.__enter__().origin
        return self._origin

    def enter(self, given: str | None) -> None:
        self._honest.enter(given)

    def close(self) -> None:
        if self._server is not None:
            self._server.__exit__(None, None, None)
            self._server = None


class LyingOverGrpc(LyingProvider):
    """One that is honest over REST; ``changed`` counts the lies that its gRPC could say."""

    def upstream(self, clock: Callable[[], float] | VirtualClock) -> Upstream:
        return self._honest.upstream(clock)

    def origin(self) -> str:
        return self._honest.origin()

    def grpc_address(self) -> str | None:
        """Where the honest one answers over gRPC; None when it does not."""
        ask = getattr(self._honest, "grpc_address", None)
        return str(ask()) if callable(ask) else None

    def lie(self, request: Request, response: Response) -> Response:
        """The changed answer, which is counted once it is told."""
        return self._change(request, response)

    def made_up(self, request: Request) -> Response | None:
        """An answer without asking the provider, which is counted once it is told; None to ask it."""
        return self._instead(request) if self._instead else None

    def has_told(self) -> None:
        """The last lie could be said, and was."""
        self._changed += 1


class _LyingUpstream:
    def __init__(self, provider: LyingProvider, honest: Upstream) -> None:
        self._provider = provider
        self._honest = honest

    async def answer(self, request: Request) -> Response:
        made_up = self._provider.made_up(request)
        return self._provider.lie(request, await self._honest.answer(request)) if made_up is None else made_up

    def enter(self, given: str | None) -> None:
        if hasattr(self._honest, "enter"):
            self._honest.enter(given)

    def accept(self, credential: str) -> None:
        if hasattr(self._honest, "accept"):
            self._honest.accept(credential)
