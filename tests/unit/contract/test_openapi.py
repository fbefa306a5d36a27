"""A contract as OpenAPI 3.1, as others understand it."""

import json
from collections.abc import Callable

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from harness.contract.agreement import Agreement
from harness.contract.openapi import export

Read = Callable[..., Agreement]


def test_the_shipped_contracts_pass_an_independent_validator(shipped: list[Agreement]) -> None:
    assert shipped
    for agreement in shipped:
        assert list(OpenAPIV31SpecValidator(export(agreement)).iter_errors()) == []


def test_the_validator_would_notice(shipped: list[Agreement]) -> None:
    document = export(shipped[0])
    first = next(iter(document["paths"].values()))
    next(iter(first.values()))["responses"]["200"].pop("description")
    assert list(OpenAPIV31SpecValidator(document).iter_errors())


def test_another_engine_reads_each_operation(shipped: list[Agreement]) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    for agreement in shipped:
        read = schemathesis.openapi.from_dict(export(agreement))
        labels = {result.ok().label for result in read.get_all_operations()}
        assert labels == {f"{terms.model.method} {terms.model.path}" for terms in agreement.operations.values()}


def test_the_same_contract_gives_the_same_document(read: Read) -> None:
    assert json.dumps(export(read())) == json.dumps(export(read()))


def test_an_operation_is_all_there(read: Read) -> None:
    document = export(read())
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "https://shop.example/v1"}]
    order = document["paths"]["/orders"]["post"]
    assert order["operationId"] == "order"
    assert order["requestBody"]["required"] is True
    content = order["requestBody"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Order"}
    assert content["examples"]["two_items"]["value"] == {"items": ["apple", "pear"]}
    assert order["x-rules"]["known_items"] == {"rule": "items.all(i, i in facts.prices)", "status": 400}
    assert "the shop sells nothing else" in order["description"]
    assert list(order["responses"]) == ["200", "400", "401", "429", "503"]


def test_responses_have_their_shapes_examples_headers_and_promises(read: Read) -> None:
    responses = export(read())["paths"]["/orders"]["post"]["responses"]
    good = responses["200"]
    assert good["x-invariants"] == {"one_price_per_item": "size(response.body.prices) == size(items)"}
    assert "one_price_per_item" in good["description"]
    assert good["content"]["application/json"]["examples"]["two_items"]["value"] == {"prices": [2, 3]}
    assert responses["400"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/detail_error"}
    assert responses["400"]["content"]["application/json"]["example"] == {"detail": "It can't be done."}
    assert responses["401"]["content"]["application/json"]["example"] == {"detail": "Who are you?"}
    assert responses["429"]["headers"]["Retry-After"] == {"required": False, "schema": {"type": "string"}, "example": "3"}
    assert list(responses["503"]["content"]) == ["*/*"]
    assert responses["503"]["description"] == "Given an outage"


def test_parameters_have_their_place_and_examples(read: Read) -> None:
    parameters = {found["name"]: found for found in export(read())["paths"]["/orders/{number}"]["get"]["parameters"]}
    assert parameters["number"] | {"schema": None} == {
        "name": "number",
        "in": "path",
        "required": True,
        "schema": None,
        "examples": {"first": {"value": 1}},
    }
    assert (parameters["verbose"]["in"], parameters["verbose"]["required"]) == ("query", False)


@pytest.mark.parametrize(
    ("auth", "scheme"),
    [
        ('{scheme: bearer, credential: "${SHOP_KEY}"}', {"type": "http", "scheme": "bearer"}),
        ('{scheme: api_key, header: X-Key, credential: "${SHOP_KEY}"}', {"type": "apiKey", "in": "header", "name": "X-Key"}),
        ('{scheme: bearer, header: X-Token, credential: "${SHOP_KEY}"}', {"type": "apiKey", "in": "header", "name": "X-Token"}),
    ],
)
def test_the_credential_is_a_security_scheme(read: Read, auth: str, scheme: dict[str, str]) -> None:
    document = export(read(('{scheme: bearer, credential: "${SHOP_KEY}"}', auth)))
    assert document["components"]["securitySchemes"] == {"credential": scheme}
    assert document["security"] == [{"credential": []}]


def test_a_credential_that_is_not_needed_is_optional(read: Read) -> None:
    document = export(read(('credential: "${SHOP_KEY}"}', 'credential: "${SHOP_KEY}", required: false}')))
    assert document["security"] == [{}, {"credential": []}]
    assert "security" not in export(read(('  auth: {scheme: bearer, credential: "${SHOP_KEY}"}\n', "")))


def test_references_move_and_data_stays(read: Read) -> None:
    price = ("Price: {type: number, minimum: 0}", 'Price: {type: number, minimum: 0, not: {const: {$ref: "#/schemas/Order"}}}')
    schemas = export(read(price))["components"]["schemas"]
    assert schemas["Receipt"]["properties"]["prices"]["items"] == {"$ref": "#/components/schemas/Price"}
    assert schemas["Price"]["not"] == {"const": {"$ref": "#/schemas/Order"}}


def test_an_error_shape_never_takes_the_name_of_a_schema(read: Read) -> None:
    schemas = export(read(("Price", "detail_error"), ("  Price", "  detail_error")))["components"]["schemas"]
    assert schemas["detail_error"] == {"type": "number", "minimum": 0}
    assert schemas["detail_error_"]["required"] == ["detail"]


def test_headers_that_openapi_keeps_elsewhere_are_no_parameters(read: Read) -> None:
    headers = "headers: {Accept: {schema: {}}, X-Trace: {schema: {type: string}}}"
    look_up = export(read(("      query: {verbose", f"      {headers}\n      query: {{verbose")))["paths"]["/orders/{number}"]["get"]
    assert {found["name"] for found in look_up["parameters"]} == {"number", "verbose", "X-Trace"}
