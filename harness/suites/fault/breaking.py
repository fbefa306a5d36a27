"""The circuit breaker put to the test: when it opens, for how long, whom it lets through, when it closes."""

from collections.abc import Iterator

from harness.client.scenario import Pass, Scenario
from harness.contract.agreement import OperationTerms
from harness.suites.fault.catalogue import FaultOf, always, first
from harness.suites.fault.ordeal import Ordeal, calls, crowd, ordeal, refusal, server_error
from harness.suites.staging import Staging
from harness.wire.faults import Answer, Fault, Latency, ResetPeer, Timeout

AIM = "resilience.circuit_breaker.*"
NEARLY_S, NEARLY = 0.5, 0.02  # how near to the end of a rest, before and after it, a client is tried


def breaker_ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """Every way to try the breaker of one operation."""
    policy, status = staging.setting.agreement.contract.resilience.circuit_breaker, server_error(terms)
    if policy is None or status is None:
        return
    trials = _Trials(staging, terms, staging.declared(terms.name, status))
    yield from trials.opening()
    yield from trials.probing()
    yield from trials.counting()


class _Trials:
    """The scenarios; each begins with so many failures in a row as open the circuit, a retry counting as one."""

    def __init__(self, staging: Staging, terms: OperationTerms, down: Answer) -> None:
        policy = staging.setting.agreement.contract.resilience.circuit_breaker
        assert policy is not None
        self._staging, self._terms, self._down = staging, terms, down
        self._count, self._wanted = policy.failure_threshold, policy.half_open_successes
        self._rest_s = policy.recovery_timeout
        self._opened = calls(staging, terms, self._count)
        self._margin_s = min(NEARLY_S, NEARLY * self._rest_s)
        self._rested = Pass(seconds=self._rest_s + self._margin_s)

    def opening(self) -> Iterator[Ordeal]:
        broken: dict[str, Fault] = {"": self._down, "-on-timeouts": Timeout(), "-on-resets": ResetPeer()}
        after = self._calls(2, 50)
        later = (Pass(seconds=self._rest_s * 0.1), *after)  # what begins at the very moment may have come before
        for name, fault in broken.items():
            aims = ("failures.timeout.raises",) if isinstance(fault, Timeout) else ()
            yield self._ordeal(f"breaker-opens{name}", (*self._opened, *later), first(self._count, fault), *aims)
        mixed = self._all_failures()
        yield self._ordeal(
            "breaker-opens-on-a-mix", (*self._opened, *later), lambda number: mixed[number % len(mixed)] if number < self._count else None
        )
        slow = Answer(response=self._down.response, fault=Latency(seconds=1))
        stormy = (crowd(self._staging, self._terms, 0), Pass(seconds=self._rest_s * 0.5), *after)
        yield self._ordeal("breaker-opens-under-a-crowd", stormy, first(2 * self._count, slow))
        early = (*self._opened, Pass(seconds=self._rest_s - self._margin_s), *after)
        yield self._ordeal("breaker-stays-open", early, first(self._count, self._down))
        others = [terms for terms in self._staging.bound() if terms.name != self._terms.name]
        if others:
            elsewhere = (*self._opened, Pass(seconds=self._rest_s * 0.5), self._staging.fresh(others[0], 50))
            yield self._ordeal("breaker-is-one-for-all-operations", elsewhere, first(self._count, self._down))

    def _all_failures(self) -> list[Fault]:
        statuses = [status for status, shape in self._terms.model.responses.items() if status >= 500 and shape.raises]
        return [ResetPeer(), *(self._staging.declared(self._terms.name, status) for status in statuses[::-1])]

    def probing(self) -> Iterator[Ordeal]:
        down, count, wanted = self._down, self._count, self._wanted
        once_refused = (*self._opened, *self._calls(1, 50), self._rested)
        closing = (*once_refused, *self._calls(wanted, 100), crowd(self._staging, self._terms, 200))
        yield self._ordeal("breaker-probes-and-closes", closing, first(count, down))
        again = (*once_refused, *self._calls(3, 60), self._rested, *self._calls(1, 70))
        yield self._ordeal("breaker-reopens", again, first(count + 1, down))
        slow: FaultOf = lambda number: down if number < count else Latency(seconds=1)
        yield self._ordeal("breaker-admits-only-probes", (*once_refused, crowd(self._staging, self._terms, 100)), slow)
        if wanted > 1:
            begun = (*once_refused, *self._calls(1, 100), crowd(self._staging, self._terms, 200))
            yield self._ordeal("breaker-admits-the-other-probes", begun, slow)
            last_fails: FaultOf = lambda number: down if number < count or number == count + wanted - 1 else None
            nearly = (*once_refused, *self._calls(wanted, 100), *self._calls(2, 200))
            yield self._ordeal("breaker-needs-every-probe", nearly, last_fails)

    def counting(self) -> Iterator[Ordeal]:
        down, count, wanted = self._down, self._count, self._wanted
        closed_again = (*self._opened, self._rested, *self._calls(wanted, 100), *self._calls(count - 1, 200), *self._calls(1, 300))
        later: FaultOf = lambda number: down if number < count or count + wanted <= number < 2 * count + wanted - 1 else None
        yield self._ordeal("breaker-counts-anew-after-closing", closed_again, later)
        every_other: FaultOf = lambda number: down if number % 2 == 0 else None
        yield self._ordeal("breaker-counts-in-a-row-only", self._calls(2 * count), every_other)
        forbidden = refusal(self._terms)
        if forbidden is not None:
            refused = always(self._staging.declared(self._terms.name, forbidden))
            yield self._ordeal("breaker-ignores-refusals", self._calls(2 * count), refused, "resilience.retry.never.*")
        if 429 in self._terms.model.responses:
            limited = always(self._staging.declared(self._terms.name, 429, retry_after="0"))
            yield self._ordeal("breaker-ignores-rate-limits", self._calls(count), limited)

    def _calls(self, count: int, start: int = 0) -> Scenario:
        return calls(self._staging, self._terms, count, start)

    def _ordeal(self, name: str, scenario: Scenario, fault: FaultOf, *aims: str) -> Ordeal:
        return ordeal(self._staging, name, scenario, fault, AIM, *aims)
