"""Arithmetic and the conversions between numbers and text, in 64 bits as CEL has them.

CEL has no sum of int and double. Here it is a double, because JSON does not tell 1 from 1.0.
"""

import math
import re
from typing import Any

from harness.contract.expressions.errors import EvaluationError
from harness.contract.expressions.values import (
    NUMBERS,
    Steps,
    Type,
    charge,
    kind,
    number,
    plain,
    sortable,
    typed,
)

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_DOUBLE = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|Infinity|NaN)", re.ASCII)
_BOOLEANS = dict.fromkeys(("true", "True", "TRUE", "t", "1"), True) | dict.fromkeys(("false", "False", "FALSE", "f", "0"), False)


def whole(value: int) -> int:
    """The int, which must fit into 64 bits."""
    if not _LOWEST <= value <= _HIGHEST:
        raise EvaluationError("the number doesn't fit into 64 bits")
    return value


def _checked(value: Any) -> Any:
    return whole(value) if type(value) is int else value


def add(steps: Steps, a: Any, b: Any) -> Any:
    """The sum of numbers; strings, bytes and lists joined."""
    if type(a) not in NUMBERS or type(b) not in NUMBERS:
        a, b = plain(a), plain(b)
        if type(a) not in NUMBERS or type(b) not in NUMBERS:
            return _joined(steps, a, b)
    result = a + b
    return result if type(result) is float or _LOWEST <= result <= _HIGHEST else whole(result)


def _joined(steps: Steps, a: Any, b: Any) -> Any:
    if type(a) is not type(b) or type(a) not in (str, bytes, list):
        raise EvaluationError(f"can't add {kind(b)} to {kind(a)}")
    charge(steps, len(a) + len(b))
    return a + b


def subtract(a: Any, b: Any) -> Any:
    if type(a) not in NUMBERS or type(b) not in NUMBERS:
        a, b = number(a), number(b)
    result = a - b
    return result if type(result) is float or _LOWEST <= result <= _HIGHEST else whole(result)


def multiply(a: Any, b: Any) -> Any:
    if type(a) not in NUMBERS or type(b) not in NUMBERS:
        a, b = number(a), number(b)
    result = a * b
    return result if type(result) is float or _LOWEST <= result <= _HIGHEST else whole(result)


def divide(a: Any, b: Any) -> Any:
    """Of ints the quotient towards zero; of doubles as IEEE 754 has it, by zero too."""
    a, b = number(a), number(b)
    if type(a) is int and type(b) is int:
        if not b:
            raise EvaluationError("division by zero")
        return whole(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))
    if b:
        return a / b
    if math.isnan(a) or not a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def modulo(a: Any, b: Any) -> int:
    """The rest of the quotient towards zero, so it has the sign of ``a``."""
    a, b = typed(a, int), typed(b, int)
    if not b:
        raise EvaluationError("modulus by zero")
    return int(abs(a) % abs(b) * (-1 if a < 0 else 1))


def negative(value: Any) -> Any:
    return _checked(-number(value))


def to_int(value: Any) -> int:
    value = plain(value)
    if type(value) is int:
        return value
    if type(value) is float and math.isfinite(value):
        return whole(int(value))
    if type(value) is str and re.fullmatch(r"[+-]?\d{1,30}", value, re.ASCII):
        return whole(int(value))
    raise EvaluationError(f"this {kind(value)} is no int")


def to_double(value: Any) -> float:
    value = plain(value)
    if type(value) in NUMBERS or (type(value) is str and _DOUBLE.fullmatch(value)):
        return float(value)
    raise EvaluationError(f"this {kind(value)} is no double")


def to_string(steps: Steps, value: Any) -> str:
    value = plain(value)
    if type(value) is bytes:
        charge(steps, len(value))
        return value.decode()
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float:
        return _double_text(value)
    if type(value) in (str, int, Type):
        return str(value)
    raise EvaluationError(f"{kind(value)} can't become a string")


def _double_text(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value).removesuffix(".0")


def to_bool(value: Any) -> bool:
    value = plain(value)
    found = value if type(value) is bool else _BOOLEANS.get(value) if type(value) is str else None
    if found is None:
        raise EvaluationError(f"this {kind(value)} is no bool")
    return found


def to_bytes(value: Any) -> bytes:
    value = plain(value)
    return value if type(value) is bytes else bytes(typed(value, str).encode())


def absolute(value: Any) -> Any:
    return _checked(abs(number(value)))


def sign(value: Any) -> Any:
    value = number(value)
    if type(value) is float:
        return math.copysign(1.0, value) if value and not math.isnan(value) else value
    return (value > 0) - (value < 0)


def _rounding(rounded: Any) -> Any:
    def to_whole(value: Any) -> float:
        value = float(number(value))
        return math.copysign(float(rounded(value)), value) if math.isfinite(value) else value

    return to_whole


ceil, floor, trunc = map(_rounding, (math.ceil, math.floor, math.trunc))
round_half_away = _rounding(lambda value: math.floor(abs(value) + 0.5))


def square_root(value: Any) -> float:
    value = number(value)
    return math.sqrt(value) if value >= 0 else math.nan


def is_nan(value: Any) -> bool:
    return math.isnan(number(value))


def is_infinite(value: Any) -> bool:
    return math.isinf(number(value))


def is_finite(value: Any) -> bool:
    return math.isfinite(number(value))


def least(steps: Steps, *values: Any) -> Any:
    return min(_numbers(steps, values))


def greatest(steps: Steps, *values: Any) -> Any:
    return max(_numbers(steps, values))


def total(steps: Steps, values: Any) -> Any:
    values = typed(values, list)
    charge(steps, len(values))
    return _checked(sum(map(number, values)))


def _numbers(steps: Steps, values: tuple[Any, ...]) -> list[Any]:
    """The arguments, or the items of the one list that was given instead."""
    items = plain(values[0]) if len(values) == 1 else list(values)
    items = items if type(items) is list else [items]
    charge(steps, len(items))
    if not items:
        raise EvaluationError("the list is empty")
    return [number(item) for item in sortable(items)]
