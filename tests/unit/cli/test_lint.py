"""``harness lint``."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Harness = Callable[..., Result]
CLIENT = "client: 1\ncontract: shop\ntitle: Another\ntarget: package.module:Other\noperations:\n  order: {call: buy, arguments: {items: items}}\n"


@pytest.fixture
def clients(repository: Path) -> Path:
    """The folder of clients' bindings, with a good one."""
    folder = repository / "contracts" / "clients"
    folder.mkdir()
    (folder / "another.yaml").write_text(CLIENT)
    return folder


def test_each_readable_file_is_a_line(harness: Harness, clients: Path) -> None:
    result = harness("lint")
    assert result.exit_code == 0
    lines = [line for line in result.output.splitlines() if ": warning: " not in line]
    assert [line.split(": ")[:2] for line in lines] == [
        ["contracts/shop.yaml", "readable"],
        ["contracts/store/v1.yaml", "readable"],
        ["contracts/store/v2.yaml", "readable"],
        ["contracts/clients/another.yaml", "readable"],
    ]
    assert "2 operations" in lines[0]
    assert "a client of shop, 1 operations" in lines[3]


def test_named_contracts_only(harness: Harness, clients: Path) -> None:
    assert harness("lint", "store@v1", "shop").output.count("readable") == 2
    assert harness("lint", "contracts/store/v1.yaml").output.splitlines()[-1].startswith("contracts/store/v1.yaml: readable")


def test_a_warning_has_its_place_and_changes_no_exit_status(harness: Harness) -> None:
    result = harness("lint", "shop")
    assert result.exit_code == 0
    warned, readable = result.output.splitlines()
    assert re.match(r"contracts/shop\.yaml:\d+:5: warning: `look_up` declares no status for an invalid request; .*; add `400: ", warned)
    assert readable.startswith("contracts/shop.yaml: readable")


def test_all_problems_of_all_contracts_are_told(harness: Harness, repository: Path) -> None:
    for name in ("shop.yaml", "store/v1.yaml"):
        path = repository / "contracts" / name
        path.write_text(path.read_text().replace("attempts: 3", "attempts: x").replace("mix: {order", "mix: {ordr"))
    result = harness("lint")
    assert result.exit_code == 2
    for name in ("shop.yaml", "store/v1.yaml"):
        assert result.output.count(f"contracts/{name}:") == 2
    assert "did you mean `order`?" in result.output
    assert "contracts/store/v2.yaml: readable" in result.output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("client: 1", "cleint: 1", "did you mean `client`?"),
        ("contract: shop", "contract: shpo", "did you mean `shop`?"),
        ("contract: shop\n", "", "`contract` is missing here"),
        ("  order:", "  ordr:", "the contract has no operation `ordr`"),
        ("items: items", "items: itms", "unknown name `itms`; column 1 of the expression; did you mean `items`?"),
        ("operations:", "make: {key: credentials}\noperations:", "unknown name `credentials`; column 1 of the expression; did you mean `credential`?"),
        (CLIENT, "", "`contract` is missing here"),
        (CLIENT, "- a", "`contract` is missing here"),
    ],
)
def test_a_clients_binding_is_read_against_its_contract(harness: Harness, clients: Path, old: str, new: str, said: str) -> None:
    path = clients / "another.yaml"
    path.write_text(path.read_text().replace(old, new))
    result = harness("lint")
    assert result.exit_code == 2
    assert said in result.output
    assert "contracts/clients/another.yaml" in result.output


def test_the_schema_is_written_beside_the_contracts_and_its_age_noticed(harness: Harness, repository: Path, clients: Path) -> None:
    assert harness("lint", "--write-schema").exit_code == 0
    published = repository / "contracts" / "contract.schema.json"
    assert json.loads(published.read_text())["properties"]["contract"] == {"const": 1, "type": "integer"}
    assert json.loads((clients / "client.schema.json").read_text())["properties"]["operations"]
    assert harness("lint").exit_code == 0
    published.write_text(published.read_text().replace("Cache", "Store"))
    result = harness("lint")
    assert result.exit_code == 1
    assert "contracts/contract.schema.json: is not what the format says now: run `harness lint --write-schema`" in result.output
    assert harness("lint", "shop").exit_code == 0


def test_without_clients_there_is_no_schema_for_them(harness: Harness, repository: Path) -> None:
    harness("lint", "--write-schema")
    assert not (repository / "contracts" / "clients").exists()


def test_an_empty_folder_says_what_to_do(harness: Harness, repository: Path) -> None:
    for path in (repository / "contracts").rglob("*.yaml"):
        path.unlink()
    result = harness("lint")
    assert result.exit_code == 2
    assert "put SERVICE.yaml into it" in result.output
