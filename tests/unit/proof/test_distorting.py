"""Values changed a little: always another value, never another shape."""

from typing import Any

import numpy as np
import pytest

from harness.checks.compare import close
from harness.contract.agreement import Agreement
from harness.proof.distorting import broken_bodies, perturbed

VALUES = [True, 0, 1.5, "", "text", [1, 2], ["a"], {"a": 1}, {"a": [1.0]}, np.array([1.0, 2.0]), np.array([[1, 2], [3, 4]], dtype=np.int8)]


@pytest.mark.parametrize("value", [*VALUES, None, [], {}], ids=repr)
def test_what_is_perturbed_is_another_value(value: object) -> None:
    assert not close(value, perturbed(value), 0)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_and_of_the_same_shape(value: object) -> None:
    assert shape(perturbed(value)) == shape(value)


def test_the_original_stays_as_it_is() -> None:
    value: dict[str, Any] = {"a": [1, {"b": 2}], "c": np.array([1.0])}
    perturbed(value)
    perturbed(value["c"])
    assert (value["a"], value["c"].tolist()) == ([1, {"b": 2}], [1.0])


def shape(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.shape
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value)


TAKEN = ("schemas", "Taken")
BODY = {"items": ["a"], "size": 3}


@pytest.mark.parametrize(
    ("clause", "kinds"),
    [("schemas.Taken.required", {"dropped", "renamed"}), ("schemas.Taken.properties.size.maximum", {"bound"}),
     ("schemas.Taken.properties.size.type", {"nulled", "retyped"})],
)  # fmt: skip
def test_a_body_is_broken_once_in_each_way_that_its_clause_can_be(queue: Agreement, clause: str, kinds: set[str]) -> None:
    bodies = list(broken_bodies(queue, queue.clauses[clause], TAKEN, BODY))
    assert queue.schemas.is_valid(TAKEN, BODY)
    assert sorted(kind for kind, _, _ in bodies) == sorted(kinds)
    assert not any(queue.schemas.is_valid(TAKEN, body) for _, _, body in bodies)


def test_no_body_is_broken_for_a_clause_that_says_nothing_of_it(queue: Agreement) -> None:
    other = next(clause for name, clause in queue.clauses.items() if not name.startswith("schemas.Taken"))
    assert list(broken_bodies(queue, other, TAKEN, BODY)) == []
