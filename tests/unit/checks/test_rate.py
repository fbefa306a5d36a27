"""The budget in any window, held against a search of every window."""

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.rate import is_pressed
from harness.checks.sight import Sight
from harness.contract.agreement import Agreement
from harness.exchange import Observation

from .making import broken, call, exchange, kept, observed, request

CLAUSE = "limits.rate.0.requests"  # 3 in any minute


def arrivals(times: list[float]) -> Observation:
    return observed(*(call(exchange(at=at, asked=request([f"n{number}"]))) for number, at in enumerate(times)))


@settings(deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=2400), max_size=12))
def test_it_is_broken_when_some_window_holds_too_much(shop: Agreement, tenths: list[int]) -> None:
    times = sorted(tenth / 10 for tenth in tenths)
    too_many = any(sum(start <= at < start + 60 for at in times) > 3 for start in times)
    assert (CLAUSE in broken(shop, arrivals(times), "rate")) is too_many


@settings(deadline=None)
@given(st.permutations([0.0, 10.0, 20.0, 59.9]))
def test_the_order_of_the_calls_does_not_matter(shop: Agreement, times: list[float]) -> None:
    assert CLAUSE in broken(shop, arrivals(list(times)), "rate")


def test_a_budget_that_was_not_put_to_the_test_is_not_said_to_be_kept(shop: Agreement) -> None:
    assert CLAUSE not in kept(shop, arrivals([0.0, 1.0, 2.0]), "rate")
    assert CLAUSE in kept(shop, arrivals([0.0, 1.0, 2.0, 61.0]), "rate")


def test_a_request_of_nobody_counts_too(shop: Agreement) -> None:
    besides = call(*(exchange(at=float(at)) for at in range(4)), operation="")
    assert CLAUSE in broken(shop, observed(besides), "rate")


def test_a_wait_may_be_the_rate_limits_doing_once_much_of_it_is_used(shop: Agreement) -> None:
    for times, pressed in (([0.0, 0.0, 0.0, 61.0], True), ([0.0, 1.0, 2.0], False), ([0.0, 0.0, 0.0, 300.0], False)):
        sight = Sight(shop, arrivals(times))
        assert is_pressed(sight, sight.observation.calls[-1].exchanges[0]) is pressed
