"""How long a client may wait, by back-off and by the provider's hint."""

from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.sight import Seen
from harness.checks.waits import hint_of, wait_span
from harness.contract.agreement import Agreement

from .making import answer, exchange

NOW_S = 1_780_000_000


def seen(agreement: Agreement, status: int = 429, **headers: str) -> Seen:
    return Seen(agreement, exchange(status, told=answer(status, **headers)), None)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=9_999_999))
def test_a_number_is_so_many_seconds(shop: Agreement, seconds: int) -> None:
    hint = hint_of(seen(shop, retry_after=str(seconds)))
    assert hint is not None
    assert (hint.least_s, hint.most_s, hint.sure) == (seconds, seconds, True)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=100_000))
def test_a_date_counts_from_the_date_of_the_answer(shop: Agreement, seconds: int) -> None:
    hint = hint_of(seen(shop, retry_after=formatdate(NOW_S + seconds, usegmt=True), date=formatdate(NOW_S, usegmt=True)))
    assert hint is not None
    assert (hint.least_s, hint.most_s, hint.sure) == (seconds, seconds, True)


@pytest.mark.parametrize("text", ["soon", "", "-5", "-0.5", "never mind"])
def test_what_means_nothing_is_no_hint(shop: Agreement, text: str) -> None:
    assert hint_of(seen(shop, retry_after=text)) is None


@pytest.mark.parametrize("text", ["6m0s", "2026-11-21T12:00:00Z", "1780000000", formatdate(NOW_S, usegmt=True), "1e3"])
def test_what_can_be_read_in_several_ways_is_not_sure(shop: Agreement, text: str) -> None:
    hint = hint_of(seen(shop, retry_after=text))
    assert hint is not None
    assert not hint.sure


def test_a_moment_in_the_past_may_be_taken_for_none(shop: Agreement) -> None:
    past = seen(shop, retry_after=formatdate(NOW_S - 60, usegmt=True), date=formatdate(NOW_S, usegmt=True))
    retry = shop.contract.resilience.retry
    assert retry is not None
    span = wait_span(shop, past, 0, retry)
    assert (span.least_s, span.most_s, span.hinted) == (1.0, 5.0, False)


def test_a_hint_replaces_the_back_off_and_is_added_to(shop: Agreement) -> None:
    retry = shop.contract.resilience.retry
    assert retry is not None
    span = wait_span(shop, seen(shop, retry_after="7"), 1, retry)
    assert (span.least_s, span.most_s, span.too_short) == (8.0, 12.0, "resilience.retry.retry_after.on.429")


def test_a_hint_on_another_status_is_none(shop: Agreement) -> None:
    retry = shop.contract.resilience.retry
    assert retry is not None
    assert not wait_span(shop, seen(shop, 503, retry_after="7"), 0, retry).hinted


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=20))
def test_the_back_off_doubles_up_to_its_maximum(shop: Agreement, index: int) -> None:
    retry = shop.contract.resilience.retry
    assert retry is not None
    span = wait_span(shop, seen(shop, 503), index, retry)
    assert span.least_s == min(2.0**index, 60.0)
    assert span.most_s == span.least_s + 0.5
