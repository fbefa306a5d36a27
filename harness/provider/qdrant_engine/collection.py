"""One collection: a shard of the engine and what is known about it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.provider.qdrant_engine import edge
from harness.provider.qdrant_engine.answers import Answer, id_of, record, scored
from harness.provider.qdrant_engine.errors import Kind, Refused, from_engine, reading
from harness.provider.qdrant_engine.fields import flag, items, mapping, required, text, whole, wrong
from harness.provider.qdrant_engine.filters import filter_of
from harness.provider.qdrant_engine.indexes import index_info
from harness.provider.qdrant_engine.queries import query_request, search_request
from harness.provider.qdrant_engine.selectors import order_by, point_id, point_ids, with_payload, with_vector
from harness.provider.qdrant_engine.updates import operation_of
from harness.provider.qdrant_engine.vectors import shapes_of
from harness.provider.qdrant_engine.versions import Profile

Ask = Callable[["Collection"], edge.QueryRequest]
Found = list[Answer] | Refused

_SCROLL_LIMIT = 10
_OPERATION_BYTES = 32 * 1024  # so that many small updates count too: each is replayed at the next start
# What a request that doesn't wait is never told: these come to light only when it is applied.
_SILENT = (Kind.BAD_INPUT, Kind.NOT_FOUND, Kind.INTERNAL)


class Collection:
    """A collection under its name; not for use by several threads at once."""

    def __init__(
        self, *, name: str, config: dict[str, Any], shard: edge.EdgeShard, home: Path, profile: Profile
    ) -> None:
        self.name = name
        self.config = config
        self.home = home
        self.unflushed_bytes = 0
        self._shard = shard
        self._profile = profile
        self._shapes = shapes_of(config["params"])
        self._operations = 0
        self._point_bytes = 4 * sum(self._shapes.dense.values())

    def update(self, kind: str, body: object, *, wait: bool) -> Answer:
        """Apply one update and say how far it came.

        It is applied before the answer either way; without ``wait`` an error in applying it isn't told.
        """
        return self.apply(lambda: operation_of(kind, body, self._shapes), points=_points(body), wait=wait)

    def apply(self, make: Callable[[], edge.UpdateOperation], *, points: int = 0, wait: bool) -> Answer:
        self._operations += 1
        try:
            operation = make()
            self._run(lambda: self._shard.update(operation))
        except Refused as refusal:
            if wait or refusal.kind not in _SILENT:
                raise
        self.unflushed_bytes += _OPERATION_BYTES + points * self._point_bytes
        return {"operation_id": self._operations - 1, "status": "completed" if wait else "acknowledged"}

    def retrieve(self, body: object) -> list[Answer]:
        doc = mapping(body, "body")
        return self.points(
            point_ids(items(required(doc, "ids"), "ids")),
            payload=with_payload(doc.get("with_payload"), default=True),
            vector=with_vector(doc),
        )

    def points(self, ids: list[int | str], *, payload: Any = True, vector: Any = True) -> list[Answer]:
        """The points among ``ids`` that there are, in the order of ``ids``."""
        found = self._run(lambda: self._shard.retrieve(list(ids), payload, vector))
        return [record(point, self._profile) for point in found]

    def scroll(self, body: object) -> Answer:
        doc = mapping(body, "body")
        limit = whole(doc, "limit", minimum=1)
        offset = doc.get("offset")
        order = order_by(doc.get("order_by"))
        if order is not None and offset is not None:
            advice = "The alternative for paging is to use `order_by.start_from` and a filter"
            raise Refused(Kind.BAD_REQUEST, f"Cannot use an `offset` when using `order_by`. {advice}")
        request = edge.ScrollRequest(
            offset=None if offset is None else point_id(offset),
            limit=_SCROLL_LIMIT if limit is None else limit,
            filter=filter_of(doc.get("filter")),
            with_payload=with_payload(doc.get("with_payload"), default=True),
            with_vector=with_vector(doc),
            order_by=order,
        )
        found, following = self._run(lambda: self._shard.scroll(request))
        return {
            "points": [record(point, self._profile) for point in found],
            "next_page_offset": None if following is None else id_of(following),
        }

    def count(self, body: object) -> Answer:
        doc = mapping(body, "body")
        if "exact" in doc and doc["exact"] is None:
            raise wrong("exact", None, "a boolean")
        exact = flag(doc, "exact") is not False
        request = edge.CountRequest(exact=exact, filter=filter_of(doc.get("filter")))
        return {"count": self._run(lambda: self._shard.count(request))}

    def query_request(self, body: object) -> edge.QueryRequest:
        return query_request(body, self._shapes, self._stored)

    def search_request(self, body: object) -> edge.QueryRequest:
        return search_request(body, self._shapes)

    def found(self, asks: Sequence[Ask]) -> list[Found]:
        """What each search brings, or its refusal.

        The engine is asked for several at once: it then reads its vectors once, which is what a search costs.
        """
        requests = [self._asked(ask) for ask in asks]
        good = [request for request in requests if not isinstance(request, Refused)]
        good.sort(key=lambda request: request.filter is not None)  # those that share a reading have to be neighbours
        brought = {id(request): found for request, found in zip(good, self._searched(good), strict=True)}
        return [request if isinstance(request, Refused) else brought[id(request)] for request in requests]

    def facet(self, body: object) -> Answer:
        doc = mapping(body, "body")
        limit = whole(doc, "limit", minimum=1)
        with reading("facet"):
            request = edge.FacetRequest(
                text(doc, "key") or "",
                limit=10 if limit is None else limit,
                exact=flag(doc, "exact") or False,
                filter=filter_of(doc.get("filter")),
            )
        found = self._run(lambda: self._shard.facet(request))
        return {"hits": [{"value": hit.value, "count": hit.count} for hit in found.hits]}

    def info(self) -> Answer:
        known = self._run(self._shard.info)
        answer: Answer = {
            "status": "green",
            "optimizer_status": "ok",
            "indexed_vectors_count": known.indexed_vectors_count,
            "points_count": known.points_count,
            "segments_count": known.segments_count,
            "config": self.config,
            "payload_schema": {field: index_info(index) for field, index in known.payload_schema.items()},
        }
        if self._profile.vectors_count:
            answer["vectors_count"] = known.points_count * max(1, len(self._shapes.dense))
        return answer

    def optimize(self) -> None:
        """Build the vector index over what there is; it takes seconds, and nothing is answered meanwhile."""
        self._run(self._shard.optimize)

    def flush(self) -> None:
        self._run(self._shard.flush)
        self.unflushed_bytes = 0

    def close(self) -> None:
        self._run(self._shard.close)

    def _asked(self, ask: Ask) -> edge.QueryRequest | Refused:
        try:
            return ask(self)
        except Refused as refusal:
            return refusal

    def _searched(self, requests: list[edge.QueryRequest]) -> list[Found]:
        if len(requests) > 1:
            try:
                together = self._run(lambda: self._shard.query_batch(edge.QueryBatchRequest(requests)))
                return [self._scored(found) for found in together]
            except Refused:  # it doesn't say which: each is told its own
                pass
        return [self._searched_alone(request) for request in requests]

    def _searched_alone(self, request: edge.QueryRequest) -> Found:
        try:
            return self._scored(self._run(lambda: self._shard.query(request)))
        except Refused as refusal:
            return refusal

    def _scored(self, found: list[edge.ScoredPoint]) -> list[Answer]:
        return [scored(point, self._profile) for point in found]

    def _stored(self, identity: int | str, name: str) -> Any:
        found = self._run(lambda: self._shard.retrieve([identity], False, [name]))
        if not found:
            raise Refused(Kind.NOT_FOUND, f"No point with id {identity} found")
        vector = found[0].vector
        named = vector.get(name) if isinstance(vector, dict) else vector
        if named is None:
            raise Refused(Kind.BAD_INPUT, f"Point {identity} has no vector {name!r}")
        return named

    def _run(self, ask: Callable[[], Any]) -> Any:
        """Ask the engine; its errors become refusals, its panics too."""
        try:
            return ask()
        except Exception as error:
            raise from_engine(error) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise Refused(Kind.INTERNAL, f"the engine panicked: {error}") from error


def asking(read: Callable[[Collection, object], edge.QueryRequest], body: object) -> Ask:
    """What a body asks of a collection, read when it is its turn."""
    return lambda held: read(held, body)


def _points(body: object) -> int:
    """About how many points an update brings."""
    if not isinstance(body, Mapping):
        return 0
    batch = body.get("batch")
    listed = batch.get("ids") if isinstance(batch, Mapping) else body.get("points")
    return len(listed) if isinstance(listed, list) else 0
