"""What JSON has a way to say, and what would come out as something else."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np
import orjson

from adapters.errors import InvalidInput


def as_json(body: object, what: str) -> bytes:
    """A body as it is sent; InvalidInput for what JSON has no way to say."""
    try:
        content = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise InvalidInput(f"{what} can't be written as JSON: {error}") from None
    if b"null" in content and not all_finite(body):  # which is what NaN is written as
        raise InvalidInput(f"{what} can't be written as JSON: it holds NaN or an infinity")
    return content


def all_finite(value: object) -> bool:
    """Whether no number in it is NaN or an infinity, wherever JSON is made of it."""
    if isinstance(value, float | np.floating):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(all_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(all_finite, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind != "f" or bool(np.isfinite(value).all())
    if isinstance(value, Enum):
        return all_finite(value.value)
    return not is_dataclass(value) or all(all_finite(getattr(value, each.name)) for each in fields(value))
