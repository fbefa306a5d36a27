"""Where things stand inside a text that YAML has folded, and which lines a part takes up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract.reader import parse_document


def place(text: str, column: int) -> str:
    document = parse_document(text.encode(), file="f")
    found = document.place_within(("a",), document.value["a"], column)
    return f"{found.line}:{found.column}"


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("a: one two", 1, "1:4"),
        ("a: one two", 5, "1:8"),
        ("a: 'one two'", 5, "1:9"),
        ('a: "one two"', 5, "1:9"),
        ("a: one\n  two", 5, "2:3"),
        ("a: >-\n  one\n  two\n", 5, "3:3"),
        ("a: |\n  one\n    two\n", 5, "3:5"),
        ("a: >-   # why\n\n   one\n\n   two\n", 5, "5:4"),
        ("a: one two", 99, "1:11"),
        ("a: one two", 8, "1:11"),
        ("a: 'it''s b'", 6, "1:4"),  # quotes hide more than blanks
        ('a: "a\\tb c"', 5, "1:4"),
    ],
)
def test_a_column_of_a_text_is_a_place_in_the_file(text: str, column: int, expected: str) -> None:
    assert place(text, column) == expected


@given(words=st.lists(st.text("abcxyz+()", min_size=1, max_size=6), min_size=1, max_size=12), breaks=st.randoms(use_true_random=False))
def test_folding_never_moves_a_word_to_another_place(words: list[str], breaks: object) -> None:
    lines = [""]
    for word in words:
        if breaks.random() < 0.3:  # type: ignore[attr-defined]  # hypothesis' randoms are random.Random
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    text = "a: >-\n" + "".join(f"   {line}\n" for line in lines if line)
    folded = " ".join(words)
    start = 0
    raw = text.splitlines()
    for word in words:
        column = folded.index(word, start) + 1
        found_line, found_column = map(int, place(text, column).split(":"))
        assert raw[found_line - 1][found_column - 1 :].startswith(word)
        start = column + len(word) - 1


def test_an_excerpt_is_the_lines_of_a_part_and_of_the_text_in_it() -> None:
    text = "a: 1\nb:\n  c: >-\n    one\n    two\n\n  d: [1,\n    2]\ne: 3\n"
    document = parse_document(text.encode(), file="f")
    assert [number for number, _ in document.excerpt(("b",))] == [2, 3, 4, 5, 6, 7, 8]
    assert document.excerpt(("b", "c")) == ((3, "  c: >-"), (4, "    one"), (5, "    two"))
    assert document.excerpt(("a",)) == ((1, "a: 1"),)
    assert document.excerpt(("b",), most=2) == ((2, "b:"), (3, "  c: >-"))
