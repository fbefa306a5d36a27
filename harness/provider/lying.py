"""A provider behind a liar: whatever it answers is changed on its way."""

from collections.abc import Callable

from harness.exchange import Level, Request, Response
from harness.provider.had import Provider
from harness.wire.clock import VirtualClock
from harness.wire.server import Server, ThreadedServer
from harness.wire.wire import Upstream

Change = Callable[[Request, Response], Response]


class LyingProvider:
    """Another provider, with its answers changed; ``changed`` counts the answers that really became others."""

    def __init__(self, honest: Provider, change: Change) -> None:
        self._honest = honest
        self._change = change
        self._server: ThreadedServer | None = None
        self._origin = ""
        self.changed = 0
        self.name = f"{honest.name} (lying)"

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
            self.changed += 1
        return lie

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


class _LyingUpstream:
    def __init__(self, provider: LyingProvider, honest: Upstream) -> None:
        self._provider = provider
        self._honest = honest

    async def answer(self, request: Request) -> Response:
        return self._provider.lie(request, await self._honest.answer(request))

    def enter(self, given: str | None) -> None:
        if hasattr(self._honest, "enter"):
            self._honest.enter(given)

    def accept(self, credential: str) -> None:
        if hasattr(self._honest, "accept"):
            self._honest.accept(credential)
