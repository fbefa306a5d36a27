"""What a value is: its CEL type, equality and order, on plain Python values and numpy arrays as they are.

JSON doesn't tell 1 from 1.0, so int and double compare as numbers; bool is no number.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from operator import ge, gt, le, lt
from typing import Any

from harness.contract.expressions.errors import BudgetError, EvaluationError
from harness.contract.problems import nearest

BUDGET = 5_000_000
Steps = list[int]  # one number: the steps that an evaluation may still take


@dataclass(frozen=True, slots=True)
class Type:
    """The value of ``type(x)``, and of a type's name."""

    name: str

    def __repr__(self) -> str:
        return self.name


NoneType = type(None)
NAMES = {
    bool: "bool", int: "int", float: "double", str: "string", bytes: "bytes",
    NoneType: "null_type", list: "list", dict: "map", Type: "type",
}  # fmt: skip
TYPES = {name: Type(name) for name in NAMES.values()}
NUMBERS = frozenset({int, float})
FLAT = frozenset({str, int, float, bool, bytes, NoneType, Type})
_LIGHT, _SHORT = frozenset({int, float, bool, NoneType}), 256
_ORDERED = frozenset({str, int, float, bool, bytes})


def charge(steps: Steps, count: int) -> None:
    steps[0] -= count
    if steps[0] < 0:
        raise BudgetError("takes too many steps")


def plain(value: Any) -> Any:
    """The value as one of the exact types in NAMES, one level deep; EvaluationError when it is none."""
    if type(value) in NAMES:
        return value
    if is_array(value):
        return rows(value) if value.ndim else plain(value.item())
    if isinstance(value, str):
        return str.__str__(value)  # of a StrEnum the text, whatever it prints
    kinds: tuple[tuple[type, Callable[[Any], Any]], ...] = (
        (int, int), (float, float), (bytes, bytes), (tuple, list), (list, list), (Mapping, dict),
    )  # fmt: skip
    for wide, exact in kinds:
        if isinstance(value, wide):
            return exact(value)
    raise EvaluationError(f"a Python {type(value).__name__} has no meaning here")


def is_array(value: Any) -> bool:
    """Whether this is a numpy array or scalar; numpy itself need not be imported to know."""
    return type(value).__module__ == "numpy" and hasattr(value, "ndim")


def rows(array: Any) -> list[Any]:
    """The elements of a numpy array: numbers of one with a single axis, else arrays."""
    return array.tolist() if array.ndim == 1 else list(array)


def kind(value: Any) -> str:
    """The name of the value's CEL type."""
    if is_array(value) and value.ndim:
        return "list"
    return NAMES.get(type(value)) or NAMES[type(plain(value))]


def typed(value: Any, wanted: type) -> Any:
    """The value, which must be of the wanted type."""
    if type(value) is wanted:
        return value
    converted = plain(value)
    if type(converted) is not wanted:
        raise EvaluationError(f"expected {NAMES[wanted]}, found {kind(value)}")
    return converted


def number(value: Any) -> Any:
    """The value, which must be an int or a double."""
    if type(value) in NUMBERS:
        return value
    converted = plain(value)
    if type(converted) not in NUMBERS:
        raise EvaluationError(f"expected a number, found {kind(value)}")
    return converted


def truth(value: Any) -> bool:
    if value is True or value is False:
        return value
    return bool(typed(value, bool))


def equal(steps: Steps, a: Any, b: Any) -> bool:
    first, second = type(a), type(b)
    if first in FLAT and second in FLAT:
        if first is second or (first in NUMBERS and second in NUMBERS):
            return bool(a == b)
        return False
    a, b = plain(a), plain(b)
    if type(a) is list and type(b) is list:
        charge(steps, len(a) + 1)
        return len(a) == len(b) and all(equal(steps, x, y) for x, y in zip(a, b, strict=True))
    if type(a) is dict and type(b) is dict:
        charge(steps, len(a))
        return len(a) == len(b) and all(has_key(b, key) and equal(steps, a[key], b[key]) for key in a)
    return equal(steps, a, b) if type(a) in FLAT and type(b) in FLAT else False


def _ordering(compare: Any) -> Any:
    def ordered(a: Any, b: Any) -> bool:
        first, second = type(a), type(b)
        if (first is second and first in _ORDERED) or (first in NUMBERS and second in NUMBERS):
            return bool(compare(a, b))
        if first in NAMES and second in NAMES:
            raise EvaluationError(f"can't order {NAMES[first]} and {NAMES[second]}")
        return bool(ordered(plain(a), plain(b)))

    return ordered


less, less_equal, greater, greater_equal = map(_ordering, (lt, le, gt, ge))


