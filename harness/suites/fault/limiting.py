"""The client's own limits put to the test: what goes out in any window, and how much in one request."""

from collections.abc import Iterator, Sequence
from math import ceil

from harness.checks.intent import forbidden_by
from harness.client.scenario import Invoke, Pass, Scenario, Together
from harness.contract.agreement import OperationTerms
from harness.suites.fault.catalogue import FaultOf, always, first
from harness.suites.fault.ordeal import Ordeal, ordeal, refusal
from harness.suites.staging import Staging
from harness.wire.faults import Answer, Latency

SLOW = 0.95  # of what an attempt may take
MOST_BATCHES = 12
ODD_TEXTS = (
    "  spaces around  ",
    "two\nlines\tand a tab",
    'a "quoted" \\ text',
    "e\u0301 is not \u00e9",
    "\u65e5\u672c\u8a9e",
    "\U0001f642",
    "\u0000",
    "null",
    "0",
    "<b>&amp;</b>",
)


def rate_ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """The budget is one for all operations: the first one's cases call them all."""
    if terms.name != next(iter(staging.bound())).name or not staging.splits(terms):
        return
    for index, limit in enumerate(staging.setting.agreement.contract.limits.rate):
        if limit.requests is not None:
            yield from _requests(staging, terms, limit.requests, limit.per, f"limits.rate.{index}.requests")
        if limit.tokens is not None:
            wordy = lambda tokens=limit.tokens: _wordy_calls(staging, terms, tokens)
            yield ordeal(staging, "rate-of-tokens", wordy, None, f"limits.rate.{index}.tokens")
            limited = next((status for status in _retried(staging) if status == 429 and status in terms.model.responses), None)
            if limited is not None:
                half = lambda tokens=limit.tokens: _half(_wordy_calls(staging, terms, tokens))
                each_twice: FaultOf = lambda number: staging.declared(terms.name, 429, retry_after="0") if number % 2 == 0 else None
                yield ordeal(staging, "rate-of-tokens-counts-retries", half, each_twice, f"limits.rate.{index}.tokens")
            mixed = lambda tokens=limit.tokens: _wordy_mix(staging, tokens)
            yield ordeal(staging, "rate-of-tokens-of-all-operations", mixed, None, f"limits.rate.{index}.tokens")


def _requests(staging: Staging, terms: OperationTerms, most: int, window_s: float, aim: str) -> Iterator[Ordeal]:
    many = most + 1
    yield ordeal(staging, "rate-of-requests-in-turn", lambda: tuple(_any_call(staging, number) for number in range(many)), None, aim)
    yield ordeal(staging, "rate-of-requests-at-once", lambda: _bursts(staging, many, window_s), None, aim)
    limited = next((status for status in _retried(staging) if status == 429 and status in terms.model.responses), None)
    if limited is not None:
        half = many // 2 + 1
        turned_away = first(half, staging.declared(terms.name, limited, retry_after="0"))
        yield ordeal(staging, "rate-counts-retries", lambda: (_together(staging, 0, half, terms),), turned_away, aim)


def _retried(staging: Staging) -> list[object]:
    retry = staging.setting.agreement.contract.resilience.retry
    return list(retry.on) if retry else []


def _any_call(staging: Staging, number: int) -> Invoke:
    """Each of the operations in its turn."""
    bound = list(staging.bound())
    return staging.fresh(bound[number % len(bound)], number)


def _together(staging: Staging, start: int, count: int, terms: OperationTerms | None = None) -> Together:
    numbers = range(start, start + count)
    return Together(calls=tuple(staging.fresh(terms, number) if terms else _any_call(staging, number) for number in numbers))


def _bursts(staging: Staging, many: int, window_s: float) -> Scenario:
    """Half of the budget late in one window and all of it early in the next: no window may see more than its due."""
    half = many // 2
    return (_together(staging, 0, half), Pass(seconds=window_s * 0.9), _together(staging, half, many))


def _wordy_calls(staging: Staging, terms: OperationTerms, tokens: int) -> Scenario:
    each = _most_in_one(staging, tokens)
    length = staging.length_for(terms, each)
    if length is None:
        return (staging.fresh(terms, 0),)
    return tuple(staging.call_with(terms, staging.items(terms, 1, tag=f"long{n}", length=length)) for n in range(ceil(tokens / each) + 1))


