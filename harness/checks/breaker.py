"""Does the client's circuit breaker open, stay open, probe and close when the contract says?

The breaker that the contract describes is run beside the exchanges, as they began and ended; whatever the
client then did or refused to do is compared with what that breaker would have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from harness.checks.groups import names_of
from harness.checks.judging import Judge
from harness.checks.sight import Seen, Sight
from harness.contract.model import CircuitBreaker
from harness.exchange import Call, Raised
from harness.verdict import Judgement

SLACK_S = 0.005
THRESHOLD = "resilience.circuit_breaker.failure_threshold"
RECOVERY = "resilience.circuit_breaker.recovery_timeout"
PROBES = "resilience.circuit_breaker.half_open_successes"


class State(StrEnum):
    """The states of a circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, eq=False)
class _Moment:
    """Something that a breaker sees; what happens at one time is told apart by the order of arrival."""

    at_s: float
    order: int
    what: str
    seen: Seen | None = None
    call: Call | None = None


def check_breaker(sight: Sight) -> Iterator[Judgement]:
    """All calls of one client in the order of time."""
    policy = sight.agreement.contract.resilience.circuit_breaker
    if policy is None:
        return
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="breaker")
    oracle = _Oracle(judge, policy)
    for moment in sorted(_moments(sight), key=lambda m: (m.at_s, m.order)):
        yield from oracle.see(moment)


def _moments(sight: Sight) -> Iterator[_Moment]:
    arrivals = sorted(sight.sent, key=lambda seen: seen.exchange.started_s)
    for order, seen in enumerate(arrivals):
        yield _Moment(seen.exchange.started_s, order, "begin", seen)
        yield _Moment(seen.exchange.ended_s, order, "end", seen)
    for call, sent in sight.by_call:
        if not sent and call.operation in sight.agreement.operations:
            what = "refused" if _is_refused(sight, call) else "silent" if _is_new(sight, call) else "held"
            yield _Moment(call.ended_s, len(arrivals), what, call=call)


def _is_new(sight: Sight, call: Call) -> bool:
    """Whether nothing could be held of it from before."""
    return not any(other is not call and other.arguments == call.arguments for other in sight.observation.calls)


def _is_refused(sight: Sight, call: Call) -> bool:
    opened = sight.agreement.contract.failures.circuit_open
    return isinstance(call.ending, Raised) and opened is not None and opened.raises in names_of(call.ending)


def _was_refused_as_input(judge: Judge, call: Call) -> bool:
    refused = judge.agreement.contract.failures.invalid_input
    return isinstance(call.ending, Raised) and refused is not None and refused.raises in names_of(call.ending)


def _speaks(seen: Seen) -> bool | None:
    """True for a failure of the provider, False for a success, None for what says nothing about it."""
    trouble = seen.trouble
    if trouble in ("timeout", "connection", "protocol") or (isinstance(trouble, int) and trouble >= 500):
        return True
    return False if trouble is None and seen.exchange.response is not None else None


@dataclass
class _Oracle:
    judge: Judge
    policy: CircuitBreaker
    state: State = State.CLOSED
    failures: int = 0
    successes: int = 0
    opened_s: float = 0.0
    was_open: bool = False
    refused_while_open: bool = False
    probes: set[Seen] = field(default_factory=set)
    running: dict[Seen, State] = field(default_factory=dict)

    def see(self, moment: _Moment) -> Iterator[Judgement]:
        if self.state is State.OPEN and moment.at_s >= self.opened_s + self.policy.recovery_timeout - SLACK_S:
            if moment.what != "end":
                self.state, self.successes = State.HALF_OPEN, 0
        if moment.what == "refused":
            yield from self._refused(moment)
        elif moment.what == "silent" and moment.call is not None:
            yield from self._silent(moment.call)
        elif moment.seen is not None and moment.what == "begin":
            yield from self._begun(moment.seen)
        elif moment.seen is not None:
            self._ended(moment.seen, moment.at_s)

    def _begun(self, seen: Seen) -> Iterator[Judgement]:
        self.running[seen] = self.state
        if self.state is State.OPEN:
            clause = RECOVERY if self.refused_while_open else THRESHOLD
            waited = seen.exchange.started_s - self.opened_s
            yield self.judge.broken(
                clause,
                expected=f"no request for {self.policy.recovery_timeout:g} s after {self.policy.failure_threshold} failures in a row",
                actual=f"one after {waited:.3f} s",
                exchange=seen.exchange,
            )
        elif self.state is State.HALF_OPEN:
            self.probes.add(seen)
            most = self.policy.half_open_successes - self.successes
            if self.refused_while_open:
                yield from self.judge.kept(RECOVERY)
            if len(self.probes) > most:
                yield self.judge.broken(
                    PROBES, expected=f"at most {most} probes at once while half-open", actual=f"{len(self.probes)}", exchange=seen.exchange
                )
        elif self.was_open:
            yield from self.judge.kept(PROBES)

    def _silent(self, call: Call) -> Iterator[Judgement]:
        """Nothing was sent while the circuit is open, and the caller was not told why."""
        opened = self.judge.agreement.contract.failures.circuit_open
        if self.state is State.OPEN and opened is not None and not _was_refused_as_input(self.judge, call):
            actual = f"{call.ending.type} is raised" if isinstance(call.ending, Raised) else "a value is returned"
            yield self.judge.broken("failures.circuit_open.raises", expected=f"{opened.raises} while the circuit is open", actual=actual)

    def _refused(self, moment: _Moment) -> Iterator[Judgement]:
        if self.state is State.OPEN:
            self.refused_while_open = True
            if moment.at_s - self.opened_s > self.policy.recovery_timeout / 2:
                yield from self.judge.kept(RECOVERY)
            yield from self.judge.kept(THRESHOLD)
            yield from self.judge.kept("failures.circuit_open.raises")
        elif self.state is State.CLOSED:
            clause = PROBES if self.was_open else THRESHOLD
            yield self.judge.broken(
                clause,
                expected=f"a request is let through: {self.failures} of {self.policy.failure_threshold} failures in a row were seen",
                actual="it was refused",
            )
        elif len(self.probes) < self.policy.half_open_successes - self.successes:
            yield self.judge.broken(
                RECOVERY if not self.successes and not self.probes else PROBES,
                expected=f"a probe is let through {self.policy.recovery_timeout:g} s after the circuit opened",
                actual=f"it was refused after {moment.at_s - self.opened_s:.3f} s",
            )
        else:
            yield from self.judge.kept(PROBES)

    def _ended(self, seen: Seen, at_s: float) -> None:
        begun = self.running.pop(seen, State.CLOSED)
        self.probes.discard(seen)
        failed = _speaks(seen)
        if failed is None or begun is not self.state:
            return  # what began under another state says nothing about this one
        if self.state is State.HALF_OPEN:
            if failed:
                self._open(at_s)
            else:
                self.successes += 1
                if self.successes >= self.policy.half_open_successes:
                    self.state, self.failures = State.CLOSED, 0
        elif self.state is State.CLOSED:
            self.failures = self.failures + 1 if failed else 0
            if self.failures >= self.policy.failure_threshold:
                self._open(at_s)

    def _open(self, at_s: float) -> None:
        self.state, self.opened_s, self.failures = State.OPEN, at_s, 0
        self.was_open, self.refused_while_open = True, False
        self.probes.clear()
