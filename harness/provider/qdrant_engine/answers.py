"""What the engine gives back, as the plain values of an answer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from harness.provider.qdrant_engine import edge
from harness.provider.qdrant_engine.versions import Profile

Answer = dict[str, Any]


def id_of(identity: object) -> int | str:
    if isinstance(identity, UUID):
        return str(identity)
    assert isinstance(identity, int | str)
    return identity


def record(found: edge.Record, profile: Profile) -> Answer:
    """A stored point; what wasn't asked for is left out, or null in old versions."""
    answer: Answer = {"id": id_of(found.id)}
    _contents(answer, found, profile)
    return answer


def scored(found: edge.ScoredPoint, profile: Profile) -> Answer:
    answer: Answer = {"id": id_of(found.id), "version": found.version, "score": found.score}
    _contents(answer, found, profile)
    return answer


def _contents(answer: Answer, found: edge.Record | edge.ScoredPoint, profile: Profile) -> None:
    payload, vector, order = found.payload, found.vector, found.order_value
    if payload is not None or profile.nulls:
        answer["payload"] = payload
    if vector is not None or profile.nulls:
        answer["vector"] = vector_of(vector)
    if order is not None:
        answer["order_value"] = order


def vector_of(vector: object) -> Any:
    """A vector, or vectors by name, without the engine's own classes."""
    if isinstance(vector, Mapping):
        return {name: vector_of(entry) for name, entry in vector.items()}
    if isinstance(vector, edge.SparseVector):
        return {"indices": list(vector.indices), "values": list(vector.values)}
    return vector
