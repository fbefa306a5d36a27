"""JSON Schema keyword by keyword: how a value comes to break it, and how it goes to the edge without."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.wire.mutations.edits import Kind

Schema = Mapping[str, Any]
Change = tuple[Kind, Any, str]  # what the value becomes, and in words
Changes = Callable[[Schema, Any], Iterator[Change]]

_TYPES = ("null", "string", "number", "boolean", "array", "object")
MOST_LENGTH = 100_000


def types_of(schema: Schema) -> tuple[str, ...]:
    """The types that a schema allows by name; empty when it allows any."""
    kinds = schema.get("type", ())
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)


def _as_type(name: str, value: Any) -> Any:
    """Something of a type, near to the value where that is easy: a number as text is a likely mistake."""
    scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    samples: dict[str, Any] = {
        "null": None,
        "string": str(value) if scalar else "text",
        "number": 7.5,
        "boolean": True,
        "array": [value] if scalar else [],
        "object": {"value": value} if scalar else {},
    }
    return samples[name]


def _type(schema: Schema, value: Any) -> Iterator[Change]:
    allowed = types_of(schema)
    for name in _TYPES:
        if name not in allowed:
            kind = Kind.NULLED if name == "null" else Kind.RETYPED
            if not (name == "number" and "integer" in allowed and isinstance(value, float)):
                yield kind, _as_type(name, value), f"{name} instead of {' or '.join(allowed)}"


def _enum(schema: Schema, value: Any) -> Iterator[Change]:
    allowed = list(schema["enum"])
    yield from ((Kind.ENUM, other, "a value that is not listed") for other in _beside(allowed))
    yield from _other_types(schema, allowed)


def _const(schema: Schema, value: Any) -> Iterator[Change]:
    yield from ((Kind.CONST, other, f"not {schema['const']!r}") for other in _beside([schema["const"]]))
    yield from _other_types(schema, [schema["const"]])


def _beside(allowed: list[Any]) -> Iterator[Any]:
    """A value like the allowed ones, of each of their types, that is none of them."""
    texts = [item for item in allowed if isinstance(item, str)]
    numbers = [item for item in allowed if isinstance(item, int | float) and not isinstance(item, bool)]
    if texts:
        yield max(texts, key=len) + "_other"
    if numbers:
        yield max(numbers) + 1
    if any(isinstance(item, bool) for item in allowed):
        yield from (other for other in (True, False) if not any(item is other for item in allowed))


def _other_types(schema: Schema, allowed: list[Any]) -> Iterator[Change]:
    if "type" in schema:
        return  # that is the other keyword's to break
    for name in ("null", "boolean", "array"):
        sample = _as_type(name, None)
        if not any(type(item) is type(sample) for item in allowed):
            yield (Kind.NULLED if sample is None else Kind.RETYPED), sample, f"{name}, which is not listed"


def _minimum(schema: Schema, value: Any) -> Iterator[Change]:
    yield Kind.BOUND, schema["minimum"] - 1, "below the minimum"


def _maximum(schema: Schema, value: Any) -> Iterator[Change]:
    yield Kind.BOUND, schema["maximum"] + 1, "above the maximum"


def _exclusive_minimum(schema: Schema, value: Any) -> Iterator[Change]:
    yield Kind.BOUND, schema["exclusiveMinimum"], "at the bound that is excluded"


def _exclusive_maximum(schema: Schema, value: Any) -> Iterator[Change]:
    yield Kind.BOUND, schema["exclusiveMaximum"], "at the bound that is excluded"


def _multiple_of(schema: Schema, value: Any) -> Iterator[Change]:
    step = schema["multipleOf"]
    yield Kind.BOUND, (step + 1 if step > 1 else step * 1.5), f"no multiple of {step}"


def _min_length(schema: Schema, value: Any) -> Iterator[Change]:
    if schema["minLength"] > 0:
        yield Kind.BOUND, _text(value)[: schema["minLength"] - 1], "too short"


def _max_length(schema: Schema, value: Any) -> Iterator[Change]:
    if schema["maxLength"] < MOST_LENGTH:
        yield Kind.BOUND, _text(value).ljust(schema["maxLength"] + 1, "x"), "too long"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "text"


def _pattern(schema: Schema, value: Any) -> Iterator[Change]:
    text = _text(value)
    others = {"a sign before it": f"!{text}", "a line after it": f"{text}\n!", "blank": " ", "a snowman": "\u2603", "nothing": ""}
    for note, other in others.items():
        yield Kind.PATTERN, other, note


def _format(schema: Schema, value: Any) -> Iterator[Change]:
    yield Kind.FORMAT, f"no {schema['format']} \u2603", f"no {schema['format']}"


def _min_items(schema: Schema, value: Any) -> Iterator[Change]:
    least = schema["minItems"]
    if least > 0:
        items = value if isinstance(value, list) else []
        yield (Kind.EMPTIED if least == 1 else Kind.BOUND), items[: least - 1], f"{least - 1} items"


def _max_items(schema: Schema, value: Any) -> Iterator[Change]:
    if isinstance(value, list) and schema["maxItems"] < MOST_LENGTH:
        count, items = schema["maxItems"] + 1, value or [None]
        yield Kind.BOUND, (items * math.ceil(count / len(items)))[:count], f"{count} items"


def _unique_items(schema: Schema, value: Any) -> Iterator[Change]:
    if isinstance(value, list) and value and schema["uniqueItems"]:
        yield Kind.DUPLICATED, [*value, value[0]], "an item twice"


def _contains(schema: Schema, value: Any) -> Iterator[Change]:
    yield Kind.EMPTIED, [], "no items"


def _min_properties(schema: Schema, value: Any) -> Iterator[Change]:
    if isinstance(value, Mapping) and schema["minProperties"] > 0:
        kept = list(value)[: schema["minProperties"] - 1]
        yield Kind.BOUND, {name: value[name] for name in kept}, "too few properties"


def _max_properties(schema: Schema, value: Any) -> Iterator[Change]:
    if isinstance(value, Mapping) and schema["maxProperties"] < MOST_LENGTH:
        extra = {f"extra_{number}": None for number in range(schema["maxProperties"] + 1)}
        yield Kind.BOUND, {**value, **extra}, "too many properties"


def _extra(schema: Schema, value: Any) -> Iterator[Change]:
    closed = schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False
    if isinstance(value, Mapping) and closed:
        yield Kind.ADDED, {**value, "unexpected_property": "text"}, "a property that is not declared"


def _alternatives(schema: Schema, value: Any) -> Iterator[Change]:
    misfits: tuple[Any, ...] = (None, "\u2603", -7.5, True, [], {}, [{}], {"unexpected_property": "text"})
    for other in misfits:
        kind = Kind.NULLED if other is None else Kind.ALTERNATIVE
        yield kind, other, f"{other!r}, which fits no alternative"


def _dependent(schema: Schema, value: Any) -> Iterator[Change]:
    for name, needed in schema["dependentRequired"].items():
        if isinstance(value, Mapping) and name in value:
            for other in needed:
                yield Kind.DROPPED, {key: item for key, item in value.items() if key != other}, f"{name} without {other}"


NUMERIC = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
TEXTUAL = frozenset({"minLength", "maxLength", "pattern", "format"})
OF_ARRAYS = frozenset({"minItems", "maxItems", "uniqueItems", "contains"})


def judges(keyword: str, schema: Schema) -> bool:
    """Whether a value that keeps the schema's own ``type`` can be judged by the keyword at all."""
    kinds = types_of(schema)
    wanted = (
        {"number", "integer"} if keyword in NUMERIC else {"string"} if keyword in TEXTUAL else {"array"} if keyword in OF_ARRAYS else set()
    )
    return not kinds or not wanted or bool(wanted & set(kinds))


