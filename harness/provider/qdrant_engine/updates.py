"""Updates as they stand in a request, to operations of the engine."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from harness.provider.qdrant_engine import edge
from harness.provider.qdrant_engine.errors import Kind, Refused, reading, unsupported
from harness.provider.qdrant_engine.fields import Doc, choice, items, mapping, required, strings, text, wrong
from harness.provider.qdrant_engine.filters import filter_of
from harness.provider.qdrant_engine.selectors import point_id, point_ids
from harness.provider.qdrant_engine.vectors import Shapes, point_vector

Row = tuple[Any, Any, Any]
_MODES = {
    "upsert": edge.UpdateMode.Upsert,
    "insert_only": edge.UpdateMode.InsertOnly,
    "update_only": edge.UpdateMode.UpdateOnly,
}


def operation_of(kind: str, body: object, shapes: Shapes) -> edge.UpdateOperation:
    """The operation for one of the kinds of update in ``KINDS``."""
    doc = mapping(body, kind)
    if doc.get("shard_key") is not None:
        raise unsupported("a shard key")
    operation: edge.UpdateOperation = KINDS[kind](doc, shapes)
    return operation


def _upsert(doc: Doc, shapes: Shapes) -> edge.UpdateOperation:
    mode = doc.get("update_mode")
    points = _points(_rows(doc), shapes)
    _not_empty(points)
    return edge.UpdateOperation.upsert_points(
        points,
        filter_of(doc.get("update_filter"), "update_filter"),
        None if mode is None else choice(mode, "update_mode", _MODES),
    )


def _points(rows: Iterable[Row], shapes: Shapes) -> list[edge.Point]:
    """All of them read; a vector that does not fit the collection is told when everything is well written."""
    found: list[edge.Point] = []
    unfit: Refused | None = None
    for number, (identity, vector, payload) in enumerate(rows):
        identified = point_id(identity)
        if payload is not None and not isinstance(payload, dict):
            raise wrong(f"points[{number}].payload", payload, "a map")
        try:
            found.append(edge.Point(identified, point_vector(vector, shapes), payload))
        except Refused as refusal:
            if refusal.kind is not Kind.BAD_INPUT:
                raise
            unfit = unfit or refusal
        except (TypeError, ValueError, OverflowError) as error:
            first = str(error).splitlines()[0]
            raise Refused(Kind.FORMAT, f"points[{number}]: {first}") from error
    if unfit is not None:
        raise unfit
    return found


def _rows(doc: Doc) -> Iterator[Row]:
    """The points of either form of an upsert."""
    if "batch" in doc:  # it is looked for first: beside it, `points` is not read
        return _batched(mapping(doc["batch"], "batch"))
    if "points" in doc:
        return _listed(items(doc["points"], "points"))
    raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum PointInsertOperations")


def _listed(points: list[Any]) -> Iterator[Row]:
    for number, point in enumerate(points):
        doc = mapping(point, f"points[{number}]")
        yield required(doc, "id"), required(doc, "vector"), doc.get("payload")


def _batched(batch: Doc) -> Iterator[Row]:
    ids = items(required(batch, "ids"), "ids")
    vectors = required(batch, "vectors")
    if isinstance(vectors, dict):
        for column in vectors.values():
            _same_length(ids, items(column, "vectors"), "vectors")
        rows = [dict(zip(vectors, row, strict=True)) for row in zip(*vectors.values(), strict=True)]
    else:
        rows = items(vectors, "vectors")
    _same_length(ids, rows, "vectors")
    payloads = batch.get("payloads")
    if payloads is None:
        payloads = [None] * len(ids)
    _same_length(ids, items(payloads, "payloads"), "payloads")
    return zip(ids, rows, payloads, strict=True)


def _same_length(ids: list[Any], column: list[Any], what: str) -> None:
    if len(ids) != len(column):
        counts = f"({len(ids)} != {len(column)})"
        raise Refused(Kind.VALIDATION, f"[batch: number of ids and {what} must be equal {counts}]")


def _not_empty(values: list[Any]) -> None:
    if not values:
        raise Refused(Kind.BAD_REQUEST, "Empty update request")


def _ids(value: object) -> list[Any]:
    found = point_ids(items(value, "points"))
    _not_empty(found)
    return found


def _selected(doc: Doc, by_id: Callable[..., Any], by_filter: Callable[..., Any], *rest: Any) -> Any:
    """An operation on the points that a list of ids, or else a filter, selects."""
    if doc.get("points") is not None:
        ids = _ids(doc["points"])
        with reading("update"):
            return by_id(ids, *rest)
    if doc.get("filter") is not None:
        wanted = filter_of(doc["filter"])
        with reading("update"):
            return by_filter(wanted, *rest)
    raise Refused(Kind.FORMAT, "data did not match any variant: give either `points` or `filter`")


def _delete(doc: Doc, shapes: Shapes) -> Any:
    kinds = edge.UpdateOperation
    return _selected(doc, kinds.delete_points, kinds.delete_points_by_filter)


def _clear_payload(doc: Doc, shapes: Shapes) -> Any:
    kinds = edge.UpdateOperation
    return _selected(doc, kinds.clear_payload, kinds.clear_payload_by_filter)


def _set_payload(doc: Doc, shapes: Shapes) -> Any:
    kinds = edge.UpdateOperation
    return _selected(doc, kinds.set_payload, kinds.set_payload_by_filter, _payload(doc), text(doc, "key"))


def _overwrite_payload(doc: Doc, shapes: Shapes) -> Any:
    kinds = edge.UpdateOperation
    rest = _payload(doc), text(doc, "key")
    return _selected(doc, kinds.overwrite_payload, kinds.overwrite_payload_by_filter, *rest)


def _payload(doc: Doc) -> Doc:
    return mapping(required(doc, "payload"), "payload")


def _delete_payload(doc: Doc, shapes: Shapes) -> Any:
    kinds = edge.UpdateOperation
    keys = strings(required(doc, "keys"), "keys")
    return _selected(doc, kinds.delete_payload, kinds.delete_payload_by_filter, keys)


def _update_vectors(doc: Doc, shapes: Shapes) -> edge.UpdateOperation:
    changes = []
    for point in items(required(doc, "points"), "points"):
        entry = mapping(point, "point")
        vector = point_vector(required(entry, "vector"), shapes)
        changes.append(edge.PointVectors(point_id(required(entry, "id")), vector))
    _not_empty(changes)
    return edge.UpdateOperation.update_vectors(changes, filter_of(doc.get("update_filter"), "update_filter"))


def _delete_vectors(doc: Doc, shapes: Shapes) -> Any:
    kinds = edge.UpdateOperation
    names = strings(required(doc, "vector"), "vector")
    for name in names:
        if name not in shapes.dense and name not in shapes.sparse:
            raise Refused(Kind.BAD_INPUT, f"Not existing vector name error: {name}")
    return _selected(doc, kinds.delete_vectors, kinds.delete_vectors_by_filter, names)


# The names are those of the operations of a batch update, POST …/points/batch.
KINDS: dict[str, Callable[[Doc, Shapes], Any]] = {
    "upsert": _upsert,
    "delete": _delete,
    "set_payload": _set_payload,
    "overwrite_payload": _overwrite_payload,
    "delete_payload": _delete_payload,
    "clear_payload": _clear_payload,
    "update_vectors": _update_vectors,
    "delete_vectors": _delete_vectors,
}
