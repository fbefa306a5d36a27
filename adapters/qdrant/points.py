"""Points on their way out: checked, written as JSON once, and packed into requests that are not too large."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from adapters.errors import InvalidInput
from adapters.qdrant.given import checked_id, checked_vector
from adapters.qdrant.values import PointId
from adapters.sayable import as_json

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
    where, vector = f"points[{number}]", parts["vector"]
    if not (isinstance(vector, Mapping) and not vector):  # {} is a point without a vector
        vector = checked_vector(vector, dimension, f"{where}.vector")
    return Point(id=checked_id(parts["id"], f"{where}.id"), vector=vector, payload=payload)


def with_vector(body: Mapping[str, Any], name: str, what: str) -> bytes:
    """A body as JSON whose field ``name`` is a checked vector: nothing is looked for in its numbers a second time."""
    try:
        numbers = orjson.dumps(body[name], option=_OPTIONS)
    except TypeError as error:
        raise InvalidInput(f"{what} can't be written as JSON: {error}") from None
    rest = as_json({key: value for key, value in body.items() if key != name}, what)
    return b'{"' + name.encode() + b'":' + numbers + b"," + rest[1:]


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
