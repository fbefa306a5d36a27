"""The published JSON Schema of the format says the same as the reader."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.client.binding import ClientFile
from harness.contract.coherence import agree
from harness.contract.format import describe, published, render
from harness.contract.model import Contract
from harness.contract.problems import ContractError
from harness.contract.reader import parse_document, read_document

FOLDER = Path(__file__).parents[3] / "contracts"
MODELINE = "# yaml-language-server: $schema="
Change = tuple[str, str]


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    """The JSON Schema of a contract."""
    return describe(Contract, title="A contract")


def breaches(schema: dict[str, Any], value: object) -> list[str]:
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_the_published_schemas_are_those_of_the_models() -> None:
    for path, text in published(FOLDER, client=ClientFile).items():
        assert path.exists() and path.read_text("utf-8") == text, f"{path} is stale: run `harness lint --write-schema`"


def test_the_schema_is_itself_json_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    Draft202012Validator.check_schema(describe(ClientFile, title="A client"))


def test_the_schema_is_the_same_each_time(schema: dict[str, Any]) -> None:
    assert render(schema) == render(describe(Contract, title="A contract"))
    assert json.loads(render(schema)) == schema


def test_the_shipped_contracts_keep_it(schema: dict[str, Any], shipped_files: list[Path]) -> None:
    assert shipped_files
    for path in shipped_files:
        assert breaches(schema, read_document(path).value) == [], path


def test_the_shipped_clients_keep_theirs() -> None:
    schema = describe(ClientFile, title="A client")
    for path in (FOLDER / "clients").glob("*.yaml"):
        assert breaches(schema, read_document(path).value) == [], path


def test_every_shipped_file_names_the_schema_that_it_keeps(shipped_files: list[Path]) -> None:
    for path in [*shipped_files, *(FOLDER / "clients").glob("*.yaml")]:
        (line,) = [line for line in path.read_text("utf-8").splitlines()[:3] if line.startswith(MODELINE)]
        assert (path.parent / line.removeprefix(MODELINE)).exists(), f"{path}: {line}"


def test_each_part_is_described_in_words(schema: dict[str, Any]) -> None:
    for name, part in schema["$defs"].items():
        if name != "JsonValue":
            assert part.get("description"), name


def test_statuses_and_costs_are_offered_by_name(schema: dict[str, Any]) -> None:
    operation = schema["$defs"]["Operation"]["properties"]
    assert {"200", "429", "503"} <= set(operation["responses"]["properties"])
    assert set(operation["cost"]["properties"]) == {"items", "tokens"}


# What the reader says about form, the schema has to say too, or an editor would be content with it.
WRONG: list[Change] = [
    ("title: A shop", "titel: A shop"),
    ("title: A shop", "title: 5"),
    ("title: A shop", "title:"),
    ("contract: 1\n", "contract: 2\n"),
    ("contract: 1\n", "contract: true\n"),
    ("service: shop", "service: Shop"),
    ("version: v1", "version: 1.8"),
    ("adapter: package.module:Client", "adapter: package.module"),
    ("https://shop.example/v1", "https://shop.example/v1/"),
    ("https://shop.example/v1", "https://a:b@shop.example/v1"),
    ("timeout: 60s", "timeout: 60"),
    ("timeout: 60s", "timeout: 0s"),
    ("timeout: 60s", "timeout: 60 sec"),
    ("scheme: bearer", "scheme: basic"),
    ('"${SHOP_KEY}"', "pa-123456"),
    ("probe: order/two_items", "probe: order"),
    ("    method: POST\n", ""),
    ("method: POST", "method: post"),
    ("path: /orders\n", "path: orders\n"),
    ("path: /orders/{number}", "path: /orders/{number"),
    ("idempotent: true", "idempotent: yes"),
    ("idempotent: true", "idempotent: 1"),
    ("cost: {items", "cost: {item"),
    ("cost: {items: size(items)}", "cost: {items: 5}"),
    ("status: 400, because", "status: 4000, because"),
    ("      404: {", "      4040: {"),
    ("      404: {", "      no: {"),
    ("error: detail, raises: NotFound", "error: 5, raises: NotFound"),
    ("when: outage", "when: broken"),
    ("split: {argument: items, items: items}", "split: items"),
    ("facts:\n", "facts:\n  the prices: 1\n"),
    ("schemas:\n", "schemas:\n  X: 5\n"),
    ("minLength: 1}", "minLenght: 1}"),
    ("type: number, minimum: 0", "type: numbr, minimum: 0"),
    ("type: number, minimum: 0", "type: number, minimum: zero"),
    ('{$ref: "#/schemas/Price"}', '{$ref: "other.yaml#/schemas/Price"}'),
    ("batch: {items: 10}", "batch: {items: 0}"),
    ("batch: {items: 10}", "batch: {bytes: 10}"),
    ("per: 1m", "per: 1"),
    ("attempts: 3", "attempts: 0"),
    ("attempts: 3", "attempts: '3'"),
    ("on: [429, 503, timeout]", "on: []"),
    ("on: [429, 503, timeout]", "on: [429, timeut]"),
    ("never: [400, 401]", "never: [40]"),
    ("multiplier: 2", "multiplier: 0.5"),
    ("added: [1s, 5s]", "added: [1s]"),
    ("patterns: [retry_with_backoff, cached]", "patterns: [retry]"),
    ("server_error: retry_limited", "server_error: retry"),
    ("99.9%", "0.999"),
    ("99.9%", "101%"),
    ("1000/min}", "1000}"),
    ("mix: {order: 1}", "mix: {order: 0}"),
    ("accepted: 2026-11-20", "accepted: 20.11.2026"),
    ("accepted: 2026-11-20", "accepted: 2026-02-30"),
    ("query: {verbose: true}", "query: {verbose: [true]}"),
]


@pytest.mark.parametrize("change", WRONG, ids=[new for _, new in WRONG])
def test_what_the_reader_refuses_for_its_form_the_schema_refuses(schema: dict[str, Any], contract: str, change: Change) -> None:
    assert change[0] in contract
    document = parse_document(contract.replace(*change, 1).encode(), file="shop.yaml")
    with pytest.raises(ContractError):
        agree(document, path=Path("shop.yaml"))
    assert breaches(schema, document.value)


def test_the_small_contract_keeps_the_schema(schema: dict[str, Any], contract: str, read: Callable[..., object]) -> None:
    read()
    assert breaches(schema, parse_document(contract.encode(), file="shop.yaml").value) == []
