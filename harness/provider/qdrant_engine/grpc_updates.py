"""gRPC updates to the plain form that REST requests have."""

from collections.abc import Callable
from typing import Any

from harness.provider.qdrant_engine.errors import Kind, Refused
from harness.provider.qdrant_engine.grpc_in import (
    Plain,
    filter_in,
    point_id,
    selected,
    values,
    vectors,
    word,
)


def upsert(given: Any) -> Plain:
    points = [
        {"id": point_id(point.id), "vector": vectors(point.vectors), "payload": values(point.payload)}
        for point in given.points
    ]
    return {"points": points} | _conditions(given)


def delete(given: Any) -> Plain:
    return selected(given.points)


def set_payload(given: Any) -> Plain:
    plain = selected(given.points_selector) | {"payload": values(given.payload)}
    if given.HasField("key"):
        plain["key"] = given.key
    return plain


def delete_payload(given: Any) -> Plain:
    return selected(given.points_selector) | {"keys": list(given.keys)}


def update_vectors(given: Any) -> Plain:
    points = [{"id": point_id(point.id), "vector": vectors(point.vectors)} for point in given.points]
    return {"points": points} | _conditions(given)


def delete_vectors(given: Any) -> Plain:
    selector = given.points_selector
    return selected(selector) | {"vector": list(given.vectors.names)}


def _conditions(given: Any) -> Plain:
    """The conditions on an update, and the shard key, which the engine refuses."""
    plain: Plain = {}
    if given.HasField("update_filter"):
        plain["update_filter"] = filter_in(given.update_filter)
    if given.HasField("shard_key_selector"):
        plain["shard_key"] = "given"
    if "update_mode" in given.DESCRIPTOR.fields_by_name and given.HasField("update_mode"):
        plain["update_mode"] = _MODES[word(given, "update_mode")]
    return plain


_MODES = {"Upsert": "upsert", "InsertOnly": "insert_only", "UpdateOnly": "update_only"}
# Under the names of a batch's operations, with the kind of update each is.
BATCHED: dict[str, tuple[str, Callable[[Any], Plain]]] = {
    "upsert": ("upsert", upsert),
    "delete_deprecated": ("delete", selected),
    "set_payload": ("set_payload", set_payload),
    "overwrite_payload": ("overwrite_payload", set_payload),
    "delete_payload": ("delete_payload", delete_payload),
    "clear_payload_deprecated": ("clear_payload", selected),
    "update_vectors": ("update_vectors", update_vectors),
    "delete_vectors": ("delete_vectors", delete_vectors),
    "delete_points": ("delete", delete),
    "clear_payload": ("clear_payload", delete),
}


def batch(given: Any) -> Plain:
    operations = []
    for entry in given.operations:
        name = entry.WhichOneof("operation")
        if name is None:
            raise Refused(Kind.FORMAT, "an operation of the batch is empty")
        kind, read = BATCHED[name]
        operations.append({kind: read(getattr(entry, name))})
    return {"operations": operations}
