"""How long a client may wait before it tries again: by the contract's back-off, or by the provider's own hint."""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from harness.checks.sight import Seen
from harness.contract.agreement import Agreement
from harness.contract.model import Retry

_LONGEST_HINT_S = 1e7  # a number beyond that is a moment, not a span


@dataclass(frozen=True, kw_only=True)
class Span:
    """How long a wait may be, in seconds, and which clause says so below and above."""

    least_s: float
    most_s: float
    too_short: str
    too_long: str
    hinted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What the provider said about when to come back; ``sure`` when it can be read in one way only."""

    least_s: float
    most_s: float
    sure: bool


def wait_span(agreement: Agreement, seen: Seen, index: int, retry: Retry) -> Span:
    """How long the wait after the failed attempt number ``index`` (from 0) may be."""
    backoff = _backoff(index, retry)
    hint = hint_of(seen)
    if retry.retry_after is None or seen.trouble not in retry.retry_after.on or hint is None:
        return backoff
    least, most = (extra + bound for extra, bound in zip(retry.retry_after.added, (hint.least_s, hint.most_s), strict=True))
    if hint.sure:
        too_short, too_long = f"resilience.retry.retry_after.on.{seen.trouble}", "resilience.retry.retry_after.added"
        return Span(least_s=least, most_s=most, too_short=too_short, too_long=too_long, hinted=True)
    return Span(
        least_s=min(least, backoff.least_s),
        most_s=max(most, backoff.most_s),
        too_short=backoff.too_short,
        too_long=backoff.too_long,
        hinted=False,
    )


def _backoff(index: int, retry: Retry) -> Span:
    wait = retry.wait
    least = min(wait.initial * wait.multiplier**index, wait.max)
    clause = "resilience.retry.wait.initial" if index == 0 else "resilience.retry.wait.multiplier"
    return Span(least_s=least, most_s=least + wait.jitter, too_short=clause, too_long="resilience.retry.wait.jitter", hinted=False)


def longest_wait_s(agreement: Agreement, seen: Seen | None, made: int) -> float:
    """The longest wait, in seconds, that the contract allows after ``made`` attempts."""
    retry = agreement.contract.resilience.retry
    if retry is None or seen is None:
        return 0.0
    return wait_span(agreement, seen, max(0, made - 1), retry).most_s


def hint_of(seen: Seen) -> Hint | None:
    """The provider's `Retry-After`; None for none, or for one that means nothing.

    What a client may read in several ways, such as a moment in the past or one without a `Date` beside it,
    is not sure: then it may as well be taken for no hint.
    """
    response = seen.exchange.response
    text = (response.header("retry-after") or "").strip() if response is not None else ""
    if response is None or not re.search(r"\d", text):
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
        sure = seconds < _LONGEST_HINT_S
        return Hint(least_s=seconds if sure else 0.0, most_s=seconds, sure=sure)
    if re.fullmatch(r"-\d+(\.\d+)?", text):
        return None
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(response.header("date") or "")
        seconds = (until - now).total_seconds()
    except (TypeError, ValueError):
        return Hint(least_s=0.0, most_s=float("inf"), sure=False)
    return Hint(least_s=max(0.0, seconds), most_s=max(0.0, seconds), sure=seconds >= 0)
