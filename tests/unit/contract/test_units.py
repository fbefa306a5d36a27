"""Durations, sizes, rates and percentages carry their unit."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("500ms", 0.5), ("5m", 300), ("5min", 300), ("1h", 3600), ("1d", 86400), ("1.5 s", 1.5), (".5s", 0.5)],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert units.duration_s(text) == seconds


@pytest.mark.parametrize(("text", "size"), [("32MB", 32_000_000), ("1KiB", 1024), ("64 kB", 64_000), ("1.5GiB", 1_610_612_736), ("7B", 7)])
def test_a_size_is_bytes(text: str, size: int) -> None:
    assert units.size_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "rate"), [("20/s", 20), ("1200/min", 20), ("3600 / h", 1), ("60/m", 1), ("0.5/sec", 0.5), ("7200/hour", 2)]
)
def test_a_rate_is_events_per_second(text: str, rate: float) -> None:
    assert units.rate_per_s(text) == rate


@pytest.mark.parametrize(("text", "share"), [("99.9%", 0.999), ("0%", 0), ("100%", 1), ("100.0 %", 1), ("10%", 0.1)])
def test_a_percentage_is_a_fraction_of_one(text: str, share: float) -> None:
    assert units.fraction(text) == pytest.approx(share)


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (
            units.duration_s,
            ["60", 60, 6.0, "s", "60 sec", "-1s", "1s ", " 1s", "1ss", "", None, True, [], "٦s", "9" * 400 + "s", "1e3s", "1\ns"],
        ),
        (units.positive_duration_s, ["0s", "0.0ms", "60"]),
        (units.size_bytes, ["32", "32mb", 32, "0B", "9" * 400 + "GiB", "1 TB"]),
        (units.rate_per_s, ["20", "20/day", "20 per s", "0/s", "/s", 20]),
        (units.fraction, ["99.9", 0.999, "101%", "100.1%", "-1%", "1000%", "%"]),
    ],
)
def test_what_has_no_unit_or_no_such_unit_is_refused(read: Callable[[object], float], wrong: list[object]) -> None:
    for value in wrong:
        with pytest.raises(ValueError, match="; allowed: .*`"):
            read(value)


@given(value=st.one_of(st.text(max_size=20), st.from_regex(r"\A[0-9.]{1,6} ?(s|ms|%|/s|MB)\Z"), st.integers(), st.floats(), st.none()))
def test_a_unit_is_read_or_refused_exactly_as_its_published_pattern_says(value: object) -> None:
    for read, pattern in [
        (units.duration_s, units.DURATION_PATTERN),
        (units.positive_duration_s, units.POSITIVE_DURATION_PATTERN),
        (units.size_bytes, units.SIZE_PATTERN),
        (units.rate_per_s, units.RATE_PATTERN),
        (units.fraction, units.PERCENTAGE_PATTERN),
    ]:
        published = isinstance(value, str) and re.search(pattern.replace("$", r"\Z"), value) is not None
        try:
            read(value)
            accepted = True
        except ValueError:
            accepted = False
        assert accepted == published


def test_a_secret_in_the_wrong_place_is_not_shown() -> None:
    with pytest.raises(ValueError, match="a text of ") as caught:
        units.duration_s("sk-live-abcdef0123456789abcdef")
    assert "sk-live" not in str(caught.value)
