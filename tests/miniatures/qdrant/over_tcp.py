"""Qdrant clients that go wrong where a connection does, over REST or over gRPC; each is the reference client with one thing wrong."""

import asyncio
import contextlib
import math
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import grpc
import grpc.aio
import httpx
import orjson

from adapters import errors
from adapters.qdrant import Qdrant
from adapters.qdrant.values import ScoredPoint
from adapters.resilience import BreakerPolicy
from adapters.resilience.breaker import Breaker

NO_METADATA = grpc.aio.Metadata()


class _Changed(Qdrant):
    """The reference client with other policies."""

    def _without_bounds(self) -> None:
        self._endpoint.resilience.budget_s = math.inf
        policy = BreakerPolicy(failure_threshold=10_000, recovery_timeout_s=60, half_open_successes=3)
        self._endpoint.resilience.breaker = Breaker(policy)

    def _retry(self, **changes: Any) -> None:
        self._endpoint.resilience.retry = replace(self._endpoint.resilience.retry, **changes)


class NeverTimesOut(_Changed):
    """Waits for an answer as long as it takes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._without_bounds()
        self._endpoint.timeout_s = 1e6


class TimesOutReadsOnly(_Changed):
    """Has a limit for each read, and none for the whole answer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._without_bounds()
        limit_s, self._endpoint.timeout_s = self._endpoint.timeout_s, 1e6
        exchanged = self._endpoint._exchanged

        async def by_reads(request: httpx.Request) -> httpx.Response:
            request.extensions["timeout"] = {"connect": limit_s, "read": limit_s, "write": limit_s}
            return await exchanged(request)

        self._endpoint._exchanged = by_reads  # type: ignore[method-assign]  # that is the lie


class Impatient(Qdrant):
    """Gives up after two seconds."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint.timeout_s = 2


class RetriesForever(_Changed):
    """Never has enough of a connection that is lost."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._without_bounds()
        self._retry(attempts=10_000)


class TriesEightTimes(_Changed):
    """Has had enough too late."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._without_bounds()
        self._retry(attempts=8)


class TriesOnce(_Changed):
    """Makes nothing good."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._retry(on_connection=False)


class IgnoresTheBudget(_Changed):
    """Repeats what timed out, whatever it takes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._without_bounds()
        self._retry(attempts=6, on_timeout=True)


class RetriesCreation(Qdrant):
    """Creates again, though it may have been done already."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint._cautious = self._endpoint.resilience.retry


class RaisesWhatItGets(Qdrant):
    """Lets the errors of its libraries through."""

    async def search_vectors(self, collection: str, vector: Any = None, **options: Any) -> list[ScoredPoint]:
        try:
            return await super().search_vectors(collection, vector, **options)
        except errors.ProviderUnreachable as error:
            if self._grpc is None:
                raise httpx.ReadError(str(error)) from None
            code = grpc.StatusCode.UNAVAILABLE
            raise grpc.aio.AioRpcError(code, NO_METADATA, NO_METADATA, details=str(error)) from None


class FindsNothing(Qdrant):
    """Takes an answer that broke off for an empty one."""

    async def search_vectors(self, collection: str, vector: Any = None, **options: Any) -> list[ScoredPoint]:
        try:
            return await super().search_vectors(collection, vector, **options)
        except errors.ProviderUnreachable:
            return []


class LeavesTimeoutsToGrpc(Qdrant):
    """Honest: gRPC itself keeps the limit, which it does in real time."""

    share = 1.0

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        limit_s = self._endpoint.timeout_s
        if self._grpc is not None:
            self._endpoint.timeout_s = 1e6
            self._grpc._method = lambda rpc: self._limited(rpc, limit_s * self.share)

    def _limited(self, rpc: str, limit_s: float) -> Any:
        method = type(self._grpc)._method(self._grpc, rpc)
        return lambda content, **options: method(content, timeout=limit_s, **options)


class LeavesGrpcTooLong(LeavesTimeoutsToGrpc):
    """Has gRPC wait for twice as long as it may."""

    share = 2.0


class LeavesGrpcTooLittle(LeavesTimeoutsToGrpc):
    """Has gRPC give up while the answer is on its way."""

    share = 0.05


# Clients that speak HTTP in their own way.


class _OwnWords(Qdrant):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint._exchanged = self._spoken  # type: ignore[method-assign]  # that is the lie

    async def _spoken(self, request: httpx.Request) -> httpx.Response:
        where = urlsplit(str(request.url))
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        try:
            fields = [(name, value) for name, value in request.headers.raw if name.lower() != b"connection"]
            head = b"\r\n".join(name + b": " + value for name, value in [*fields, (b"connection", b"close")])
            writer.write(b"%b %b HTTP/1.1\r\n%b\r\n\r\n%b" % (request.method.encode(), request.url.raw_path, head, request.content))
            head, _, body = (await self._read(reader)).partition(b"\r\n\r\n")
        except OSError as error:
            raise httpx.ReadError(str(error)) from None
        finally:
            writer.close()
        if not head:
            raise httpx.RemoteProtocolError("nothing came")
        headers = {"content-type": "application/json"}
        return httpx.Response(int(head.split()[1]), headers=headers, content=self._mended(body), request=request)

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.read()

    def _mended(self, body: bytes) -> bytes:
        return body


class ReadsToTheEnd(_OwnWords):
    """Goes by the end of the connection, not by the length that the answer tells."""


class TakesTheFirstPiece(_OwnWords):
    """Takes what comes first for all that comes."""

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.read(65_536)


class MendsTheAnswer(_OwnWords):
    """Makes an answer of as much as came of it."""

    def _mended(self, body: bytes) -> bytes:
        for end in [len(body), *(number for number in range(len(body), 0, -1) if body[number - 1 : number] == b"}")]:
            for tail in (b"", b']},"status":"ok","time":0}'):
                with contextlib.suppress(orjson.JSONDecodeError):
                    orjson.loads(body[:end] + tail)
                    return body[:end] + tail
        return body
