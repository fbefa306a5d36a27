"""The circuit breaker that the contract describes, run beside what a client was seen to do: no judgement, only its state.

It sees exchanges as they began and ended. Where several things happen at one moment, their order is not
known, and whatever one of the orders allows is allowed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.checks.groups import names_of
from harness.checks.sight import Seen, Sight
from harness.contract.model import CircuitBreaker
from harness.exchange import Call, Raised

SLACK_S = 0.005


class State(StrEnum):
    """The states of a circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A breaker at one moment; ``by_probe`` when it was a probe that opened it."""

    state: State = State.CLOSED
    since_s: float = 0.0
    failures: int = 0
    successes: int = 0
    probes: int = 0
    rounds: int = 0  # how often it was opened
    by_probe: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """Something that a breaker sees, and the phase that it finds (``before``) and leaves (``after``)."""

    at_s: float
    what: str  # begin, end or refused
    before: Phase
    after: Phase
    seen: Seen | None = None


def is_refused(sight: Sight, call: Call) -> bool:
    """Whether a call ended with the error that stands for an open circuit."""
    opened = sight.agreement.contract.failures.circuit_open
    return isinstance(call.ending, Raised) and opened is not None and opened.raises in names_of(call.ending)


def moments(sight: Sight) -> tuple[Moment, ...]:
    """All that a breaker would have seen, in the order of time; none where the contract has no breaker."""
    known = sight.memory.get("circuit")
    if isinstance(known, tuple):
        return known
    policy = sight.agreement.contract.resilience.circuit_breaker
    found = tuple(_Run(policy).moments(sight)) if policy else ()
    sight.memory["circuit"] = found
    return found


def may_refuse(sight: Sight, at_s: float, until_s: float | None = None) -> bool:
    """Whether at some moment of this span an attempt could have been refused."""
    policy = sight.agreement.contract.resilience.circuit_breaker
    if policy is None:
        return False
    until_s = at_s if until_s is None else until_s
    before = Phase()
    phases = []
    for moment in moments(sight):
        if moment.at_s > until_s + SLACK_S:
            break
        if moment.at_s >= at_s - SLACK_S:
            phases += [moment.before, moment.after]
        before = moment.after
    return any(_refuses(phase, policy, at_s) for phase in (*phases, before))


def _refuses(phase: Phase, policy: CircuitBreaker, at_s: float) -> bool:
    if phase.state is State.OPEN:
        return at_s < phase.since_s + policy.recovery_timeout + SLACK_S
    return phase.state is State.HALF_OPEN and phase.probes > 0


def _fails(seen: Seen) -> bool | None:
    """True for a failure of the provider, False for a success, None for what says nothing about it."""
    trouble = seen.trouble
    if trouble in ("timeout", "connection", "protocol") or (isinstance(trouble, int) and trouble >= 500):
        return True
    return False if trouble is None and seen.exchange.response is not None else None


@dataclass
class _Run:
    """The breaker itself."""

    policy: CircuitBreaker
    phase: Phase = field(default_factory=Phase)
    _begun_in: dict[int, tuple[State, int]] = field(default_factory=dict)

    def moments(self, sight: Sight) -> Iterator[Moment]:
        for at_s, _, what, seen in sorted(_cues(sight), key=lambda cue: cue[:2]):
            self._wake(at_s, what)
            before = self.phase
            if what == "begin" and seen is not None:
                self._begin(seen)
            elif what == "end" and seen is not None:
                self._end(seen, at_s)
            yield Moment(at_s=at_s, what=what, before=before, after=self.phase, seen=seen)

    def _wake(self, at_s: float, what: str) -> None:
        """An open circuit lets probes through once it has rested, and somebody asks."""
        rested = at_s >= self.phase.since_s + self.policy.recovery_timeout - SLACK_S
        if self.phase.state is State.OPEN and rested and what != "end":
            self.phase = Phase(state=State.HALF_OPEN, since_s=at_s, rounds=self.phase.rounds)

    def _begin(self, seen: Seen) -> None:
        self._begun_in[id(seen)] = self.phase.state, self.phase.rounds
        if self.phase.state is State.HALF_OPEN:
            self._change(probes=self.phase.probes + 1)

    def _end(self, seen: Seen, at_s: float) -> None:
        if self._begun_in.pop(id(seen), None) != (self.phase.state, self.phase.rounds):
            return  # what began under another state says nothing about this one
        failed = _fails(seen)
        if self.phase.state is State.HALF_OPEN:
            self._change(probes=self.phase.probes - 1)
            if failed:
                self._open(at_s, by_probe=True)
            elif failed is False:
                self._change(successes=self.phase.successes + 1)
                if self.phase.successes >= self.policy.half_open_successes:
                    self.phase = Phase(since_s=at_s, rounds=self.phase.rounds)
        elif self.phase.state is State.CLOSED and failed is not None:
            self._change(failures=self.phase.failures + 1 if failed else 0)
            if self.phase.failures >= self.policy.failure_threshold:
                self._open(at_s, by_probe=False)

    def _open(self, at_s: float, *, by_probe: bool) -> None:
        self.phase = Phase(state=State.OPEN, since_s=at_s, rounds=self.phase.rounds + 1, by_probe=by_probe)

    def _change(self, **changes: int) -> None:
        values: Mapping[str, object] = {name: getattr(self.phase, name) for name in self.phase.__dataclass_fields__}
        self.phase = Phase(**{**values, **changes})  # type: ignore[arg-type]  # the fields of a Phase


def _cues(sight: Sight) -> Iterator[tuple[float, int, str, Seen | None]]:
    arrivals = sorted(sight.sent, key=lambda seen: seen.exchange.started_s)
    for order, seen in enumerate(arrivals):
        yield seen.exchange.started_s, order, "begin", seen
        yield seen.exchange.ended_s, order, "end", seen
    for call, sent in sight.by_call:
        if not sent and is_refused(sight, call):
            yield call.ended_s, len(arrivals), "refused", None
