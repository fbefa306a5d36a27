"""Points on their way out: checked, written as JSON once, and packed into requests that are not too large."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from adapters.endpoint import as_json
from adapters.errors import InvalidInput
from adapters.qdrant.values import PointId

LARGEST_ID = 2**64 - 1
_PER_POINT = 8  # what stands between points, in either form
_HEAD, _TAIL = b'{"points":[', b"]}"
_FRAME = len(_HEAD) + len(_TAIL)
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point, good to be sent; ``vector`` is a list of numbers or an array."""

    id: PointId
    vector: Any = field(repr=False)
    payload: Mapping[str, Any] | None = None

    def json(self) -> bytes:
        """The point in a request."""
        try:
            head = orjson.dumps({"id": self.id, "vector": self.vector}, option=_OPTIONS)
        except TypeError as error:
            raise InvalidInput(f"the vector of point {self.id} can't be written as JSON: {error}") from None
        if self.payload is None:
            return head
        return head[:-1] + b',"payload":' + as_json(self.payload, f"the payload of point {self.id}") + b"}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The points of one request, each as it stands there; with a ``refusal`` they can't be sent."""

    number: int
    points: tuple[Point, ...]
    parts: tuple[bytes, ...] = field(repr=False, default=())
    refusal: InvalidInput | None = None

    def json(self) -> bytes:
        """The body of a REST request."""
        return _HEAD + b",".join(self.parts) + _TAIL

    @property
    def ids(self) -> tuple[PointId, ...]:
        return tuple(point.id for point in self.points)


def read_points(points: Sequence[Any], *, dimension: int | None) -> list[Point]:
    """Points from mappings or objects with id, vector and payload; InvalidInput says which one is wrong."""
    if isinstance(points, str | bytes | Mapping) or not isinstance(points, Sequence):
        raise InvalidInput(f"points is a {type(points).__name__}: give a list of points, each with id, vector and payload")
    return [_point(number, _parts(number, each), dimension) for number, each in enumerate(points)]


def columns(ids: Sequence[PointId], vectors: Any, payloads: Sequence[Any] | None) -> list[dict[str, Any]]:
    """Points from their ids, vectors and payloads side by side."""
    counts = {"ids": len(ids), "vectors": len(vectors)} | ({} if payloads is None else {"payloads": len(payloads)})
    if len(set(counts.values())) > 1:
        raise InvalidInput("each id needs its vector and payload: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    if payloads is None:
        return [{"id": each, "vector": vector} for each, vector in zip(ids, vectors, strict=True)]
    return [{"id": i, "vector": v, "payload": p} for i, v, p in zip(ids, vectors, payloads, strict=True)]


def _parts(number: int, given: Any) -> Mapping[str, Any]:
    parts = given if isinstance(given, Mapping) else {name: getattr(given, name, None) for name in ("id", "vector", "payload")}
    for name in ("id", "vector"):
        if parts.get(name) is None:
            raise InvalidInput(f"points[{number}] has no `{name}`: each point needs an id and a vector")
    return parts


def _point(number: int, parts: Mapping[str, Any], dimension: int | None) -> Point:
    payload = parts.get("payload")
    if payload is not None and not isinstance(payload, Mapping):
        raise InvalidInput(f"points[{number}].payload is a {type(payload).__name__}: give a mapping")
    where = f"points[{number}]"
    return Point(
        id=checked_id(parts["id"], f"{where}.id"), vector=checked_vector(parts["vector"], dimension, f"{where}.vector"), payload=payload
    )


def checked_id(value: object, where: str) -> PointId:
    """An id that Qdrant takes; InvalidInput for another."""
    if isinstance(value, bool | np.bool_):
        value = repr(value)
    if isinstance(value, int | np.integer) and 0 <= int(value) <= LARGEST_ID:
        return int(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        try:
            if str(UUID(value)) == value.lower():
                return value
        except ValueError:
            pass
    raise InvalidInput(
        f"{where}: {value!r} can't be the id of a point: give an integer from 0 to 2**64 - 1 or a UUID; a name such as chunk_0 becomes "
        "one by uuid.uuid5(uuid.NAMESPACE_URL, name)"
    )


def checked_vector(value: Any, dimension: int | None, where: str) -> Any:
    """A vector of finite numbers, and of the collection's dimension where that is known; InvalidInput for another."""
    if isinstance(value, Mapping) and not value:
        return {}  # a point without a vector
    if isinstance(value, np.ndarray):
        array = value
        if array.dtype not in (np.float32, np.float64):
            array = value = np.asarray(value, dtype=np.float32)
        value = np.ascontiguousarray(value)
        one_row, finite = array.ndim == 1, bool(np.isfinite(array).all())
    elif isinstance(value, list | tuple) and not any(isinstance(each, bool) for each in value[:1]):
        value = list(value)
        one_row, finite = True, _finite(value, where)
    else:
        raise InvalidInput(f"{where} is a {type(value).__name__}: give a list of numbers or a numpy array")
    if not one_row or len(value) == 0:
        raise InvalidInput(f"{where} is not one row of numbers: give an array of shape (dimension,)")
    if dimension is not None and len(value) != dimension:
        raise InvalidInput(f"{where} has {len(value)} components, and the collection holds vectors of {dimension}")
    if not finite:
        raise InvalidInput(f"{where} holds NaN or an infinity: every component must be a finite number")
    return value


def _finite(values: list[Any], where: str) -> bool:
    try:
        return math.isfinite(math.fsum(values)) or all(map(math.isfinite, values))
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"{where} is not a list of finite numbers") from None


def packed(points: Sequence[Point], *, most_items: int, most_bytes: int, write: Callable[[Point], bytes]) -> Iterator[Batch]:
    """The points in as few requests as hold at most so many items and bytes; made one at a time."""
    draft = _Draft(most_items=most_items, most_bytes=most_bytes)
    for point in points:
        try:
            text = write(point)
            if len(text) + _FRAME > most_bytes:
                raise InvalidInput(
                    f"point {point.id} takes {len(text)} bytes, and a request holds at most {most_bytes}: shorten its payload"
                )
        except InvalidInput as refusal:
            if draft.points:
                yield draft.batch()
            yield draft.refused(point, refusal)
            continue
        if draft.is_full_with(text):
            yield draft.batch()
        draft.add(point, text)
    if draft.points:
        yield draft.batch()


class _Draft:
    """The batch that is being filled."""

    def __init__(self, *, most_items: int, most_bytes: int) -> None:
        self._most_items = most_items
        self._most_bytes = most_bytes
        self._number = 0
        self._parts: list[bytes] = []
        self._size = _FRAME
        self.points: list[Point] = []

    def is_full_with(self, text: bytes) -> bool:
        return bool(self.points) and (len(self.points) >= self._most_items or self._size + len(text) + _PER_POINT > self._most_bytes)

    def add(self, point: Point, text: bytes) -> None:
        self.points.append(point)
        self._parts.append(text)
        self._size += len(text) + _PER_POINT

    def batch(self) -> Batch:
        made = Batch(number=self._number, points=tuple(self.points), parts=tuple(self._parts))
        self._number, self.points, self._parts, self._size = self._number + 1, [], [], _FRAME
        return made

    def refused(self, point: Point, refusal: InvalidInput) -> Batch:
        self._number += 1
        return Batch(number=self._number - 1, points=(point,), refusal=refusal)
