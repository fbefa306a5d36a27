"""Does the client's circuit breaker open, stay open, probe and close when the contract says?"""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.checks.circuit import SLACK_S, Moment, Phase, State, moments
from harness.checks.judging import Judge
from harness.checks.sight import Sight
from harness.contract.model import CircuitBreaker
from harness.verdict import Judgement

THRESHOLD = "resilience.circuit_breaker.failure_threshold"
RECOVERY = "resilience.circuit_breaker.recovery_timeout"
PROBES = "resilience.circuit_breaker.half_open_successes"


def check_breaker(sight: Sight) -> Iterator[Judgement]:
    """All calls of one client, beside the breaker that the contract describes."""
    policy = sight.agreement.contract.resilience.circuit_breaker
    if policy is None:
        return
    watch = _Watch(Judge(agreement=sight.agreement, observation=sight.observation, check="breaker"), policy)
    for moment in moments(sight):
        if moment.what == "begin":
            yield from watch.begun(moment)
        elif moment.what == "refused":
            yield from watch.refused(moment)


@dataclass
class _Watch:
    judge: Judge
    policy: CircuitBreaker
    refused_in: int = 0  # the round in which a call was last seen to be refused

    def begun(self, moment: Moment) -> Iterator[Judgement]:
        phase = moment.before
        if phase.state is State.OPEN:
            if moment.at_s > phase.since_s + SLACK_S:  # what begins at the very moment may have come before
                yield self._too_early(moment, phase)
        elif phase.state is State.HALF_OPEN:
            yield from self._probed(moment, phase)
        elif phase.rounds:
            yield from self.judge.kept(PROBES)

    def _too_early(self, moment: Moment, phase: Phase) -> Judgement:
        assert moment.seen is not None
        clause = RECOVERY if self.refused_in == phase.rounds else PROBES if phase.by_probe else THRESHOLD
        because = "a probe failed" if phase.by_probe else f"{self.policy.failure_threshold} failures in a row"
        return self.judge.broken(
            clause,
            expected=f"no request for {self.policy.recovery_timeout:g} s after {because}",
            actual=f"one after {moment.at_s - phase.since_s:.3f} s",
            exchange=moment.seen.exchange,
        )

    def _probed(self, moment: Moment, phase: Phase) -> Iterator[Judgement]:
        assert moment.seen is not None
        if self.refused_in == phase.rounds:
            yield from self.judge.kept(RECOVERY)
        most, now = self.policy.half_open_successes - phase.successes, phase.probes + 1
        if now > most:
            yield self.judge.broken(
                PROBES, expected=f"at most {most} probes at once while half-open", actual=f"{now}", exchange=moment.seen.exchange
            )

    def refused(self, moment: Moment) -> Iterator[Judgement]:
        phase = moment.before
        if phase.state is State.OPEN:
            self.refused_in = phase.rounds
            yield from self.judge.kept(PROBES if phase.by_probe else THRESHOLD)
            yield from self.judge.kept("failures.circuit_open.raises")
        elif phase.state is State.CLOSED:
            yield self.judge.broken(
                PROBES if phase.rounds else THRESHOLD,
                expected=f"a request is let through: {phase.failures} of {self.policy.failure_threshold} failures in a row were seen",
                actual="it was refused",
            )
        elif phase.probes == 0:  # whether one probe or several go out at once is the client's choice
            yield self.judge.broken(
                PROBES if phase.successes else RECOVERY,
                expected=f"a probe is let through {self.policy.recovery_timeout:g} s after the circuit opened",
                actual="it was refused",
            )
        else:
            yield from self.judge.kept(PROBES)
