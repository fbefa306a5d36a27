"""What became of each point of an upsert, whatever came in between."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from adapters.errors import ProviderUnavailable
from adapters.qdrant.points import Batch, Point
from adapters.qdrant.upserts import upsert
from adapters.qdrant.values import PointId, UpsertReport
from harness.contract.model import BatchLimit

TWO = BatchLimit(items=2)
UPPER, LOWER = "7D9F2A4E-0C1B-4A3D-9E8F-5B6C7D8E9F01", "7d9f2a4e-0c1b-4a3d-9e8f-5b6c7d8e9f01"
Send = Callable[[str, Batch, bool], Awaitable[None]]


async def accept(_collection: str, _batch: Batch, _wait: bool) -> None:
    """A provider that takes everything."""


async def told(ids: Sequence[PointId], send: Send, *, stored: Sequence[PointId] | None = None) -> UpsertReport:
    async def present(_collection: str, asked: Sequence[PointId]) -> list[PointId]:
        assert len(set(asked)) == len(asked), "each point is asked for once"
        return [each for each in asked if str(each).lower() in {str(known).lower() for known in stored or ()}]

    points = [Point(id=each, vector=[1.0]) for each in ids]
    return await upsert(
        TWO, "any", points, write=Point.json, send=send, wait=True, present=present if stored is not None else None
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ids", "stored", "inserted", "updated"),
    [
        ([1, 2, 3], [], 3, 0),
        ([1, 2, 3], [2, 9], 2, 1),
        ([1, 1], [], 1, 1),
        ([1, 1], [1], 0, 2),
        ([UPPER, LOWER], [], 1, 1),
        ([UPPER], [LOWER], 0, 1),
    ],
)
def test_a_point_is_inserted_once_and_updated_after_that(ids: list[PointId], stored: list[PointId], inserted: int, updated: int) -> None:
    report = asyncio.run(told(ids, accept, stored=stored))
    assert (report.inserted, report.updated) == (inserted, updated)
    assert report.upserted == ids


def test_of_two_spellings_of_an_id_the_last_is_written_last() -> None:
    under_way: list[int] = []

    async def slowly(_collection: str, batch: Batch, _wait: bool) -> None:
        under_way.append(batch.number)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert under_way == [batch.number], "batches with the same point overtake each other"
        under_way.clear()

    asyncio.run(told([UPPER, 1, LOWER, 2], slowly))


async def cut_off(how: Callable[[Awaitable[UpsertReport]], Awaitable[UpsertReport]]) -> BaseException:
    """The end of an upsert whose first batch is refused, whose second is written, and whose third and fourth nobody answers."""
    waiting = asyncio.Event()

    async def send(_collection: str, batch: Batch, _wait: bool) -> None:
        if batch.number == 0:
            raise ProviderUnavailable(status=500, detail="no")
        if batch.number > 1:
            waiting.set()
            await asyncio.Event().wait()

    try:
        await how(told(range(10), send))
    except (asyncio.CancelledError, TimeoutError) as error:
        return error
    raise AssertionError("it ended by itself")


async def by_task(upserting: Awaitable[UpsertReport]) -> UpsertReport:
    task = asyncio.ensure_future(upserting)
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    return await task


async def by_timeout(upserting: Awaitable[UpsertReport]) -> UpsertReport:
    async with asyncio.timeout(0.01):
        return await upserting


async def by_wait_for(upserting: Awaitable[UpsertReport]) -> UpsertReport:
    return await asyncio.wait_for(upserting, 0.01)


@pytest.mark.parametrize("how", [by_task, by_timeout, by_wait_for])
def test_an_upsert_that_is_cancelled_says_what_became_of_each_point(
    how: Callable[[Awaitable[UpsertReport]], Awaitable[UpsertReport]],
) -> None:
    error = asyncio.run(cut_off(how))
    cancelled = error if isinstance(error, asyncio.CancelledError) else error.__cause__
    report: UpsertReport = cancelled.report  # type: ignore[union-attr]  # that of an upsert
    assert report.upserted == [2, 3]
    assert {batch.number: (batch.ids, str(batch.error)) for batch in report.failed} == {
        0: ((0, 1), "the provider answered 500: no"),
        2: ((4, 5), "cancelled before it was answered: it may have been written all the same"),
        3: ((6, 7), "cancelled before it was answered: it may have been written all the same"),
        4: ((8, 9), "cancelled before it was sent"),
    }
    assert report.failed_points + len(report.upserted) == 10
