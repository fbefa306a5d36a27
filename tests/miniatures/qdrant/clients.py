"""Lying Qdrant clients: each is the reference client with one thing wrong."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from adapters import errors
from adapters.qdrant import Qdrant
from adapters.qdrant.values import FailedBatch, Page, PointId, Record, ScoredPoint, UpsertReport
from adapters.resilience import BreakerPolicy
from adapters.resilience.breaker import Breaker
from harness.contract.model import BatchLimit

assert httpx  # the seam in process is taken by clients whose module speaks httpx


class _Changed(Qdrant):
    """Takes every option of the client, to hand them on changed."""

    def _limit(self, **changes: Any) -> None:
        batch = self._contract.limits.batch
        assert isinstance(batch, BatchLimit)
        limits = self._contract.limits.model_copy(update={"batch": batch.model_copy(update=changes)})
        self._contract = self._contract.model_copy(update={"limits": limits})


class ReportsAllAsInserted(Qdrant):
    """Reports a failed batch as inserted."""

    async def upsert_vectors(self, collection: str, points: Any = None, **options: Any) -> UpsertReport:
        try:
            return await super().upsert_vectors(collection, points, **options)
        except errors.ProviderError as error:
            if not hasattr(error, "report"):
                raise
            return UpsertReport(upserted=[each["id"] for each in points], failed=(), batches=1)


class OneHugeBatch(_Changed):
    """Knows nothing of the largest body."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._limit(bytes=None)


class OneLongBatch(_Changed):
    """Sends as many points at a time as it is given."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._limit(items=None)


class RetriesCreation(Qdrant):
    """Creates again, though it may have been done already."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint._cautious = self._endpoint.resilience.retry


class RetriesTimeouts(Qdrant):
    """Repeats what timed out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint.resilience.retry = replace(self._endpoint.resilience.retry, on_timeout=True)


class NeverOpens(Qdrant):
    """Has no breaker to speak of."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        policy = BreakerPolicy(failure_threshold=1000, recovery_timeout_s=60, half_open_successes=3)
        self._endpoint.resilience.breaker = Breaker(policy)


class IgnoresWait(Qdrant):
    """Never waits."""

    async def upsert_vectors(self, collection: str, points: Any = None, *, wait: bool = True, **options: Any) -> UpsertReport:
        return await super().upsert_vectors(collection, points, wait=False, **options)


class IgnoresFilters(Qdrant):
    """Searches everything."""

    async def search_vectors(self, collection: str, vector: Any = None, *, filters: Any = None, **options: Any) -> list[ScoredPoint]:
        return await super().search_vectors(collection, vector, **options)


class OneMore(Qdrant):
    """Asks for one more than it was told."""

    async def search_vectors(self, collection: str, vector: Any = None, *, limit: int = 10, **options: Any) -> list[ScoredPoint]:
        return await super().search_vectors(collection, vector, limit=limit + 1, **options)


class SwallowsAbsence(Qdrant):
    """Has nothing to say of a collection that is not there."""

    async def retrieve(self, collection: str, ids: Sequence[PointId], **options: Any) -> list[Record]:
        try:
            return await super().retrieve(collection, ids, **options)
        except errors.NotFound:
            return []


class SmallVectors(Qdrant):
    """Has a size of its own for collections."""

    async def create_collection(self, collection: str, *, vectors: Mapping[str, object] | None = None, **options: Any) -> bool:
        return await super().create_collection(collection, vectors=vectors or {"size": 1536, "distance": "Cosine"}, **options)


class ForgetsNextPage(Qdrant):
    """Believes that every page is the last."""

    async def scroll(self, collection: str, **options: Any) -> Page:
        return replace(await super().scroll(collection, **options), next_offset=None)


class ForgetsAnIndex(Qdrant):
    """Says that a field is indexed which it never mentioned."""

    async def create_index(self, collection: str, field: str, kind: str, *, wait: bool = True) -> str:
        return "completed" if field == "section" else await super().create_index(collection, field, kind, wait=wait)


class IndexesTextOnly(Qdrant):
    """Has every field indexed as a keyword."""

    async def create_index(self, collection: str, field: str, kind: str, *, wait: bool = True) -> str:
        return await super().create_index(collection, field, "keyword", wait=wait)