def sortable(values: Iterable[Any]) -> list[Any]:
    """The values, which must all be numbers, or all of one type that has an order."""
    items = [plain(value) for value in values]
    kinds = set(map(type, items))
    if kinds <= NUMBERS or (len(kinds) == 1 and kinds <= _ORDERED):
        return items
    raise EvaluationError(f"can't order {', '.join(sorted(NAMES[kind] for kind in kinds))}")


def has_key(mapping: dict[Any, Any], key: Any) -> bool:
    """Whether the map has the key; Python takes true, 1 and 1.0 for one key, CEL only 1 and 1.0."""
    if type(key) not in FLAT:
        key = plain(key)
        if type(key) not in FLAT:
            return False
    if key not in mapping:
        return False
    if type(key) is str or key not in (0, 1):
        return True
    return any(stored == key and (type(stored) is bool) == (type(key) is bool) for stored in mapping)


def contains(steps: Steps, item: Any, container: Any) -> bool:
    """The operator ``in``."""
    within = plain(container)
    if type(within) is dict:
        return has_key(within, item)
    if type(within) is not list:
        raise EvaluationError(f"can't look into {kind(container)}: expected list or map")
    charge(steps, len(within))
    if type(item) is str and set(map(type, within)) == {str}:
        return item in within
    return any(equal(steps, item, other) for other in within)


def select(value: Any, field: str) -> Any:
    """The field of a map; the EvaluationError of a missing one names its nearest sibling."""
    mapping = value if isinstance(value, Mapping) else plain(value)
    if not isinstance(mapping, Mapping):
        raise EvaluationError(f"can't take `{field}` of {kind(value)}")
    if field in mapping:
        return mapping[field]
    raise EvaluationError(f"no such key `{field}`", explain=lambda: nearest(field, [key for key in mapping if type(key) is str]))


def has(value: Any, field: str) -> bool:
    if type(value) is dict:
        return field in value
    if isinstance(value, Mapping):
        return field in value
    raise EvaluationError(f"can't look for `{field}` in {kind(value)}")


def index(value: Any, key: Any) -> Any:
    """``value[key]`` of a map, a list or a numpy array; without Python's negative indices."""
    if type(value) is list and type(key) is int and 0 <= key < len(value) and type(value[key]) in NAMES:
        return value[key]  # what the rest comes to, for what there is most of
    if type(value) is dict or isinstance(value, Mapping):
        return select(value, key) if type(key) is str else _at_key(value, key)
    if type(value) is not list and not (is_array(value) and value.ndim):
        value = typed(value, list)
    at = number(key)
    if not 0 <= at < len(value) or at != int(at):
        raise EvaluationError(f"no such index {at} in a list of {len(value)}")
    item = value[int(at)]
    return item.item() if is_array(item) and not item.ndim else item


def _at_key(mapping: Mapping[Any, Any], key: Any) -> Any:
    if not has_key(dict(mapping), key):
        raise EvaluationError(f"no such key of type {kind(key)}")
    return mapping[plain(key)]


def size(value: Any) -> int:
    sized = plain(value)
    if type(sized) not in (str, bytes, list, dict):
        raise EvaluationError(f"{kind(value)} has no size")
    return len(sized)


def make_map(*keys_and_values: Any) -> dict[Any, Any]:
    """A map from keys that are only known now."""
    made: dict[Any, Any] = {}
    for key, value in zip(keys_and_values[::2], keys_and_values[1::2], strict=True):
        name = plain(key)
        if type(name) not in (str, int, bool):
            raise EvaluationError(f"{kind(key)} can't be a key")
        if name in made:
            raise EvaluationError("the map has a key twice")
        made[name] = value
    return made


def weigh(steps: Steps, value: Any) -> None:
    """Charge for every part of a result: shared parts count each time, as they do for who writes it out."""
    level, weight = [value], 0
    while level and weight <= steps[0]:  # one level of nesting after the other: what a vector holds is passed over quickly
        lists: list[list[Any]] = [part for part in level if type(part) is list]
        maps: list[dict[Any, Any]] = [part for part in level if type(part) is dict]
        weight += sum(map(len, lists)) + sum(map(len, maps))
        if len(lists) + len(maps) < len(level):
            weight += sum(map(_flat_weight, level))
        if weight <= steps[0]:
            parts = chain(chain.from_iterable(lists), chain.from_iterable(map(dict.values, maps)))
            level = [part for part in parts if type(part) not in _LIGHT and (type(part) is not str or len(part) > _SHORT)]
    charge(steps, weight)


def _flat_weight(part: Any) -> int:
    if type(part) is str or type(part) is bytes:
        return len(part) >> 4
    return part.size >> 4 if is_array(part) else 0
