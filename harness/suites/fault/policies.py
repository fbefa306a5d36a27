"""The policies put to the test: breaker, limits, batches, cache, credential, secrecy, monitor."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil

from harness.client.scenario import ChangeCredential, Invoke, Pass, Scenario, Together, Watch
from harness.contract.agreement import OperationTerms
from harness.exchange import Observation
from harness.suites.fault.catalogue import FaultOf, always, first
from harness.suites.staging import Staging
from harness.wire.faults import Answer, Fault, Latency, ResetPeer, Timeout

CROWD = 10


@dataclass(frozen=True, kw_only=True)
class Ordeal:
    """A scenario and what goes wrong in it."""

    name: str
    execute: Callable[[], Observation]
    aims: tuple[str, ...]


def ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """All that the contract's policies have to stand for one operation."""
    yield from _breaker(staging, terms)
    yield from _rates(staging, terms)
    yield from _batches(staging, terms)
    yield from _cache(staging, terms)
    yield from _credential(staging, terms)


def _ordeal(staging: Staging, name: str, scenario: Scenario | Callable[[], Scenario], fault: FaultOf | None, *aims: str) -> Ordeal:
    def execute() -> Observation:
        return staging.play(scenario() if callable(scenario) else scenario, script=fault)

    return Ordeal(name=name, execute=execute, aims=aims)


# The circuit breaker