BREAKING: Mapping[str, Changes] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _minimum,
    "maximum": _maximum,
    "exclusiveMinimum": _exclusive_minimum,
    "exclusiveMaximum": _exclusive_maximum,
    "multipleOf": _multiple_of,
    "minLength": _min_length,
    "maxLength": _max_length,
    "pattern": _pattern,
    "format": _format,
    "minItems": _min_items,
    "maxItems": _max_items,
    "uniqueItems": _unique_items,
    "contains": _contains,
    "minProperties": _min_properties,
    "maxProperties": _max_properties,
    "additionalProperties": _extra,
    "unevaluatedProperties": _extra,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
    "not": _alternatives,
    "dependentRequired": _dependent,
}


# To the edge, and no further


def _each_allowed(schema: Schema, value: Any) -> Iterator[Change]:
    for other in schema["enum"]:
        if other != value or type(other) is not type(value):
            yield Kind.ENUM, other, f"{other!r}"


def _each_type(schema: Schema, value: Any) -> Iterator[Change]:
    for name in types_of(schema):
        if name == "integer":
            if not isinstance(value, int | float) or isinstance(value, bool):
                yield Kind.RETYPED, 1, "an integer"
        elif (name == "null") is not (value is None) or type(_as_type(name, None)) is not type(value):
            yield (Kind.NULLED if name == "null" else Kind.RETYPED), _as_type(name, value), f"a value of type {name}"


def _at(keyword: str) -> Changes:
    def edge(schema: Schema, value: Any) -> Iterator[Change]:
        if schema[keyword] != value:
            yield Kind.BOUND, schema[keyword], f"at the {keyword}"

    return edge


def _shortest(schema: Schema, value: Any) -> Iterator[Change]:
    least = schema["minLength"]
    if isinstance(value, str) and len(value) != least:
        yield Kind.BOUND, value[:least].ljust(least, "x"), f"{least} characters"


def _longest(schema: Schema, value: Any) -> Iterator[Change]:
    most = schema["maxLength"]
    if isinstance(value, str) and most < MOST_LENGTH:
        yield Kind.BOUND, value[:most].ljust(most, "x"), f"{most} characters"


def _fewest(schema: Schema, value: Any) -> Iterator[Change]:
    least = schema["minItems"]
    if isinstance(value, list) and len(value) > least:
        yield Kind.SHORTER, value[:least], f"{least} items"


def _most(schema: Schema, value: Any) -> Iterator[Change]:
    most = schema["maxItems"]
    if isinstance(value, list) and value and most < MOST_LENGTH:
        yield Kind.LONGER, (value * math.ceil(most / len(value)))[:most], f"{most} items"


KEEPING: Mapping[str, Changes] = {
    "type": _each_type,
    "enum": _each_allowed,
    "minimum": _at("minimum"),
    "maximum": _at("maximum"),
    "minLength": _shortest,
    "maxLength": _longest,
    "minItems": _fewest,
    "maxItems": _most,
}
