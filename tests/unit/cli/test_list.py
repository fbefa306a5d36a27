"""``harness list``."""

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Harness = Callable[..., Result]


def test_contracts_are_listed_with_version_size_adapter_and_title(harness: Harness) -> None:
    head, shop, newest, oldest = harness("list").output.splitlines()
    assert head.split() == ["NAME", "VERSION", "OPERATIONS", "CLAUSES", "ADAPTER", "TITLE"]
    assert shop.split()[:3] == ["shop", "v1", "2"]
    assert int(shop.split()[3]) > 50
    assert shop.endswith("package.module:Client  A shop")
    assert newest.startswith("store@v2")
    assert oldest.startswith("store@v1")


def test_an_unreadable_contract_is_listed_and_makes_status_2(harness: Harness, repository: Path) -> None:
    (repository / "contracts" / "broken.yaml").write_text("contract: 1\n")
    result = harness("list")
    assert result.exit_code == 2
    assert "broken: unreadable" in result.stderr
    assert "harness lint broken" in result.stderr
    assert "shop" in result.stdout


def test_a_contract_that_only_contradicts_itself_is_listed(harness: Harness, repository: Path) -> None:
    path = repository / "contracts" / "shop.yaml"
    path.write_text(path.read_text().replace('"#/schemas/Price"', '"#/schemas/Prize"'))
    assert "A shop" in harness("list").stdout


def test_an_empty_folder_says_so(harness: Harness, repository: Path) -> None:
    for path in (repository / "contracts").rglob("*.yaml"):
        path.unlink()
    result = harness("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "put SERVICE.yaml into it" in result.stderr
