"""Searches and queries as they stand in a request, to requests of the engine."""

from array import array
from collections.abc import Callable, Mapping
from typing import Any

from harness.provider.qdrant_engine import edge
from harness.provider.qdrant_engine.errors import Kind, Refused, reading, unsupported
from harness.provider.qdrant_engine.fields import Doc, choice, items, mapping, number, required, text, whole
from harness.provider.qdrant_engine.filters import filter_of
from harness.provider.qdrant_engine.selectors import (
    order_by,
    point_id,
    search_params,
    with_payload,
    with_vector,
)
from harness.provider.qdrant_engine.vectors import Shapes, one_vector

_LIMIT = 10
_RRF_K = 2  # Qdrant's own default
# The stored vector of a point under a name; it is refused when there is no such point.
Stored = Callable[[int | str, str], Any]


def query_request(body: object, shapes: Shapes, stored: Stored) -> edge.QueryRequest:
    """The engine's request for a universal query (points/query)."""
    doc = mapping(body, "query")
    for field in ("shard_key", "lookup_from"):
        if doc.get(field) is not None:
            raise unsupported(field)
    wanted, used = _query(doc, shapes, stored)
    with reading("query"):
        return edge.QueryRequest(
            limit=_limit(doc, _LIMIT),
            offset=whole(doc, "offset"),
            query=wanted,
            prefetches=_prefetches(doc.get("prefetch"), shapes, stored),
            with_vector=with_vector(doc),
            with_payload=with_payload(doc.get("with_payload"), default=False),
            filter=_without(filter_of(doc.get("filter")), used),
            score_threshold=number(doc, "score_threshold"),
            params=search_params(doc.get("params")),
        )


def search_request(body: object, shapes: Shapes) -> edge.QueryRequest:
    """The engine's request for a search of the older kind (points/search)."""
    doc = mapping(body, "search")
    if doc.get("shard_key") is not None:
        raise unsupported("shard_key")
    vector, name = _search_vector(required(doc, "vector"))
    limit = whole(doc, "limit", minimum=1) or whole(doc, "top", minimum=1)
    if limit is None:
        raise Refused(Kind.FORMAT, "missing field `limit`")
    return edge.QueryRequest(
        limit=limit,
        offset=whole(doc, "offset"),
        query=edge.Query.Nearest(one_vector(vector, name, shapes), using=name or None),
        with_vector=with_vector(doc),
        with_payload=with_payload(doc.get("with_payload"), default=False),
        filter=filter_of(doc.get("filter")),
        score_threshold=number(doc, "score_threshold"),
        params=search_params(doc.get("params")),
    )


def _search_vector(value: object) -> tuple[object, str]:
    """The vector of a search and its name; a named one comes as {name, vector}."""
    if isinstance(value, Mapping):
        return required(value, "vector"), text(value, "name") or ""
    return value, ""


def _limit(doc: Doc, default: int) -> int:
    given = whole(doc, "limit", minimum=1)
    return default if given is None else given


def _without(wanted: edge.Filter | None, used: list[int | str]) -> edge.Filter | None:
    """A filter that also leaves out the points that stand in the query themselves."""
    if not used:
        return wanted
    return edge.Filter(must=[wanted] if wanted else None, must_not=[edge.HasIdCondition(set(used))])


def _prefetches(value: object, shapes: Shapes, stored: Stored) -> list[edge.Prefetch] | None:
    if value is None:
        return None
    return [_prefetch(entry, shapes, stored) for entry in (value if isinstance(value, list) else [value])]


def _prefetch(value: object, shapes: Shapes, stored: Stored) -> edge.Prefetch:
    doc = mapping(value, "prefetch")
    if doc.get("lookup_from") is not None:
        raise unsupported("lookup_from")
    wanted, used = _query(doc, shapes, stored)
    with reading("prefetch"):
        return edge.Prefetch(
            limit=_limit(doc, _LIMIT),
            query=wanted,
            prefetches=_prefetches(doc.get("prefetch"), shapes, stored),
            params=search_params(doc.get("params")),
            filter=_without(filter_of(doc.get("filter")), used),
            score_threshold=number(doc, "score_threshold"),
        )


def _query(doc: Doc, shapes: Shapes, stored: Stored) -> tuple[Any, list[int | str]]:
    """What to score by, and the ids of points that stand in it."""
    value = doc.get("query")
    using = text(doc, "using") or ""
    if isinstance(value, Mapping) and "indices" not in value:
        return _named_query(value, using, shapes, stored)
    return _nearest(value, using, shapes, stored)


def _nearest(value: object, using: str, shapes: Shapes, stored: Stored) -> tuple[Any, list[int | str]]:
    if value is None:
        return None, []
    if isinstance(value, list | array | Mapping):
        return edge.Query.Nearest(one_vector(value, using, shapes), using=using or None), []
    identity = point_id(value)
    return edge.Query.Nearest(stored(identity, using), using=using or None), [identity]


def _named_query(value: Doc, using: str, shapes: Shapes, stored: Stored) -> tuple[Any, list[int | str]]:
    if "model" in value:
        raise unsupported("inference (text or images instead of vectors)")
    if value.get("nearest") is not None:
        if value.get("mmr") is not None:
            raise unsupported("an mmr query")
        return _nearest(value["nearest"], using, shapes, stored)
    for word, read in _QUERIES.items():
        if word in value:
            return read(value[word]), []
    for word in ("recommend", "discover", "context", "formula", "relevance_feedback"):
        if word in value:
            raise unsupported(f"a {word} query")
    raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum QueryInterface")


def _rrf(value: object) -> edge.Fusion.Rrf:
    doc = mapping(value, "rrf")
    k = whole(doc, "k", minimum=1, within="query.rrf.")
    weights = doc.get("weights")
    with reading("query.rrf"):
        shares = None if weights is None else items(weights, "weights")
        return edge.Fusion.Rrf(_RRF_K if k is None else k, shares)


def _fusion(value: object) -> Any:
    return choice(value, "query.fusion", {"rrf": edge.Fusion.Rrf(_RRF_K), "dbsf": edge.Fusion.Dbsf()})


def _sample(value: object) -> edge.Sample:
    return choice(value, "query.sample", {"random": edge.Sample.Random})


_QUERIES: dict[str, Callable[[object], Any]] = {
    "fusion": _fusion,
    "rrf": _rrf,
    "order_by": order_by,
    "sample": _sample,
}
