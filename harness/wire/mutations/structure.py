"""Edits of any JSON value that know no schema: what a provider gets wrong though each part is of the right type.

Lists lose, gain and mix up items; vectors are cut, scaled and spoiled, as numbers and as base64; counts,
scores and words are off. Which promise that breaks, if any, only the contract can tell.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from harness.wire.mutations.edits import Edit, Kind, Steps, replaced

LEAST_VECTOR = 4
LEAST_ENCODED = 16  # shorter text is taken for a word, even where its letters could be base64
MOST_DEPTH = 10
HUGE = 1_000_000


def reshaped(value: Any) -> Iterator[Edit]:
    """Every such edit of a value, the outermost first; of many items only the first and the last are opened."""
    yield from _walk(value, value, (), 0)


def _walk(root: Any, value: Any, steps: Steps, depth: int) -> Iterator[Edit]:
    for kind, new, note in _changes(value):
        if new == value and type(new) is type(value):
            continue  # all zeros twice as long, a list of equals from last to first
        yield Edit(kind=kind, steps=steps, note=note, value=replaced(root, steps, new))
    if depth >= MOST_DEPTH or _is_vector(value):
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _walk(root, item, (*steps, name), depth + 1)
    elif isinstance(value, list):
        for index in sorted({0, len(value) - 1} if value else ()):
            yield from _walk(root, value[index], (*steps, index), depth + 1)


Change = tuple[Kind, Any, str]


def _changes(value: Any) -> Iterator[Change]:
    if _is_vector(value):
        yield from _vector(value)
    elif isinstance(value, list):
        yield from _rows(value)
    elif isinstance(value, bool):
        yield Kind.FLIPPED, not value, f"{not value}"
    elif isinstance(value, int | float):
        yield from _number(value)
    elif value is None:
        yield Kind.FILLED, 1, "a number where nothing was"
    elif isinstance(value, str):
        yield from _encoded(value)
        yield Kind.TEXT, f"{value}x", "another word"


# Lists


def _rows(rows: list[Any]) -> Iterator[Change]:
    if not rows:
        return
    yield Kind.SHORTER, rows[:-1], "the last one is missing"
    yield Kind.LONGER, [*rows, rows[-1]], "the last one once more"
    yield Kind.LONGER, [*rows, *rows[-1:] * 10], "the last one ten times more"
    if len(rows) > 1:
        yield Kind.REVERSED, rows[::-1], "from last to first"
        yield Kind.SWAPPED, [rows[1], rows[0], *rows[2:]], "the first two change places"
        yield Kind.DUPLICATED, [rows[0], rows[0], *rows[2:]], "the first one in place of the second"
        yield Kind.EMPTIED, [], "no items"
    yield from _fields(rows)


def _fields(rows: list[Any]) -> Iterator[Change]:
    """What goes wrong with one field in all rows or between two."""
    if not all(isinstance(row, Mapping) for row in rows):
        return
    for name, item in rows[0].items():
        if isinstance(item, int) and not isinstance(item, bool) and all(isinstance(row.get(name), int) for row in rows):
            yield Kind.SHIFTED, [{**row, name: row[name] + 1} for row in rows], f"{name} counts from one more"
        if len(rows) > 1 and name in rows[1] and rows[1][name] != item:
            first, second = {**rows[0], name: rows[1][name]}, {**rows[1], name: item}
            yield Kind.SWAPPED, [first, second, *rows[2:]], f"{name} of the first two changes places"


# Numbers and words


def _number(value: float) -> Iterator[Change]:
    yield Kind.NUMBER, value + 1, "one more"
    yield Kind.NUMBER, value - 1, "one less"
    yield Kind.NUMBER, value + HUGE, "far more"
    if isinstance(value, float):
        yield Kind.NUMBER, -value, "the other sign"


# Vectors


def _is_vector(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= LEAST_VECTOR
        and all(isinstance(number, int | float) and not isinstance(number, bool) for number in value)
    )


def _vector(numbers: list[Any]) -> Iterator[Change]:
    yield Kind.RESIZED, numbers[:-1], "one component less"
    yield Kind.RESIZED, [*numbers, numbers[-1]], "one component more"
    yield Kind.RESIZED, numbers[: len(numbers) // 2], "half of the components"
    yield Kind.SCALED, [number * 2 for number in numbers], "twice as long"
    yield Kind.SCALED, [0 * number for number in numbers], "all zeros"
    yield Kind.NUMBER, [numbers[0] + 0.5, *numbers[1:]], "a component half a unit off"
    yield Kind.NUMBER, [numbers[0] + HUGE, *numbers[1:]], "a component far off"
    yield Kind.ENCODED, _as_text(numbers), "base64 instead of numbers"


def _as_text(numbers: list[Any]) -> str:
    bytes_ = all(float(number).is_integer() and -128 <= number <= 255 for number in numbers)
    with np.errstate(over="ignore"):
        array = np.asarray([number % 256 for number in numbers], dtype=np.uint8) if bytes_ else np.asarray(numbers, dtype="<f4")
    return base64.b64encode(array.tobytes()).decode()


def _encoded(text: str) -> Iterator[Change]:
    """A vector that is sent as base64: the same, on its bytes, as 32-bit floats where they can be such."""
    data = _bytes_of(text)
    if data is None:
        return
    floats = len(data) % 4 == 0 and _are_floats(data)
    width = 4 if floats else 1
    yield Kind.RESIZED, _text_of(data[:-width]), "one component less"
    yield Kind.RESIZED, _text_of(data + data[-width:]), "one component more"
    if floats:
        numbers = np.frombuffer(data, dtype="<f4")
        yield Kind.SCALED, _text_of((numbers * 2).tobytes()), "twice as long"
        yield Kind.SCALED, _text_of(bytes(len(data))), "all zeros"
        yield Kind.NOT_A_NUMBER, _text_of(np.float32("nan").tobytes() + data[4:]), "a component that is not a number"
        yield Kind.ENCODED, numbers.astype(np.float64).tolist(), "numbers instead of base64"
        yield Kind.ENCODED, _text_of(numbers.astype("<f8").tobytes()), "64-bit floats instead of 32-bit ones"
    else:
        yield Kind.ENCODED, np.frombuffer(data, dtype=np.int8).tolist(), "signed numbers instead of base64"
        yield Kind.ENCODED, np.frombuffer(data, dtype=np.uint8).tolist(), "unsigned numbers instead of base64"
    yield Kind.MALFORMED, text[:-3] + "=", "base64 that is cut off"


def _bytes_of(text: str) -> bytes | None:
    if len(text) < LEAST_ENCODED or len(text) % 4:
        return None
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # also for a text that is not ASCII
        return None


def _are_floats(data: bytes) -> bool:
    """Whether the bytes are 32-bit floats of an ordinary size rather than whole numbers of one byte each."""
    numbers = np.abs(np.frombuffer(data, dtype="<f4"))
    return bool(np.all(np.isfinite(numbers)) and np.all((numbers == 0) | ((numbers > 1e-12) & (numbers < 1e6))))


def _text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()
