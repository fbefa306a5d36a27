"""Vectors as they stand in a request, checked against what the collection holds."""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.provider.qdrant_engine import edge
from harness.provider.qdrant_engine.errors import Kind, Refused, reading, unsupported
from harness.provider.qdrant_engine.fields import Doc, items, mapping, required


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The vectors of a collection by name: the size of dense ones, which are multiple, which sparse."""

    dense: Mapping[str, int]
    multiple: frozenset[str] = frozenset()
    sparse: frozenset[str] = frozenset()


def shapes_of(params: Doc) -> Shapes:
    """The shapes that the parameters of a collection declare; the unnamed vector is called ""."""
    vectors = params.get("vectors") or {}
    named = {"": vectors} if "size" in vectors else vectors
    return Shapes(
        dense={name: vector["size"] for name, vector in named.items()},
        multiple=frozenset(name for name, vector in named.items() if vector.get("multivector_config")),
        sparse=frozenset(params.get("sparse_vectors") or ()),
    )


def point_vector(value: object, shapes: Shapes) -> Any:
    """What a point carries: the unnamed vector, or vectors by name."""
    if isinstance(value, Mapping):
        if "model" in value:
            raise unsupported("inference (text or images instead of vectors)")
        return {name: one_vector(vector, name, shapes) for name, vector in value.items()}
    return one_vector(value, "", shapes)


def one_vector(value: object, name: str, shapes: Shapes) -> Any:
    """One vector that fits the collection's vector of this name."""
    if isinstance(value, Mapping):
        if "model" in value:
            raise unsupported("inference (text or images instead of vectors)")
        return _sparse(value, name, shapes)
    size = shapes.dense.get(name)
    if size is None:
        raise _no_such(name)
    if isinstance(value, list) and value and isinstance(value[0], list | array):
        return _multiple(value, name, size, shapes)
    return _dense(value, size)


def _no_such(name: str) -> Refused:
    return Refused(Kind.BAD_INPUT, f"Not existing vector name error: {name}")


def _dense(value: object, size: int) -> Any:
    if isinstance(value, array):
        finite = bool(np.isfinite(np.frombuffer(value, dtype=np.float32)).all())
    elif isinstance(value, list):
        finite = _finite(value)
    else:
        raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum VectorStruct")
    if len(value) != size:
        raise Refused(Kind.BAD_INPUT, f"Vector dimension error: expected dim: {size}, got {len(value)}")
    if not finite:
        raise Refused(Kind.FORMAT, "a vector holds NaN or an infinity: every number must be finite")
    return value


def _finite(values: list[Any]) -> bool:
    """Whether the numbers stay finite as 32-bit floats; the sum is by far the cheapest way to look."""
    try:
        total = sum(values)
    except TypeError as error:
        raise Refused(Kind.FORMAT, "vector: every element must be a number") from error
    if math.isfinite(total) and abs(total) < 1e30:
        return True
    return all(abs(value) < 3.4028236e38 for value in values)


def _multiple(value: list[Any], name: str, size: int, shapes: Shapes) -> Any:
    if name not in shapes.multiple:
        raise Refused(Kind.BAD_INPUT, "Wrong usage of multi vectors: the collection holds one vector here")
    return [_dense(row, size) for row in value]


def _sparse(value: Mapping[str, Any], name: str, shapes: Shapes) -> edge.SparseVector:
    doc = mapping(value, "vector")
    if "indices" not in doc or "values" not in doc:
        raise Refused(Kind.FORMAT, "data did not match any variant of untagged enum Vector")
    if name not in shapes.sparse:
        raise _no_such(name)
    indices = list(items(list(required(doc, "indices")), "indices"))
    weights = list(required(doc, "values"))
    if len(indices) != len(weights):
        raise Refused(Kind.VALIDATION, "[values: must be the same length as indices]")
    if len(set(indices)) != len(indices):
        raise Refused(Kind.VALIDATION, "[indices: must be unique]")
    with reading("sparse vector"):
        return edge.SparseVector(indices, weights)
