"""An edit changes one thing and nothing else, and never what it was made from."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wire.mutations import reshaped
from harness.wire.mutations.edits import Steps, pointer, removed, renamed, replaced, value_at

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


def places(value: Any, steps: Steps = ()) -> list[Steps]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [steps, *(place for step, item in children for place in places(item, (*steps, step)))]


@given(value=JSON, data=st.data())
def test_a_replaced_part_is_the_only_difference(value: Any, data: st.DataObject) -> None:
    before, place = copy.deepcopy(value), data.draw(st.sampled_from(places(value)))
    marked = replaced(value, place, "marked")
    assert value == before
    assert value_at(marked, place) == "marked"
    assert replaced(marked, place, value_at(value, place)) == value


@given(value=JSON, data=st.data())
def test_a_removed_part_leaves_its_neighbours(value: Any, data: st.DataObject) -> None:
    inner = [place for place in places(value) if place]
    if not inner:
        return
    before, place = copy.deepcopy(value), data.draw(st.sampled_from(inner))
    parent, left = value_at(value, place[:-1]), value_at(removed(value, place), place[:-1])
    assert value == before
    assert len(left) == len(parent) - 1


def test_a_renamed_property_stays_in_its_place() -> None:
    value = {"a": {"first": 1, "second": 2, "third": 3}}
    assert json.dumps(renamed(value, ("a", "second"), "2nd")) == '{"a": {"first": 1, "2nd": 2, "third": 3}}'


@pytest.mark.parametrize(("steps", "text"), [((), "/"), (("a", 0, "b"), "/a/0/b"), (("a/b", "c~d"), "/a~1b/c~0d")])
def test_places_are_json_pointers(steps: Steps, text: str) -> None:
    assert pointer(steps) == text


@given(value=JSON)
def test_every_reshaped_value_is_json_and_another_one(value: Any) -> None:
    before = json.dumps(value)
    for edit in reshaped(value):
        assert json.dumps(edit.value) != before, edit.name
    assert json.dumps(value) == before
