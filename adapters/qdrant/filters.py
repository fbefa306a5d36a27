"""Filters as people write them, a field and its value, as Qdrant's conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from adapters.errors import InvalidInput

_BOUNDS = ("gt", "gte", "lt", "lte")
_LISTS = (list, tuple, set, frozenset)
_TEXTS, _NUMBERS, _MOMENTS = "texts", "numbers", "a Range of moments (RFC 3339)"
_MATCHED: Mapping[str, tuple[type | None, str]] = {  # by the kind of an index, what a value of it is
    "keyword": (str, _TEXTS), "uuid": (str, _TEXTS), "integer": (int, "integers"), "bool": (bool, "truth values"),
    "datetime": (None, _MOMENTS),
}  # fmt: skip
_BOUNDED: Mapping[str, tuple[bool | None, str]] = {  # whether its bounds are texts; None: it has no order
    "keyword": (None, _TEXTS), "uuid": (None, _TEXTS), "bool": (None, "truth values"),
    "integer": (False, _NUMBERS), "float": (False, _NUMBERS), "datetime": (True, _MOMENTS),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers or moments (RFC 3339) between bounds; a bound that is left out is none."""

    gt: float | str | None = None
    gte: float | str | None = None
    lt: float | str | None = None
    lte: float | str | None = None


Filters = Mapping[str, Any]


def conditions(filters: Filters | None, *, known: Mapping[str, str] | None) -> dict[str, object] | None:
    """The filter that all fields have to match: a value, any of a list of values, or a Range (also as a mapping).

    ``known`` are the indexed fields and their kinds, where these are known: InvalidInput for another field, and for a
    value that no field of this kind has.
    """
    if filters is None:
        return None
    if not isinstance(filters, Mapping):
        raise InvalidInput(f"filters is a {type(filters).__name__}: give a mapping of fields to values, such as {{'language': 'en'}}")
    return {"must": [_condition(field, value, known) for field, value in filters.items()]}


def _condition(field: object, value: object, known: Mapping[str, str] | None) -> dict[str, object]:
    if not isinstance(field, str) or not field:
        raise InvalidInput(f"filters: {field!r} is no field: give its name")
    if known is not None and field not in known:
        near = get_close_matches(field, known, n=1)
        meant = f", nearest is `{near[0]}`" if near else ""
        raise InvalidInput(f"filters: the collection has no indexed field `{field}`{meant}; there are: {', '.join(sorted(known))}")
    kind = known[field] if known is not None else ""
    if isinstance(value, Range | Mapping):
        return {"key": field, "range": _bounds(field, value, kind)}
    if isinstance(value, _LISTS):
        return {"key": field, "match": {"any": [_value(field, each, kind) for each in value]}}
    return {"key": field, "match": {"value": _value(field, value, kind)}}


def _value(field: str, value: object, kind: str) -> object:
    if isinstance(value, float):
        raise InvalidInput(f"filters.{field}: {value!r} is a float, and floats are not matched exactly: give a Range")
    if not isinstance(value, str | int):
        raise InvalidInput(
            f"filters.{field}: {type(value).__name__} can't be matched: give a text, an integer, a truth value, a list of them or a Range"
        )
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InvalidInput(f"filters.{field}: {value} can't be matched: integers have at most 64 bits, one of them for the sign")
    wanted, instead = _MATCHED.get(kind, (type(value), ""))
    if type(value) is not wanted:
        raise InvalidInput(f"filters.{field}: {value!r} is no value of an index of kind {kind}: give {instead}")
    return value


def _bounds(field: str, value: Range | Mapping[str, object], kind: str) -> dict[str, object]:
    given = {name: getattr(value, name) for name in _BOUNDS} if isinstance(value, Range) else value
    bounds = {name: bound for name, bound in given.items() if bound is not None}
    if not bounds or not bounds.keys() <= set(_BOUNDS):
        raise InvalidInput(f"filters.{field}: a range needs bounds: {', '.join(_BOUNDS)}")
    for name, bound in bounds.items():
        if isinstance(bound, bool) or not isinstance(bound, int | float | str):
            raise InvalidInput(f"filters.{field}.{name}: {type(bound).__name__} is no bound: give a number, or a moment as text (RFC 3339)")
    moments = {isinstance(bound, str) for bound in bounds.values()}
    if len(moments) > 1:
        raise InvalidInput(f"filters.{field}: a range is one of numbers or one of moments, not of both")
    wanted, instead = _BOUNDED.get(kind, (moments == {True}, ""))
    if moments != {wanted}:
        raise InvalidInput(f"filters.{field}: this range does not fit an index of kind {kind}: give {instead}")
    return bounds
