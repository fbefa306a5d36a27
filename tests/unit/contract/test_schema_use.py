"""The schemas of a contract: JSON Schema 2020-12 that stays in the file, ends, and is used."""

from collections.abc import Callable

import pytest

from harness.contract.agreement import Agreement
from harness.contract.problems import Problem

Change = tuple[str, str]

PRICE = "  Price: {type: number, minimum: 0}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((PRICE, "  Price: {type: nummber, minimum: 0}"), "is not JSON Schema"),
        ((PRICE, "  Price: {type: number, minimum: zero}"), "is not JSON Schema"),
        ((PRICE, "  Price: {type: number, required: true}"), "is not JSON Schema"),
        (
            (PRICE, "  Price: {type: number, minimun: 0}"),
            "`minimun` is no keyword of JSON Schema; allowed: JSON Schema 2020-12; did you mean `minimum`?",
        ),
        ((PRICE, "  Price: {type: number, $id: x}"), "`$id` is no keyword"),
        ((PRICE, '  Price: {type: string, pattern: "("}'), "`(` is no regular expression"),
        ((PRICE, '  Price: {type: string, pattern: "((a{1000}){1000}){1000}"}'), "is no regular expression"),
        ((PRICE, '  Price: {patternProperties: {"[": {}}}'), "`[` is no regular expression"),
        ((PRICE, "  Price: {type: string, format: datetime}"), "`datetime` is no format of JSON Schema"),
        ((PRICE, "  Price: {type: string, format: datetime}"), "did you mean `date-time`?"),
        ((PRICE, '  Price: {$ref: "#/schemas/Prize"}'), "`#/schemas/Prize` points at nothing"),
        ((PRICE, '  Price: {$ref: "#/schemas"}'), "points out of the schemas"),
        ((PRICE, '  Price: {$ref: "#/schemas/Order/properties/itms"}'), "points at nothing"),
        ((PRICE, '  Price: {$ref: "#/errors/detail/body"}'), "points out of the schemas; allowed: `#/schemas/NAME`; move the schema there"),
        ((PRICE, '  Price: {$ref: "#/facts/prices"}'), "points out of the schemas"),
        ((PRICE, '  Price: {$ref: "#"}'), "points out of the schemas"),
        ((PRICE, '  Price: {$ref: "other.yaml#/schemas/Price"}'), "nothing is fetched: copy the schema in"),
        ((PRICE, '  Price: {$ref: "../../../etc/passwd"}'), "nothing is fetched"),
        ((PRICE, '  Price: {$ref: "file:///etc/passwd"}'), "nothing is fetched"),
        ((PRICE, '  Price: {$ref: "https://json.example/price.json"}'), "nothing is fetched"),
        ((PRICE, "  Price: {$ref: 5}"), "is not JSON Schema"),
        ((PRICE, f"{PRICE}\n  Unused: {{type: string}}"), "the schema `Unused` is used nowhere"),
        ((PRICE, f'{PRICE}\n  Self: {{items: {{$ref: "#/schemas/Self"}}}}'), "the schema `Self` is used nowhere"),
        ((PRICE, '  Price: {$ref: "#/schemas/Price"}'), "`Price` refers to itself without going deeper"),
        ((PRICE, '  Price: {allOf: [{anyOf: [{$ref: "#/schemas/Cost"}]}]}\n  Cost: {not: {$ref: "#/schemas/Price"}}'), "refers to itself"),
        (
            (
                "body: {type: object, required: [detail], prop",
                "body: {type: object, required: [detail], dependentSchemas: {a: {tipe: x}}, prop",
            ),
            "did you mean `type`?",
        ),
        (("schema: {type: integer, minimum: 1}", "schema: {type: integr, minimum: 1}"), "is not JSON Schema"),
        (("Retry-After: {schema: {type: string}", "Retry-After: {schema: {type: strin}"), "is not JSON Schema"),
        (("items: {type: string, minLength: 1}", "items: {type: string, if: {minLenght: 1}}"), "did you mean `minLength`?"),
    ],
)
def test_a_broken_schema_is_told_where_it_is_broken(
    problems: Callable[..., tuple[Problem, ...]], line_of: Callable[[str], int], change: Change, said: str
) -> None:
    found = problems(change)
    start = line_of(change[0])
    there = [problem for problem in found if start <= problem.place.line <= start + change[1].count("\n")]
    assert any(said in str(problem) for problem in there), "\n".join(map(str, found))


def test_what_only_looks_like_a_reference_is_data(read: Callable[..., Agreement]) -> None:
    read((PRICE, '  Price: {type: number, minimum: 0, not: {const: {$ref: "https://example.org/x"}}}'))


def test_a_schema_may_refer_into_a_list(read: Callable[..., Agreement]) -> None:
    agreement = read((PRICE, '  Price: {$ref: "#/schemas/Kinds/anyOf/0"}\n  Kinds: {anyOf: [{type: number, minimum: 0}, {type: string}]}'))
    assert "schemas.Kinds.anyOf.0.minimum" in agreement.clauses


RECURSIVE: Change = (
    "items: {type: array, minItems: 1, items: {type: string, minLength: 1}}",
    'items: {type: array, minItems: 1, items: {type: string, minLength: 1}}\n      filter: {$ref: "#/schemas/Filter"}',
)
FILTER: Change = (
    PRICE,
    f'{PRICE}\n  Filter: {{type: object, properties: {{all: {{type: array, items: {{$ref: "#/schemas/Filter"}}}}, field: {{type: string}}}}}}',
)


def test_a_recursive_schema_that_goes_deeper_is_right(read: Callable[..., Agreement]) -> None:
    agreement = read(RECURSIVE, FILTER)
    schema = ("operations", "order", "request", "body")
    order = {"items": ["apple"], "filter": {"all": [{"all": [{"field": "x"}]}]}}
    assert agreement.schemas.is_valid(schema, order)
    assert "schemas.Filter.properties.all.type" in agreement.clauses
    order["filter"] = {"all": [{"all": [{"field": 5}]}]}
    (violation,) = agreement.schemas.violations(schema, order)
    assert violation.pointer == "/filter/all/0/all/0/field"
    assert violation.keyword == ("schemas", "Filter", "properties", "field", "type")
    assert ("schemas", "Filter", "properties", "field", "type") in agreement.schemas.touched(schema, order)


def test_a_recursive_schema_judges_a_deep_value(read: Callable[..., Agreement]) -> None:
    deep: dict[str, object] = {"field": 5}
    for _ in range(300):
        deep = {"all": [deep]}
    schemas = read(RECURSIVE, FILTER).schemas
    assert not schemas.is_valid(("operations", "order", "request", "body"), {"items": ["apple"], "filter": deep})


def test_no_pattern_can_stop_the_process(read: Callable[..., Agreement]) -> None:
    for pattern in ("^(a+)+$", "^(?=a)(a|aa)+(?!b)c$", "^(([a-z])+.)+[A-Z]([a-z])+$"):
        agreement = read(
            (PRICE, f'  Price: {{type: string, pattern: "{pattern}"}}'), ("prices: [2, 3]", "prices: []"), ("== size(items)", "== 0")
        )
        assert not agreement.schemas.is_valid(("schemas", "Price"), "a" * 5_000 + "!")
