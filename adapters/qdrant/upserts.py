"""An upsert of many points: some batches under way at a time, and what became of each of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from adapters.errors import IntegrationError
from adapters.qdrant.points import Batch, Point, packed
from adapters.qdrant.values import FailedBatch, PointId, UpsertReport
from harness.contract.model import BatchLimit

AT_A_TIME = 2  # one is written by the provider while the next one is sent; more only wait
UNLIMITED = 2**62

Send = Callable[[str, Batch, bool], Awaitable[None]]
Present = Callable[[str, Sequence[PointId]], Awaitable[int]]


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
                there = await self._present(self._collection, batch.ids) if self._present else 0
                await self._send(self._collection, batch, self._wait)
            except IntegrationError as error:
                self.failed.append(FailedBatch(number=batch.number, ids=batch.ids, error=error))
            else:
                self.done.add(batch.number)
                self.updated += there

    def report(self) -> UpsertReport:
        upserted = [each for number in sorted(self.done) for each in self.ids[number]]
        failed = tuple(sorted(self.failed, key=lambda batch: batch.number))
        if self._present is None:
            return UpsertReport(upserted=upserted, failed=failed, batches=len(self.ids))
        inserted = len(upserted) - self.updated
        return UpsertReport(upserted=upserted, failed=failed, batches=len(self.ids), inserted=inserted, updated=self.updated)


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
    """Write all points; the first batch's error, with the whole report, when some of them could not be written."""
    most_items, most_bytes = (limit.items if limit else None) or UNLIMITED, (limit.bytes if limit else None) or UNLIMITED
    batches = packed(points, most_items=most_items, most_bytes=most_bytes, write=write)
    state = _Upsert(collection, batches, send=send, wait=wait, present=present)
    # Of points with one id the last one counts, so their batches must not overtake each other.
    workers = AT_A_TIME if len({point.id for point in points}) == len(points) else 1
    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(state.work())
    report = state.report()
    if report.failed:
        error = report.failed[0].error
        error.report = report  # type: ignore[attr-defined]  # so that nothing is lost with the error
        error.add_note(str(report))
        raise error
    return report