class TellsTheKey(Qdrant):
    """Puts the key into its errors."""

    async def count(self, collection: str, **options: Any) -> int:
        try:
            return await super().count(collection, **options)
        except errors.ProviderError as error:
            error.args = (f"{error} (key {self._endpoint._credential})",)
            raise


class AlwaysWaits(Qdrant):
    """Waits until a change is done, also when nobody wants to."""

    async def delete(self, collection: str, ids: Any = None, *, wait: bool = True, **options: Any) -> str:
        return await super().delete(collection, ids, wait=True, **options)

    async def set_payload(self, collection: str, payload: Mapping[str, Any], *, wait: bool = True, **options: Any) -> str:
        return await super().set_payload(collection, payload, wait=True, **options)

    async def create_index(self, collection: str, field: str, kind: str, *, wait: bool = True) -> str:
        return await super().create_index(collection, field, kind, wait=True)


class RoundsWhatItSeeks(Qdrant):
    """Searches for a vector that is nearly the one it was given."""

    async def search_vectors(self, collection: str, vector: Any = None, **options: Any) -> list[ScoredPoint]:
        return await super().search_vectors(collection, [round(each, 1) for each in vector], **options)


class RoundsWhatItWrites(Qdrant):
    """Writes vectors that are nearly those it was given."""

    async def upsert_vectors(self, collection: str, points: Any = None, **options: Any) -> UpsertReport:
        rounded = [{**each, "vector": [round(number, 1) for number in each["vector"]]} for each in points]
        return await super().upsert_vectors(collection, rounded, **options)


class RoundsWhatItReads(Qdrant):
    """Gives back vectors that are nearly those that are stored."""

    async def retrieve(self, collection: str, ids: Sequence[PointId], **options: Any) -> list[Record]:
        records = await super().retrieve(collection, ids, **options)
        return [replace(each, vector=None if each.vector is None else each.vector.round(1)) for each in records]


class AsksForEverything(Qdrant):
    """Has the whole payload sent, whichever fields were asked for."""

    async def retrieve(self, collection: str, ids: Sequence[PointId], *, with_payload: Any = True, **options: Any) -> list[Record]:
        return await super().retrieve(collection, ids, with_payload=bool(with_payload), **options)


class _Misreports(Qdrant):
    """Tells something else of an upsert that fails in part."""

    async def upsert_vectors(self, collection: str, points: Any = None, **options: Any) -> UpsertReport:
        try:
            return await super().upsert_vectors(collection, points, **options)
        except errors.IntegrationError as error:
            report = getattr(error, "report", None)
            if report is not None:
                error.report = self.told(report)  # type: ignore[attr-defined]
            raise

    def told(self, report: UpsertReport) -> UpsertReport | None:
        return report


class TellsNothing(_Misreports):
    """Raises the error of a batch, and not a word of the others."""

    def told(self, report: UpsertReport) -> None:
        return None


class CountsBatchesFromOne(_Misreports):
    """Tells the number of the batch after the one that failed."""

    def told(self, report: UpsertReport) -> UpsertReport:
        return replace(report, failed=tuple(replace(batch, number=batch.number + 1) for batch in report.failed))


class NamesOtherPoints(_Misreports):
    """Tells that points failed which were written."""

    def told(self, report: UpsertReport) -> UpsertReport:
        return replace(report, failed=tuple(replace(batch, ids=tuple(report.upserted[: len(batch.ids)])) for batch in report.failed))


class ForgetsThePoints(_Misreports):
    """Tells of a batch without its last point."""

    def told(self, report: UpsertReport) -> UpsertReport:
        return replace(report, failed=tuple(replace(batch, ids=batch.ids[:-1]) for batch in report.failed))


class GivesAnotherReason(_Misreports):
    """Tells of every batch that it was the caller's fault."""

    def told(self, report: UpsertReport) -> UpsertReport:
        return replace(report, failed=tuple(replace(batch, error=errors.InvalidInput("no")) for batch in report.failed))


