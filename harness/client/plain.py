"""What a client returned, as plain values: whatever classes it has, only their public fields are looked at."""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

MAX_DEPTH = 12


def plain(value: Any, depth: int = 0) -> Any:
    """Mappings, lists, text, numbers and arrays out of any object; what has no fields becomes its text."""
    if value is None or isinstance(value, str | bool | int | float | bytes | np.ndarray):
        return value
    if depth > MAX_DEPTH:
        return repr(type(value))
    if isinstance(value, Enum):
        return plain(value.value, depth + 1)
    if isinstance(value, BaseException):  # not what it holds: that may be itself again
        return {"raised": [kind.__name__ for kind in type(value).__mro__], "message": str(value)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict(), depth + 1)
    if isinstance(value, list | tuple | set | frozenset):
        return _list(list(value), depth)
    return _fields(value, depth)


def plain_error(error: BaseException) -> Any:
    """An error with its public fields."""
    return {**plain(error), **{name: plain(value) for name, value in vars(error).items() if not name.startswith("_")}}


def _list(items: list[Any], depth: int) -> list[Any]:
    if items and all(type(item) in (int, float) for item in items):
        return items  # a vector: nothing in it needs to be looked at
    return [plain(item, depth + 1) for item in items]


def _fields(value: Any, depth: int) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
    elif hasattr(type(value), "model_fields"):
        names = list(type(value).model_fields)
    else:
        names = [name for name in getattr(value, "__dict__", {}) if not name.startswith("_")]
    if not names:
        return str(value)
    return {name: plain(getattr(value, name, None), depth + 1) for name in names}
