"""The stub as a provider: a fresh one for each case in process, and one on a port for other tools."""

from collections.abc import Callable
from time import monotonic

from harness.contract.agreement import Agreement
from harness.exchange import Level
from harness.provider.stub import Stub
from harness.wire.clock import VirtualClock
from harness.wire.server import Server, ThreadedServer

CREDENTIAL = "hk-stub-6f1d2c7a9b3e4850"  # made up: only the stub takes it


class StubProvider:
    """A provider made from the contract."""

    name = "stub"
    level = Level.STUB
    takes_states = True
    remembers = False

    def __init__(self, agreement: Agreement, *, seed: str = "") -> None:
        self._agreement = agreement
        self._seed = seed
        self._server: ThreadedServer | None = None
        self._origin = ""
        self._stub = Stub(agreement, credential=CREDENTIAL, seed=seed)

    @property
    def credential(self) -> str:
        return CREDENTIAL

    def upstream(self, clock: Callable[[], float] | VirtualClock = monotonic) -> Stub:
        now = (lambda: clock.now_s) if isinstance(clock, VirtualClock) else clock
        return Stub(self._agreement, credential=CREDENTIAL, seed=self._seed, clock=now)

    def origin(self) -> str:
        if self._server is None:
            self._server = ThreadedServer(Server(answer=self._stub.answer_now))
            self._origin = self._server.__enter__().origin
        return self._origin

    def enter(self, given: str | None) -> None:
        self._stub.enter(given)

    def close(self) -> None:
        if self._server is not None:
            self._server.__exit__(None, None, None)
            self._server = None