def _half(scenario: Scenario) -> Scenario:
    """The first half of it, and one more."""
    return scenario[: len(scenario) // 2 + 1]


def _wordy_mix(staging: Staging, tokens: int) -> Scenario:
    """Calls of every operation in its turn, until all of them together would be too much for one window."""
    wordy = [call for terms in staging.bound() if (call := staging.wordy(terms, _most_in_one(staging, tokens))) is not None]
    costs = [staging.cost(staging.setting.agreement.operations[call.operation], call.parts, "tokens") or 0.0 for call in wordy]
    found: list[Invoke] = []
    spent = 0.0
    while wordy and spent <= tokens:
        number = len(found)
        call = wordy[number % len(wordy)]
        found.append(staging.retold(call, f"turn {number}"))
        spent += costs[number % len(wordy)]
    return tuple(found) or (_any_call(staging, 0),)


def _most_in_one(staging: Staging, tokens: int) -> float:
    batch = staging.setting.agreement.contract.limits.batch
    return min(tokens, batch.tokens if batch and batch.tokens else tokens) * 0.95


# Batches


def batch_ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """What one call asks for, in as many requests as the limits want, and all of it in order."""
    if not staging.splits(terms):
        return
    yield from _texts(staging, terms)
    batch = staging.setting.agreement.contract.limits.batch
    most = staging.most_items(terms)
    if most is not None:
        yield from _full(staging, terms, most)
    if batch is not None and batch.tokens is not None:
        yield ordeal(staging, "batch-of-long-items", lambda: (_wordy_call(staging, terms, batch.tokens or 0),), None, "limits.batch.tokens")
    if batch is not None and batch.bytes is not None:
        # Nobody needs to read as much: what comes back is the answer to a small request.
        answer = lambda number: Answer(response=staging.good_answer(staging.invoke(terms.name, staging.leanest(terms))))
        yield ordeal(staging, "batch-of-many-bytes", lambda: (_bulky_call(staging, terms, batch.bytes or 0),), answer, "limits.batch.bytes")


def _bulky_call(staging: Staging, terms: OperationTerms, most_bytes: int) -> Invoke:
    """Few items, and a quarter more of them than fits into one request."""
    return staging.call_with(terms, staging.items(terms, 5, length=most_bytes // 4))


def _texts(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    aims = (f"operations.{terms.name}.bind.*",)

    def repeated() -> Scenario:
        one, other = staging.items(terms, 2)
        return (staging.call_with(terms, [one, other, one, one]),)

    def call_with(texts: Sequence[str]) -> Invoke:
        return staging.call_with(terms, staging.items_of(terms, texts))

    agreement = staging.setting.agreement
    texts: tuple[str, ...] = ODD_TEXTS
    if agreement.contract.failures.invalid_input is None:  # then nobody says that the client has to refuse any
        texts = tuple(text for text in texts if not forbidden_by(agreement, terms, call_with([text]).parts))
    yield ordeal(staging, "items-repeated", repeated, None, *aims)
    if texts and staging.items_of(terms, texts):
        yield ordeal(staging, "items-of-odd-text", lambda: (call_with(texts),), None, *aims)


def _full(staging: Staging, terms: OperationTerms, whole: int) -> Iterator[Ordeal]:
    aim = "limits.batch.items"
    yield ordeal(staging, "batch-just-full", lambda: _batch(staging, terms, whole), None, aim)
    yield ordeal(staging, "batch-one-too-many", lambda: _batch(staging, terms, whole + 1), None, aim)
    contract = staging.setting.agreement.contract
    slow_s = SLOW * contract.provider.timeout
    # One after the other they take longer than a call may.
    many = min(MOST_BATCHES, int((contract.resilience.budget or slow_s) // slow_s) + 1)
    slow = always(Latency(seconds=slow_s))
    yield ordeal(staging, "slow-batches", lambda: _batch(staging, terms, many * whole), slow, "resilience.budget")
    uneven: FaultOf = lambda number: Latency(seconds=5) if number == 0 else None
    result = f"operations.{terms.name}.bind.result"
    yield ordeal(staging, "batches-answered-out-of-order", lambda: _batch(staging, terms, 2 * whole + 1), uneven, result)
    forbidden = refusal(terms)
    if forbidden is not None:
        second: FaultOf = lambda number: staging.declared(terms.name, forbidden) if number == 1 else None
        raises = f"operations.{terms.name}.responses.{forbidden}.raises"
        yield ordeal(staging, "one-batch-fails", lambda: _batch(staging, terms, whole + 1), second, raises)
        if terms.bind is not None and terms.bind.report:
            first: FaultOf = lambda number: staging.declared(terms.name, forbidden) if number == 0 else None
            told = f"operations.{terms.name}.bind.split.report.*"
            yield ordeal(staging, "first-of-three-batches-fails", lambda: _batch(staging, terms, 2 * whole + 1), first, told)


def _batch(staging: Staging, terms: OperationTerms, count: int) -> Scenario:
    return (staging.call_with(terms, staging.items(terms, count)),)


def _wordy_call(staging: Staging, terms: OperationTerms, tokens: int) -> Invoke:
    length = staging.length_for(terms, tokens * 0.4)
    return staging.call_with(terms, staging.items(terms, 5, length=length or 1))