def _breaker(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    policy = staging.setting.agreement.contract.resilience.circuit_breaker
    status = _server_error(terms)
    if policy is None or status is None:
        return
    down = staging.declared(terms.name, status)
    count, rest_s = policy.failure_threshold, policy.recovery_timeout
    aim = "resilience.circuit_breaker.*"

    def calls(number: int, start: int = 0) -> Scenario:
        return tuple(staging.fresh(terms, start + index) for index in range(number))

    def crowd(start: int) -> Together:
        return Together(calls=calls(CROWD, start))  # type: ignore[arg-type]  # all of them are calls

    opened = calls(count)  # at one attempt each they just suffice
    wanted = policy.half_open_successes
    recovered = (*opened, Pass(seconds=rest_s + 1), *calls(wanted, 100))
    yield _ordeal(staging, "breaker-opens", (*opened, *calls(2, 50)), first(count, down), aim)
    yield _ordeal(staging, "breaker-opens-on-timeouts", (*opened, *calls(2, 50)), first(count, Timeout()), aim, "failures.timeout.raises")
    yield _ordeal(staging, "breaker-opens-on-resets", (*opened, *calls(2, 50)), first(count, ResetPeer()), aim)
    yield _ordeal(staging, "breaker-stays-open", (*opened, Pass(seconds=rest_s * 0.8), *calls(2, 50)), first(count, down), aim)
    yield _ordeal(staging, "breaker-probes-and-closes", (*opened, *calls(1, 50), *recovered[count:], crowd(200)), first(count, down), aim)
    yield _ordeal(
        staging, "breaker-reopens", (*opened, *calls(1, 50), Pass(seconds=rest_s + 1), *calls(3, 60), Pass(seconds=rest_s + 1), *calls(1, 70)),
        first(count + 1, down), aim,
    )
    slow_once_well: FaultOf = lambda number: down if number < count else Latency(seconds=1)  # noqa: E731
    yield _ordeal(staging, "breaker-admits-only-probes", (*opened, *calls(1, 50), Pass(seconds=rest_s + 1), crowd(100)), slow_once_well, aim)
    closed_again = (*opened, Pass(seconds=rest_s + 1), *calls(wanted, 100), *calls(count - 1, 200), *calls(1, 300))
    later: FaultOf = lambda number: down if number < count or count + wanted <= number < 2 * count + wanted - 1 else None  # noqa: E731
    yield _ordeal(staging, "breaker-counts-anew-after-closing", closed_again, later, aim)
    every_other: FaultOf = lambda number: down if number % 2 == 0 else None  # noqa: E731
    yield _ordeal(staging, "breaker-counts-in-a-row-only", calls(2 * count), every_other, aim)
    refusal = _refusal(terms)
    if refusal is not None:
        yield _ordeal(
            staging, "breaker-ignores-refusals", calls(2 * count), always(staging.declared(terms.name, refusal)), aim, "resilience.retry.never.*"
        )


def _server_error(terms: OperationTerms) -> int | None:
    return next((status for status, shape in terms.model.responses.items() if status >= 500 and shape.raises), None)


def _refusal(terms: OperationTerms) -> int | None:
    return next((status for status, shape in terms.model.responses.items() if 400 <= status < 429 and shape.raises and shape.when != "unauthenticated"), None)


# Rate limits


def _rates(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """The budget is one for all operations: the first one's cases call them all."""
    if terms.name != next(iter(staging.bound())).name or not staging.splits(terms):
        return
    for index, limit in enumerate(staging.setting.agreement.contract.limits.rate):
        if limit.requests is not None:
            many, aim = limit.requests + 1, f"limits.rate.{index}.requests"
            yield _ordeal(staging, "rate-of-requests-in-turn", lambda many=many: tuple(_any_call(staging, n) for n in range(many)), None, aim)  # type: ignore[misc]
            yield _ordeal(staging, "rate-of-requests-at-once", lambda many=many: _bursts(staging, many, limit.per), None, aim)  # type: ignore[misc]  # noqa: B023
        if limit.tokens is not None:
            aim = f"limits.rate.{index}.tokens"
            yield _ordeal(staging, "rate-of-tokens", lambda tokens=limit.tokens: _wordy_calls(staging, terms, tokens), None, aim)  # type: ignore[misc]


def _any_call(staging: Staging, number: int) -> Invoke:
    """Each of the operations in its turn."""
    bound = list(staging.bound())
    return staging.fresh(bound[number % len(bound)], number)


def _bursts(staging: Staging, many: int, window_s: float) -> Scenario:
    """Half of the budget late in one window and all of it early in the next: no window may see more than its due."""
    half = many // 2
    early = tuple(_any_call(staging, number) for number in range(half))
    late = tuple(_any_call(staging, half + number) for number in range(many))
    return (Together(calls=early), Pass(seconds=window_s * 0.9), Together(calls=late))


def _wordy_calls(staging: Staging, terms: OperationTerms, tokens: int) -> Scenario:
    batch = staging.setting.agreement.contract.limits.batch
    each = min(tokens, batch.tokens if batch and batch.tokens else tokens) * 0.95
    length = staging.length_for(terms, each)
    if length is None:
        return (staging.fresh(terms, 0),)
    return tuple(staging.call_with(terms, staging.items(terms, 1, tag=f"long{n}", length=length)) for n in range(ceil(tokens / each) + 1))


# Batches


def _batches(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    batch = staging.setting.agreement.contract.limits.batch
    if batch is None or not staging.splits(terms):
        return
    if batch.items is not None:
        whole, aim = batch.items, "limits.batch.items"
        yield _ordeal(staging, "batch-just-full", lambda: (staging.call_with(terms, staging.items(terms, whole)),), None, aim)
        yield _ordeal(staging, "batch-one-too-many", lambda: (staging.call_with(terms, staging.items(terms, whole + 1)),), None, aim)
        uneven: FaultOf = lambda number: Latency(seconds=5) if number == 0 else None  # noqa: E731
        yield _ordeal(
            staging, "batches-answered-out-of-order", lambda: (staging.call_with(terms, staging.items(terms, 2 * whole + 1)),), uneven,
            f"operations.{terms.name}.bind.result",
        )
        refusal = _refusal(terms)
        if refusal is not None:
            second: FaultOf = lambda number: staging.declared(terms.name, refusal) if number == 1 else None  # noqa: E731
            yield _ordeal(
                staging, "one-batch-fails", lambda: (staging.call_with(terms, staging.items(terms, whole + 1)),), second,
                f"operations.{terms.name}.responses.{refusal}.raises",
            )
    if batch.tokens is not None:
        yield _ordeal(staging, "batch-of-long-items", lambda: (_wordy_call(staging, terms, batch.tokens or 0),), None, "limits.batch.tokens")


def _wordy_call(staging: Staging, terms: OperationTerms, tokens: int) -> Invoke:
    length = staging.length_for(terms, tokens * 0.4)
    return staging.call_with(terms, staging.items(terms, 5, length=length or 1))


# The cache


def _cache(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    policy = staging.setting.agreement.contract.resilience.cache
    if policy is None or not terms.model.cached:
        return
    call = staging.fresh(terms, 1)
    aim = "resilience.cache.*"
    cached = f"operations.{terms.name}.cached"
    yield _ordeal(staging, "cache-hits", (call, call, Pass(seconds=policy.ttl * 0.9), call), None, aim, cached)
    yield _ordeal(staging, "cache-expires", (call, call, Pass(seconds=policy.ttl + 1), call, call), None, aim, cached)
    failing = first(1, staging.declared(terms.name, _refusal(terms) or 400))
    yield _ordeal(staging, "cache-holds-no-failure", (call, call, call), failing, aim, cached)
    if staging.splits(terms):
        shared = staging.items(terms, 3, tag="shared")
        mixed = (staging.call_with(terms, shared[:2]), staging.call_with(terms, shared), staging.call_with(terms, shared[::-1]))
        yield _ordeal(staging, "cache-of-items", mixed, None, aim, cached)
        yield _ordeal(staging, "cache-is-bounded", lambda: _fill(staging, terms, policy.entries), None, "resilience.cache.entries")


def _fill(staging: Staging, terms: OperationTerms, entries: int) -> Scenario:
    """As many items as the cache holds, then one more: the oldest has to go, the newest stays."""
    batch = staging.setting.agreement.contract.limits.batch
    size = batch.items if batch and batch.items else 100
    items = staging.items(terms, entries + 1)
    fills = tuple(staging.call_with(terms, items[start : min(start + size, entries)]) for start in range(0, entries, size))
    again = (items[1:2], items[-2:-1], items[-1:], items[:1])
    order = (again[0], again[1], again[2], again[3])
    return (*fills, *(staging.call_with(terms, each) for each in order))


# The credential


def _credential(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    contract = staging.setting.agreement.contract
    refusal = next((status for status, shape in terms.model.responses.items() if shape.when == "unauthenticated"), None)
    if contract.provider.auth is None:
        return
    credential = staging.setting.provider.credential
    if refusal is not None and staging.setting.provider.takes_states:
        changed = ChangeCredential(to=f"{credential}-rotated")
        yield _ordeal(
            staging, "credential-changes", (staging.fresh(terms, 1), changed, staging.fresh(terms, 2)), None, "resilience.policies.auth_failure"
        )
    for status, shape in terms.model.responses.items():
        if shape.error and shape.raises:
            echo = staging.stub.declared(terms.name, status)
            loud = replace(echo, body=echo.body.replace(b"status", f"key {credential} status".encode()))
            yield _ordeal(staging, f"credential-echoed-in-{status}", (staging.invoke(terms.name),), _echoed(loud, credential), "provider.auth.credential")


def _echoed(response: object, credential: str) -> FaultOf:
    fault: Fault = Answer(response=response)  # type: ignore[arg-type]  # a Response
    return always(fault)


# The monitor


def monitoring(staging: Staging) -> Iterator[Ordeal]:
    """The client's monitor while its provider is down."""
    contract = staging.setting.agreement.contract
    if contract.monitoring is None:
        return
    operation = contract.provider.probe.partition("/")[0]
    status = _server_error(staging.setting.agreement.operations[operation])
    if status is not None:
        down = always(staging.declared(operation, status))
        watch = (Watch(seconds=3 * contract.monitoring.health_check_interval),)
        yield _ordeal(staging, "provider-is-down", watch, down, "monitoring.alert_on_failure", "monitoring.metrics")
