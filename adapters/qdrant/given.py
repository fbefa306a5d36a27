"""What a caller gives, checked before any of it is sent: InvalidInput says what is wrong with it, and what to give instead."""

import math
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from adapters.errors import InvalidInput
from adapters.qdrant.values import PointId

LARGEST_ID = 2**64 - 1
_LARGEST = float(np.finfo(np.float32).max)  # as which the provider keeps them
_JSON_INTEGERS = 2**63


def checked_id(value: object, where: str) -> PointId:
    """An id that Qdrant takes."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= int(value) <= LARGEST_ID:
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


def checked_ids(ids: Sequence[PointId]) -> list[PointId]:
    """The ids of some points."""
    if isinstance(ids, str | bytes) or not isinstance(ids, Sequence):
        raise InvalidInput(f"ids is a {type(ids).__name__}: give a list of ids")
    return [checked_id(each, f"ids[{number}]") for number, each in enumerate(ids)]


def checked_vector(value: Any, dimension: int | None, where: str) -> Any:
    """One row of finite numbers, and of the collection's dimension where that is known."""
    if isinstance(value, np.ndarray):
        row, fits = _array(value, where)
    elif isinstance(value, list | tuple):
        row, fits = _list(value, where)
    else:
        raise InvalidInput(f"{where} is a {type(value).__name__}: give a list of numbers or a numpy array")
    if len(row) == 0:
        raise InvalidInput(f"{where} is not one row of numbers: give an array of shape (dimension,)")
    if dimension is not None and len(row) != dimension:
        raise InvalidInput(f"{where} has {len(row)} components, and the collection holds vectors of {dimension}")
    if not fits:
        raise InvalidInput(f"{where} holds NaN or an infinity, or what is one in 32 bits: every component must be a finite number")
    return row


def checked_vectors(value: Any, dimension: int | None, where: str) -> list[Any]:
    """Rows of finite numbers, all of one dimension: the collection's, where that is known."""
    if isinstance(value, np.ndarray):
        if value.ndim != 2 or (len(value) and not value.size):
            raise InvalidInput(f"{where} is not a matrix of numbers: give an array of shape (searches, dimension)")
        flat = checked_vector(value.reshape(-1), None, where) if value.size else value
        rows = list(flat.reshape(value.shape))
    elif isinstance(value, list | tuple):
        rows = [checked_vector(each, dimension, f"{where}[{number}]") for number, each in enumerate(value)]
    else:
        raise InvalidInput(f"{where} is a {type(value).__name__}: give a list of vectors or a numpy array")
    wanted = len(rows[0]) if dimension is None and rows else dimension
    for number, row in enumerate(rows):
        if len(row) != wanted:
            other = f"{where}[0] has {wanted}" if dimension is None else f"the collection holds vectors of {wanted}"
            raise InvalidInput(f"{where}[{number}] has {len(row)} components, and {other}")
    return rows


def _array(value: Any, where: str) -> tuple[Any, bool]:
    if value.ndim != 1:
        raise InvalidInput(f"{where} is not one row of numbers: give an array of shape (dimension,)")
    if value.dtype.kind not in "fiu":
        raise InvalidInput(f"{where} is an array of {value.dtype}: give one of numbers")
    if value.dtype not in (np.float32, np.float64):
        with np.errstate(over="ignore"):
            value = value.astype(np.float32)
    fits = np.isfinite(value) if value.dtype == np.float32 else np.abs(value) <= _LARGEST
    return np.ascontiguousarray(value), bool(fits.all())


def _list(value: Sequence[Any], where: str) -> tuple[list[Any], bool]:
    kinds = {*map(type, value)}
    for kind in kinds - {float, int}:
        if not issubclass(kind, float | np.floating | np.integer):
            raise InvalidInput(f"{where} is not a list of numbers: there is a {kind.__name__} in it")
    try:
        fits = math.hypot(*value) <= _LARGEST or all(abs(each) <= _LARGEST for each in value)
    except OverflowError:  # an integer beyond all floats
        return list(value), False
    if fits and int in kinds and not all(-_JSON_INTEGERS <= each < _JSON_INTEGERS for each in value):
        return [float(each) for each in value], True
    return list(value), fits


def columns(ids: Any, vectors: Any, payloads: Any) -> list[dict[str, Any]]:
    """Points from their ids, vectors and payloads side by side."""
    given = {"ids": ids, "vectors": vectors} | ({} if payloads is None else {"payloads": payloads})
    for name, value in given.items():
        if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
            raise InvalidInput(f"{name} is a {type(value).__name__}: give a list, one for each point")
    counts = {name: _count(value, name) for name, value in given.items()}
    if len(set(counts.values())) > 1:
        raise InvalidInput("each id needs its vector and payload: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    if payloads is None:
        return [{"id": each, "vector": vector} for each, vector in zip(ids, vectors, strict=True)]
    return [{"id": i, "vector": v, "payload": p} for i, v, p in zip(ids, vectors, payloads, strict=True)]


def _count(value: Any, name: str) -> int:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        raise InvalidInput(f"{name} is a single {value.dtype}: give a list, one for each point")
    return len(value)
