"""Are two values the same? Numbers within a tolerance, everything else exactly; arrays are compared whole."""

from collections.abc import Mapping, Sequence

import numpy as np


def close(expected: object, actual: object, tolerance: float) -> bool:
    """Whether two values of numbers, text, lists, mappings and arrays agree within ``tolerance``."""
    if isinstance(expected, np.ndarray) or isinstance(actual, np.ndarray):
        return _arrays_close(expected, actual, tolerance)
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, int | float | np.number) and isinstance(actual, int | float | np.number):
        return bool(abs(float(expected) - float(actual)) <= tolerance)
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return expected.keys() == actual.keys() and all(close(value, actual[key], tolerance) for key, value in expected.items())
    if _is_list(expected) and _is_list(actual):
        assert isinstance(expected, Sequence) and isinstance(actual, Sequence)
        return len(expected) == len(actual) and all(close(e, a, tolerance) for e, a in zip(expected, actual, strict=True))
    return expected == actual


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _arrays_close(expected: object, actual: object, tolerance: float) -> bool:
    try:
        left, right = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return left.shape == right.shape and bool((np.abs(left - right) <= tolerance).all())
