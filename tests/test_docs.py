"""The reference of the contract file speaks of everything that may stand in one."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import harness.contract.expressions
from harness.contract import model, promises

DOCS = Path(__file__).parents[1] / "docs"
PARTS = sorted(
    {each for module in (model, promises) for each in vars(module).values() if isinstance(each, type) and issubclass(each, BaseModel)},
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("part", PARTS, ids=lambda each: each.__name__)
def test_each_key_of_the_format_is_explained(part: type[BaseModel]) -> None:
    text = (DOCS / "contract.md").read_text()
    named = set(re.findall(r"[A-Za-z_]\w*", " ".join(re.findall(r"`([^`]+)`", text))))
    assert {field.alias or name for name, field in part.model_fields.items()} - named == set()


def test_each_function_of_our_own_is_listed() -> None:
    table = (harness.contract.expressions.__doc__ or "").partition("======\n")[2]
    ours = set(re.findall(r"([a-z_0-9]+)\(", table))
    assert len(ours) > 10
    text = (DOCS / "contract.md").read_text()
    assert {name for name in ours if f"{name}(" not in text} == set()
