"""A filter as it stands in a request, to a filter of the engine."""

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.provider.qdrant_engine import edge
from harness.provider.qdrant_engine.errors import Kind, Refused, reading
from harness.provider.qdrant_engine.fields import Doc, items, mapping, required, shown, strings, whole, wrong
from harness.provider.qdrant_engine.selectors import point_ids

_CLAUSES = ("must", "should", "must_not")


def filter_of(value: object, name: str = "filter") -> edge.Filter | None:
    """The engine's filter; None when there is none."""
    if value is None:
        return None
    doc = mapping(value, name)
    unknown = set(doc) - {*_CLAUSES, "min_should"}
    if unknown:
        expected = "one of `should`, `min_should`, `must`, `must_not`"
        raise Refused(Kind.FORMAT, f"{name}: unknown field `{min(unknown)}`, expected {expected}")
    clauses = {clause: _conditions(doc.get(clause), clause) for clause in _CLAUSES}
    return edge.Filter(**clauses, min_should=_min_should(doc.get("min_should")))


def _conditions(value: object, name: str) -> list[Any] | None:
    """Conditions of a clause; a single one may stand without its list."""
    if value is None:
        return None
    return [_condition(entry) for entry in (value if isinstance(value, list) else [value])]


def _min_should(value: object) -> edge.MinShould | None:
    if value is None:
        return None
    doc = mapping(value, "min_should")
    conditions = _conditions(required(doc, "conditions"), "min_should") or []
    return edge.MinShould(conditions, whole(doc, "min_count") or 0)


def _condition(value: object) -> Any:
    doc = mapping(value, "condition")
    if "key" in doc and "nested" not in doc:
        return _field(doc)
    for word, read in _CONDITIONS.items():
        if word in doc:
            return read(doc[word])
    if not doc or set(doc) & {*_CLAUSES, "min_should"}:
        return filter_of(doc)
    raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum Condition")


def _key(value: object) -> str:
    key = required(mapping(value, "condition"), "key")
    if not isinstance(key, str):
        raise wrong("key", key, "a string")
    return key


def _nested(value: object) -> edge.NestedCondition:
    key = _key(value)
    inner = filter_of(required(mapping(value, "nested"), "filter"))
    with reading("nested"):
        return edge.NestedCondition(key, inner or edge.Filter())


def _is_empty(value: object) -> edge.IsEmptyCondition:
    with reading("is_empty"):
        return edge.IsEmptyCondition(_key(value))


def _is_null(value: object) -> edge.IsNullCondition:
    with reading("is_null"):
        return edge.IsNullCondition(_key(value))


def _has_id(value: object) -> edge.HasIdCondition:
    return edge.HasIdCondition(set(point_ids(items(value, "has_id"))))


def _has_vector(value: object) -> edge.HasVectorCondition:
    if not isinstance(value, str):
        raise wrong("has_vector", value, "a string")
    return edge.HasVectorCondition(value)


_CONDITIONS: dict[str, Callable[[object], Any]] = {
    "nested": _nested,
    "is_empty": _is_empty,
    "is_null": _is_null,
    "has_id": _has_id,
    "has_vector": _has_vector,
}


def _field(doc: Doc) -> edge.FieldCondition:
    given = {part: read(doc[part]) for part, read in _PARTS.items() if doc.get(part) is not None}
    if not given:
        raise Refused(Kind.VALIDATION, "[filter: At least one field condition must be specified]")
    with reading("condition"):
        return edge.FieldCondition(_key(doc), **given)


def _match(value: object) -> Any:
    doc = mapping(value, "match")
    for word, read in _MATCHES.items():
        if word in doc:
            return read(doc[word], word)
    raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum MatchInterface")


