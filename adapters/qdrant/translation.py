"""Requests and answers between their form in REST and gRPC's messages."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from adapters.errors import InvalidInput
from adapters.qdrant.messages import message
from adapters.qdrant.points import Point
from adapters.sayable import as_json

Body = Mapping[str, Any]
_OUTERMOST, _DEEPEST = 3, 100  # messages within each other: a request, a point, an entry, a value; what protobuf reads
_STATUSES = {1: "acknowledged", 2: "completed", 3: "clock_rejected"}


def packed_floats(vector: Any) -> bytes:
    """A vector as little-endian 32-bit floats in a row."""
    return np.ascontiguousarray(vector, dtype="<f4").tobytes()


# Requests


@contextmanager
def sayable(what: str) -> Iterator[None]:
    """What gRPC's messages have no room for is invalid input: among others an integer of more than 64 bits."""
    try:
        yield
    except InvalidInput:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"{what} can't be sent over gRPC: {error}") from None


def fill_id(target: Any, value: int | str) -> None:
    if isinstance(value, str):
        target.uuid = value
    else:
        target.num = value


def point(given: Point, *, older: bool) -> bytes:
    """A point as it stands in an upsert; ``older`` is the form before 1.16."""
    made = message("PointStruct")()
    fill_id(made.id, given.id)
    if not isinstance(given.vector, Mapping):
        data = packed_floats(given.vector)
        if older:
            made.vectors.vector.data = data
        else:
            made.vectors.vector.dense.data = data
    fill_payload(made.payload, given.payload or {}, f"the payload of point {given.id}")
    return bytes(made.SerializeToString())


def fill_payload(target: Any, payload: Mapping[str, Any], what: str) -> None:
    """The fields of a payload, each as JSON would say it."""
    written = orjson.loads(as_json(payload, what))
    with sayable(what):
        for key, value in written.items():
            _fill_value(target[key], value, within=_OUTERMOST)


def _fill_value(target: Any, value: Any, *, within: int) -> None:
    if within > _DEEPEST:
        raise ValueError("it is nested too deeply")
    match value:
        case None:
            target.null_value = 0
        case bool():
            target.bool_value = value
        case int():
            target.integer_value = value
        case float():
            target.double_value = value
        case str():
            target.string_value = value
        case dict():
            target.struct_value.SetInParent()
            for key, inner in value.items():
                _fill_value(target.struct_value.fields[key], inner, within=within + 3)  # the struct, its entry, the value
        case _:
            target.list_value.SetInParent()
            for inner in value:
                _fill_value(target.list_value.values.add(), inner, within=within + 2)


def fill_filter(target: Any, given: Body | None) -> None:
    """Conditions that all have to hold."""
    for condition in (given or {}).get("must") or ():
        field = target.must.add().field
        field.key = condition["key"]
        if "range" in condition:
            _fill_range(field, condition["range"])
        elif "any" in condition["match"]:
            _fill_any(field.match, condition["match"]["any"])
        else:
            _fill_match(field.match, condition["match"]["value"])


def _fill_match(target: Any, value: str | int | bool) -> None:
    if isinstance(value, bool):
        target.boolean = value
    elif isinstance(value, int):
        target.integer = value
    else:
        target.keyword = value


def _fill_any(target: Any, values: list[Any]) -> None:
    if values and isinstance(values[0], int):
        target.integers.integers.extend(values)
    else:
        target.keywords.SetInParent()
        target.keywords.strings.extend(values)


def _fill_range(field: Any, bounds: Body) -> None:
    for name, bound in bounds.items():
        if isinstance(bound, str):
            getattr(field.datetime_range, name).FromDatetime(datetime.fromisoformat(bound))
        else:
            setattr(field.range, name, bound)


def fill_selectors(target: Any, body: Body) -> None:
    """What is asked for beside the ids."""
    payload, vector = body.get("with_payload"), body.get("with_vector")
    if isinstance(payload, list):
        target.with_payload.include.fields.extend(payload)
    elif payload is not None:
        target.with_payload.enable = payload
    if isinstance(vector, list):
        target.with_vectors.include.names.extend(vector)
    elif vector is not None:
        target.with_vectors.enable = vector


# Answers


def points_of(given: Any, body: Body) -> list[dict[str, Any]]:
    """Stored or found points; on the wire an empty payload and none are the same, so what was asked for decides."""
    payloads, made = body.get("with_payload"), []
    scored = bool(given) and "score" in given[0].DESCRIPTOR.fields_by_name
    for each in given:
        found: dict[str, Any] = {"id": id_of(each.id)}
        if scored:
            found["score"], found["version"] = each.score, each.version
        if payloads:
            values = each.payload
            found["payload"] = {key: value_of(values[key]) for key in values}
        if each.HasField("vectors"):
            found["vector"] = _single(each.vectors.vector) if each.vectors.WhichOneof("vectors_options") == "vector" else {}
        made.append(found)
    return made


def _single(given: Any) -> Any:
    return np.frombuffer(given.dense.data if given.HasField("dense") else given.data, dtype="<f4")


def id_of(given: Any) -> int | str:
    return given.num if given.HasField("num") else given.uuid  # type: ignore[no-any-return]  # generated at run time


_SIMPLE = frozenset({"string_value", "integer_value", "double_value", "bool_value"})


def value_of(given: Any) -> Any:
    kind = given.WhichOneof("kind")
    if kind in _SIMPLE:
        return getattr(given, kind)
    if kind == "struct_value":
        return {key: value_of(value) for key, value in given.struct_value.fields.items()}
    if kind == "list_value":
        return [value_of(value) for value in given.list_value.values]
    return None


def update_of(given: Any, body: Body) -> dict[str, Any]:
    """What became of an update."""
    return {"operation_id": given.result.operation_id, "status": _STATUSES.get(given.result.status, "unknown")}
