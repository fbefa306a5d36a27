"""A circuit breaker as a table of states, without I/O, on an injected clock."""

from collections.abc import Callable
from enum import StrEnum

from adapters.errors import CircuitOpen
from adapters.resilience.clock import Clock, loop_time
from adapters.resilience.policy import BreakerPolicy

_EARLY_S = 1e-6  # a timer may fire early by the clock's resolution, and sums of floats round


class State(StrEnum):
    """CLOSED lets every call through, OPEN none, HALF_OPEN only its probes."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Cue(StrEnum):
    """What can move a breaker from one state to another."""

    THRESHOLD_REACHED = "threshold_reached"
    RECOVERY_DUE = "recovery_due"
    PROBE_FAILED = "probe_failed"
    PROBES_SUCCEEDED = "probes_succeeded"


TRANSITIONS: dict[tuple[State, Cue], State] = {
    (State.CLOSED, Cue.THRESHOLD_REACHED): State.OPEN,
    (State.OPEN, Cue.RECOVERY_DUE): State.HALF_OPEN,
    (State.HALF_OPEN, Cue.PROBE_FAILED): State.OPEN,
    (State.HALF_OPEN, Cue.PROBES_SUCCEEDED): State.CLOSED,
}


class Permit:
    """Leave for one attempt; exactly one of its three endings counts, the first."""

    __slots__ = ("_breaker", "_generation")

    def __init__(self, breaker: "Breaker", generation: int) -> None:
        self._breaker: Breaker | None = breaker
        self._generation = generation

    def succeeded(self) -> None:
        """The provider did its work."""
        if breaker := self._spent():
            breaker._success()

    def failed(self) -> None:
        """The provider did not do its work."""
        if breaker := self._spent():
            breaker._failure()

    def released(self) -> None:
        """The attempt ended and says nothing about the provider (cancelled, or the caller's own fault)."""
        if breaker := self._spent():
            breaker._release()

    def _spent(self) -> "Breaker | None":
        breaker, self._breaker = self._breaker, None
        # A late result of an attempt from before the last change of state says nothing about this one.
        if breaker is None or breaker._generation != self._generation:
            return None
        return breaker


class Breaker:
    """Refuses calls to a provider that keeps failing, and probes it carefully after a while.

    `failure_threshold` consecutive failures open it. After `recovery_timeout_s` it admits, at any time, only
    as many probes as successes are still needed; `half_open_successes` close it, one failure opens it again.
    """

    def __init__(
        self,
        policy: BreakerPolicy,
        *,
        clock: Clock = loop_time,
        on_change: Callable[[State, State], None] | None = None,
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._on_change = on_change
        self._state = State.CLOSED
        self._generation = 0
        self._failures = 0
        self._successes = 0
        self._probes = 0
        self._opened_s = 0.0

    @property
    def state(self) -> State:
        """The state as of now; OPEN turns HALF_OPEN by itself when recovery is due."""
        if self._state is State.OPEN and self._remaining_s() <= _EARLY_S:
            self._move(Cue.RECOVERY_DUE)
        return self._state

    def refused_s(self) -> float:
        """How long every attempt will be refused from now, as far as that is certain."""
        return self._remaining_s() if self.state is State.OPEN else 0.0

    def check(self) -> None:
        """CircuitOpen when `admit` would refuse now; takes no place."""
        if self._state is State.CLOSED:
            return
        if self.state is State.OPEN:
            raise CircuitOpen(retry_in_s=self._remaining_s())
        if self._probes >= self._policy.half_open_successes - self._successes:
            raise CircuitOpen(retry_in_s=None)

    def admit(self) -> Permit:
        """Leave for one attempt; CircuitOpen when there is none."""
        self.check()
        if self._state is State.HALF_OPEN:
            self._probes += 1
        return Permit(self, self._generation)

    def _success(self) -> None:
        self._failures = 0
        if self._state is State.HALF_OPEN:
            self._probes -= 1
            self._successes += 1
            if self._successes >= self._policy.half_open_successes:
                self._move(Cue.PROBES_SUCCEEDED)

    def _failure(self) -> None:
        if self._state is State.HALF_OPEN:
            self._move(Cue.PROBE_FAILED)
            return
        self._failures += 1
        if self._failures >= self._policy.failure_threshold:
            self._move(Cue.THRESHOLD_REACHED)

    def _release(self) -> None:
        if self._state is State.HALF_OPEN:
            self._probes -= 1

    def _move(self, cue: Cue) -> None:
        before, self._state = self._state, TRANSITIONS[self._state, cue]
        self._generation += 1
        self._failures = self._successes = self._probes = 0
        if self._state is State.OPEN:
            self._opened_s = self._clock()
        if self._on_change is not None:
            self._on_change(before, self._state)

    def _remaining_s(self) -> float:
        return self._opened_s + self._policy.recovery_timeout_s - self._clock()
