"""Embedding vectors: decoded, compared and made up; the only importer of numpy here.

What is made up from a text takes only sums that are exact and single operations that IEEE 754 rounds,
so that it is the same to the bit on every machine.
"""

import hashlib
import math
from array import array
from functools import lru_cache
from typing import Any

import numpy as np

from harness.contract.base64_text import from_base64, to_base64
from harness.contract.expressions.errors import EvaluationError
from harness.contract.expressions.text import encoded
from harness.contract.expressions.values import (
    NUMBERS,
    Steps,
    charge,
    equal,
    has_key,
    is_array,
    kind,
    number,
    plain,
    typed,
)

Vector = np.ndarray[Any, np.dtype[Any]]

MAX_DIMENSION = 65_536
_SIGNATURE = 64
_REMEMBERED_TEXT, _REMEMBERED_DIMENSION = 2_048, 4_096  # what is larger would make the memory a large one
_BYTES = {"float": "<f4", "int8": "<i1", "uint8": "<u1", "binary": "<i1", "ubinary": "<u1"}
_HALVES = np.arange(256, dtype=np.float64) - 127.5


def vector(steps: Steps, value: Any, dtype: Any = "float") -> Vector:
    """Floats from a list of numbers, a numpy array, or the base64 of an array's bytes."""
    layout = _layout(dtype)
    if type(value) is not str:
        return _from_numbers(steps, value)
    charge(steps, len(value) >> 6)
    try:
        found = np.frombuffer(from_base64(value), layout)
    except ValueError:  # binascii.Error is one
        raise EvaluationError(f"not the base64 of {dtype} numbers") from None
    return found if layout == "<f4" else found.astype(np.float32)


def _layout(dtype: Any) -> str:
    name = typed(dtype, str)
    if name not in _BYTES:
        raise EvaluationError(f"no dtype `{name}`: expected one of {', '.join(_BYTES)}")
    return _BYTES[name]


def _from_numbers(steps: Steps, value: Any) -> Vector:
    if is_array(value):
        if value.ndim != 1 or value.dtype.kind not in "iuf":
            raise EvaluationError("expected a vector: one axis of numbers")
        charge(steps, len(value) >> 6)
        return value if value.dtype.kind == "f" else value.astype(np.float64)  # type: ignore[no-any-return]  # Any in
    items = value if type(value) is list else plain(value)
    if type(items) is not list:
        raise EvaluationError(f"expected a vector, found {kind(value)}")
    charge(steps, len(items) >> 1)
    if set(map(type, items)) <= NUMBERS:
        return np.frombuffer(array("d", items), np.float64) if items else np.empty(0)
    return np.fromiter((number(item) for item in items), np.float64, len(items))


def dimension(value: Any, dtype: Any = "float") -> int:
    """The number of components, without decoding them."""
    if type(value) is list:
        return len(value)
    if type(value) is not str:
        return len(value) if is_array(value) and value.ndim else len(typed(value, list))
    width = int(_layout(dtype)[-1])
    length = len(value) // 4 * 3 - value[-2:].count("=")
    if len(value) % 4 or length % width:
        raise EvaluationError(f"not the base64 of {dtype} numbers")
    return length // width


def norm(steps: Steps, value: Any) -> float:
    """The Euclidean length."""
    exact = vector(steps, value).astype(np.float64, copy=False)
    return math.sqrt(float(exact.dot(exact)))


def dot(steps: Steps, a: Any, b: Any) -> float:
    first, second = (vector(steps, value).astype(np.float64, copy=False) for value in (a, b))
    if len(first) != len(second):
        raise EvaluationError(f"vectors of {len(first)} and {len(second)} dimensions")
    return float(first.dot(second))


def whole(steps: Steps, value: Any, least: Any, most: Any) -> bool:
    """Whether every component is a whole number from ``least`` to ``most``."""
    components, low, high = vector(steps, value), number(least), number(most)
    if not len(components):
        return True
    return bool(components.min() >= low and components.max() <= high and (components == np.floor(components)).all())


def close(steps: Steps, a: Any, b: Any, tolerance: Any) -> bool:
    """Whether numbers in ``a`` are at most ``tolerance`` away from those in ``b``, and all else is equal."""
    most = number(tolerance)
    if not most >= 0:
        raise EvaluationError("the tolerance can't be negative")
    return _close(steps, a, b, most)


