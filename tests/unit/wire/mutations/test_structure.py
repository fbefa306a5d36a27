"""Lists, vectors, counts and words go wrong as those of real providers do."""

import base64
from typing import Any

import numpy as np
import pytest

from harness.wire.mutations import Kind, reshaped

ROWS = [{"index": 0, "name": "a"}, {"index": 1, "name": "b"}, {"index": 2, "name": "c"}]
UNIT = (np.arange(1, 9) / np.linalg.norm(np.arange(1, 9))).astype(np.float32)
ENCODED = base64.b64encode(UNIT.tobytes()).decode()


def made(value: Any, kind: Kind) -> list[Any]:
    return [edit.value for edit in reshaped(value) if edit.kind is kind]


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        (Kind.SHORTER, ROWS[:2]),
        (Kind.LONGER, [*ROWS, ROWS[2]]),
        (Kind.REVERSED, ROWS[::-1]),
        (Kind.SWAPPED, [ROWS[1], ROWS[0], ROWS[2]]),
        (Kind.SWAPPED, [{"index": 1, "name": "a"}, {"index": 0, "name": "b"}, ROWS[2]]),
        (Kind.DUPLICATED, [ROWS[0], ROWS[0], ROWS[2]]),
        (Kind.EMPTIED, []),
        (Kind.SHIFTED, [{"index": row["index"] + 1, "name": row["name"]} for row in ROWS]),  # type: ignore[operator]  # the index is a number
    ],
)
def test_rows_are_lost_added_and_mixed_up(kind: Kind, result: list[Any]) -> None:
    assert result in made(ROWS, kind)


def test_rows_in_an_object_go_wrong_too() -> None:
    assert {"data": ROWS[::-1], "model": "m"} in made({"data": ROWS, "model": "m"}, Kind.REVERSED)


def test_the_first_and_the_last_row_are_opened_and_no_other() -> None:
    touched = {edit.steps[0] for edit in reshaped(ROWS) if edit.steps}
    assert touched == {0, 2}


def test_a_vector_loses_a_component_its_length_and_its_form() -> None:
    vector = UNIT.astype(float).tolist()
    assert vector[:-1] in made(vector, Kind.RESIZED)
    assert [number * 2 for number in vector] in made(vector, Kind.SCALED)
    assert [0.0] * 8 in made(vector, Kind.SCALED)
    assert ENCODED in made(vector, Kind.ENCODED)


def test_an_encoded_vector_goes_wrong_as_a_plain_one_does() -> None:
    resized, scaled = made(ENCODED, Kind.RESIZED), made(ENCODED, Kind.SCALED)
    assert base64.b64encode(UNIT[:-1].tobytes()).decode() in resized
    assert base64.b64encode((UNIT * 2).tobytes()).decode() in scaled
    assert np.isnan(np.frombuffer(base64.b64decode(made(ENCODED, Kind.NOT_A_NUMBER)[0]), dtype="<f4")).any()
    assert UNIT.astype(float).tolist() in made(ENCODED, Kind.ENCODED)


def test_encoded_bytes_are_cut_by_the_byte() -> None:
    data = bytes(range(1, 33))
    assert base64.b64encode(data[:-1]).decode() in made(base64.b64encode(data).decode(), Kind.RESIZED)


@pytest.mark.parametrize("word", ["list", "voyage-code-3", "Hello, world!", "embedding", "a word that is no base64"])
def test_words_are_not_taken_for_vectors(word: str) -> None:
    assert made(word, Kind.RESIZED) == []
    assert made(word, Kind.TEXT) == [f"{word}x"]


def test_numbers_and_truth_values_are_off() -> None:
    assert {4, 6} <= set(made(5, Kind.NUMBER))
    assert -0.5 in made(0.5, Kind.NUMBER)
    assert made(True, Kind.FLIPPED) == [False]
