"""gRPC requests to the plain form that REST requests have."""

from array import array
from collections.abc import Callable
from typing import Any

from harness.provider.qdrant_engine.errors import Kind, Refused, reading

Plain = dict[str, Any]
# Messages are typed Any: their classes are made at run time.
_BOUNDS = ("lt", "gt", "gte", "lte")


def point_id(given: Any) -> int | str:
    match given.WhichOneof("point_id_options"):
        case "num":
            return int(given.num)
        case "uuid":
            return str(given.uuid)
    raise Refused(Kind.FORMAT, "a point id is empty: give either num or uuid")


def value(given: Any) -> Any:
    """A payload value."""
    match given.WhichOneof("kind"):
        case "integer_value":
            return given.integer_value
        case "string_value":
            return given.string_value
        case "double_value":
            return given.double_value
        case "bool_value":
            return given.bool_value
        case "struct_value":
            return values(given.struct_value.fields)
        case "list_value":
            return [value(entry) for entry in given.list_value.values]
    return None


def values(given: Any) -> Plain:
    return {key: value(entry) for key, entry in given.items()}


def floats(packed: bytes) -> Any:
    """Packed floats; no Python object is made for any of them."""
    with reading("vector"):
        return array("f", packed)


def vector(given: Any) -> Any:
    """A vector in its newer form, or in the one before."""
    match given.WhichOneof("vector"):
        case "dense":
            return floats(given.dense.data)
        case "sparse":
            return _sparse(given.sparse)
        case "multi_dense":
            return _multiple(given.multi_dense)
        case None:
            return _older_vector(given)
    return {"model": "…"}  # text, an image or an object: to be refused


def _older_vector(given: Any) -> Any:
    flat = floats(given.data)
    if given.HasField("indices"):
        return {"indices": list(given.indices.data), "values": list(flat)}
    if given.HasField("vectors_count") and given.vectors_count:
        step = len(flat) // given.vectors_count
        return [flat[start : start + step] for start in range(0, len(flat), step or 1)]
    return flat


def _sparse(given: Any) -> Plain:
    return {"indices": list(given.indices), "values": list(given.values)}


def _multiple(given: Any) -> list[Any]:
    return [floats(row.data) for row in given.vectors]


def vectors(given: Any) -> Any:
    """The vectors of a point: one, or several by name; none at all is an empty set of names."""
    match given.WhichOneof("vectors_options"):
        case "vector":
            return vector(given.vector)
        case "vectors":
            return {name: vector(entry) for name, entry in given.vectors.vectors.items()}
    return {}


def selected(given: Any) -> Plain:
    """Points by their ids or by a filter."""
    match given.WhichOneof("points_selector_one_of"):
        case "points":
            return {"points": [point_id(entry) for entry in given.points.ids]}
        case "filter":
            return {"filter": filter_in(given.filter)}
    return {}


def with_payload(given: Any) -> Any:
    match given.WhichOneof("selector_options"):
        case "enable":
            return given.enable
        case "include":
            return {"include": list(given.include.fields)}
        case "exclude":
            return {"exclude": list(given.exclude.fields)}
    return None


def with_vectors(given: Any) -> Any:
    match given.WhichOneof("selector_options"):
        case "enable":
            return given.enable
        case "include":
            return list(given.include.names)
    return None


def fields(given: Any) -> Plain:
    """The fields that are set, by name: for messages whose fields are called as in REST."""
    return {field.name: _field(field, entry) for field, entry in given.ListFields()}


def _field(field: Any, entry: Any) -> Any:
    if field.message_type is not None:
        return fields(entry)
    if field.enum_type is not None:
        return _word(field, entry)
    return entry


def word(given: Any, name: str) -> str:
    """The name of the value of an enumeration."""
    return _word(given.DESCRIPTOR.fields_by_name[name], getattr(given, name))


