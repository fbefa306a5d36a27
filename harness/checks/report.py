"""What the client's error tells when only some of the requests of a call went well: which items, which requests, why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.checks.groups import Group, group
from harness.checks.intent import forbidden_by
from harness.checks.items import given_items
from harness.checks.judging import Judge, listed, shown
from harness.checks.sight import Seen, Sight
from harness.contract.agreement import OperationTerms
from harness.contract.expressions import EvaluationError
from harness.exchange import Call, Raised
from harness.verdict import Judgement


def check_report(sight: Sight) -> Iterator[Judgement]:
    """Each error of a call whose items went out in several requests, of which not all went well."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="report")
    for call, sent in sight.by_call:
        terms = sight.agreement.operations.get(call.operation)
        if terms is not None and terms.bind is not None and terms.bind.names is not None and isinstance(call.ending, Raised):
            parted = part(sight, call, terms, group(call, sent))
            if parted is not None:
                yield from _judged(judge, terms, parted, call.ending.report or {})


@dataclass(frozen=True, kw_only=True)
class Parted:
    """The items of a call by name, in their order, and those of its requests."""

    names: tuple[str, ...]
    done: tuple[tuple[str, ...], ...]
    failed: Mapping[tuple[str, ...], Group]

    def place(self, names: Sequence[str]) -> int:
        """Where the first of these items stands."""
        return min((self.names.index(name) for name in names if name in self.names), default=len(self.names))

    def sorted(self, names: Sequence[str]) -> list[str]:
        known = {name: place for place, name in enumerate(self.names)}
        return sorted(names, key=lambda name: known.get(name, len(known)))


def part(sight: Sight, call: Call, terms: OperationTerms, groups: tuple[Group, ...]) -> Parted | None:
    """What became of a call's items; None where all went in one request, all went well, or items can't be told apart."""
    if len(groups) < 2 or call.intended is None or given_items(call, terms) is None or all(each.succeeded for each in groups):
        return None
    names = _names(terms, {"request": call.intended})
    if len(set(names)) < len(names) or not names or forbidden_by(sight.agreement, terms, call.intended):
        return None
    told = {each: _names(terms, {"request": each.last.request_parts}) for each in groups}
    return Parted(
        names=names,
        done=tuple(told[each] for each in groups if each.succeeded),
        failed={told[each]: each for each in groups if not each.succeeded},
    )


def _names(terms: OperationTerms, parts: Mapping[str, object]) -> tuple[str, ...]:
    assert terms.bind is not None and terms.bind.names is not None
    try:
        found = terms.evaluate(terms.bind.names, request=parts["request"])
    except EvaluationError:
        return ()
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _judged(judge: Judge, terms: OperationTerms, parted: Parted, report: Mapping[str, Any]) -> Iterator[Judgement]:
    at = f"operations.{terms.name}.bind.split.report"
    done = parted.sorted([name for each in parted.done for name in each])
    told = report.get("done")
    last = next(iter(parted.failed.values())).last
    yield from judge.expect(
        f"{at}.done",
        isinstance(told, list) and parted.sorted(list(map(str, told))) == done,
        expected=f"{len(done)} items that were written: {_few(done)}",
        actual=f"{len(told)}: {_few(told)}" if isinstance(told, list) else "nothing is told of them",
        exchange=last.exchange,
    )
    wrong = _wrong(terms, judge, parted, report.get("failed"), done)
    yield from judge.expect(
        f"{at}.failed",
        wrong is None,
        expected=listed([f"{_few(names)} after {_trouble(each.last)}" for names, each in list(parted.failed.items())[:3]]),
        actual=wrong or "",
        exchange=last.exchange,
    )


def _wrong(terms: OperationTerms, judge: Judge, parted: Parted, told: Any, done: list[str]) -> str | None:
    """What is wrong with what is told of the requests that failed."""
    try:
        entries = [(int(each["number"]), tuple(map(str, each["items"])), set(each["raised"])) for each in told]
    except (TypeError, KeyError, ValueError):
        return "nothing is told of them"
    failed = sorted(set(parted.names) - set(done))
    if sorted(name for _, names, _ in entries for name in names) != failed:
        return f"{_few([name for _, names, _ in entries for name in names])}, and what failed is {_few(failed)}"
    order = sorted([*parted.done, *(names for _, names, _ in entries)], key=parted.place)
    for number, names, raised in entries:
        if order.index(names) != number:
            return f"number {number} is told of {_few(names)}, which is number {order.index(names)}"
        each = next((found for sent, found in parted.failed.items() if set(sent) <= set(names)), None)
        allowed = _errors(terms, judge, each.last) if each is not None else set()
        if allowed and not allowed & raised:
            return f"{listed(sorted(raised))} is told of {_few(names)}, and {listed(sorted(allowed))} was to be raised"
    return None


def _errors(terms: OperationTerms, judge: Judge, last: Seen) -> set[str]:
    """What may be raised after an exchange that ended in trouble; the circuit or the deadline may have come before the next."""
    failures, trouble = judge.agreement.contract.failures, last.trouble
    shape = terms.response_for(trouble) if isinstance(trouble, int) else None
    own = shape.raises if shape else None
    named = [failures.circuit_open, failures.deadline, getattr(failures, str(trouble), None) or failures.invalid_response]
    return ({own} if own else {each.raises for each in named if each is not None}) | {each.raises for each in named[:2] if each is not None}


def _trouble(last: Seen) -> str:
    return f"status {last.trouble}" if isinstance(last.trouble, int) else f"a {last.trouble or 'wrong answer'}"


def _few(names: Sequence[object]) -> str:
    return shown(list(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
