"""What a client does about a status of gRPC: attempts, waits, the typed error, the breaker; and about an answer that is no message.

The statuses are those that mean a declared failure of the operation, by the contract's table, and those that mean no answer.
"""

from collections.abc import Iterator
from functools import partial

from harness.client.interposing import RpcFaultOf
from harness.client.scenario import Pass, Scenario
from harness.contract.agreement import OperationTerms
from harness.contract.rpc import STATUS_NAMES, WITHOUT_ANSWER, http_statuses, status_for
from harness.suites.fault.ordeal import Ordeal, calls, refusal, server_error
from harness.suites.fault.transport import telling
from harness.suites.over_grpc import operations_over_grpc, play_over_grpc
from harness.suites.staging import Staging
from harness.wire.rpc import Answer, Said, Status

GARBLED = Answer(message=b"\xff" * 8, injected="random_data")  # starts a field of a kind that there is not
DEADLINE_EXCEEDED, UNAVAILABLE = WITHOUT_ANSWER
HINT_S = 7  # beyond the first back-offs, which a client that reads no hint would wait
RETRY, BREAKER = "resilience.retry.*", "resilience.circuit_breaker.*"


def status_ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """Every status for a few telling operations; for the others what tells most: a failure that passes, and a refusal."""
    if terms.name not in operations_over_grpc(staging.setting):
        return
    trials = _Trials(staging, terms)
    if terms.name in telling(staging):
        yield from trials.each_status()
        yield from trials.late()
        yield from trials.hints()
        yield trials.ordeal("random_data-always", always(GARBLED), "failures.invalid_response.raises")
        yield from trials.breaking()
    else:
        yield from trials.few()


def always(fault: Said) -> RpcFaultOf:
    return lambda number: fault


def first(count: int, fault: Said) -> RpcFaultOf:
    """The first ``count`` calls meet the fault, the others the provider."""
    return lambda number: fault if number < count else None


class _Trials:
    """What is tried with one operation."""

    def __init__(self, staging: Staging, terms: OperationTerms) -> None:
        contract = staging.setting.agreement.contract
        assert contract.provider.grpc is not None
        self._staging, self._terms, self._contract = staging, terms, contract
        self._declared = contract.provider.grpc.statuses
        self._meant = http_statuses(self._declared)

    def ordeal(self, name: str, fault: RpcFaultOf, *aims: str, scenario: Scenario | None = None) -> Ordeal:
        scenario = scenario or (self._staging.invoke(self._terms.name),)
        execute = partial(play_over_grpc, self._staging, scenario, script=fault)
        return Ordeal(name=f"grpc-{name}", execute=execute, aims=aims, over_grpc=True)

    def each_status(self) -> Iterator[Ordeal]:
        for code, meant in self._meant.items():
            if code in WITHOUT_ANSWER or (meant in self._terms.model.responses and code == status_for(meant, self._declared)):
                yield from self._of_status(code)

    def _of_status(self, code: int) -> Iterator[Ordeal]:
        retry = self._contract.resilience.retry
        trouble = WITHOUT_ANSWER.get(code, self._meant[code])
        raised = f"failures.{trouble}.raises" if code in WITHOUT_ANSWER else f"operations.{self._terms.name}.responses.{trouble}.raises"
        name, fault = STATUS_NAMES[code].lower(), _said(code)
        if retry is None or trouble not in retry.on:
            yield self.ordeal(f"{name}-always", always(fault), raised, RETRY)
            return
        for count in range(1, retry.attempts):
            yield self.ordeal("-".join([name] * count + ["then-ok"]), first(count, fault), RETRY, f"resilience.retry.on.{trouble}")
        yield self.ordeal(f"{name}-always", always(fault), raised, RETRY)

    def late(self) -> Iterator[Ordeal]:
        """A call that is made in another way than the first example, such as one that does not wait: it may be done all the same."""
        known: list[object] = []
        for example, shown in self._terms.model.examples.items():
            if known and shown.request.query not in known:
                call = (self._staging.invoke(self._terms.name, example),)
                name = f"deadline_exceeded-{example}"
                yield self.ordeal(name, always(_said(DEADLINE_EXCEEDED)), "failures.timeout.raises", RETRY, scenario=call)
            known.append(shown.request.query)

    def hints(self) -> Iterator[Ordeal]:
        """A limit that is used up, with a word about when to come back: in metadata, as REST has it in a header."""
        retry, limited = self._contract.resilience.retry, status_for(429, self._declared)
        if retry is not None and retry.retry_after is not None and 429 in retry.retry_after.on and 429 in self._terms.model.responses:
            assert limited is not None
            hinted = _said(limited, ("retry-after", str(HINT_S)))
            yield self.ordeal("resource_exhausted-retry-after", first(1, hinted), "resilience.retry.retry_after.*")

    def few(self) -> Iterator[Ordeal]:
        retry, declared = self._contract.resilience.retry, self._terms.model.responses
        if retry is not None and retry.attempts > 1 and "connection" in retry.on:
            yield self.ordeal("unavailable-then-ok", first(1, _said(UNAVAILABLE)), RETRY, "resilience.retry.on.connection")
        yield self.ordeal("deadline_exceeded", always(_said(DEADLINE_EXCEEDED)), "failures.timeout.raises", RETRY)
        for status in (401, 404, 500):
            code = status_for(status, self._declared)
            if status in declared and code is not None:
                aim = f"operations.{self._terms.name}.responses.{status}.raises"
                yield self.ordeal(f"{STATUS_NAMES[code].lower()}-always", always(_said(code)), aim, RETRY)

    # The circuit breaker

    def breaking(self) -> Iterator[Ordeal]:
        policy, down = self._contract.resilience.circuit_breaker, server_error(self._terms)
        code = status_for(down, self._declared) if down is not None else None
        if policy is None or code is None:
            return
        count, rested = policy.failure_threshold, Pass(seconds=policy.recovery_timeout + 0.5)
        opened = (*self._calls(count), Pass(seconds=1), *self._calls(2, 50))  # of what happens at one moment, the order is not known
        broken = {"": code, "-on-deadline_exceeded": DEADLINE_EXCEEDED, "-on-unavailable": UNAVAILABLE}
        for name, failure in broken.items():
            yield self.ordeal(f"breaker-opens{name}", first(count, _said(failure)), BREAKER, scenario=opened)
        closing = (*opened, rested, *self._calls(policy.half_open_successes, 100), *self._calls(2, 200))
        yield self.ordeal("breaker-probes-and-closes", first(count, _said(code)), BREAKER, scenario=closing)
        again = (*opened, rested, *self._calls(3, 60), rested, *self._calls(1, 70))
        yield self.ordeal("breaker-reopens", first(count + 1, _said(code)), BREAKER, scenario=again)
        forbidden = refusal(self._terms)
        refused = status_for(forbidden, self._declared) if forbidden is not None else None
        if refused is not None:
            many = self._calls(2 * count)
            yield self.ordeal("breaker-ignores-refusals", always(_said(refused)), BREAKER, "resilience.retry.never.*", scenario=many)

    def _calls(self, count: int, start: int = 0) -> Scenario:
        return calls(self._staging, self._terms, count, start)


def _said(code: int, *metadata: tuple[str, str]) -> Status:
    name = STATUS_NAMES[code]
    return Status(code=code, message=f"made up: {name}", metadata=metadata, injected=name)
