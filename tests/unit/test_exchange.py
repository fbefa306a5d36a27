"""What a body says does not depend on how long it is, although long ones are read by another reader."""

import json

import pytest

from harness.exchange import parsed

SPACE = b" " * 3_000
READABLE = [
    "[1, 1.0, -0.0, 1e2, 1E400]",
    '{"a": 1, "a": 2}',
    '["\\ud800"]',
    '"\\u0000"',
    "[0.0012345678901234567]",
    "[18446744073709551615]",
]
LONG = ["12345678901234567890123", "[12345678901234567890123]", '{"a":-12345678901234567890123}', "[1\n,\n12345678901234567890123]"]


def _read(data: bytes) -> str:
    try:
        return repr(parsed(data))
    except ValueError:
        return "unreadable"


@pytest.mark.parametrize("text", READABLE + LONG)
def test_a_long_body_says_what_a_short_one_says(text: str) -> None:
    assert _read(text.encode() + SPACE) == _read(text.encode()) == repr(json.loads(text))


@pytest.mark.parametrize(
    "data", [b"[NaN]", b"[Infinity]", b"[1,]", b"\xff", b'"\xed\xa0\x80"', b"\xef\xbb\xbf[1]", b"[01]", b"[" * 100_000]
)
def test_what_is_no_json_is_none_at_any_length(data: bytes) -> None:
    assert _read(data) == _read(data + SPACE) == "unreadable"
