"""What Qdrant's gRPC messages mean in the words of its REST interface."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.provider.qdrant_engine.errors import Refused
from harness.provider.qdrant_engine.grpc_in import filter_in, point_id, value, vector, with_payload, with_vectors
from harness.provider.qdrant_engine.grpc_out import id_out, point_out
from harness.provider.qdrant_engine.grpc_queries import query, scroll, search
from harness.provider.qdrant_engine.grpc_updates import delete, set_payload, upsert
from harness.provider.qdrant_engine.messages import message

Plain = dict[str, Any]
Fill = Callable[[Any, Any, bool], None]  # a message, with a result, in the newer form or not
STATUSES = {1: "acknowledged", 2: "completed"}


class QdrantMessages:
    """The methods on points, as far as the contracts have them."""

    def request(self, method: str, message: bytes) -> Plain:
        """The parts of the request that REST would have had; ValueError for a message that can't be read."""
        kind, read = _REQUESTS[_name(method)]
        given = _parsed(kind, message)
        try:
            body = _bare(read(given))
        except Refused as refused:
            raise ValueError(str(refused)) from refused
        waits = "wait" in given.DESCRIPTOR.fields_by_name and given.HasField("wait")
        return {"path": {"collection": given.collection_name}, "query": {"wait": given.wait} if waits else {}, "body": body}

    def response(self, method: str, message: bytes, body: Any) -> Plain:
        """The body of the answer; what was asked for tells an empty payload from none, which look the same in a message."""
        kind, read = _ANSWERS[_name(method)]
        given = _parsed(kind, message)
        return {"result": read(given, dict(body) if isinstance(body, Mapping) else {}), "status": "ok", "time": given.time}

    def answer(self, method: str, body: Any, like: bytes) -> bytes:
        """The message that says what a body does, as far as messages have words for it; what they have none for is left out.

        Vectors are in the form that the provider's own answer has them in, if it has any.
        """
        kind, _ = _ANSWERS[_name(method)]
        made, result = message(kind)(time=body["time"]), body["result"]
        _FILLED[_name(method)](made, result, not like or _is_newer(_parsed(kind, like)))
        return bytes(made.SerializeToString())


def _parsed(kind: str, data: bytes) -> Any:
    try:
        return message(kind).FromString(data)
    except Exception as error:
        raise ValueError(f"no {kind}: {error}") from error  # protobuf's own error is not to be imported here


def _name(method: str) -> str:
    return method.rpartition("/")[2]


def _bare(given: Any) -> Any:
    """Plain JSON: single floats as the shortest numbers that mean them, and without what is not said, payloads as they are."""
    match given:
        case array():
            return [_shortest(each) for each in given]
        case {"include": list(names)} if len(given) == 1:
            return names
        case Mapping():
            return {name: each if name == "payload" else _threshold(name, _bare(each)) for name, each in given.items() if each is not None}
        case list() | tuple():
            return [_bare(each) for each in given]
    return given


def _threshold(name: str, given: Any) -> Any:
    return _shortest(given) if name == "score_threshold" else given


def _shortest(single: float) -> float:
    return float(str(np.float32(single)))


# Requests


def _upsert(given: Any) -> Plain:
    """The points; an empty payload is none, for on the wire they are the same."""
    body = upsert(given)
    return {**body, "points": [{name: each for name, each in point.items() if name != "payload" or each} for point in body["points"]]}


def _retrieve(given: Any) -> Plain:
    return {
        "ids": [point_id(each) for each in given.ids],
        "with_payload": with_payload(given.with_payload),
        "with_vector": with_vectors(given.with_vectors),
    }


def _count(given: Any) -> Plain:
    body: Plain = {"exact": given.exact} if given.HasField("exact") else {}
    return {**body, "filter": filter_in(given.filter)} if given.HasField("filter") else body


def _filtered(read: Callable[[Any], Plain]) -> Callable[[Any], Plain]:
    """No filter and one without a condition mean the same, and may look the same: it is read as the latter."""

    def body(given: Any) -> Plain:
        found = read(given)
        return {**found, "filter": found.get("filter") or {"must": []}}

    return body


def _together(field: str, read: Callable[[Any], Plain]) -> Callable[[Any], Plain]:
    return lambda given: {"searches": [read(each) for each in getattr(given, field)]}


_REQUESTS: dict[str, tuple[str, Callable[[Any], Plain]]] = {
    "Upsert": ("UpsertPoints", _upsert),
    "Get": ("GetPoints", _retrieve),
    "Delete": ("DeletePoints", delete),
    "SetPayload": ("SetPayloadPoints", set_payload),
    "Scroll": ("ScrollPoints", _filtered(scroll)),
    "Count": ("CountPoints", _filtered(_count)),
    "Query": ("QueryPoints", _filtered(query)),
    "QueryBatch": ("QueryBatchPoints", _together("query_points", _filtered(query))),
    "Search": ("SearchPoints", _filtered(search)),
    "SearchBatch": ("SearchBatchPoints", _together("search_points", _filtered(search))),
}


