"""The schemas of a contract: each is JSON Schema, stays inside the file, is used, and ends."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.contract.clauses import schema_roots
from harness.contract.document import Steps
from harness.contract.problems import nearest, shown
from harness.contract.review.gathered import Review, value_at
from harness.contract.schemas import FORMATS, KEYWORDS, is_pattern, metaschema_errors, reference, subschemas

_IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})


def check_schemas(review: Review) -> None:
    root = review.document.value
    references: dict[Steps, set[Steps]] = {}  # from each root to the schemas that it refers to
    roots: list[Steps] = [at for at, _ in schema_roots(root)]
    roots += [("schemas", name) for name in root.get("schemas", {})]
    for at in dict.fromkeys(roots):
        before = len(review.problems)
        references[at] = set(_schema(review, at))
        if len(review.problems) > before:
            review.unusable.add(at)
    for name in _endless(root):
        review.problem(("schemas", name), f"`{name}` refers to itself without going deeper into the value", at_key=True)
        review.unusable.add(("schemas", name))
    if not review.unusable and review.is_whole(("operations",), ("errors",), ("schemas",)):
        _unused(review, references)
    review.unusable |= {at for at in references if _reached(at, references) & review.unusable}


def _schema(review: Review, at: Steps) -> Iterator[Steps]:
    """Say what is wrong with the schema at a place; gives the named schemas that it refers to."""
    schema = value_at(review.document.value, at)
    for steps, message in metaschema_errors(schema):
        review.problem((*at, *steps), f"is not JSON Schema: {message}")
    for inner, part in subschemas(schema, at):
        _keywords(review, inner, part)
        target = _reference(review, inner, part)
        if target is not None:
            yield target[:2]


def _reached(start: Steps, references: Mapping[Steps, set[Steps]]) -> set[Steps]:
    """Everything that a schema refers to, itself or through others."""
    reached: set[Steps] = set()
    waiting = [start]
    while waiting:
        new = references.get(waiting.pop(), set()) - reached
        reached |= new
        waiting.extend(new)
    return reached


def _keywords(review: Review, at: Steps, schema: Mapping[str, Any]) -> None:
    for keyword, value in schema.items():
        if keyword not in KEYWORDS and not keyword.startswith("x-"):
            hint = nearest(keyword, KEYWORDS)
            review.problem((*at, keyword), f"{shown(keyword)} is no keyword of JSON Schema", "JSON Schema 2020-12", hint, at_key=True)
        elif keyword == "format" and isinstance(value, str) and value not in FORMATS:
            hint = nearest(value, FORMATS)
            review.problem((*at, keyword), f"{shown(value)} is no format of JSON Schema", ", ".join(sorted(FORMATS)), hint)
        elif keyword == "pattern" and isinstance(value, str) and not is_pattern(value):
            review.problem((*at, keyword), f"{shown(value)} is no regular expression", "a pattern as in ECMA-262, of bounded size")
        elif keyword == "patternProperties" and isinstance(value, Mapping):
            for pattern in value:
                if not is_pattern(pattern):
                    review.problem((*at, keyword, pattern), f"{shown(pattern)} is no regular expression", at_key=True)


def _reference(review: Review, at: Steps, schema: Mapping[str, Any]) -> Steps | None:
    """Where the ``$ref`` of a schema points, when that is a schema of this contract."""
    if not isinstance(schema.get("$ref"), str):  # said by the metaschema, if it is there at all
        return None
    root, target = review.document.value, reference(schema)
    names = root.get("schemas", {})
    if target is None or target[0] != "schemas" or len(target) == 1:
        foreign = "nothing is fetched: copy the schema in" if target is None else "move the schema there"
        review.problem((*at, "$ref"), f"{shown(schema['$ref'])} points out of the schemas", "`#/schemas/NAME`", foreign)
    elif not isinstance(value_at(root, target), Mapping | bool):
        hint = nearest(str(target[1]), names)
        review.problem((*at, "$ref"), f"{shown(schema['$ref'])} points at nothing", ", ".join(sorted(names)), hint)
    else:
        return target
    return None


def _unused(review: Review, references: Mapping[Steps, set[Steps]]) -> None:
    """A schema that no operation and no error shape reaches promises nothing."""
    reached = set[Steps]().union(*(_reached(at, references) for at in references if at[0] != "schemas"))
    for name in review.document.value.get("schemas", {}):
        if ("schemas", name) not in reached:
            review.problem(("schemas", name), f"the schema `{name}` is used nowhere", hint="remove it or refer to it", at_key=True)


def _endless(root: Mapping[str, Any]) -> list[str]:
    """The named schemas that judge a value by way of judging that same value."""
    edges: dict[Steps, set[Steps]] = {("schemas", name): set(_in_place(schema)) for name, schema in root.get("schemas", {}).items()}
    return [str(at[1]) for at in edges if at in _reached(at, edges)]


def _in_place(schema: Any) -> Iterator[Steps]:
    """What a schema refers to for the value itself, not for a part of it."""
    if not isinstance(schema, Mapping):
        return
    target = reference(schema)
    if target is not None and len(target) == 2:
        yield target
    for keyword in _IN_PLACE & schema.keys():
        value = schema[keyword]
        inner = value if isinstance(value, list) else value.values() if keyword == "dependentSchemas" else [value]
        for part in inner:
            yield from _in_place(part)
