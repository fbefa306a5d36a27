"""Small parts of requests: point ids, what to send back, how to search, how to order."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from harness.provider.qdrant_engine import edge
from harness.provider.qdrant_engine.errors import Kind, Refused, reading
from harness.provider.qdrant_engine.fields import (
    Doc,
    choice,
    flag,
    mapping,
    number,
    required,
    strings,
    text,
    whole,
)

_LARGEST_ID = 2**64 - 1


def point_id(value: object) -> int | str:
    """A point id: an unsigned integer or a UUID, spelled the canonical way."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID:
        return value
    if isinstance(value, str):
        try:
            return str(UUID(value))
        except ValueError:
            pass
    if isinstance(value, bool | int | float | str):
        shown = str(value).lower() if isinstance(value, bool) else value
        allowed = "valid values are either an unsigned integer or a UUID"
        raise Refused(Kind.FORMAT, f"value {shown} is not a valid point ID, {allowed}")
    raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum ExtendedPointId")


def point_ids(values: list[Any]) -> list[int | str]:
    return [point_id(value) for value in values]


def with_payload(value: object, *, default: bool) -> Any:
    """Which payload fields are sent back."""
    match value:
        case None:
            return default
        case bool():
            return value
        case list():
            return _paths(edge.PayloadSelector.Include, value)
        case {"include": include}:
            return _paths(edge.PayloadSelector.Include, include)
        case {"exclude": exclude}:
            return _paths(edge.PayloadSelector.Exclude, exclude)
    raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum WithPayloadInterface")


def _paths(select: Callable[[list[str]], edge.PayloadSelector], value: object) -> edge.PayloadSelector:
    with reading("with_payload"):
        return select(strings(value, "with_payload"))


def with_vector(doc: Doc, *, default: bool = False) -> bool | list[str]:
    """Which vectors are sent back; the field has an older and a newer name."""
    value = doc.get("with_vector", doc.get("with_vectors"))
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return strings(value, "with_vector")
    raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum WithVector")


def search_params(value: object) -> edge.SearchParams | None:
    if value is None:
        return None
    doc = mapping(value, "params")
    return edge.SearchParams(
        hnsw_ef=whole(doc, "hnsw_ef", within="params."),
        exact=flag(doc, "exact") or False,
        quantization=_quantization_search(doc.get("quantization")),
        indexed_only=flag(doc, "indexed_only") or False,
        acorn=_acorn(doc.get("acorn")),
    )


def _quantization_search(value: object) -> edge.QuantizationSearchParams | None:
    if value is None:
        return None
    doc = mapping(value, "quantization")
    oversampling = number(doc, "oversampling")
    if oversampling is not None and oversampling < 1.0:
        raise Refused(
            Kind.VALIDATION,
            f"[params.quantization.oversampling: value {oversampling} invalid, must be 1.0 or larger]",
        )
    return edge.QuantizationSearchParams(flag(doc, "ignore") or False, flag(doc, "rescore"), oversampling)


def _acorn(value: object) -> edge.AcornSearchParams | None:
    if value is None:
        return None
    doc = mapping(value, "acorn")
    return edge.AcornSearchParams(flag(doc, "enable") or False, number(doc, "max_selectivity"))


_DIRECTIONS = {"asc": edge.Direction.Asc, "desc": edge.Direction.Desc}


def order_by(value: object) -> edge.OrderBy | None:
    """An order by a payload field: its name, or the whole form."""
    if value is None:
        return None
    doc = {"key": value} if isinstance(value, str) else mapping(value, "order_by")
    required(doc, "key")
    direction = doc.get("direction")
    start = doc.get("start_from")
    with reading("order_by"):
        return edge.OrderBy(
            text(doc, "key") or "",
            None if direction is None else choice(direction, "direction", _DIRECTIONS),
            start,
        )
