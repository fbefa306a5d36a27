"""Functions on lists, and the sources that macros draw their items from."""

from collections.abc import Callable, Iterable
from typing import Any

from harness.contract.expressions.errors import BudgetError, EvaluationError
from harness.contract.expressions.values import (
    FLAT,
    NUMBERS,
    Steps,
    charge,
    equal,
    is_array,
    kind,
    plain,
    sortable,
    truth,
    typed,
)


def each(steps: Steps, values: Any) -> Any:
    """The items of a list or the keys of a map, paid for before the first is taken."""
    found = values if type(values) is list or type(values) is dict else plain(values)
    if type(found) is not list and type(found) is not dict:
        raise EvaluationError(f"expected list or map, found {kind(values)}")
    charge(steps, len(found) + 1)
    return found


def pairs(steps: Steps, values: Any) -> Any:
    """The items of a list with their indices, or the entries of a map."""
    found = each(steps, values)
    return found.items() if type(found) is dict else enumerate(found)


def conjunction(thunks: Iterable[Callable[[], Any]]) -> bool:
    """``&&`` as CEL has it: one false makes it false, whatever errors stand before or behind."""
    return _decided(thunks, False)


def disjunction(thunks: Iterable[Callable[[], Any]]) -> bool:
    """``||`` as CEL has it: one true makes it true, whatever errors stand before or behind."""
    return _decided(thunks, True)


def _decided(thunks: Iterable[Callable[[], Any]], decisive: bool) -> bool:
    failure: Exception | None = None
    for thunk in thunks:
        try:
            if truth(thunk()) is decisive:
                return decisive
        except BudgetError:
            raise
        except Exception as problem:  # noqa: BLE001  CEL absorbs every error
            failure = failure or problem
    if failure is not None:
        raise failure
    return not decisive


def exactly_one(found: Iterable[Any]) -> bool:
    return sum(1 for _ in found) == 1


def united(steps: Steps, maps: list[Any]) -> dict[Any, Any]:
    """The entries of all maps in one; EvaluationError for a key that two of them have."""
    found: dict[Any, Any] = {}
    for entries in maps:
        typed(entries, dict)
        charge(steps, len(entries))
        for key, value in entries.items():
            if key in found:
                raise EvaluationError(f"the key {key!r} would be there twice")
            found[key] = value
    return found


def sort_by(steps: Steps, values: Any, key: Callable[[Any], Any]) -> list[Any]:
    items = list(each(steps, values))
    keys = sortable([key(item) for item in items])
    return [items[at] for at in sorted(range(len(items)), key=keys.__getitem__)]


def sort(steps: Steps, values: Any) -> list[Any]:
    items = typed(values, list)
    charge(steps, len(items))
    return sorted(sortable(items))


def distinct(steps: Steps, values: Any) -> list[Any]:
    """Each value once, in the order of their first appearance."""
    items = typed(values, list)
    charge(steps, len(items))
    seen: set[Any] = set()
    kept: list[Any] = []
    structured: list[Any] = []
    for item in items:
        if type(item) in FLAT:
            mark = ("number" if type(item) in NUMBERS else type(item), item)
            if mark in seen:
                continue
            seen.add(mark)
        else:
            charge(steps, len(structured))
            if any(equal(steps, item, other) for other in structured):
                continue
            structured.append(item)
        kept.append(item)
    return kept


def flatten(steps: Steps, values: Any, depth: Any = 1) -> list[Any]:
    """The list with the lists in it opened, ``depth`` levels of them."""
    items, levels = typed(values, list), typed(depth, int)
    if levels < 0:
        raise EvaluationError("the depth can't be negative")
    while levels and any(_is_list(item) for item in items):
        opened: list[Any] = []
        for item in items:
            inner = plain(item) if _is_list(item) else [item]
            charge(steps, len(inner) + 1)
            opened += inner
        items, levels = opened, levels - 1
    return list(items)


def _is_list(value: Any) -> bool:
    return type(value) is list or isinstance(value, tuple) or (is_array(value) and bool(value.ndim))


def reverse(steps: Steps, values: Any) -> Any:
    items = plain(values)
    if type(items) is not str and type(items) is not list:
        raise EvaluationError(f"expected list or string, found {kind(values)}")
    charge(steps, len(items))
    return items[::-1]


def slice_(steps: Steps, values: Any, start: Any, end: Any) -> Any:
    """The items from ``start`` up to, without, ``end``; of a numpy array a view."""
    array = is_array(values) and values.ndim
    items, first, last = values if array else typed(values, list), typed(start, int), typed(end, int)
    if not 0 <= first <= last <= len(items):
        raise EvaluationError(f"no slice {first} to {last} of a list of {len(items)}")
    charge(steps, 0 if array else last - first)
    return items[first:last]


def numbers_below(steps: Steps, count: Any) -> list[int]:
    """``lists.range``: the ints from 0 up to, without, ``count``."""
    charge(steps, max(0, typed(count, int)))
    return list(range(count))
