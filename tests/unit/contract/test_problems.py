"""Problems: in the order of the file, each once, with the nearest right spelling, and never a secret."""

import pytest

from harness.contract.problems import MOST_PROBLEMS, ContractError, Place, Problem, looks_secret, nearest, shown


def test_problems_are_told_once_and_in_the_order_of_the_file() -> None:
    late, early = Problem(Place("f", 9, 1), "late"), Problem(Place("f", 2, 7), "early", "this", "that")
    assert str(ContractError([late, early, late])) == "f:2:7: early; allowed: this; that\nf:9:1: late"


def test_a_flood_of_problems_is_cut_and_counted() -> None:
    error = ContractError(Problem(Place("f", line), "wrong") for line in range(1, MOST_PROBLEMS + 51))
    assert len(error.problems) == MOST_PROBLEMS + 50
    assert str(error).splitlines()[-1] == "f: and 50 more problems"


@pytest.mark.parametrize(
    ("word", "hint"),
    [("attemts", "did you mean `attempts`?"), ("ATTEMPTS", "did you mean `attempts`?"), ("zzz", ""), ("", ""), ("a" * 100_000, "")],
)
def test_the_nearest_right_spelling_is_named_if_one_is_near(word: str, hint: str) -> None:
    assert nearest(word, ["attempts", "wait", "never"]) == hint


@pytest.mark.parametrize(
    "secret",
    [
        "pa-Abcdefghij0123456789_klmn",
        "sk-proj-abcdefghijklmnop1234",
        "ghp_abcdefghij0123456789abcd",
        "AKIAABCDEFGHIJKL1234",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig",
        "-----BEGIN RSA PRIVATE KEY-----",
        "xoxb-1234567890-abcdefghijkl",
    ],
)
def test_what_looks_like_a_key_is_never_shown(secret: str) -> None:
    assert looks_secret(secret)
    assert secret not in shown(secret)


@pytest.mark.parametrize(
    "text",
    ["sk-learn", "pa-per", "voyage-code-3", "a-perfectly-normal-name-of-an-example", "${VOYAGE_API_KEY}", "sk-ein-ganz-normaler-name"],
)
def test_ordinary_words_are_no_secrets(text: str) -> None:
    assert not looks_secret(text)
    assert shown(text) == f"`{text}`"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "`true`"),
        (3, "`3`"),
        (1.5, "`1.5`"),
        ({}, "a mapping"),
        ([1], "a list"),
        ("x" * 61, "a text of 61 characters"),
    ],
)
def test_a_value_is_shown_in_words(value: object, text: str) -> None:
    assert shown(value) == text
