"""gRPC searches, queries and scrolls to the plain form that REST requests have."""

from typing import Any

from harness.provider.qdrant_engine.errors import unsupported
from harness.provider.qdrant_engine.grpc_in import (
    Plain,
    fields,
    filter_in,
    floats,
    moment,
    point_id,
    with_payload,
    with_vectors,
    word,
)


def query(given: Any) -> Plain:
    plain = _common(given)
    plain |= _selection(given)
    return plain


def _prefetch(given: Any) -> Plain:
    return _common(given)


def _common(given: Any) -> Plain:
    """What a query and a prefetch have in common."""
    plain: Plain = {name: getattr(given, name) for name in ("using", "limit", "offset") if _has(given, name)}
    if given.HasField("query"):
        plain["query"] = _wanted(given.query)
    if given.prefetch:
        plain["prefetch"] = [_prefetch(entry) for entry in given.prefetch]
    if given.HasField("lookup_from"):
        raise unsupported("lookup_from")
    _filtering(given, plain)
    return plain


def _has(given: Any, name: str) -> bool:
    return name in given.DESCRIPTOR.fields_by_name and given.HasField(name)


def _filtering(given: Any, plain: Plain) -> None:
    if given.HasField("filter"):
        plain["filter"] = filter_in(given.filter)
    if given.HasField("params"):
        plain["params"] = fields(given.params)
    if given.HasField("score_threshold"):
        plain["score_threshold"] = given.score_threshold


def _selection(given: Any) -> Plain:
    if given.HasField("shard_key_selector"):
        raise unsupported("a shard key")
    return {
        "with_payload": with_payload(given.with_payload),
        "with_vector": with_vectors(given.with_vectors),
    }


def _wanted(given: Any) -> Any:
    """What to score by."""
    match given.WhichOneof("variant"):
        case "nearest":
            return _input(given.nearest)
        case "fusion":
            return {"fusion": word(given, "fusion").lower()}
        case "rrf":
            return {"rrf": {"k": given.rrf.k or None, "weights": list(given.rrf.weights) or None}}
        case "order_by":
            return {"order_by": order_by(given.order_by)}
        case "sample":
            return {"sample": "random"}
        case other:
            raise unsupported(f"a query of the kind {other}")


def _input(given: Any) -> Any:
    match given.WhichOneof("variant"):
        case "id":
            return point_id(given.id)
        case "dense":
            return floats(given.dense.data)
        case "sparse":
            return {"indices": list(given.sparse.indices), "values": list(given.sparse.values)}
        case "multi_dense":
            return [floats(row.data) for row in given.multi_dense.vectors]
    raise unsupported("inference (text or images instead of vectors)")


def order_by(given: Any) -> Plain:
    plain: Plain = {"key": given.key}
    if given.HasField("direction"):
        plain["direction"] = word(given, "direction").lower()
    if given.HasField("start_from"):
        kind = given.start_from.WhichOneof("value")
        start = getattr(given.start_from, kind) if kind else None
        plain["start_from"] = moment(start) if kind == "timestamp" else start
    return plain


def search(given: Any) -> Plain:
    """A search of the older kind."""
    vector: Any = floats(given.vector)
    if given.HasField("sparse_indices"):
        vector = {"indices": list(given.sparse_indices.data), "values": list(vector)}
    plain: Plain = {"vector": vector, "limit": given.limit} | _selection(given)
    if given.HasField("vector_name"):
        plain["vector"] = {"name": given.vector_name, "vector": vector}
    if given.HasField("offset"):
        plain["offset"] = given.offset
    _filtering(given, plain)
    return plain


def scroll(given: Any) -> Plain:
    plain = _selection(given)
    if given.HasField("limit"):
        plain["limit"] = given.limit
    if given.HasField("offset"):
        plain["offset"] = point_id(given.offset)
    if given.HasField("filter"):
        plain["filter"] = filter_in(given.filter)
    if given.HasField("order_by"):
        plain["order_by"] = order_by(given.order_by)
    return plain
