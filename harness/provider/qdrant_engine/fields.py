"""Reading fields of a plain request, refusing what Qdrant refuses."""

from collections.abc import Mapping
from typing import Any, TypeVar

from harness.provider.qdrant_engine.errors import Kind, Refused

Doc = Mapping[str, Any]
T = TypeVar("T")


def shown(value: object) -> str:
    """A value as serde names it in its errors."""
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{str(value).lower()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{value}`"
        case str():
            return f'string "{value[:60]}"'
        case Mapping():
            return "map"
        case _:
            return "sequence"


def wrong(name: str, value: object, expected: str) -> Refused:
    return Refused(Kind.FORMAT, f"{name}: invalid type: {shown(value)}, expected {expected}")


def too_small(path: str, value: object, minimum: float) -> Refused:
    return Refused(Kind.VALIDATION, f"[{path}: value {value} invalid, must be {minimum} or larger]")


def mapping(value: object, name: str) -> Doc:
    if not isinstance(value, Mapping):
        raise wrong(name, value, "a map")
    return value


def required(doc: Doc, name: str) -> Any:
    if name not in doc:
        raise Refused(Kind.FORMAT, f"missing field `{name}`")
    return doc[name]


def whole(doc: Doc, name: str, *, minimum: int = 0, within: str = "") -> int | None:
    """A whole number ≥ 0; below ``minimum`` it is a validation error, not a format error."""
    value = doc.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(within + name, value, "a whole number")
    if value < 0:
        raise Refused(Kind.FORMAT, f"{within}{name}: invalid value: integer `{value}`, expected usize")
    if value < minimum:
        raise too_small(within + name, value, minimum)
    return value


def number(doc: Doc, name: str) -> float | None:
    value = doc.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(name, value, "a number")
    return float(value)


def flag(doc: Doc, name: str) -> bool | None:
    value = doc.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(name, value, "a boolean")
    return value


def text(doc: Doc, name: str) -> str | None:
    value = doc.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(name, value, "a string")
    return value


def items(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(name, value, "a sequence")
    return value


def strings(value: object, name: str) -> list[str]:
    for entry in items(value, name):
        if not isinstance(entry, str):
            raise wrong(name, entry, "a string")
    return items(value, name)


def choice(value: object, name: str, spelling: Mapping[str, T]) -> T:
    """What one of the allowed words stands for."""
    if isinstance(value, str) and value in spelling:
        return spelling[value]
    allowed = ", ".join(f"`{word}`" for word in spelling)
    raise Refused(Kind.FORMAT, f"{name}: unknown variant {shown(value)}, expected one of {allowed}")
