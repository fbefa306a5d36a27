"""JSON Schemas as Pact matchers: what a schema promises of a value, as far as Pact can say it.

Matchers are plain JSON in Pact's integration format; the values in them are examples. Pact knows neither
optional fields nor several types for one field, so the example decides which of them is meant.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.contract.agreement import Agreement
from harness.contract.reader import Steps
from harness.contract.schemas import reference

Matcher = Any  # JSON
KIND = "pact:matcher:type"
ANY_TEXT = r"[\s\S]*"
MOST_REFERENCES = 32
_FOREIGN_TO_RUST = re.compile(r"\(\?[=!<]|\\[1-9]")  # Pact's engine has neither lookaround nor backreferences


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Makes matchers from the schemas of one contract; ``optional`` keeps what a schema does not require."""

    agreement: Agreement
    optional: bool

    def matcher(self, at: Steps, value: object) -> Matcher:
        """The matcher of the schema that stands ``at`` a place, with ``value`` as its example."""
        at, schema = self._resolved(at)
        if "const" in schema:
            return {KIND: "equality", "value": value}
        if value is None:
            return {KIND: "null"}
        if "enum" in schema and not isinstance(value, Mapping | list):
            return {KIND: "regex", "regex": _one_of(schema["enum"]), "value": value}
        if isinstance(value, Mapping):
            return self._object(at, value)
        if isinstance(value, list):
            return self._list(at, schema, value)
        return _scalar(schema, value)

    def properties(self, at: Steps, value: object) -> tuple[dict[str, Steps], frozenset[str]]:
        """Where the schemas of a mapping's fields stand, and which fields it must have; of branches, the one that fits."""
        at, schema = self._resolved(at)
        known: dict[str, Steps] = {name: (*at, "properties", name) for name in schema.get("properties", {})}
        required = frozenset(schema.get("required", ()))
        for branch in self._branches(at, schema, value):
            more, needed = self.properties(branch, value)
            known, required = {**more, **known}, required | needed
        return known, required

    def _resolved(self, at: Steps) -> tuple[Steps, Mapping[str, Any]]:
        """The schema at a place, references followed; one that only refers to itself promises nothing."""
        for _ in range(MOST_REFERENCES):
            schema = self._value(at)
            target = reference(schema)
            if target is None:
                return at, schema
            at = target
        return at, {}

    def _value(self, at: Steps) -> Mapping[str, Any]:
        value: Any = self.agreement.document.value
        for step in at:
            value = value[int(step)] if isinstance(value, list) else value.get(str(step), {})
        return value if isinstance(value, Mapping) else {}

    def _branches(self, at: Steps, schema: Mapping[str, Any], value: object) -> list[Steps]:
        """All of ``allOf``, and the first that fits of the others."""
        found: list[Steps] = [(*at, "allOf", str(index)) for index in range(len(schema.get("allOf", ())))]
        for keyword in ("anyOf", "oneOf"):
            options: list[Steps] = [(*at, keyword, str(index)) for index in range(len(schema.get(keyword, ())))]
            found += [option for option in options if self.agreement.schemas.is_valid(option, value)][:1]
        return found

    def _object(self, at: Steps, value: Mapping[str, Any]) -> Matcher:
        known, required = self.properties(at, value)
        return {
            name: self.matcher(known[name], item) if name in known else {KIND: "type", "value": item}  # its value is not promised
            for name, item in value.items()
            if self.optional or name in required
        }

    def _list(self, at: Steps, schema: Mapping[str, Any], value: list[Any]) -> Matcher:
        bounds = {"min": schema.get("minItems", 0)} | ({"max": schema["maxItems"]} if "maxItems" in schema else {})
        if not value:
            return {KIND: "type", "value": value}
        return {KIND: "type", **bounds, "value": self._items(at, schema, value)}

    def _items(self, at: Steps, schema: Mapping[str, Any], value: list[Any]) -> list[Matcher]:
        """Pact takes its rules for all items from the first; the others are examples only."""
        steps = self._items_at(at, schema, value)
        if steps is None or not _alike(value):
            return value
        first, *others = value
        return [self.matcher(steps, first), *(self._plain(steps, item) for item in others)]

    def _items_at(self, at: Steps, schema: Mapping[str, Any], value: list[Any]) -> Steps | None:
        if isinstance(schema.get("items"), Mapping):
            return (*at, "items")
        inside = (self._items_at(*self._resolved(branch), value) for branch in self._branches(at, schema, value))
        return next((steps for steps in inside if steps), None)

    def _plain(self, at: Steps, value: Any) -> Any:
        """An example without matchers, with the same fields as one that has them."""
        if self.optional or not isinstance(value, Mapping | list):
            return value
        if isinstance(value, list):
            steps = self._items_at(*self._resolved(at), value)
            return value if steps is None else [self._plain(steps, item) for item in value]
        known, required = self.properties(at, value)
        return {
            name: self._plain(known[name], item) if name in known else item
            for name, item in value.items()
            if name in required
        }


def text_pattern(schema: Mapping[str, Any]) -> str:
    """The pattern that a text has to match by its schema, as Pact's engine reads it."""
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not _FOREIGN_TO_RUST.search(pattern):
        return pattern
    least, most = schema.get("minLength", 0), schema.get("maxLength", "")
    return rf"^[\s\S]{{{least},{most}}}$" if least or most else ANY_TEXT


def parameter_pattern(schema: Mapping[str, Any]) -> str:
    """The pattern for a parameter, whose value is text whatever its schema speaks of."""
    if "enum" in schema:
        return _one_of(schema["enum"])
    kinds = schema.get("type")
    by_kind = {"integer": r"^-?\d+$", "number": r"^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$", "boolean": "^(?:true|false)$"}
    return by_kind[kinds] if isinstance(kinds, str) and kinds in by_kind else text_pattern(schema)


def typed(media_type: str) -> Matcher:
    """A content type, whatever parameters it has."""
    kind = _literally(media_type).replace(r"\*", r"[^/;\s]+")
    return {KIND: "regex", "regex": rf"^{kind}(?:\s*;.*)?$", "value": media_type.replace("*", "x")}


def _scalar(schema: Mapping[str, Any], value: object) -> Matcher:
    if isinstance(value, bool):
        return {KIND: "boolean", "value": value}
    if isinstance(value, str):
        return {KIND: "regex", "regex": text_pattern(schema), "value": value}
    kinds = schema.get("type", [])
    return {KIND: "integer" if "integer" in kinds and "number" not in kinds else "number", "value": value}


def _one_of(words: list[object]) -> str:
    spelled = [str(word).lower() if isinstance(word, bool) else str(word) for word in words if word is not None]
    return f"^(?:{'|'.join(map(_literally, spelled))})$"


def _literally(text: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def _alike(values: list[Any]) -> bool:
    """Whether all values have the same JSON type, and so have their items and their fields, where they have them."""
    if len({_family(value) for value in values}) > 1:
        return False
    if values and all(isinstance(value, list) for value in values):
        return _alike([item for value in values for item in value])
    if not all(isinstance(value, Mapping) for value in values):
        return True
    names = {name for value in values for name in value}
    return all(_alike([value[name] for value in values if name in value]) for name in names)


def _family(value: object) -> type:
    """The JSON type of a value, whole numbers being numbers."""
    return float if type(value) is int else type(value)