def _close(steps: Steps, a: Any, b: Any, most: float) -> bool:
    if type(a) in NUMBERS and type(b) in NUMBERS:
        return bool(a == b or abs(a - b) <= most)
    if _is_vector(a) and _is_vector(b):
        first, second = _from_numbers(steps, a), _from_numbers(steps, b)
        with np.errstate(invalid="ignore"):
            same = len(first) == len(second) and ((np.abs(first - second) <= most) | (first == second)).all()
        return bool(same)
    a, b = plain(a), plain(b)
    if type(a) is list and type(b) is list:
        charge(steps, len(a))
        return len(a) == len(b) and all(_close(steps, x, y, most) for x, y in zip(a, b, strict=True))
    if type(a) is dict and type(b) is dict:
        charge(steps, len(a))
        return len(a) == len(b) and all(has_key(b, key) and _close(steps, a[key], b[key], most) for key in a)
    return bool(abs(a - b) <= most) if type(a) in NUMBERS and type(b) in NUMBERS else equal(steps, a, b)


def _is_vector(value: Any) -> bool:
    if type(value) is list:
        return len(value) > 8 and set(map(type, value)) <= NUMBERS
    return is_array(value) and value.ndim == 1 and value.dtype.kind in "iuf"


def unit_vector(steps: Steps, text: Any, dimension: Any) -> Vector:
    """A float32 vector of length 1 that depends on nothing but the text and the dimension; read-only."""
    count = typed(dimension, int)
    if not 1 <= count <= MAX_DIMENSION:
        raise EvaluationError(f"a vector has 1 to {MAX_DIMENSION} dimensions, not {count}")
    subject = typed(text, str)
    charge(steps, (count >> 4) + (len(subject) >> 8))
    small = len(subject) <= _REMEMBERED_TEXT and count <= _REMEMBERED_DIMENSION
    return (_remembered if small else _unit_vector)(subject, count)


def _unit_vector(text: str, count: int) -> Vector:
    components = _components(text, count)
    # A sum of squares of halves is exact in a double, in whatever order a machine adds them.
    components *= 1.0 / math.sqrt(components.dot(components))
    made: Vector = components.astype(np.float32)
    made.flags.writeable = False  # it is shared by all who ask for this text
    return made


_remembered = lru_cache(maxsize=1_024)(_unit_vector)


def _components(text: str, count: int) -> Vector:
    digest = hashlib.shake_128(encoded(text)).digest(count)
    return _HALVES.take(np.frombuffer(digest, np.uint8))


def similarity(steps: Steps, a: Any, b: Any) -> float:
    """How near two texts are in [0, 1]: 1 when they are the same, else what their made-up vectors give."""
    charge(steps, (len(typed(a, str)) + len(typed(b, str))) >> 8)
    (first, own), (second, other) = _signature(typed(a, str)), _signature(typed(b, str))
    return min(1.0, max(0.0, 0.5 + 0.5 * float(first.dot(second)) / math.sqrt(own * other)))


@lru_cache(maxsize=1_024)
def _signature(text: str) -> tuple[Vector, float]:
    components = _components(text, _SIGNATURE)
    return components, float(components.dot(components))


def quantize(steps: Steps, value: Any, dtype: Any) -> Vector:
    """The vector in fewer bits: int8 and uint8 by scale, binary and ubinary by sign, eight to a number.

    The first component is the highest bit; binary is ubinary less 128.
    """
    _layout(dtype)
    floats = vector(steps, value).astype(np.float32, copy=False)
    if dtype == "float":
        return floats
    if dtype in ("int8", "uint8"):
        return _scaled(floats, dtype)
    if len(floats) % 8:
        raise EvaluationError(f"{len(floats)} dimensions can't be packed eight to a number")
    packed = np.packbits(floats > 0)
    return packed if dtype == "ubinary" else (packed ^ 0x80).view(np.int8)


def _scaled(floats: Vector, dtype: str) -> Vector:
    largest = np.abs(floats).max(initial=np.float32(0))
    if not np.isfinite(largest):
        raise EvaluationError("the vector has a component that is not finite")
    steps_of = np.rint(floats / largest * np.float32(127)) if largest else np.zeros_like(floats)
    signed = steps_of.astype(np.int16)
    return signed.astype(np.int8) if dtype == "int8" else (signed + 128).astype(np.uint8)


def base64(steps: Steps, value: Any) -> str:
    """The base64 of bytes, of a vector's int8 or uint8 numbers, or else of its float32 numbers."""
    if type(value) is bytes:
        data: Any = value
    elif is_array(value) and value.ndim == 1 and value.dtype in (np.int8, np.uint8):
        data = np.ascontiguousarray(value)
    else:
        data = np.ascontiguousarray(vector(steps, value), "<f4")
    charge(steps, len(data) >> 4)
    return to_base64(data)
