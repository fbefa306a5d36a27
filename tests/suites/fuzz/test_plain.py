"""Made-up requests hang on nothing that good servers read in ways of their own."""

import json
from typing import Any

import pytest

from harness.exchange import Request
from harness.suites.fuzz.plain import LARGEST_FLOAT, declared_only, is_portable, plainly, takes_several

EITHER = {"anyOf": [{"required": ["points"]}, {"required": ["filter", "limit"]}, {"type": "null"}]}
ROOT: dict[str, Any] = {
    "schemas": {
        "Point": {"type": "object", "properties": {"id": {}, "payload": {"type": "object"}, "vector": {"type": "array", "items": {}}}},
        "Open": {"type": "object"},
    }
}


def request(body: Any) -> Request:
    return Request(method="POST", target="/x", body=body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_whole_number_is_written_without_a_fraction_wherever_it_stands() -> None:
    said = plainly(request({"a": 271.0, "b": [1.5, {"c": -0.0}], "d": 1e300, "e": True})).body
    assert said == b'{"a": 271, "b": [1.5, {"c": 0}], "d": 1e+300, "e": true}'


@pytest.mark.parametrize("body", [b"", b"not JSON", b"\xff"])
def test_what_is_no_json_stays_as_it_is(body: bytes) -> None:
    assert plainly(request(body)).body == body
    assert not takes_several(EITHER, request(body))
    assert is_portable(request(body))


@pytest.mark.parametrize(
    ("body", "several"),
    [
        ({"points": 1}, False),
        ({"filter": 1, "limit": 1}, False),
        ({"points": 1, "filter": 1}, False),
        ({"points": 1, "filter": 1, "limit": 1}, True),
        ([], False),
        (None, False),
    ],
)
def test_a_body_that_fits_two_alternatives_says_nothing_of_either(body: Any, several: bool) -> None:
    assert takes_several(EITHER, request(body)) is several
    assert not takes_several({"type": "object"}, request(body))


def test_numbers_that_servers_keep_differently_are_told_apart() -> None:
    assert is_portable(request({"a": [2**53 - 1]})) and not is_portable(request({"a": [2**53]}))
    assert is_portable(request([3e38]), LARGEST_FLOAT) and not is_portable(request([[-3.5e38]]), LARGEST_FLOAT)


def test_members_that_the_schema_does_not_speak_of_are_left_out() -> None:
    schema = {"properties": {"points": {"type": "array", "items": {"$ref": "#/schemas/Point"}}, "any": {"$ref": "#/schemas/Open"}}}
    given = {"points": [{"id": 1, "": [], "payload": {"own": 1}, "vector": [{"k": 1}]}], "any": {"own": 1}, "other": 2}
    assert declared_only(given, schema, ROOT) == {"points": [{"id": 1, "payload": {"own": 1}, "vector": [{"k": 1}]}], "any": {"own": 1}}
    of_either = {"properties": {"a": {}}, "anyOf": [{"required": ["b"], "properties": {"b": {}}}]}
    assert declared_only({"a": 1, "b": 2, "c": 3}, of_either, ROOT) == {"a": 1, "b": 2}