class CountsWhatFailed(_Misreports):
    """Tells that all points were written, those of the batch that failed too."""

    def told(self, report: UpsertReport) -> UpsertReport:
        return replace(report, upserted=[*report.upserted, *(point for batch in report.failed for point in batch.ids)])


class InsertedForUpdated(Qdrant):
    """Tells of new points that they were there, and the other way round."""

    async def upsert_vectors(self, *arguments: Any, **options: Any) -> UpsertReport:
        report = await super().upsert_vectors(*arguments, **options)
        return replace(report, inserted=report.updated, updated=report.inserted)


class StopsBeforeTheEnd(Qdrant):
    """Leaves the last page out."""

    async def scroll_all(self, collection: str, **options: Any) -> AsyncIterator[Record]:
        while (page := await self.scroll(collection, **options)).next_offset is not None:
            for point in page.points:
                yield point
            options["offset"] = page.next_offset


class NeverTurnsThePage(Qdrant):
    """Gives the first page again and again, and does not even end soon."""

    async def scroll_all(self, collection: str, **options: Any) -> AsyncIterator[Record]:
        for _ in range(20):
            for point in (await self.scroll(collection, **options)).points:
                yield point


class SmallerBatches(_Changed):
    """Sends fewer points in a request than it might: honest."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._limit(items=700)


class StopsAtTheFirstFailure(Qdrant):
    """Sends one batch after the other and nothing after one that failed, and tells that of each: honest."""

    async def upsert_vectors(self, collection: str, points: Any = None, **options: Any) -> UpsertReport:
        upserted: list[PointId] = []
        failed: list[FailedBatch] = []
        parts = [points[start : start + 1000] for start in range(0, len(points), 1000)]
        for number, part in enumerate(parts):
            try:
                if failed:
                    raise errors.CircuitOpen(retry_in_s=None)
                upserted += (await super().upsert_vectors(collection, part, **options)).upserted
            except errors.IntegrationError as error:
                failed.append(FailedBatch(number=number, ids=tuple(each["id"] for each in part), error=error))
        report = UpsertReport(upserted=upserted, failed=tuple(failed), batches=len(parts))
        if failed:
            failed[0].error.report = report  # type: ignore[attr-defined]
            raise failed[0].error
        return report


class _Rereads(Qdrant):
    """Takes filters in another way."""

    def read(self, filters: Any) -> Any:
        return filters

    async def scroll(self, collection: str, *, filters: Any = None, **options: Any) -> Page:
        return await super().scroll(collection, filters=self.read(filters), **options)


class TwoOfAList(_Rereads):
    """Sends the first two of several values."""

    def read(self, filters: Any) -> Any:
        return filters and {field: value[:2] if isinstance(value, list) else value for field, value in filters.items()}


class TruthAsNumbers(_Rereads):
    """Sends 1 for true."""

    def read(self, filters: Any) -> Any:
        return filters and {field: int(value) if isinstance(value, bool) else value for field, value in filters.items()}


class OneValueByItself(_Rereads):
    """Sends a list of one value as the value: honest."""

    def read(self, filters: Any) -> Any:
        return filters and {field: value[0] if isinstance(value, list) and len(value) == 1 else value for field, value in filters.items()}


class NoThresholdOfZero(Qdrant):
    """Takes a threshold of 0 for none."""

    async def search_vectors(self, *arguments: Any, score_threshold: float | None = None, **options: Any) -> list[ScoredPoint]:
        return await super().search_vectors(*arguments, score_threshold=score_threshold or None, **options)


class IdsAsDoubles(Qdrant):
    """Takes ids for doubles, which have 53 bits for them."""

    async def upsert_vectors(self, collection: str, points: Any = None, **options: Any) -> UpsertReport:
        doubled = [
            {**each, "id": int(float(each["id"])) if 2**53 < each["id"] < 2**63 else each["id"]} if isinstance(each["id"], int) else each
            for each in points
        ]
        return await super().upsert_vectors(collection, doubled, **options)


class TimeoutsDoNotCount(Qdrant):
    """Its circuit stays closed however often the provider is silent."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        counts = self._endpoint.resilience.counts
        self._endpoint.resilience.counts = lambda error: counts(error) and not isinstance(error, errors.ProviderTimeout)