def _match_value(value: object, word: str) -> edge.MatchValue:
    if isinstance(value, bool):
        # The engine takes Python's bool, which is an int, for a number; numpy's it takes for a boolean.
        value = np.bool_(value)
    elif not isinstance(value, str | int):
        raise wrong(f"match.{word}", value, "a string, a whole number or a boolean")
    with reading("match.value"):
        return edge.MatchValue(value)  # type: ignore[arg-type]  # the stub doesn't know numpy's bool


def _words(make: Callable[[str], Any]) -> Callable[[object, str], Any]:
    def read(value: object, word: str) -> Any:
        if not isinstance(value, str):
            raise wrong(f"match.{word}", value, "a string")
        return make(value)

    return read


def _variants(make: Callable[[Any], Any]) -> Callable[[object, str], Any]:
    def read(value: object, word: str) -> Any:
        listed = items(value, f"match.{word}")
        if listed and isinstance(listed[0], int) and not isinstance(listed[0], bool):
            for entry in listed:
                if isinstance(entry, bool) or not isinstance(entry, int):
                    raise wrong(f"match.{word}", entry, "a whole number")
        else:
            strings(listed, f"match.{word}")
        with reading(f"match.{word}"):
            return make(listed)

    return read


_MATCHES: dict[str, Callable[[object, str], Any]] = {
    "value": _match_value,
    "text": _words(edge.MatchText),
    "text_any": _words(edge.MatchTextAny),
    "phrase": _words(edge.MatchPhrase),
    "any": _variants(edge.MatchAny),
    "except": _variants(edge.MatchExcept),
}
_BOUNDS = ("gt", "gte", "lt", "lte")


def _range(value: object) -> Any:
    doc = mapping(value, "range")
    bounds = {bound: doc[bound] for bound in _BOUNDS if doc.get(bound) is not None}
    moments = [isinstance(limit, str) for limit in bounds.values()]
    if any(moments):
        if not all(moments):
            raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum RangeInterface")
        with reading("range"):
            return edge.RangeDateTime(**bounds)
    for bound, limit in bounds.items():
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise wrong(f"range.{bound}", limit, "a number or a date and time")
    return edge.RangeFloat(**bounds)


def _values_count(value: object) -> edge.ValuesCount:
    doc = mapping(value, "values_count")
    return edge.ValuesCount(**{bound: whole(doc, bound) for bound in _BOUNDS})


def _geo_point(value: object) -> edge.GeoPoint:
    doc = mapping(value, "geo point")
    with reading("geo point"):
        return edge.GeoPoint(required(doc, "lon"), required(doc, "lat"))


def _geo_bounding_box(value: object) -> edge.GeoBoundingBox:
    doc = mapping(value, "geo_bounding_box")
    corners = _geo_point(required(doc, "top_left")), _geo_point(required(doc, "bottom_right"))
    return edge.GeoBoundingBox(*corners)


def _geo_radius(value: object) -> edge.GeoRadius:
    doc = mapping(value, "geo_radius")
    with reading("geo_radius"):
        return edge.GeoRadius(_geo_point(required(doc, "center")), required(doc, "radius"))


def _ring(value: object) -> list[edge.GeoPoint]:
    points = items(required(mapping(value, "geo_polygon"), "points"), "points")
    return [_geo_point(point) for point in points]


def _geo_polygon(value: object) -> edge.GeoPolygon:
    doc = mapping(value, "geo_polygon")
    holes = [_ring(hole) for hole in items(doc.get("interiors") or [], "interiors")]
    with reading("geo_polygon"):
        return edge.GeoPolygon(_ring(required(doc, "exterior")), holes)


def _present(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(Kind.FORMAT, f"invalid type: {shown(value)}, expected a boolean")
    return value


_PARTS: dict[str, Callable[[object], Any]] = {
    "match": _match,
    "range": _range,
    "values_count": _values_count,
    "geo_bounding_box": _geo_bounding_box,
    "geo_radius": _geo_radius,
    "geo_polygon": _geo_polygon,
    "is_empty": _present,
    "is_null": _present,
}
