"""JSON Schema 2020-12 inside a contract: the only module that knows the validator.

The whole contract is the root of every validation, so that the location of a keyword that failed is
a location in the contract file, and its clause.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from harness.contract.reader import Steps


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ASSERTIONS = _words(
    "type enum const required minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern "
    "format minItems maxItems uniqueItems contains minContains maxContains minProperties maxProperties propertyNames "
    "additionalProperties unevaluatedProperties unevaluatedItems dependentRequired anyOf oneOf not"
)
APPLICATORS_OF_ONE = _words(
    "items contains additionalProperties unevaluatedProperties unevaluatedItems propertyNames not if then else"
)
APPLICATORS_OF_LIST = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
APPLICATORS_OF_MAP = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
ANNOTATIONS = _words(
    "$ref $comment title description default examples deprecated readOnly writeOnly contentEncoding contentMediaType"
)
KEYWORDS = ASSERTIONS | APPLICATORS_OF_ONE | APPLICATORS_OF_LIST | APPLICATORS_OF_MAP | ANNOTATIONS

_SHOWN_ITEMS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A value that breaks a keyword: ``keyword`` locates it in the contract, ``pointer`` in the value."""

    keyword: Steps
    pointer: str
    message: str


def json_pointer(steps: Steps) -> str:
    """RFC 6901 text of the steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class SchemaSet:
    """The schemas of one contract; validators are compiled when first used."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._root = {key: document[key] for key in ("operations", "errors", "schemas") if key in document}
        self._validators: dict[Steps, Any] = {}
        self._touched: dict[tuple[Steps, object], frozenset[Steps]] = {}

    def _validator(self, at: Steps) -> Any:
        if at not in self._validators:
            rooted = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#" + json_pointer(at), **self._root}
            self._validators[at] = jsonschema_rs.Draft202012Validator(rooted, validate_formats=True)
        return self._validators[at]

    def is_valid(self, at: Steps, value: object) -> bool:
        """Whether ``value`` keeps the schema that stands ``at`` a place in the contract."""
        return bool(self._validator(at).is_valid(value))

    def violations(self, at: Steps, value: object) -> Iterator[Violation]:
        """Each keyword that ``value`` breaks; inside ``anyOf`` also what the nearest branch lacks."""
        for error in self._validator(at).iter_errors(value):
            yield from _flatten(error)

    def touched(self, at: Steps, value: object) -> frozenset[Steps]:
        """The places of all assertion keywords that judged some part of ``value``."""
        key = (at, _outline(value))
        if key not in self._touched:
            self._touched[key] = self._find_touched(at, value)
        return self._touched[key]

    def _find_touched(self, at: Steps, value: object) -> frozenset[Steps]:
        evaluation = self._validator(at).evaluate(_shortened(value))
        found = set()
        for unit in evaluation.list()["details"]:
            location = unit["schemaLocation"].rpartition("#")[2]
            steps = tuple(_unescape(step) for step in location.split("/")[1:])
            if steps and steps[-1] in ASSERTIONS:
                found.add(steps)
        return frozenset(found)


def _unescape(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _flatten(error: Any) -> Iterator[Violation]:
    yield Violation(
        keyword=tuple(map(str, error.schema_path)), pointer=json_pointer(tuple(error.instance_path)), message=_short(error.message)
    )
    branches = getattr(error.kind, "context", None)
    if branches:
        deepest = max(branches, key=lambda errors: max((len(e.instance_path) for e in errors), default=0))
        for inner in deepest:
            if len(inner.instance_path) > len(error.instance_path):
                yield from _flatten(inner)


def _short(message: str, most: int = 200) -> str:
    return message if len(message) <= most else f"{message[: most // 2]} … {message[-most // 2 :]}"


def _shortened(value: object) -> object:
    """``value`` with its lists cut short: which keywords apply does not depend on the thousandth number."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value[:_SHOWN_ITEMS]]
    return value


def _outline(value: object) -> object:
    """What decides which keywords apply to a value: its names and types, not its text and numbers."""
    if isinstance(value, dict):
        return tuple((key, _outline(item)) for key, item in value.items())
    if isinstance(value, list):
        return ("list", *(_outline(item) for item in value[:_SHOWN_ITEMS]))
    return type(value).__name__


def subschemas(schema: object, at: Steps) -> Iterator[tuple[Steps, Mapping[str, Any]]]:
    """The schema at ``at`` and all schemas inside it, with their places; ``$ref`` is not followed."""
    if not isinstance(schema, Mapping):
        return
    yield at, schema
    for keyword, value in schema.items():
        if keyword in APPLICATORS_OF_ONE:
            yield from subschemas(value, (*at, keyword))
        elif keyword in APPLICATORS_OF_LIST and isinstance(value, list):
            for index, item in enumerate(value):
                yield from subschemas(item, (*at, keyword, index))
        elif keyword in APPLICATORS_OF_MAP and isinstance(value, Mapping):
            for name, item in value.items():
                yield from subschemas(item, (*at, keyword, name))


def reference(schema: Mapping[str, Any]) -> Steps | None:
    """Where the ``$ref`` of a schema points inside the contract; None without one or for a foreign one."""
    target = schema.get("$ref")
    if not isinstance(target, str) or not target.startswith("#/"):
        return None
    return tuple(_unescape(step) for step in target[2:].split("/"))


def metaschema_errors(schema: Mapping[str, Any]) -> Iterator[tuple[Steps, str]]:
    """Where a schema is itself not JSON Schema 2020-12, and why."""
    validator = jsonschema_rs.Draft202012Validator({"$ref": "https://json-schema.org/draft/2020-12/schema"})
    for error in validator.iter_errors(schema):
        yield tuple(error.instance_path), _short(error.message)
