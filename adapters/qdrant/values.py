"""What the client gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.errors import IntegrationError

PointId = int | str
Vector = NDArray[np.float32]
Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A stored point; ``payload`` and ``vector`` are None unless they were asked for."""

    id: PointId
    payload: Payload | None = None
    vector: Vector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPoint:
    """A point that a search found; with Cosine and Dot a larger score is nearer, with Euclid and Manhattan a smaller."""

    id: PointId
    score: float
    payload: Payload | None = None
    vector: Vector | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a collection in the order of the ids; ``next_offset`` is where the next one begins, None after the last."""

    points: list[Record]
    next_offset: PointId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionInfo:
    """What a collection is and about how much it holds; ``indexed`` maps the fields of the payload to their kinds."""

    name: str
    status: str
    points: int
    size: int
    distance: str
    indexed: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedBatch:
    """A batch that was not acknowledged: its number, its points, why. After no answer it may have been written all the same."""

    number: int
    ids: tuple[PointId, ...]
    error: IntegrationError


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertReport:
    """What became of each point of an upsert.

    ``inserted`` and ``updated`` part what was upserted into new points and points that were there before;
    they are None unless that was asked for, because the answer of the provider does not say it.
    """

    upserted: list[PointId] = field(repr=False)
    failed: tuple[FailedBatch, ...]
    batches: int
    inserted: int | None = None
    updated: int | None = None

    @property
    def failed_points(self) -> int:
        return sum(len(batch.ids) for batch in self.failed)

    def __str__(self) -> str:
        parts = "" if self.inserted is None else f" ({self.inserted} inserted, {self.updated} updated)"
        text = f"{len(self.upserted)} points upserted{parts} in {self.batches - len(self.failed)} of {self.batches} batches"
        for batch in self.failed:
            text += f"; batch {batch.number} with {len(batch.ids)} points failed: {batch.error}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What one health check found; ``latency_s`` covers all its attempts."""

    healthy: bool
    latency_s: float
    error: IntegrationError | None = None


def as_vector(value: object) -> Vector | None:
    """A vector out of an answer; None when the point has none."""
    return None if value is None or isinstance(value, Mapping) else np.asarray(value, dtype=np.float32)


def as_record(found: Mapping[str, Any]) -> Record:
    """A stored point out of an answer."""
    return Record(id=found["id"], payload=found.get("payload"), vector=as_vector(found.get("vector")))


def as_scored(found: Sequence[Mapping[str, Any]]) -> list[ScoredPoint]:
    """The points that a search found."""
    return [
        ScoredPoint(id=each["id"], score=each["score"], payload=each.get("payload"), vector=as_vector(each.get("vector"))) for each in found
    ]
