"""Filters as people write them, a field and its value, as Qdrant's conditions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from adapters.errors import InvalidInput

_BOUNDS = ("gt", "gte", "lt", "lte")
_LISTS = (list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers or moments (RFC 3339) between bounds; a bound that is left out is none."""

    gt: float | str | None = None
    gte: float | str | None = None
    lt: float | str | None = None
    lte: float | str | None = None


Filters = Mapping[str, Any]


def conditions(filters: Filters | None, *, known: Iterable[str] | None) -> dict[str, object] | None:
    """The filter that all fields have to match: a value, any of a list of values, or a Range (also as a mapping).

    ``known`` are the fields that there are, where that is known: InvalidInput for another one.
    """
    if filters is None:
        return None
    if not isinstance(filters, Mapping):
        raise InvalidInput(f"filters is a {type(filters).__name__}: give a mapping of fields to values, such as {{'language': 'en'}}")
    return {"must": [_condition(field, value, known) for field, value in filters.items()]}


def _condition(field: object, value: object, known: Iterable[str] | None) -> dict[str, object]:
    if not isinstance(field, str) or not field:
        raise InvalidInput(f"filters: {field!r} is no field: give its name")
    if known is not None and field not in (names := list(known)):
        near = get_close_matches(field, names, n=1)
        meant = f", nearest is `{near[0]}`" if near else ""
        raise InvalidInput(f"filters: the collection has no indexed field `{field}`{meant}; there are: {', '.join(names)}")
    if isinstance(value, Range | Mapping):
        return {"key": field, "range": _bounds(field, value)}
    if isinstance(value, _LISTS):
        return {"key": field, "match": {"any": [_value(field, each) for each in value]}}
    return {"key": field, "match": {"value": _value(field, value)}}


def _value(field: str, value: object) -> object:
    if isinstance(value, str | int):
        return value
    if isinstance(value, float):
        raise InvalidInput(f"filters.{field}: {value!r} is a float, and floats are not matched exactly: give a Range")
    raise InvalidInput(
        f"filters.{field}: {type(value).__name__} can't be matched: give a text, an integer, a truth value, a list of them or a Range"
    )


def _bounds(field: str, value: Range | Mapping[str, object]) -> dict[str, object]:
    given = {name: getattr(value, name) for name in _BOUNDS} if isinstance(value, Range) else value
    bounds = {name: bound for name, bound in given.items() if bound is not None}
    if not bounds or not bounds.keys() <= set(_BOUNDS):
        raise InvalidInput(f"filters.{field}: a range needs bounds: {', '.join(_BOUNDS)}")
    return bounds
