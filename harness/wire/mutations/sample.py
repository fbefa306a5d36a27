"""The smallest value that keeps a schema, for a property that no example has."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.contract.reader import Steps
from harness.contract.schemas import reference
from harness.wire.mutations.keywords import types_of

Lookup = Callable[[Steps], Any]
MOST_DEPTH = 8

_FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "uuid": "6f1d2c7a-9b3e-4850-8c11-2f3a4b5c6d7e",
    "uri": "https://example.com/",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}
_TEXTS = ("text", "a", "A1", "0", "1.0", "AAAA", "a-b", "2026-01-02", "#a1b2c3", "GET", "")


def sample(at: Steps, lookup: Lookup, depth: int = 0) -> Any:
    """A value for the schema at a place; it need not be valid where the schema is an intricate one."""
    schema = lookup(at)
    if not isinstance(schema, Mapping) or depth > MOST_DEPTH:
        return "text"
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return next((item for item in schema["enum"] if item is not None), None)
    target = reference(schema)
    if target is not None:
        return sample(target, lookup, depth + 1)
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            return sample((*at, keyword, 0), lookup, depth + 1)
    if schema.get("allOf"):
        return _merged([sample((*at, "allOf", index), lookup, depth + 1) for index in range(len(schema["allOf"]))])
    return _typed(at, schema, lookup, depth)


def _merged(parts: list[Any]) -> Any:
    if all(isinstance(part, Mapping) for part in parts):
        return {name: item for part in parts for name, item in part.items()}
    return parts[0]


def _typed(at: Steps, schema: Mapping[str, Any], lookup: Lookup, depth: int) -> Any:
    kinds = [kind for kind in types_of(schema) if kind != "null"]
    kind = kinds[0] if kinds else "null" if types_of(schema) else _implied(schema)
    if kind == "object":
        return {name: sample((*at, "properties", name), lookup, depth + 1) for name in schema.get("required", ())}
    if kind == "array":
        return [sample((*at, "items"), lookup, depth + 1) for _ in range(schema.get("minItems", 0))]
    if kind in ("integer", "number"):
        return _number(schema)
    return {"boolean": True, "null": None}.get(kind, _text(schema))


def _implied(schema: Mapping[str, Any]) -> str:
    """The type that a schema without one is about."""
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def _number(schema: Mapping[str, Any]) -> int | float:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None and "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + 1
    step = schema.get("multipleOf", 0)
    found = least if least is not None else min(most, 1) if most is not None else 1
    return step * -(-found // step) if step else found


def _text(schema: Mapping[str, Any]) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10**6)
    for text in _TEXTS:
        fitted = text.ljust(least, text[:1] or "x")[:most]
        if _matches(schema.get("pattern"), fitted):
            return fitted
    return "text".ljust(least, "x")[:most]


def _matches(pattern: str | None, text: str) -> bool:
    try:
        return pattern is None or re.search(pattern, text) is not None
    except re.error:
        return False  # a pattern in the other dialect: the schema itself decides later
