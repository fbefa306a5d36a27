"""Whose request was it? By the context it was made in, and where that does not tell, by when it came and what it carries."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.checks.sight import Seen
from harness.contract.agreement import Agreement, OperationTerms
from harness.contract.expressions import EvaluationError
from harness.exchange import Exchange, Failure

Mark = tuple[str, str, str]  # operation, argument, one value of it


@dataclass(frozen=True, kw_only=True)
class Span:
    """A call as far as it matters here: ``first`` is the number of the next request when it began, ``last`` when it ended."""

    operation: str
    arguments: Mapping[str, object] = field(repr=False)
    first: int
    last: int


def owners(agreement: Agreement, exchanges: Sequence[Exchange], tags: Sequence[int | None], spans: Sequence[Span]) -> list[int | None]:
    """For each exchange the number of the call that it belongs to; None when no call had begun.

    ``tags`` are the calls in whose context the requests were made, where that is known.
    """
    marks = _Marks(agreement, spans)
    found: list[int | None] = []
    latest: dict[int, Exchange] = {}
    for number, exchange in enumerate(exchanges):
        owner = tags[number] if number < len(tags) else None
        if owner is None:
            owner = _owner(marks, number, exchange, spans, latest)
        if owner is not None:
            latest[owner] = exchange
        found.append(owner)
    return found


def _owner(marks: "_Marks", number: int, exchange: Exchange, spans: Sequence[Span], latest: Mapping[int, Exchange]) -> int | None:
    running = [call for call, span in enumerate(spans) if span.first <= number < span.last]
    if len(running) == 1:
        return running[0]
    candidates = running or [call for call, span in enumerate(spans) if span.first <= number]
    if not candidates:
        return None
    scores = marks.scores(exchange, frozenset(candidates))
    best = max(scores.values(), default=0)
    likely = [call for call in candidates if scores[call] == best]
    if not running:
        return likely[-1]  # something that a call left behind: the last one that it fits
    # Of calls that look alike the one that ends first: the others can still have sent what comes later.
    return min(likely, key=lambda call: (_oddness(latest.get(call), exchange), spans[call].last))


def _oddness(before: Exchange | None, exchange: Exchange) -> int:
    """How odd it would be for a call to send this after what it sent last: calls that look alike take turns."""
    if before is None:
        return 1
    same = (before.request.target, before.request.body) == (exchange.request.target, exchange.request.body)
    failed = before.failure is not None or (before.response is not None and before.response.status >= 400)
    if same and failed and before.failure is not Failure.TIMEOUT and before.ended_s <= exchange.started_s:
        return 0 if before.ended_s < exchange.started_s else 2
    return 3


class _Marks:
    """What tells the calls apart: the values of their arguments, the items of lists one by one."""

    def __init__(self, agreement: Agreement, spans: Sequence[Span]) -> None:
        self._agreement, self._spans = agreement, spans

    @cached_property
    def _calls(self) -> Mapping[Mark, set[int]]:
        """The calls by what they carry; nobody asks where the context tells whose each request is."""
        found: dict[Mark, set[int]] = defaultdict(set)
        for call, span in enumerate(self._spans):
            for name, value in span.arguments.items():
                for mark in _marks(span.operation, name, value):
                    found[mark].add(call)
            found[span.operation, "", ""].add(call)
        return found

    def scores(self, exchange: Exchange, candidates: frozenset[int]) -> Counter[int]:
        """How much of what a request carries each candidate was given."""
        seen = Seen(self._agreement, exchange, None)
        found: Counter[int] = Counter()
        if seen.terms is None:
            return found
        found.update(self._calls.get((seen.terms.name, "", ""), set()) & candidates)
        for mark in _carried(seen, seen.terms):
            holders = self._calls.get(mark, set()) & candidates
            if len(holders) < len(candidates):
                found.update(holders)
        return found


def _carried(seen: Seen, terms: OperationTerms) -> Iterator[Mark]:
    for name, expression in terms.bind.arguments.items() if terms.bind else ():
        try:
            value = expression.evaluate(seen.names)
        except EvaluationError:
            continue
        yield from _marks(terms.name, name, value)


def _marks(operation: str, name: str, value: object) -> Iterator[Mark]:
    for item in value if isinstance(value, list) else [value]:
        yield operation, name, json.dumps(item, default=repr, sort_keys=True)
