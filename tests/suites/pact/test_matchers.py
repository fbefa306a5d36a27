"""What a schema promises, Pact is told, as far as it has words for it."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.contract.coherence import agree
from harness.contract.reader import parse_document
from harness.suites.pact.matchers import ANY_TEXT, KIND, Matching, parameter_pattern, text_pattern, typed

ROOT = Path(__file__).parents[3]
BODY = ("operations", "put", "request", "body")
HEAD = """
contract: 1
service: shelf
version: v1
title: A shelf
consumer: reader
adapter: nowhere:Client
provider: {protocol: http, base_url: "http://localhost/v1", timeout: 1s, probe: put/one}
operations:
  put:
    method: PUT
    path: /things
    idempotent: true
    request: {body: SCHEMA}
    responses: {200: {body: {type: object}}}
    examples: {one: {request: {body: EXAMPLE}}}
"""


def matching(schema: str, *, optional: bool = True, example: str = "{}", schemas: str = "") -> Matching:
    text = HEAD.replace("SCHEMA", schema).replace("EXAMPLE", example) + schemas
    agreement: Agreement = agree(parse_document(text.encode(), file="shelf.yaml"), path=Path("shelf.yaml"))
    return Matching(agreement=agreement, optional=optional)


def bare(matcher: Any) -> Any:
    """The example in a matcher."""
    if isinstance(matcher, dict):
        if KIND in matcher:
            return bare(matcher.get("value"))
        return {name: bare(item) for name, item in matcher.items()}
    return [bare(item) for item in matcher] if isinstance(matcher, list) else matcher


def test_a_constant_has_to_be_equal() -> None:
    assert matching("{const: list}", example="list").matcher(BODY, "list") == {KIND: "equality", "value": "list"}


def test_a_word_of_an_enumeration_has_to_be_one_of_its_words_letter_by_letter() -> None:
    matcher = matching('{enum: [a.b, "c|d", 3, true]}', example="a.b").matcher(BODY, "a.b")
    assert matcher == {KIND: "regex", "regex": r"^(?:a\.b|c\|d|3|true)$", "value": "a.b"}


def test_null_is_matched_by_null() -> None:
    assert matching("{type: [string, 'null']}", example="x").matcher(BODY, None) == {KIND: "null"}


def test_of_several_types_the_example_says_which_is_meant() -> None:
    many = matching("{type: [string, array], items: {type: integer}}", example="x")
    assert many.matcher(BODY, "x")[KIND] == "regex"
    assert many.matcher(BODY, [1])["value"] == [{KIND: "integer", "value": 1}]


def test_numbers_are_whole_only_where_the_schema_says_so() -> None:
    assert matching("{type: integer}", example="1").matcher(BODY, 1)[KIND] == "integer"
    assert matching("{type: number}", example="1").matcher(BODY, 1)[KIND] == "number"


def test_a_truth_value_is_no_number() -> None:
    assert matching("{type: boolean}", example="true").matcher(BODY, True) == {KIND: "boolean", "value": True}


def test_a_list_keeps_its_bounds_and_its_rule_comes_from_its_first_item() -> None:
    matcher = matching("{type: array, minItems: 1, maxItems: 4, items: {type: integer}}", example="[1]").matcher(
        BODY, [1, 2]
    )
    assert matcher == {KIND: "type", "min": 1, "max": 4, "value": [{KIND: "integer", "value": 1}, 2]}


def test_a_list_that_may_be_empty_is_allowed_to_be() -> None:
    assert matching("{type: array, items: {type: integer}}", example="[]").matcher(BODY, [1])["min"] == 0


def test_items_of_different_types_are_left_as_they_are() -> None:
    mixed = matching("{type: array, items: {type: [string, integer]}}", example="[]")
    assert mixed.matcher(BODY, ["a", 1])["value"] == ["a", 1]
    inside = matching("{type: array, items: {type: array, items: {type: [string, integer]}}}", example="[]")
    assert inside.matcher(BODY, [[1], ["a"]])["value"] == [[1], ["a"]]


ITEM = "{type: object, required: [c], properties: {c: {type: integer}, d: {type: integer}}}"
SCHEMA = f"{{type: object, required: [a], properties: {{a: {{type: string}}, b: {{type: array, items: {ITEM}}}}}}}"


def test_of_an_answer_only_what_is_required_is_asked_for() -> None:
    value = {"a": "x", "b": [{"c": 1, "d": 2}]}
    assert bare(matching(SCHEMA, optional=False, example="{a: x}").matcher(BODY, value)) == {"a": "x"}


def test_what_is_not_required_is_left_out_of_every_item() -> None:
    required = SCHEMA.replace("required: [a]", "required: [a, b]")
    value = {"a": "x", "b": [{"c": 1, "d": 2}, {"c": 3, "d": 4}]}
    matcher = matching(required, optional=False, example="{a: x, b: []}").matcher(BODY, value)
    assert bare(matcher) == {"a": "x", "b": [{"c": 1}, {"c": 3}]}


def test_of_a_request_whatever_is_there_is_matched() -> None:
    value = {"a": "x", "b": [{"c": 1, "d": 2}, {"c": 3, "d": 4}]}
    assert bare(matching(SCHEMA, example="{a: x}").matcher(BODY, value)) == value


def test_of_alternatives_the_one_that_fits_is_asked_for() -> None:
    either = "{type: object, oneOf: [{required: [a], properties: {a: {type: integer}}}, {required: [b], properties: {b: {const: 2}}}]}"
    assert matching(either, optional=False, example="{a: 1}").matcher(BODY, {"b": 2}) == {
        "b": {KIND: "equality", "value": 2}
    }


def test_all_of_several_schemas_are_asked_for() -> None:
    both = "{allOf: [{required: [a], properties: {a: {type: integer}}}, {required: [b], properties: {b: {type: boolean}}}]}"
    value = {"a": 1, "b": True}
    assert bare(matching(both, optional=False, example="{a: 1, b: true}").matcher(BODY, value)) == value


def test_a_schema_that_contains_itself_ends_with_the_value() -> None:
    schemas = "schemas: {Node: {type: object, properties: {next: {$ref: '#/schemas/Node'}}}}\n"
    tree = matching("{$ref: '#/schemas/Node'}", schemas=schemas)
    assert bare(tree.matcher(BODY, {"next": {"next": {}}})) == {"next": {"next": {}}}


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ({}, ANY_TEXT),
        ({"minLength": 1}, r"^[\s\S]{1,}$"),
        ({"minLength": 2, "maxLength": 3}, r"^[\s\S]{2,3}$"),
        ({"pattern": "^a+$", "minLength": 1}, "^a+$"),
        ({"pattern": "^(?!x)", "minLength": 1}, r"^[\s\S]{1,}$"),
        ({"pattern": r"(a)\1"}, ANY_TEXT),
    ],
)
def test_text_is_matched_by_its_pattern_as_far_as_the_engine_of_pact_knows_it(
    schema: dict[str, Any], pattern: str
) -> None:
    assert text_pattern(schema) == pattern


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, "-12", "1.5"),
        ({"type": "number"}, "1.5e3", "x"),
        ({"type": "boolean"}, "true", "1"),
        ({"enum": [1, 2]}, "2", "12"),
        ({"type": "string", "minLength": 1}, "x", ""),
    ],
)
def test_a_parameter_is_text_whatever_its_schema_speaks_of(schema: dict[str, Any], good: str, bad: str) -> None:
    assert re.search(parameter_pattern(schema), good)
    assert not re.search(parameter_pattern(schema), bad)


def test_a_content_type_may_have_parameters_but_is_no_other() -> None:
    pattern = typed("application/vnd.api+json")["regex"]
    assert re.search(pattern, "application/vnd.api+json; charset=utf-8")
    assert not re.search(pattern, "application/vnd.apiijson")
    assert not re.search(pattern, "application/vnd.api+jsonx")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
VOYAGE = load(ROOT / "contracts" / "voyage_ai.yaml", root=ROOT)


@given(value=_json, schema=st.sampled_from(sorted(VOYAGE.contract.schemas)))
def test_no_example_is_changed_by_being_matched(value: Any, schema: str) -> None:
    known = Matching(agreement=VOYAGE, optional=True)
    assert bare(known.matcher(("schemas", schema), value)) == value
