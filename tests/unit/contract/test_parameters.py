"""Parameters in expressions: text in a URL, and numbers to whoever writes an expression."""

import pytest

from harness.contract.catalog import load
from harness.contract.parameters import typed_parameter
from tests.miniatures.clients.sound import ROOT


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("10", {"type": "integer"}, 10),
        ("0.5", {"type": ["number", "null"]}, 0.5),
        ("true", {"type": "boolean"}, True),
        ("10", {"type": "string"}, "10"),
        ("ten", {"type": "integer"}, "ten"),
        ("True", {"type": "boolean"}, "True"),
    ],
)
def test_a_parameter_is_read_as_its_schema_speaks_of_it(text: str, schema: dict[str, object], value: object) -> None:
    assert typed_parameter(text, schema) == value


@pytest.mark.parametrize("sent", ["true", True])
def test_an_expression_sees_one_and_the_same_value_however_the_parameter_came(sent: object) -> None:
    terms = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml").operations["upsert"]
    seen = terms.terms(request={"query": {"wait": sent, "undeclared": "7"}, "path": {"collection": "7"}, "body": None})["request"]
    assert seen == {"query": {"wait": True, "undeclared": "7"}, "path": {"collection": "7"}, "body": None}
