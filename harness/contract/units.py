"""Durations, sizes, rates and percentages: each carries its unit, and is held in one base unit.

Seconds for durations, bytes for sizes, events per second for rates, a fraction of one for percentages.
"""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from harness.contract.problems import ALLOWED, shown

_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,15})?|\.[0-9]{1,15})"
_SOME = r"(?=[0-9.]*[1-9])"  # more than nothing
_DURATIONS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"B": 1, "kB": 1000, "KB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_RATES = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hour": 3600.0}


def _units(units: dict[str, Any]) -> str:
    return "|".join(sorted(units, key=len, reverse=True))


DURATION_PATTERN = rf"^{_NUMBER} ?({_units(_DURATIONS)})$"
SIZE_PATTERN = rf"^{_SOME}{_NUMBER} ?({_units(_SIZES)})$"
RATE_PATTERN = rf"^{_SOME}{_NUMBER} ?/ ?({_units(_RATES)})$"
PERCENTAGE_PATTERN = r"^(100(?:\.0{1,15})?|[0-9]{1,2}(?:\.[0-9]{1,15})?|\.[0-9]{1,15}) ?%$"
POSITIVE_DURATION_PATTERN = DURATION_PATTERN.replace("^", "^" + _SOME, 1)


def _match(pattern: str, value: object, what: str, example: str) -> re.Match[str]:
    found = re.fullmatch(pattern[1:-1], value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{shown(value)} is not {what}{ALLOWED}{example}")
    return found


def duration_s(value: object) -> float:
    """Seconds from text such as ``60s``, ``500ms`` or ``5m``; ValueError without a unit."""
    found = _match(DURATION_PATTERN, value, "a duration", "a number with its unit, such as `60s`, `500ms` or `5m`")
    return float(found[1]) * _DURATIONS[found[2]]


def positive_duration_s(value: object) -> float:
    """As ``duration_s``; ValueError also for no time at all."""
    seconds = duration_s(value)
    if seconds == 0:
        raise ValueError(f"`{value}` is no time at all{ALLOWED}more, such as `60s`")
    return seconds


def size_bytes(value: object) -> int:
    """Bytes from text such as ``32MB`` (decimal) or ``32MiB`` (binary)."""
    found = _match(SIZE_PATTERN, value, "a size", "a number with its unit, such as `32MB` or `64KiB`")
    return round(float(found[1]) * _SIZES[found[2]])


def rate_per_s(value: object) -> float:
    """Events per second from text such as ``1000/min``."""
    found = _match(RATE_PATTERN, value, "a rate", "a number with its unit, such as `20/s` or `1000/min`")
    return float(found[1]) / _RATES[found[2]]


def fraction(value: object) -> float:
    """A fraction of one from a percentage such as ``99.9%``."""
    found = _match(PERCENTAGE_PATTERN, value, "a percentage", "`0%` to `100%`, such as `99.9%`")
    return float(found[1]) / 100


def _text(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


Duration = Annotated[float, BeforeValidator(duration_s), _text(DURATION_PATTERN, "60s")]
PositiveDuration = Annotated[float, BeforeValidator(positive_duration_s), _text(POSITIVE_DURATION_PATTERN, "60s")]
Size = Annotated[int, BeforeValidator(size_bytes), _text(SIZE_PATTERN, "32MB")]
Rate = Annotated[float, BeforeValidator(rate_per_s), _text(RATE_PATTERN, "1000/min")]
Percentage = Annotated[float, BeforeValidator(fraction), _text(PERCENTAGE_PATTERN, "99.9%")]
