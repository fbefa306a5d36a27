"""The validator of a contract's schemas: what was broken, where in the contract and where in the value."""

from typing import Any

import pytest

from harness.contract.schemas import (
    SchemaSet,
    is_pattern,
    json_pointer,
    metaschema_errors,
    pointer_steps,
    reference,
    subschemas,
)

ROOT: dict[str, Any] = {
    "schemas": {
        "List": {"type": "array", "items": {"$ref": "#/schemas/Item"}, "minItems": 1},
        "Item": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 0}, "a/b~c": {"type": "null"}}},
        "Either": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"deep": {"type": "integer"}}}]},
    },
}
LIST, ITEM, EITHER = ("schemas", "List"), ("schemas", "Item"), ("schemas", "Either")


def broken(at: tuple[str, ...], value: object) -> list[tuple[str, str]]:
    return [(".".join(map(str, found.keyword)), found.pointer) for found in SchemaSet(ROOT).violations(at, value)]


def test_a_violation_names_the_keyword_in_the_contract_and_the_part_of_the_value() -> None:
    assert broken(LIST, [{"n": 1}, {"n": -1}, {}]) == [
        ("schemas.Item.properties.n.minimum", "/1/n"),
        ("schemas.Item.required", "/2"),
    ]


def test_a_name_with_slashes_is_escaped_as_in_a_json_pointer() -> None:
    assert broken(ITEM, {"n": 1, "a/b~c": 1}) == [("schemas.Item.properties.a/b~c.type", "/a~1b~0c")]


def test_of_alternatives_the_nearest_says_what_it_lacks() -> None:
    assert broken(EITHER, {"deep": "x"}) == [
        ("schemas.Either.anyOf", ""),
        ("schemas.Either.anyOf.1.properties.deep.type", "/deep"),
    ]


def test_what_keeps_its_schema_is_valid() -> None:
    schemas = SchemaSet(ROOT)
    assert schemas.is_valid(LIST, [{"n": 1}])
    assert not schemas.is_valid(LIST, [])
    assert broken(LIST, [{"n": 1}]) == []


def test_the_keywords_that_judged_a_value_are_known() -> None:
    touched = SchemaSet(ROOT).touched(LIST, [{"n": 1}])
    assert {"type", "minItems"} <= {steps[-1] for steps in touched}
    assert ("schemas", "Item", "properties", "n", "minimum") in touched
    assert ("schemas", "Item", "properties", "a/b~c", "type") not in touched


def test_a_long_message_is_cut() -> None:
    (violation,) = SchemaSet({"schemas": {"S": {"maxLength": 1}}}).violations(("schemas", "S"), "x" * 10_000)
    assert len(violation.message) < 250


@pytest.mark.parametrize("steps", [(), ("a",), ("a", 0, "b"), ("a/b", "~"), ("", "é")])
def test_a_json_pointer_is_read_as_it_was_written(steps: tuple[str | int, ...]) -> None:
    assert pointer_steps(json_pointer(steps)) == steps


@pytest.mark.parametrize(
    ("ref", "steps"),
    [
        ("#/schemas/A", ("schemas", "A")),
        ("#/schemas/A/properties/a~1b", ("schemas", "A", "properties", "a/b")),
        ("#", None),
        ("other.yaml#/schemas/A", None),
        ("https://example.org/a.json", None),
        (5, None),
        (None, None),
    ],
)
def test_a_reference_is_one_within_the_contract(ref: object, steps: tuple[str, ...] | None) -> None:
    assert reference({"$ref": ref} if ref is not None else {}) == steps


def test_subschemas_are_those_that_judge_and_no_data() -> None:
    schema = {
        "properties": {"a": {"items": {"type": "string"}}},
        "anyOf": [{"not": {"const": {"type": "data"}}}],
        "enum": [{"type": "data"}],
        "additionalProperties": False,
    }
    found = {".".join(map(str, at)) for at, _ in subschemas(schema, ("s",))}
    assert found == {"s", "s.properties.a", "s.properties.a.items", "s.anyOf.0", "s.anyOf.0.not"}


def test_json_schema_is_told_from_what_is_not() -> None:
    assert not list(metaschema_errors({"type": ["string", "null"], "minLength": 0}))
    assert [steps for steps, _ in metaschema_errors({"properties": {"a": {"minLength": -1}}})] == [("properties", "a", "minLength")]


@pytest.mark.parametrize(("text", "is_one"), [("^a+$", True), (r"\p{L}(?=x)", True), ("(", False), ("a{99999999}", False)])
def test_a_pattern_compiles_within_bounds(text: str, is_one: bool) -> None:
    assert is_pattern(text) is is_one
