"""Where contracts are found, and what their names mean."""

from pathlib import Path

import pytest

from harness.contract.catalog import UnknownContract, contracts_folder, entries, find, load, version_key
from harness.contract.problems import ContractError


@pytest.fixture
def folder(tmp_path: Path, contract: str) -> Path:
    """A contracts folder with one plain service and one in versions."""
    folder = tmp_path / "contracts"
    (folder / "store").mkdir(parents=True)
    (folder / "clients").mkdir()
    (folder / "clients" / "other.yaml").write_text("client: 1\n")
    (folder / "shop.yaml").write_text(contract)
    (folder / ".hidden.yaml").write_text("x")
    for version in ("v1.8", "v1.16", "v1.9"):
        (folder / "store" / f"{version}.yaml").write_text(
            contract.replace("service: shop", "service: store").replace("version: v1", f"version: {version}")
        )
    return folder


def test_contracts_are_listed_by_name_and_the_newest_version_first(folder: Path) -> None:
    assert [entry.name for entry in entries(folder)] == ["shop", "store@v1.16", "store@v1.9", "store@v1.8"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("shop", ["shop"]),
        ("store", ["store@v1.16"]),
        ("store@v1.8", ["store@v1.8"]),
        ("all", ["shop", "store@v1.16", "store@v1.9", "store@v1.8"]),
    ],
)
def test_a_name_means_a_service_or_one_of_its_versions(folder: Path, name: str, found: list[str]) -> None:
    assert [entry.name for entry in find(name, folder)] == found


def test_a_path_means_that_file(folder: Path) -> None:
    (entry,) = find(str(folder / "shop.yaml"), folder)
    assert load(entry.path).name == "shop"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shpo", "did you mean `shop`?"),
        ("store@v1.7", "there are: shop, store@v1.16, store@v1.9, store@v1.8, store"),
        ("shop@v2", "there is no contract `shop@v2`"),
        ("", "there is no contract ``"),
        ("none.yaml", "there is no contract file none.yaml"),
        ("clients", "there is no contract `clients`"),
    ],
)
def test_an_unknown_name_says_which_exist(folder: Path, name: str, said: str) -> None:
    with pytest.raises(UnknownContract) as caught:
        find(name, folder)
    assert said in str(caught.value)


def test_the_folder_is_the_nearest_one_above(folder: Path) -> None:
    deep = folder.parent / "a" / "b"
    deep.mkdir(parents=True)
    assert contracts_folder(deep) == folder


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    with pytest.raises(UnknownContract, match=r"put SERVICE\.yaml into it"):
        find("all", tmp_path / "contracts")
    with pytest.raises(UnknownContract, match="there are: none"):
        find("shop", tmp_path / "contracts")


def test_places_are_told_relative_to_the_repository(folder: Path) -> None:
    path = folder / "shop.yaml"
    path.write_text("contract: 1\n")
    with pytest.raises(ContractError) as caught:
        load(path, root=folder.parent)
    assert str(caught.value).startswith("contracts/shop.yaml:1:1: ")


def test_a_version_has_a_name_of_its_own(folder: Path) -> None:
    assert load(folder / "store" / "v1.8.yaml").name == "store@v1.8"


def test_versions_are_ordered_by_their_numbers() -> None:
    assert sorted(["v1.16", "v1.8", "v2", "v1.16.1"], key=version_key) == ["v1.8", "v1.16", "v1.16.1", "v2"]