# Answers


def _id(given: Any) -> int | str:
    return int(given.num) if given.WhichOneof("point_id_options") == "num" else str(given.uuid)


def _points(given: Any, body: Plain) -> list[Plain]:
    return [_point(each, body) for each in given.result]


def _point(given: Any, body: Plain) -> Plain:
    found: Plain = {"id": _id(given.id)}
    if "score" in given.DESCRIPTOR.fields_by_name:
        found |= {"score": given.score, "version": given.version}
    wanted = body.get("with_payload")
    if wanted not in (None, False) or given.payload:
        found["payload"] = {name: value(each) for name, each in given.payload.items()}
    if given.HasField("vectors"):
        held = vector(given.vectors.vector) if given.vectors.WhichOneof("vectors_options") == "vector" else {}
        found["vector"] = _listed(held)
    return found


def _lists(given: Any, body: Plain) -> list[list[Plain]]:
    """A list for each search; more of them than there are searches are read as if they were the last one's."""
    searches = body.get("searches") or [{}]
    return [_points(found, searches[min(number, len(searches) - 1)]) for number, found in enumerate(given.result)]


def _listed(held: Any) -> Any:
    """A vector as JSON has it, of whatever kind: dense, of several rows, or sparse."""
    match held:
        case array():
            return list(held)
        case list():
            return [_listed(each) for each in held]
        case Mapping():
            return {name: _listed(each) for name, each in held.items()}
    return held


def _page(given: Any, body: Plain) -> Plain:
    following = _id(given.next_page_offset) if given.HasField("next_page_offset") else None
    return {"points": _points(given, body), "next_page_offset": following}


def _update(given: Any, body: Plain) -> Plain:
    return {"operation_id": given.result.operation_id, "status": STATUSES.get(given.result.status, "unknown")}


_ANSWERS: dict[str, tuple[str, Callable[[Any, Plain], Any]]] = {
    "Upsert": ("PointsOperationResponse", _update),
    "Get": ("GetResponse", _points),
    "Delete": ("PointsOperationResponse", _update),
    "SetPayload": ("PointsOperationResponse", _update),
    "Scroll": ("ScrollResponse", _page),
    "Count": ("CountResponse", lambda given, body: {"count": given.result.count}),
    "Query": ("QueryResponse", lambda given, body: {"points": _points(given, body)}),
    "QueryBatch": ("QueryBatchResponse", lambda given, body: [{"points": points} for points in _lists(given, body)]),
    "Search": ("SearchResponse", _points),
    "SearchBatch": ("SearchBatchResponse", _lists),
}


# Answers that are made up


def _is_newer(given: Any) -> bool:
    """Whether vectors are in the form of 1.16; also where there are none."""
    found = given.result if isinstance(given.result, Sequence) else []
    points = [point for each in found for point in (each.result if each.DESCRIPTOR.name == "BatchResult" else [each])]
    return all(point.vectors.vector.HasField("dense") for point in points if point.HasField("vectors"))


def _filling(kind: str, points: Callable[[Any], Any] = lambda result: result) -> Fill:
    def fill(made: Any, result: Any, newer: bool) -> None:
        made.result.extend(point_out(each, message(kind), newer=newer) for each in points(result))

    return fill


def _filling_lists(points: Callable[[Any], Any] = lambda each: each) -> Fill:
    def fill(made: Any, result: Any, newer: bool) -> None:
        for each in result:
            _filling("ScoredPoint", points)(made.result.add(), each, newer)

    return fill


def _fill_page(made: Any, result: Any, newer: bool) -> None:
    _filling("RetrievedPoint")(made, result["points"], newer)
    if result["next_page_offset"] is not None:
        made.next_page_offset.CopyFrom(id_out(result["next_page_offset"]))


def _fill_update(made: Any, result: Any, newer: bool) -> None:
    numbers = {name: number for number, name in STATUSES.items()}
    made.result.operation_id, made.result.status = result["operation_id"], numbers.get(result["status"], 0)


def _fill_count(made: Any, result: Any, newer: bool) -> None:
    made.result.count = result["count"]


_FILLED: dict[str, Fill] = {
    "Upsert": _fill_update,
    "Get": _filling("RetrievedPoint"),
    "Delete": _fill_update,
    "SetPayload": _fill_update,
    "Scroll": _fill_page,
    "Count": _fill_count,
    "Query": _filling("ScoredPoint", lambda result: result["points"]),
    "QueryBatch": _filling_lists(lambda each: each["points"]),
    "Search": _filling("ScoredPoint"),
    "SearchBatch": _filling_lists(),
}
