"""Every keyword can be broken by a value that keeps all the others about the same place, and be gone to the edge of."""

from typing import Any

import pytest

from harness.wire.mutations import breaking, confirmed, keeping

from .conftest import Around

AT = ("schemas", "Thing")

KEYWORDS: dict[str, tuple[dict[str, Any], Any]] = {
    "type": ({"type": "integer"}, 3),
    "enum": ({"enum": ["a", "b", None]}, "a"),
    "const": ({"const": "list"}, "list"),
    "required": ({"type": "object", "required": ["total_count"], "properties": {"total_count": {"type": "integer"}}}, {"total_count": 1}),
    "minimum": ({"type": "integer", "minimum": 2}, 5),
    "maximum": ({"type": "integer", "maximum": 9}, 5),
    "exclusiveMinimum": ({"type": "number", "exclusiveMinimum": 0}, 0.5),
    "exclusiveMaximum": ({"type": "number", "exclusiveMaximum": 1}, 0.5),
    "multipleOf": ({"type": "integer", "multipleOf": 5}, 10),
    "minLength": ({"type": "string", "minLength": 3}, "abcd"),
    "maxLength": ({"type": "string", "maxLength": 5}, "abcd"),
    "pattern": ({"type": "string", "pattern": "^[a-z]+$"}, "abcd"),
    "format": ({"type": "string", "format": "uuid"}, "6f1d2c7a-9b3e-4850-8c11-2f3a4b5c6d7e"),
    "minItems": ({"type": "array", "minItems": 2, "items": {"type": "integer"}}, [1, 2, 3]),
    "maxItems": ({"type": "array", "maxItems": 4, "items": {"type": "integer"}}, [1, 2, 3]),
    "uniqueItems": ({"type": "array", "uniqueItems": True}, [1, 2, 3]),
    "contains": ({"type": "array", "contains": {"const": 2}}, [1, 2, 3]),
    "minProperties": ({"type": "object", "minProperties": 1}, {"a": 1}),
    "maxProperties": ({"type": "object", "maxProperties": 2}, {"a": 1}),
    "additionalProperties": ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, {"a": 1}),
    "anyOf": ({"anyOf": [{"type": "object", "required": ["a"]}, {"type": "array", "minItems": 1, "items": {"type": "integer"}}]}, {"a": 1}),
    "oneOf": ({"oneOf": [{"type": "string", "minLength": 2}, {"type": "integer", "minimum": 5}]}, 7),
    "not": ({"not": {"type": "null"}}, 1),
    "dependentRequired": ({"type": "object", "dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 2}),
}


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_each_keyword_is_broken_by_some_edit(keyword: str, around: Around) -> None:
    schema, value = KEYWORDS[keyword]
    agreement = around(schema)
    assert agreement.schemas.is_valid(AT, value)
    found = [edit for edit in confirmed(agreement, AT, breaking(agreement, AT, value)) if edit.clause == f"schemas.Thing.{keyword}"]
    assert found, "nothing breaks it"
    assert all(not agreement.schemas.is_valid(AT, edit.value) for edit in found)


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_what_breaks_a_keyword_is_what_it_says_it_breaks(keyword: str, around: Around) -> None:
    """Only what stands inside alternatives, and vague patterns, may turn out to break nothing."""
    schema, value = KEYWORDS[keyword]
    agreement = around(schema)
    all_edits = list(breaking(agreement, AT, value))
    real = list(confirmed(agreement, AT, iter(all_edits)))
    vague = {"pattern", "anyOf", "oneOf", "not"}
    assert [edit.name for edit in all_edits if edit not in real and (edit.clause or "").rpartition(".")[2] not in vague] == []


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_the_edges_of_a_keyword_keep_it(keyword: str, around: Around) -> None:
    schema, value = KEYWORDS[keyword]
    agreement = around(schema)
    for edit in keeping(agreement, AT, value):
        assert edit.value != value or type(edit.value) is not type(value)
        if keyword not in ("maxProperties", "anyOf", "oneOf"):  # where one promise at the edge may overstep another
            assert agreement.schemas.is_valid(AT, edit.value), edit.name


@pytest.mark.parametrize(
    ("keyword", "edge"),
    [("minimum", 2), ("maximum", 9), ("minLength", "abc"), ("maxLength", "abcdx"), ("minItems", [1, 2]), ("maxItems", [1, 2, 3, 1])],
)
def test_bounds_are_reached_exactly(keyword: str, edge: object, around: Around) -> None:
    schema, value = KEYWORDS[keyword]
    assert edge in [edit.value for edit in keeping(around(schema), AT, value)]


def test_a_property_that_is_not_there_is_put_in_to_be_wrong(around: Around) -> None:
    schema = {"type": "object", "properties": {"deep": {"type": "object", "properties": {"count": {"type": "integer", "minimum": 1}}}}}
    agreement = around(schema)
    broken = {edit.clause for edit in confirmed(agreement, AT, breaking(agreement, AT, {}))}
    assert "schemas.Thing.properties.deep.properties.count.minimum" in broken


def test_an_item_is_put_into_an_empty_list_to_be_wrong(around: Around) -> None:
    agreement = around({"type": ["array", "string"], "items": {"type": "integer"}})
    for value in ([], "text"):
        assert "schemas.Thing.items.type" in {edit.clause for edit in confirmed(agreement, AT, breaking(agreement, AT, value))}


def test_a_schema_that_contains_itself_comes_to_an_end(around: Around) -> None:
    tree = {
        "type": "object",
        "properties": {"left": {"$ref": "#/schemas/Thing"}, "right": {"$ref": "#/schemas/Thing"}, "size": {"type": "integer"}},
    }
    agreement = around(tree)
    found = list(confirmed(agreement, AT, breaking(agreement, AT, {"left": {"size": 1}})))
    assert 5 < len(found) < 500


def test_inside_an_alternative_the_choice_as_a_whole_is_broken(around: Around) -> None:
    agreement = around(
        {"anyOf": [{"type": "object", "required": ["width"], "properties": {"width": {"type": "number"}}}, {"enum": ["small"]}]}
    )
    found = list(confirmed(agreement, AT, breaking(agreement, AT, {"width": 1})))
    assert {edit.clause for edit in found} == {"schemas.Thing.anyOf"}
    inside = [edit.value for edit in found if isinstance(edit.value, dict)]
    assert {} in inside
    assert {"width": None} in inside


def test_names_tell_edits_apart(around: Around) -> None:
    for schema, value in KEYWORDS.values():
        names = [edit.name for edit in breaking(around(schema), AT, value)]
        assert len(names) == len(set(names))
