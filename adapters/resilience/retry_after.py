"""When a provider says to come back, in all the forms that providers use."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

HEADERS = ("retry-after-ms", "retry-after")

_LONGEST_S = 31 * 86_400.0  # a monthly quota; whoever says more does not mean it
_LONGEST_TEXT = 64
_FIRST_UNIX_S = 1e9  # no wait is that long, no server's clock that early (2001)
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|s|us|µs|ns))+")
_PART = re.compile(r"([0-9.]+)(h|ms|m|s|us|µs|ns)")
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
# The three forms of RFC 9110, section 5.6.7; the last two are obsolete, but recipients must read them.
_HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT"
    r"|[A-Z][a-z]+day, [0-9]{2}-[A-Z][a-z]{2}-[0-9]{2} [0-9:]{8} GMT"
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}"
)


def hint_s(
    headers: Mapping[str, str], *, wall_clock: Callable[[], float], names: Sequence[str] = HEADERS
) -> float | None:
    """Seconds to wait by the first of the headers `names` that makes sense; None when none does.

    Moments count from the response's own `Date`, so that a skewed clock on our side does no harm, and from
    `wall_clock` (unix seconds) when there is none.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    sent = _moment(lowered.get("date", "").strip())
    now = wall_clock() if sent is None else sent
    hints = (_header_s(name, lowered.get(name, ""), now) for name in map(str.lower, names))
    return next((hint for hint in hints if hint is not None), None)


def parse(text: str, *, now: float) -> float | None:
    """Seconds to wait by one hint; `now` in unix seconds. Rubbish, the past and more than a month are None.

    Reads seconds (`3`, `0.5`), unix seconds, a duration (`6m0s`, `20ms`), an HTTP date and RFC 3339.
    """
    text = text.strip()
    if len(text) > _LONGEST_TEXT:
        return None
    if _NUMBER.fullmatch(text):
        number = float(text)
        return _plausible(number - now if number >= _FIRST_UNIX_S else number)
    if _DURATION.fullmatch(text):
        return _plausible(sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(text)))
    moment = _moment(text)
    return None if moment is None else _plausible(moment - now)


def _header_s(name: str, text: str, now: float) -> float | None:
    if not name.endswith("-ms"):
        return parse(text, now=now)
    text = text.strip()
    sound = len(text) <= _LONGEST_TEXT and _NUMBER.fullmatch(text)
    return _plausible(float(text) / 1000) if sound else None


def _moment(text: str) -> float | None:
    """Unix seconds of an HTTP date or an RFC 3339 time."""
    try:
        if _RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).timestamp()
        if _HTTP_DATE.fullmatch(text):
            parsed = parsedate_to_datetime(text)
            return parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp()
    except (ValueError, OverflowError):  # looks like a date, but there is no such day or hour
        pass
    return None


def _plausible(seconds: float) -> float | None:
    return seconds if 0 <= seconds <= _LONGEST_S else None
