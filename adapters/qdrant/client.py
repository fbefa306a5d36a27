"""The client: each operation of the contract, and what is made of several."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx

from adapters.address import checked_grpc_address
from adapters.endpoint import Endpoint, agreement_at, shipped
from adapters.errors import Conflict, IntegrationError, InvalidInput
from adapters.qdrant.filters import Filters, conditions
from adapters.qdrant.given import checked_id, checked_ids, checked_vector, checked_vectors, columns
from adapters.qdrant.points import Batch, Point, read_points, with_vector
from adapters.qdrant.searches import options_of, points_in, search_many
from adapters.qdrant.upserts import upsert
from adapters.qdrant.values import CollectionInfo, Health, Page, PointId, Record, ScoredPoint, UpsertReport, as_record, as_scored
from adapters.resilience import Monitor
from adapters.resilience.monitor import OnAlert
from harness.contract.agreement import OperationTerms


class Qdrant:
    """An asynchronous client; every number in it comes from the contract.

    ``credential`` defaults to the environment variable that the contract names. With ``prefer_grpc`` points go
    over gRPC, to ``grpc_address`` (by default port 6334 of the same host). All methods raise the errors of
    ``adapters.errors`` that the contract declares, and InvalidInput for what may not be sent.
    """

    CONTRACT: ClassVar[str] = "qdrant/v1.16.yaml"

    def __init__(
        self,
        *,
        base_url: str | None = None,
        credential: str | None = None,
        contract: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        prefer_grpc: bool = False,
        grpc_address: str | None = None,
    ) -> None:
        agreement = agreement_at(contract or shipped(self.CONTRACT))
        self._endpoint = Endpoint(agreement, base_url=base_url, credential=credential, transport=transport)
        self._contract = agreement.contract
        self._search, self._asked = ("query", "query") if "query" in agreement.operations else ("search", "vector")
        self._known: dict[str, Mapping[str, str]] = {str(self.default_collection): self._setting("payload_indexes", {})}
        self._grpc: Any = None
        if prefer_grpc:
            from adapters.qdrant.over_grpc import OverGrpc  # loads gRPC, which REST does without

            address = checked_grpc_address(grpc_address or _grpc_address(base_url or self._contract.provider.base_url))
            self._grpc = OverGrpc(self._endpoint, address=address)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._endpoint!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()
        if self._grpc is not None:
            await self._grpc.aclose()

    @property
    def default_collection(self) -> str:
        """The platform's collection, as the contract names it."""
        return str(self._setting("collection", ""))

    # Collections

    async def ensure_collection(self, collection: str | None = None, *, size: int | None = None, distance: str | None = None) -> bool:
        """Make the collection and its payload indexes, as the contract has them, as far as they are not there; whether it was made.

        InvalidInput when it is there with vectors of another size or distance: nothing is changed then.
        """
        name = collection or self.default_collection
        wanted = {**self._vectors_of(name), **{key: value for key, value in (("size", size), ("distance", distance)) if value is not None}}
        made = await self._made(name, wanted)
        info = await self.info(name)
        if (info.size, info.distance) != (wanted["size"], wanted["distance"]):
            raise InvalidInput(
                f"the collection {name} is there, with vectors of {info.size} components by {info.distance}, not {wanted['size']} by "
                f"{wanted['distance']}: take another name, or delete it and fill it again"
            )
        indexes: Mapping[str, str] = self._setting("payload_indexes", {})
        for field, kind in indexes.items():
            if info.indexed.get(field) != kind:
                await self.create_index(name, field, kind)
        self._known[name] = {**info.indexed, **indexes}
        return made

    async def _made(self, name: str, vectors: Mapping[str, object]) -> bool:
        if (await self._ask("collection_exists", path={"collection": name}))["result"]["exists"]:
            return False
        try:
            await self.create_collection(name, vectors=vectors)
        except Conflict:  # somebody else was faster, or an answer was lost
            return False
        return True

    def _vectors_of(self, name: str) -> dict[str, Any]:
        return {**self._terms("create_collection").model.request.defaults["vectors"], **self._setting("collections", {}).get(name, {})}  # type: ignore[dict-item]  # a mapping, by its schema

    async def create_collection(
        self,
        collection: str,
        *,
        vectors: Mapping[str, object] | None = None,
        hnsw_config: Mapping[str, object] | None = None,
        optimizers_config: Mapping[str, object] | None = None,
    ) -> bool:
        """Make a collection, with the contract's numbers for what is left open; Conflict when it is there."""
        said = {"vectors": vectors, "hnsw_config": hnsw_config, "optimizers_config": optimizers_config}
        body = {
            **self._terms("create_collection").model.request.defaults,
            **{name: value for name, value in said.items() if value is not None},
        }
        return bool((await self._ask("create_collection", body, path={"collection": collection}))["result"])

    async def create_index(self, collection: str, field: str, kind: str, *, wait: bool = True) -> str:
        """Index a field of the payload; ``acknowledged``, or ``completed`` if that was waited for."""
        body = {"field_name": field, "field_schema": kind}
        return _status(await self._ask("create_index", body, path={"collection": collection}, query={"wait": wait}))

    async def info(self, collection: str | None = None) -> CollectionInfo:
        """What a collection is and about how much it holds."""
        name = collection or self.default_collection
        found = (await self._ask("collection_info", path={"collection": name}))["result"]
        vectors = found["config"]["params"].get("vectors") or {}
        return CollectionInfo(
            name=name,
            status=found["status"],
            points=found.get("points_count") or 0,
            size=vectors.get("size", 0),
            distance=vectors.get("distance", ""),
            indexed={field: index["data_type"] for field, index in found["payload_schema"].items()},
        )

    async def delete_collection(self, collection: str) -> bool:
        """Remove a collection with all its points; whether there was one."""
        return bool((await self._ask("delete_collection", path={"collection": collection}))["result"])

    # Points

    async def upsert_vectors(
        self,
        collection: str,
        points: Sequence[Any] | None = None,
        *,
        ids: Sequence[PointId] | None = None,
        vectors: Any = None,
        payloads: Sequence[Any] | None = None,
        wait: bool = True,
        distinguish: bool = False,
    ) -> UpsertReport:
        """Write points, in as many requests as the limits ask for; points (id, vector, payload), or columns of these.

        When a batch fails the others are written all the same, and the error that is raised has the UpsertReport of
        all of them as ``report``; a CancelledError has it too (within a time-out of the caller's it is the cause).
        ``distinguish`` asks, before each batch, which of its points are there already.
        """
        if points is None:
            if ids is None or vectors is None:
                raise InvalidInput("nothing to upsert: give `points`, or `ids` with `vectors`")
            points = columns(ids, vectors, payloads)
        elif not (ids is None and vectors is None and payloads is None):
            raise InvalidInput("the points are given twice: give `points`, or `ids` with `vectors`")
        self._endpoint.refuse_invalid_parameters(self._terms("upsert"), path={"collection": collection}, query={"wait": wait})
        read = read_points(points, dimension=self._dimension(collection))
        if not read:
            raise InvalidInput("points is empty: an upsert needs at least one point")
        send, write = (self._grpc.upsert, self._grpc.write) if self._grpc else (self._upsert_by_rest, Point.json)
        present = self._present if distinguish else None
        return await upsert(self._contract.limits.batch, collection, read, write=write, send=send, wait=wait, present=present)

    async def _upsert_by_rest(self, collection: str, batch: Batch, wait: bool) -> None:
        await self._endpoint.call(
            self._terms("upsert"),
            {"points": []},  # they were judged one by one, and no promise about the answer looks at them
            path={"collection": collection},
            query={"wait": wait},
            content=batch.json(),
            deadline=self._endpoint.resilience.deadline(),
        )

    async def _present(self, collection: str, ids: Sequence[PointId]) -> list[PointId]:
        return [point.id for point in await self.retrieve(collection, ids, with_payload=False)]

    async def search_vectors(
        self,
        collection: str,
        vector: Any = None,
        *,
        limit: int = 10,
        filters: Filters | None = None,
        score_threshold: float | None = None,
        offset: int | None = None,
        with_payload: bool | list[str] = True,
        with_vectors: bool | list[str] = False,
    ) -> list[ScoredPoint]:
        """The points nearest to a vector, the nearest first; without a vector any points, as far as the provider allows that.

        Of ``filters`` each field has to match its value, any of a list of values, or a Range.
        """
        body = options_of(limit, self._filter(collection, filters), score_threshold, offset, with_payload, with_vectors)
        if vector is not None:
            body[self._asked] = checked_vector(vector, self._dimension(collection), "vector")
        found = await self._points(self._search, collection, body, vector=self._asked)
        return as_scored(points_in(found))

    async def search_many(
        self,
        collection: str,
        vectors: Any,
        *,
        limit: int = 10,
        filters: Filters | None = None,
        score_threshold: float | None = None,
        offset: int | None = None,
        with_payload: bool | list[str] = True,
        with_vectors: bool | list[str] = False,
    ) -> list[list[ScoredPoint]]:
        """What ``search_vectors`` finds by each of many vectors, the rows of an array; in as many requests as the limits ask for."""
        options = options_of(limit, self._filter(collection, filters), score_threshold, offset, with_payload, with_vectors)
        rows, operation = checked_vectors(vectors, self._dimension(collection), "vectors"), self._search + "_batch"
        found = await search_many(self._endpoint, self._grpc, collection, rows, operation=operation, asked=self._asked, options=options)
        return [as_scored(points) for points in found]

    async def retrieve(
        self, collection: str, ids: Sequence[PointId], *, with_payload: bool | list[str] = True, with_vectors: bool | list[str] = False
    ) -> list[Record]:
        """The points with these ids, as far as there are such, in the order of the ids."""
        body = {"ids": checked_ids(ids), "with_payload": with_payload, "with_vector": with_vectors}
        return [as_record(each) for each in await self._points("retrieve", collection, body)]

    async def delete(
        self,
        collection: str,
        ids: Sequence[PointId] | None = None,
        *,
        filters: Filters | None = None,
        everything: bool = False,
        wait: bool = True,
    ) -> str:
        """Remove points by their ids or by a filter; ``acknowledged``, or ``completed`` if that was waited for.

        A filter without a field means all points: only with ``everything``.
        """
        if (ids is None) == (filters is None):
            raise InvalidInput("delete needs either `ids` or `filters`")
        body = {"points": checked_ids(ids)} if ids is not None else {"filter": self._filter(collection, filters)}
        if filters is not None and not filters and not everything:
            raise InvalidInput("an empty filter would remove every point: say `everything=True`, if that is meant")
        return str((await self._points("delete_points", collection, body, query={"wait": wait}))["status"])

    async def set_payload(self, collection: str, payload: Mapping[str, Any], *, ids: Sequence[PointId], wait: bool = True) -> str:
        """Write these fields of the payload of some points; their other fields stay."""
        body = {"payload": payload, "points": checked_ids(ids)}
        return str((await self._points("set_payload", collection, body, query={"wait": wait}))["status"])

    async def scroll(
        self,
        collection: str,
        *,
        filters: Filters | None = None,
        limit: int = 100,
        offset: PointId | None = None,
        with_payload: bool | list[str] = True,
        with_vectors: bool | list[str] = False,
    ) -> Page:
        """A page of the points in the order of their ids, from ``offset`` on."""
        body: dict[str, Any] = {"limit": limit, "with_payload": with_payload, "with_vector": with_vectors}
        wanted = self._filter(collection, filters)
        body |= {} if wanted is None else {"filter": wanted}
        body |= {} if offset is None else {"offset": checked_id(offset, "offset")}
        found = await self._points("scroll", collection, body)
        return Page(points=[as_record(each) for each in found["points"]], next_offset=found.get("next_page_offset"))

    async def scroll_all(self, collection: str, **options: Any) -> AsyncIterator[Record]:
        """Every point once, page after page; the options are those of ``scroll``."""
        while True:
            page = await self.scroll(collection, **options)
            for point in page.points:
                yield point
            if page.next_offset is None:
                return
            options["offset"] = page.next_offset

    async def count(self, collection: str, *, filters: Filters | None = None, exact: bool = True) -> int:
        """How many points there are, or match."""
        wanted = self._filter(collection, filters)
        body = {"exact": exact} | ({} if wanted is None else {"filter": wanted})
        return int((await self._points("count", collection, body))["count"])

    # Health

    async def health_check(self) -> Health:
        """Make the contract's probe; an unhealthy provider is a result, not an error."""
        loop = asyncio.get_running_loop()
        operation, started_s = self._contract.provider.probe.partition("/")[0], loop.time()
        try:
            await self._ask(operation)
        except IntegrationError as error:
            return Health(healthy=False, latency_s=loop.time() - started_s, error=error)
        return Health(healthy=True, latency_s=loop.time() - started_s)

    def monitor(self, *, on_alert: OnAlert | None = None) -> Monitor:
        """Health checks at the contract's interval for as long as the monitor is entered; alerts on change."""

        async def check() -> None:
            health = await self.health_check()
            if health.error is not None:
                raise health.error

        monitoring = self._contract.monitoring
        if monitoring is None:
            raise InvalidInput("the contract asks for no monitoring")
        alert = on_alert if monitoring.alert_on_failure else None
        return Monitor(check, interval_s=monitoring.health_check_interval, on_alert=alert, on_event=self._endpoint.metrics)

    @property
    def metrics(self) -> Mapping[str, float]:
        """Counts and seconds of everything that this client did so far."""
        return self._endpoint.metrics.snapshot()

    # Requests

    def _terms(self, operation: str) -> OperationTerms:
        return self._endpoint.agreement.operations[operation]

    def _setting(self, name: str, default: Any) -> Any:
        return self._contract.settings.get(name, default)

    def _dimension(self, collection: str) -> int | None:
        """The dimension of a collection that the contract knows."""
        known = self._setting("collections", {}).get(collection) if isinstance(collection, str) else None
        return int(known["size"]) if known else None

    def _filter(self, collection: str, filters: Filters | None) -> dict[str, object] | None:
        """A filter on a collection whose indexed fields are known, or are not."""
        return conditions(filters, known=self._known.get(collection) if isinstance(collection, str) else None)

    async def _points(
        self, operation: str, collection: str, body: dict[str, Any], *, query: Mapping[str, object] | None = None, vector: str = ""
    ) -> Any:
        """The result of an operation on points; ``vector`` names the field of the body that was checked already."""
        path, terms = {"collection": collection}, self._terms(operation)
        body |= {name: int(value) for name, value in body.items() if isinstance(value, float) and name == "limit" and value.is_integer()}
        outline = {**body, vector: [0.0]} if vector in body else None
        self._endpoint.refuse_invalid(terms, body, path=path, query=query or {}, outline=outline)
        if self._grpc is not None:
            return await self._grpc.ask(operation, collection, body, query or {})
        content = with_vector(body, vector, operation) if vector in body else None
        return (await self._call(terms, body, path, query or {}, content=content))["result"]

    async def _ask(
        self,
        operation: str,
        body: Mapping[str, object] | None = None,
        *,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        terms = self._terms(operation)
        self._endpoint.refuse_invalid(terms, body, path=path or {}, query=query or {})
        return await self._call(terms, body, path or {}, query or {})

    async def _call(
        self, terms: OperationTerms, body: Any, path: Mapping[str, object], query: Mapping[str, object], *, content: bytes | None = None
    ) -> Any:
        deadline = self._endpoint.resilience.deadline()
        return await self._endpoint.call(terms, body, path=path, query=query, content=content, deadline=deadline)


class Qdrant18(Qdrant):
    """The client for servers of version 1.8."""

    CONTRACT = "qdrant/v1.8.yaml"


def _status(answer: Mapping[str, Any]) -> str:
    return str(answer["result"]["status"])


def _grpc_address(base_url: str) -> str:
    host = httpx.URL(base_url).host
    return f"[{host}]:6334" if ":" in host else f"{host}:6334"
