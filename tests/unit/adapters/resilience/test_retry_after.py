"""Rules of the retry hints: every form that providers use is read, rubbish never becomes a wait."""

import math
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.resilience.retry_after import hint_s, parse

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
NOW_S = NOW.timestamp()
A_MONTH_S = 31 * 86_400


def read(text: str) -> float | None:
    return parse(text, now=NOW_S)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("0.75", 0.75),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("34.074824224s", 34.074824224),
        ("250us", 0.00025),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Friday, 20-Nov-26 12:00:30 GMT", 30.0),
        ("Fri Nov 20 12:00:30 2026", 30.0),
        ("Sun Nov 22 12:00:00 2026", 172_800.0),
        ("2026-11-20T12:01:00Z", 60.0),
        ("2026-11-20t12:01:00.5z", 60.5),
        ("2026-11-20T13:01:00+01:00", 60.0),
        (str(int(NOW_S) + 45), 45.0),
        (f"{NOW_S + 0.5:.1f}", 0.5),
    ],
)
def test_every_form_is_read(text: str, seconds: float) -> None:
    assert read(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "soon", "-1", "-5s", "+5", "1e3", "nan", "inf", "Infinity", "0x10", "1,5", "3, 5", "5 s",
        "s", "1d", "1.5.2s", "٣", "3\n4", "9" * 100, "1" + "0s" * 60,
        "999999999",
        str(int(NOW_S) - 1),
        f"{int(NOW_S) + 60}000",
        "Fri, 20 Nov 2026 11:59:59 GMT",
        "Fri, 31 Feb 2026 12:00:30 GMT",
        "Fri, 20 Nov 2026 25:00:30 GMT",
        "Fri, 20 Nov 2026 12:00:30 PST",
        "20 Nov 2026",
        "2026-11-20T12:01:00",
        "2026-11-20",
        "2026-13-20T12:01:00Z",
        "2036-11-20T12:01:00Z",
        "0000-00-00T00:00:00Z",
    ],
)  # fmt: skip
def test_rubbish_the_past_and_the_absurd_are_no_hint(text: str) -> None:
    assert read(text) is None


@given(st.text(max_size=80) | st.from_regex(r"[0-9.:hmsunTZ+ -]{0,40}", fullmatch=True))
def test_no_text_breaks_the_reader_or_asks_for_the_impossible(text: str) -> None:
    seconds = read(text)
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= A_MONTH_S)


@given(st.integers(0, A_MONTH_S))
def test_every_form_of_the_same_wait_says_the_same(seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    forms = [
        str(seconds),
        f"{seconds}.0",
        f"{seconds // 60}m{seconds % 60}s",
        f"{seconds * 1000}ms",
        format_datetime(moment, usegmt=True),
        moment.strftime("%A, %d-%b-%y %H:%M:%S GMT"),
        moment.ctime(),
        moment.isoformat(),
        moment.isoformat().replace("+00:00", "Z"),
        str(int(NOW_S) + seconds),
    ]
    assert [read(form) for form in forms] == pytest.approx([float(seconds)] * len(forms))


def hint(**headers: str) -> float | None:
    return hint_s(
        {name.replace("_", "-"): value for name, value in headers.items()}, wall_clock=lambda: NOW_S
    )


def test_milliseconds_come_before_seconds() -> None:
    assert hint(Retry_After_Ms=" 1500 ", Retry_After="2") == 1.5


@pytest.mark.parametrize("rubbish", ["soon", "-5", "1s", "", "9" * 100])
def test_milliseconds_that_make_no_sense_leave_the_word_to_seconds(rubbish: str) -> None:
    assert hint(retry_after_ms=rubbish, retry_after="2") == 2.0


def test_no_hint_is_no_hint() -> None:
    assert hint(content_type="application/json") is None


def test_a_date_counts_from_the_providers_own_clock() -> None:
    assert hint(Retry_After="Fri, 20 Nov 2026 15:00:10 GMT", Date="Fri, 20 Nov 2026 15:00:00 GMT") == 10.0


def test_a_date_counts_from_our_clock_when_the_providers_is_unknown() -> None:
    assert hint(Retry_After="Fri, 20 Nov 2026 12:00:10 GMT", Date="yesterday") == 10.0
    assert hint(Retry_After="Fri, 20 Nov 2026 12:00:10 GMT") == 10.0


def test_a_date_without_a_zone_is_in_gmt_wherever_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        assert read("Fri Nov 20 12:00:30 2026") == 30.0
    time.tzset()


def test_a_provider_with_a_header_of_its_own_names_it() -> None:
    headers = {"X-RateLimit-Reset-Tokens": "6m0s"}
    assert hint_s(headers, wall_clock=lambda: NOW_S) is None
    assert (
        hint_s(headers, wall_clock=lambda: NOW_S, names=["retry-after", "x-ratelimit-reset-tokens"]) == 360.0
    )
