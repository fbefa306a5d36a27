"""JSON Schema 2020-12 inside a contract: the only module that knows the validator.

The whole contract is the root of every validation, so that the location of a keyword that failed is
a location in the contract file, and its clause.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
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
APPLICATORS_OF_ONE = _words("items contains additionalProperties unevaluatedProperties unevaluatedItems propertyNames not if then else")
APPLICATORS_OF_LIST = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
APPLICATORS_OF_MAP = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
ANNOTATIONS = _words("$ref $comment title description default examples deprecated readOnly writeOnly contentEncoding contentMediaType")
FORMATS = _words(
    "date-time date time duration email idn-email hostname idn-hostname ipv4 ipv6 uri uri-reference iri iri-reference uuid "
    "uri-template json-pointer relative-json-pointer regex"
)
KEYWORDS = ASSERTIONS | APPLICATORS_OF_ONE | APPLICATORS_OF_LIST | APPLICATORS_OF_MAP | ANNOTATIONS

_SHOWN_ITEMS = 2
# A pattern gives up after so many steps back, so that no text can stop the process for long.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000, size_limit=1_000_000, dfa_size_limit=1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A value that breaks a keyword: ``keyword`` locates it in the contract, ``pointer`` in the value."""

    keyword: Steps
    pointer: str
    message: str


def json_pointer(steps: Steps) -> str:
    """RFC 6901 text of the steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _validator(schema: Mapping[str, Any]) -> Any:
    return jsonschema_rs.Draft202012Validator(
        dict(schema), validate_formats=True, ignore_unknown_formats=False, offline=True, pattern_options=_PATTERNS
    )


def pointer_steps(pointer: str) -> Steps:
    """The steps of a JSON Pointer; digits count as an index."""
    return tuple(int(step) if step.isdecimal() else step for step in map(_unescape, pointer.split("/")[1:]))


class SchemaSet:
    """The schemas of one contract; validators are compiled when first used."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._root = {key: document[key] for key in ("operations", "errors", "schemas") if key in document}
        self._validators: dict[Steps, Any] = {}
        self._touched: dict[tuple[Steps, object], frozenset[Steps]] = {}

    def _validator(self, at: Steps) -> Any:
        if at not in self._validators:
            rooted = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#" + json_pointer(at), **self._root}
            self._validators[at] = _validator(rooted)
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
        """Walked by us: the validator melts keywords into one where that is faster, and so does not report all."""
        found: set[Steps] = set()
        waiting: list[tuple[Steps, object]] = [(at, _shortened(value))]
        while waiting:
            steps, part = waiting.pop()
            schema = _schema_at(self._root, steps)
            if not isinstance(schema, Mapping):
                continue
            for keyword in schema:
                if keyword in ASSERTIONS and _applies(keyword, part):
                    found.add((*steps, keyword))
            waiting.extend(_parts(schema, steps, part))
        return frozenset(found)


def _applies(keyword: str, value: object) -> bool:
    """Whether a keyword says anything about a value of this type."""
    kind = _SPEAKS_OF.get(keyword)
    return kind is None or (isinstance(value, kind) and not (kind is _NUMBER and isinstance(value, bool)))


_NUMBER = (int, float)
_SPEAKS_OF: dict[str, Any] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _NUMBER),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), str),
    **dict.fromkeys(("minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems"), list),
    **dict.fromkeys(
        (
            "required",
            "minProperties",
            "maxProperties",
            "propertyNames",
            "additionalProperties",
            "unevaluatedProperties",
            "dependentRequired",
        ),
        dict,
    ),
}


def _parts(schema: Mapping[str, Any], at: Steps, value: object) -> Iterator[tuple[Steps, object]]:
    """The schemas that go on judging a value or a part of it; alternatives are judged as a whole."""
    target = reference(schema)
    if target is not None:
        yield target, value
    for index, _ in enumerate(schema.get("allOf", ())):
        yield (*at, "allOf", index), value
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name, item in value.items():
            if name in properties:
                yield (*at, "properties", name), item
            elif "additionalProperties" in schema:
                yield (*at, "additionalProperties"), item
    elif isinstance(value, list):
        leading = len(schema.get("prefixItems", ()))
        for index, item in enumerate(value):
            if index < leading:
                yield (*at, "prefixItems", index), item
            elif "items" in schema:
                yield (*at, "items"), item


def _schema_at(root: Any, steps: Steps) -> Any:
    for step in steps:
        root = root[int(step)] if isinstance(root, list) else root.get(str(step)) if isinstance(root, Mapping) else None
    return root


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
    for error in _metaschema().iter_errors(schema):
        yield tuple(error.instance_path), _short(error.message)


@cache
def _metaschema() -> Any:
    return _validator({"$ref": "https://json-schema.org/draft/2020-12/schema"})


def is_pattern(text: object) -> bool:
    """Whether a text is a regular expression that the validator takes."""
    try:
        _validator({"pattern": text})
    except jsonschema_rs.ValidationError:
        return False
    return True
