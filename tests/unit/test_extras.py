"""What is said of a library that is not installed."""

import re
import tomllib
from pathlib import Path

import pytest

from harness.extras import _PART_OF, installed_by

ROOT = Path(__file__).parents[2]
PARTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
# A distribution whose module goes by another name.
MODULE_OF = {"grpcio": "grpc", "pact-python": "pact", "qdrant-client": "qdrant_client", "qdrant-edge-py": "qdrant_edge", "vcrpy": "vcr"}


@pytest.mark.parametrize("part", ["pact", "fuzz", "cassette", "load", "qdrant", "container"])
def test_every_library_of_a_part_names_it(part: str) -> None:
    distributions = [re.split(r"[<>=;\[ ]", wanted)[0] for wanted in PARTS[part]]
    assert {installed_by(MODULE_OF.get(each, each)) for each in distributions} == {f"pip install 'contract-harness[{part}]'"}


def test_a_module_within_a_library_names_it_too() -> None:
    assert installed_by("qdrant_edge.inner") == installed_by("qdrant_edge")


@pytest.mark.parametrize("module", ["an_engine_of_your_own", "", None])
def test_what_is_none_of_ours_is_for_the_user_to_get(module: str | None) -> None:
    assert installed_by(module) == "install it into this environment"


def test_only_parts_that_exist_are_named() -> None:
    assert set(_PART_OF.values()) <= PARTS.keys()


def test_with_everything_installed_a_run_can_be_shared_by_processes() -> None:
    (everything,) = PARTS["all"]
    named = everything.partition("[")[2].rstrip("]").split(",")
    assert any(library.startswith("pytest-xdist") for name in named for library in PARTS[name])
