"""An upsert of many points: some batches under way at a time, and what became of each of them."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

from adapters.errors import IntegrationError
from adapters.qdrant.points import Batch, Point, packed
from adapters.qdrant.values import FailedBatch, PointId, UpsertReport
from harness.contract.model import BatchLimit

AT_A_TIME = 2  # one is written by the provider while the next one is sent; more only wait
UNLIMITED = 2**62

Send = Callable[[str, Batch, bool], Awaitable[None]]
Present = Callable[[str, Sequence[PointId]], Awaitable[Collection[PointId]]]


class _Upsert:
    """One upsert on its way."""

    def __init__(self, collection: str, batches: Iterator[Batch], *, send: Send, wait: bool, present: Present | None) -> None:
        self._collection = collection
        self._batches = batches
        self._send = send
        self._wait = wait
        self._present = present
        self.ids: dict[int, tuple[PointId, ...]] = {}
        self.done: set[int] = set()
        self.failed: list[FailedBatch] = []
        self.updated = 0

    async def work(self) -> None:
        """Take one batch after the other, until there are no more."""
        for batch in self._batches:
            self.ids[batch.number] = batch.ids
            try:
                if batch.refusal is not None:
                    raise batch.refusal
                updating = await self._updating(batch)
                await self._send(self._collection, batch, self._wait)
            except IntegrationError as error:
                self.failed.append(FailedBatch(number=batch.number, ids=batch.ids, error=error))
            else:
                self.done.add(batch.number)
                self.updated += updating

    async def _updating(self, batch: Batch) -> int:
        """How many of its points are there already: stored, or earlier in the batch."""
        if self._present is None:
            return 0
        first = {_known_by(each): each for each in reversed(batch.ids)}
        there = {_known_by(each) for each in await self._present(self._collection, list(first.values()))}
        return len(batch.ids) - len(first.keys() - there)

    def report(self) -> UpsertReport:
        upserted = [each for number in sorted(self.done) for each in self.ids[number]]
        failed = tuple(sorted(self.failed, key=lambda batch: batch.number))
        if self._present is None:
            return UpsertReport(upserted=upserted, failed=failed, batches=len(self.ids))
        inserted = len(upserted) - self.updated
        return UpsertReport(upserted=upserted, failed=failed, batches=len(self.ids), inserted=inserted, updated=self.updated)

    def cancel(self, points: Sequence[Point]) -> UpsertReport:
        """What had become of each point when nobody wanted to wait any longer."""
        ended = self.done | {batch.number for batch in self.failed}
        for number in self.ids.keys() - ended:
            self._give_up(number, "cancelled before it was answered: it may have been written all the same")
        taken = sum(map(len, self.ids.values()))
        if taken < len(points):
            self.ids[len(self.ids)] = tuple(point.id for point in points[taken:])
            self._give_up(len(self.ids) - 1, "cancelled before it was sent")
        return self.report()

    def _give_up(self, number: int, why: str) -> None:
        self.failed.append(FailedBatch(number=number, ids=self.ids[number], error=IntegrationError(why)))


def _known_by(point: PointId) -> PointId:
    """One form for each id: a UUID may be written in two."""
    return point.lower() if isinstance(point, str) else point


async def upsert(
    limit: BatchLimit | None,
    collection: str,
    points: Sequence[Point],
    *,
    write: Callable[[Point], bytes],
    send: Send,
    wait: bool,
    present: Present | None,
) -> UpsertReport:
    """Write all points; the first batch's error, with the whole report, when some of them could not be written.

    Cancelled, it ends with a CancelledError that has the report too.
    """
    most_items, most_bytes = (limit.items if limit else None) or UNLIMITED, (limit.bytes if limit else None) or UNLIMITED
    batches = packed(points, most_items=most_items, most_bytes=most_bytes, write=write)
    state = _Upsert(collection, batches, send=send, wait=wait, present=present)
    # Of points with one id the last one counts, so their batches must not overtake each other.
    workers = AT_A_TIME if len({_known_by(point.id) for point in points}) == len(points) else 1
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(state.work())
    except asyncio.CancelledError as cancelled:
        raise _with(state.cancel(points), cancelled) from None
    report = state.report()
    if report.failed:
        raise _with(report, report.failed[0].error)
    return report


def _with(report: UpsertReport, error: BaseException) -> BaseException:
    """The error, so that nothing is lost with it."""
    error.report = report  # type: ignore[attr-defined]
    error.add_note(str(report))
    return error
