"""The client's cache put to the test: what it holds, for how long, how much of it, and whose it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import NoneType

from harness.checks.intent import forbidden_by
from harness.client.scenario import Invoke, Pass, Scenario
from harness.contract.agreement import OperationTerms
from harness.suites.fault.catalogue import first
from harness.suites.fault.ordeal import Ordeal, ordeal, refusal, server_error
from harness.suites.staging import Staging


def cache_ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """Every way to try the cache of one operation."""
    policy = staging.setting.agreement.contract.resilience.cache
    if policy is None or not terms.model.cached:
        yield from _uncached(staging, terms)
        return
    call, ttl_s = staging.fresh(terms, 1), policy.ttl
    aims = ("resilience.cache.*", f"operations.{terms.name}.cached")
    yield ordeal(staging, "cache-hits", (call, call, Pass(seconds=ttl_s * 0.9), call), None, *aims)
    yield ordeal(staging, "cache-expires", (call, call, Pass(seconds=ttl_s + 1), call, call), None, *aims)
    renewed = (call, Pass(seconds=ttl_s * 0.6), call, Pass(seconds=ttl_s * 0.6), call)
    yield ordeal(staging, "cache-is-not-renewed-by-use", renewed, None, *aims)
    yield ordeal(staging, "cache-hands-out-copies", (replace(call, spoil=True), replace(call, spoil=True), call), None, *aims)
    yield from _failures(staging, terms, call, ttl_s, aims)
    if staging.splits(terms):
        yield ordeal(staging, "cache-tells-options-apart", lambda: _same_items(staging, terms), None, *aims)
        yield ordeal(staging, "cache-tells-each-option-apart", lambda: _one_option_apart(staging, terms), None, *aims)
        shared = staging.items(terms, 3, tag="shared")
        mixed = (staging.call_with(terms, shared[:2]), staging.call_with(terms, shared), staging.call_with(terms, shared[::-1]))
        yield ordeal(staging, "cache-of-items", mixed, None, *aims)
        yield ordeal(staging, "cache-is-bounded", lambda: _fill(staging, terms, policy.entries), None, "resilience.cache.entries")


def _uncached(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """The same call again and again, where nothing may be kept: no refusal, and no result."""
    if not terms.model.idempotent or terms.bind is None or terms.bind.result is None:
        return
    call, forbidden = staging.fresh(terms, 1), refusal(terms)
    refused = first(1, staging.declared(terms.name, forbidden)) if forbidden is not None else None
    again = (call, Pass(seconds=1), call, Pass(seconds=1), call)
    yield ordeal(staging, "asked-each-time", again, refused, f"operations.{terms.name}.bind.result")


def _failures(staging: Staging, terms: OperationTerms, call: Invoke, ttl_s: float, aims: tuple[str, ...]) -> Iterator[Ordeal]:
    forbidden, broken = refusal(terms), server_error(terms)
    if forbidden is not None:
        failing = first(1, staging.declared(terms.name, forbidden))
        yield ordeal(staging, "cache-holds-no-failure", (call, call, call), failing, *aims)
    if broken is not None:
        down = staging.declared(terms.name, broken)
        stale = (call, Pass(seconds=ttl_s + 1), call)
        yield ordeal(staging, "cache-is-no-stand-in", stale, lambda number: down if number else None, *aims)


def _same_items(staging: Staging, terms: OperationTerms) -> Scenario:
    """The same items under the options of each example: what is asked differently is something else."""
    items = staging.items(terms, 1, tag="shared")
    found = [staging.call_with(terms, items, example=name) for name in terms.model.examples]
    return (*found, found[0])


def _one_option_apart(staging: Staging, terms: OperationTerms) -> Scenario:
    """The same items again and again, where two calls differ in nothing but one value of one option."""
    assert terms.model.bind is not None
    bound = {source.removeprefix("request.body.") for source in terms.model.bind.arguments.values()}
    bodies = [example.request.body for example in terms.model.examples.values() if isinstance(example.request.body, dict)]
    said = [pair for body in bodies for pair in body.items() if not isinstance(pair[1], list | NoneType)]
    values: list[tuple[str, object]] = [(field, value) for field, value in said if field in bound]
    items = staging.items(terms, 1, tag="apart")
    bases = [staging.call_with(terms, items, example=name) for name in terms.model.examples]
    pairs = (_pair(staging, terms, bases, field, value) for field, value in _unique(values))
    return tuple(call for pair in pairs for call in pair)


def _unique(values: list[tuple[str, object]]) -> list[tuple[str, object]]:
    return list({(field, repr(value)): (field, value) for field, value in values}.values())


def _pair(staging: Staging, terms: OperationTerms, bases: Sequence[Invoke], field: str, value: object) -> Scenario:
    """The first call that says something, and may say something else; what is left open may mean the same as what is said."""
    for base in bases:
        body = base.parts["body"]
        assert isinstance(body, Mapping)
        changed = {**base.parts, "body": {**body, field: value}}
        if body.get(field) not in (None, value) and not forbidden_by(staging.setting.agreement, terms, changed):
            return base, replace(base, parts=changed)
    return ()


def _fill(staging: Staging, terms: OperationTerms, entries: int) -> Scenario:
    """As many items as the cache holds, then one more: the oldest has to go, the newest stays."""
    batch = staging.setting.agreement.contract.limits.batch
    size = batch.items if batch and batch.items else 100
    items = staging.items(terms, entries + 1)
    fills = tuple(staging.call_with(terms, items[start : min(start + size, entries)]) for start in range(0, entries, size))
    early = staging.call_with(terms, items[min(size, entries) - 1 : min(size, entries)])
    again = (items[1:2], items[-2:-1], items[-1:], items[:1])
    return (fills[0], early, *fills[1:], *(staging.call_with(terms, each) for each in again))
