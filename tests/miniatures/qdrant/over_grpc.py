"""Who goes wrong over gRPC: clients, each the reference client with one thing wrong, and providers, each the engine with one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import grpc.aio

from adapters import errors
from adapters.endpoint import Sent
from adapters.qdrant import Qdrant
from adapters.qdrant.values import ScoredPoint, UpsertReport
from adapters.resilience import BreakerPolicy
from adapters.resilience.breaker import Breaker


class _Translating(Qdrant):
    """Makes other errors of gRPC's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self._grpc is not None:
            self._made, self._grpc._declared = self._grpc._declared, self._translated

    def _translated(self, sent: Sent, error: grpc.aio.AioRpcError) -> errors.IntegrationError:
        made: errors.IntegrationError = self._made(sent, error)
        return made


class RepeatsWhatTimedOut(Qdrant):
    """Sends an upsert that nobody waits for again when it ran out of time."""

    async def upsert_vectors(self, collection: str, points: Any, *, wait: bool = True, **options: Any) -> UpsertReport:
        try:
            return await super().upsert_vectors(collection, points, wait=wait, **options)
        except errors.ProviderTimeout:
            if wait:
                raise
            return await super().upsert_vectors(collection, points, wait=wait, **options)


class GivesUpAtOnce(Qdrant):
    """Takes UNAVAILABLE for the last word."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint.resilience.retry = replace(self._endpoint.resilience.retry, on_connection=False)


class TriesFourTimes(Qdrant):
    """Has had enough one attempt too late."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint.resilience.retry = replace(self._endpoint.resilience.retry, attempts=4)


class FindsNothingUnauthenticated(Qdrant):
    """Takes a credential that is refused for a search that finds nothing."""

    async def search_vectors(self, collection: str, vector: Any = None, **options: Any) -> list[ScoredPoint]:
        try:
            return await super().search_vectors(collection, vector, **options)
        except errors.AuthenticationFailed:
            return []


class SwallowsFailedUpserts(Qdrant):
    """Reports points as written that the server failed to write."""

    async def upsert_vectors(self, collection: str, points: Any, **options: Any) -> UpsertReport:
        try:
            return await super().upsert_vectors(collection, points, **options)
        except errors.ProviderUnavailable:
            return UpsertReport(upserted=[point["id"] for point in points], failed=(), batches=1)


class MistakesNotFound(_Translating):
    """Calls a collection that is not there a bad request."""

    def _translated(self, sent: Sent, error: grpc.aio.AioRpcError) -> errors.IntegrationError:
        made = super()._translated(sent, error)
        return errors.InvalidRequest(status=400) if isinstance(made, errors.NotFound) else made


class TakesUnavailableForAFailure(_Translating):
    """Calls a server that is not reached one that fails."""

    def _translated(self, sent: Sent, error: grpc.aio.AioRpcError) -> errors.IntegrationError:
        made = super()._translated(sent, error)
        return errors.ProviderUnavailable(status=503) if isinstance(made, errors.ProviderUnreachable) else made


class RepeatsBadRequests(_Translating):
    """Has hope for what was refused as invalid."""

    def _translated(self, sent: Sent, error: grpc.aio.AioRpcError) -> errors.IntegrationError:
        made = super()._translated(sent, error)
        return errors.ProviderUnavailable(status=500) if isinstance(made, errors.InvalidRequest) else made


class IgnoresTheHint(_Translating):
    """Does not read when it may come back."""

    def _translated(self, sent: Sent, error: grpc.aio.AioRpcError) -> errors.IntegrationError:
        made = super()._translated(sent, error)
        if isinstance(made, errors.ProviderError):
            made.retry_after_s = None
        return made


class NeverStops(Qdrant):
    """Has a circuit that never opens."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        policy = BreakerPolicy(failure_threshold=10_000, recovery_timeout_s=60, half_open_successes=3)
        self._endpoint.resilience.breaker = Breaker(policy)


class CountsRefusals(Qdrant):
    """Opens its circuit on what the server refuses, too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint.resilience.counts = lambda error: True


class LeavesMessagesToGrpc(Qdrant):
    """Has gRPC read the answers, which makes nothing of one that is none."""

    async def search_vectors(self, collection: str, vector: Any = None, **options: Any) -> list[ScoredPoint]:
        try:
            return await super().search_vectors(collection, vector, **options)
        except errors.InvalidResponse:
            raise AttributeError("'NoneType' object has no attribute 'result'") from None


class GoesByAnother(Qdrant):
    """Honest by a contract of its own, which a test puts here."""

    contract: ClassVar[Path | None] = None

    def __init__(self, **options: Any) -> None:
        super().__init__(contract=self.contract, **options)


# Providers: each puts another message in place of the engine's own, over gRPC alone.

Answer = Callable[[Any, Any], Any]


def scores_reversed(honest: Answer) -> Answer:
    """The nearest point has the lowest score."""

    def answer(engine: Any, request: Any) -> Any:
        made = honest(engine, request)
        for point, score in zip(made.result, [point.score for point in made.result][::-1], strict=True):
            point.score = score
        return made

    return answer


def one_more(honest: Answer) -> Answer:
    """Counts one that is not there."""

    def answer(engine: Any, request: Any) -> Any:
        made = honest(engine, request)
        made.result.count += 1
        return made

    return answer


def without_payload(honest: Answer) -> Answer:
    """Leaves out what was stored with the points."""

    def answer(engine: Any, request: Any) -> Any:
        made = honest(engine, request)
        for point in made.result:
            point.ClearField("payload")
        return made

    return answer


def without_the_last(honest: Answer) -> Answer:
    """Leaves out a point."""

    def answer(engine: Any, request: Any) -> Any:
        made = honest(engine, request)
        del made.result[-1:]
        return made

    return answer


def always_completed(honest: Answer) -> Answer:
    """Says that all is written, to who did not wait for it."""

    def answer(engine: Any, request: Any) -> Any:
        made = honest(engine, request)
        made.result.status = 2
        return made

    return answer