def _word(field: Any, number: int) -> str:
    known = field.enum_type.values_by_number.get(number)
    if known is None:
        raise Refused(Kind.FORMAT, f"{field.name}: unknown value {number} of an enumeration")
    return str(known.name)


def filter_in(given: Any) -> Plain:
    clauses = {clause: [_condition(entry) for entry in getattr(given, clause)] for clause in _CLAUSES}
    plain: Plain = {clause: conditions for clause, conditions in clauses.items() if conditions}
    if given.HasField("min_should"):
        conditions = [_condition(entry) for entry in given.min_should.conditions]
        plain["min_should"] = {"conditions": conditions, "min_count": given.min_should.min_count}
    return plain


_CLAUSES = ("must", "should", "must_not")


def _condition(given: Any) -> Plain:
    kind = given.WhichOneof("condition_one_of")
    read = _CONDITIONS.get(kind)
    if read is None:
        raise Refused(Kind.BAD_REQUEST, f"the condition {kind} is not supported by the embedded engine")
    return read(getattr(given, kind))


_CONDITIONS: dict[str, Callable[[Any], Plain]] = {
    "field": lambda given: _field_condition(given),  # noqa: PLW0108 - it is defined below
    "filter": filter_in,
    "is_empty": lambda given: {"is_empty": {"key": given.key}},
    "is_null": lambda given: {"is_null": {"key": given.key}},
    "has_id": lambda given: {"has_id": [point_id(entry) for entry in given.has_id]},
    "has_vector": lambda given: {"has_vector": given.has_vector},
    "nested": lambda given: {"nested": {"key": given.key, "filter": filter_in(given.filter)}},
}


def _field_condition(given: Any) -> Plain:
    plain: Plain = {"key": given.key}
    for part, read in _PARTS.items():
        if given.HasField(part):
            plain["range" if part == "datetime_range" else part] = read(getattr(given, part))
    return plain


def _match(given: Any) -> Plain:
    kind = given.WhichOneof("match_value")
    word, read = _MATCHES.get(kind, (None, None))
    if word is None or read is None:
        raise Refused(Kind.BAD_REQUEST, f"the match {kind} is not supported by the embedded engine")
    return {word: read(getattr(given, kind))}


def _same(given: Any) -> Any:
    return given


def _strings(given: Any) -> list[str]:
    return list(given.strings)


def _integers(given: Any) -> list[int]:
    return list(given.integers)


_MATCHES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "keyword": ("value", _same),
    "integer": ("value", _same),
    "boolean": ("value", _same),
    "text": ("text", _same),
    "text_any": ("text_any", _same),
    "phrase": ("phrase", _same),
    "keywords": ("any", _strings),
    "integers": ("any", _integers),
    "except_keywords": ("except", _strings),
    "except_integers": ("except", _integers),
}


def _bounds(given: Any) -> Plain:
    return {bound: getattr(given, bound) for bound in _BOUNDS if given.HasField(bound)}


def moment(given: Any) -> str:
    with reading("timestamp"):
        return f"{given.ToDatetime().isoformat()}Z"


def _moments(given: Any) -> Plain:
    return {bound: moment(limit) for bound, limit in _bounds(given).items()}


def _point(given: Any) -> Plain:
    return {"lon": given.lon, "lat": given.lat}


def _ring(given: Any) -> Plain:
    return {"points": [_point(entry) for entry in given.points]}


_PARTS: dict[str, Callable[[Any], Any]] = {
    "match": _match,
    "range": _bounds,
    "datetime_range": _moments,
    "values_count": _bounds,
    "geo_bounding_box": lambda given: {
        "top_left": _point(given.top_left),
        "bottom_right": _point(given.bottom_right),
    },
    "geo_radius": lambda given: {"center": _point(given.center), "radius": given.radius},
    "geo_polygon": lambda given: {
        "exterior": _ring(given.exterior),
        "interiors": [_ring(hole) for hole in given.interiors],
    },
    "is_empty": _same,
    "is_null": _same,
}
