"""Points are packed into requests: none too long, none too large, none lost."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.qdrant.points import Batch, Point, packed

POINTS = st.lists(st.integers(0, 400), max_size=40).map(
    lambda sizes: [Point(id=number, vector=[1.0], payload={"text": "x" * size}) for number, size in enumerate(sizes)]
)


def batches(points: list[Point], *, items: int, size: int) -> list[Batch]:
    return list(packed(points, most_items=items, most_bytes=size, write=Point.json))


@given(points=POINTS, items=st.integers(1, 10), size=st.integers(600, 2_000))
def test_each_point_is_in_one_request_that_fits(points: list[Point], items: int, size: int) -> None:
    found = batches(points, items=items, size=size)
    assert [each for batch in found for each in batch.ids] == [point.id for point in points]
    assert [batch.number for batch in found] == list(range(len(found)))
    for batch in found:
        assert len(batch.points) <= items
        assert len(batch.json()) <= size
        assert [each["id"] for each in orjson.loads(batch.json())["points"]] == list(batch.ids)


def test_a_point_that_is_too_large_is_refused_alone() -> None:
    points = [Point(id=number, vector=[1.0], payload={"text": "x" * (10_000 if number == 1 else 1)}) for number in range(3)]
    small, refused, last = batches(points, items=10, size=1_000)
    assert (small.ids, refused.ids, last.ids) == ((0,), (1,), (2,))
    assert "shorten its payload" in str(refused.refusal)


@pytest.mark.parametrize("payload", [{"when": object()}, {"text": "\ud800"}])
def test_what_json_can_not_say_is_refused(payload: dict[str, object]) -> None:
    (batch,) = batches([Point(id=1, vector=[1.0], payload=payload)], items=10, size=1_000)
    assert "can't be written as JSON" in str(batch.refusal)
