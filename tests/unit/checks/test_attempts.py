"""Attempts, retries and waits: as often and as long as the contract says."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.contract.agreement import Agreement
from harness.exchange import Exchange, Failure, Observation, Unfinished

from .making import answer, broken, call, exchange, kept, observed, raised, request

RETRY = "resilience.retry"
JITTER_S = 0.5


def in_a_row(statuses: list[int | Failure], waits: list[float], **changes: object) -> Observation:
    """One call whose attempts ended so, with these waits between them."""
    at, sent = 0.0, list[Exchange]()
    for index, outcome in enumerate(statuses):
        failed = isinstance(outcome, Failure)
        took = 60.0 if outcome is Failure.TIMEOUT else 0.0
        sent.append(exchange(None if failed else outcome, failure=outcome if failed else None, at=at, took=took))  # type: ignore[arg-type]
        at += took + (waits[index] if index < len(waits) else 0.0)
    last = statuses[-1]
    errors = {429: "SlowDown", 503: "Unavailable", 400: "InvalidRequest", Failure.TIMEOUT: "TooSlow", Failure.CONNECTION: "Unreachable"}
    ending = None if last == 200 else raised(errors[last])
    return observed(call(*sent, ending=ending, **changes))


def is_right(statuses: list[int | Failure], waits: list[float]) -> bool:
    """What the contract says, once more and in other words."""
    for index, outcome in enumerate(statuses):
        again = index + 1 < len(statuses)
        if again and outcome in (200, 400):
            return False
        if again and not 2.0**index <= waits[index] <= 2.0**index + JITTER_S:
            return False
        if not again and outcome in (503, Failure.CONNECTION) and index < 2:
            return False
    return len(statuses) <= 3


OUTCOMES = st.sampled_from([200, 400, 503, Failure.CONNECTION])


@settings(deadline=None)
@given(statuses=st.lists(OUTCOMES, min_size=1, max_size=5), data=st.data())
def test_whatever_was_done_is_right_or_found(shop: Agreement, statuses: list[int | Failure], data: st.DataObject) -> None:
    waits = [data.draw(st.sampled_from([0.0, 0.9, 1.0, 1.25, 1.5, 1.7, 2.0, 2.5, 2.7, 4.2])) for _ in statuses[1:]]
    # so many failures in a row open the circuit, after which nobody has to go on
    assume(statuses[:3].count(503) + statuses[:3].count(Failure.CONNECTION) < 3 or is_right(statuses, waits))
    found = broken(shop, in_a_row(statuses, waits), "attempts")
    assert bool(found) is not is_right(statuses, waits), found


@pytest.mark.parametrize(
    ("statuses", "waits", "clause"),
    [
        ([429, 429, 429, 429], [1.0, 2.0, 4.0], f"{RETRY}.attempts"),
        ([429, 429], [1.0], f"{RETRY}.attempts"),
        ([429], [], f"{RETRY}.on.429"),
        ([Failure.TIMEOUT], [], f"{RETRY}.on.timeout"),
        ([400, 200], [1.0], f"{RETRY}.never.400"),
        ([200, 200], [1.0], f"{RETRY}.attempts"),
        ([429, 200], [0.0], f"{RETRY}.wait.initial"),
        ([429, 429, 200], [1.0, 1.0], f"{RETRY}.wait.multiplier"),
        ([429, 429, 200], [1.0, 3.2], f"{RETRY}.wait.multiplier"),
        ([429, 200], [9.0], f"{RETRY}.wait.jitter"),
        ([429, 200], [9.0], f"{RETRY}.wait.initial"),
        ([429, 200], [70.0], f"{RETRY}.wait.max"),
    ],
)
def test_each_way_to_be_wrong_has_its_clause(shop: Agreement, statuses: list[int | Failure], waits: list[float], clause: str) -> None:
    assert clause in broken(shop, in_a_row(statuses, waits), "attempts")


@pytest.mark.parametrize(
    ("waited", "clause"),
    [(3.0, f"{RETRY}.retry_after.added"), (2.9, f"{RETRY}.retry_after.on.429"), (8.2, f"{RETRY}.retry_after.added"), (4.0, ""), (8.0, "")],
)
def test_a_hint_is_waited_out_and_added_to(shop: Agreement, waited: float, clause: str) -> None:
    hinted = exchange(429, told=answer(429, retry_after="3"))
    seen = observed(call(hinted, exchange(at=waited)))
    assert broken(shop, seen, "attempts") == ({clause} if clause else set())


def test_the_same_json_in_other_words_is_the_same_request(shop: Agreement) -> None:
    first, second = request(), request()
    other = type(second)(
        method="POST", target=second.target, headers=second.headers, body=b'{"currency": "EUR",\n "items": ["apple"]}', origin=second.origin
    )
    seen = observed(call(exchange(429, asked=first), exchange(asked=other, at=0.1)))
    assert broken(shop, seen, "attempts") == {f"{RETRY}.wait.initial"}


def test_a_new_credential_begins_anew(shop: Agreement) -> None:
    refused, again = exchange(401), exchange(asked=request(key="another-key"))
    assert broken(shop, observed(call(refused, again)), "attempts") == set()


def test_the_same_credential_does_not(shop_where: Callable[..., Agreement]) -> None:
    shop = shop_where()
    assert broken(shop, observed(call(exchange(401), exchange())), "attempts") == {f"{RETRY}.never.401"}


@pytest.mark.parametrize(("spent", "right"), [(179.9, True), (180.9, True), (181.1, False)])
def test_a_call_has_a_budget_and_stacks_round_up(shop: Agreement, spent: float, right: bool) -> None:
    seen = observed(call(exchange(took=1.0), until=spent))
    assert ("resilience.budget" in broken(shop, seen)) is not right


@pytest.mark.parametrize(("took", "right"), [(60.0, True), (60.9, True), (61.1, False), (10.0, False)])
def test_an_attempt_is_given_up_when_its_time_is_up(shop: Agreement, took: float, right: bool) -> None:
    late = exchange(None, failure=Failure.TIMEOUT, took=took)
    assert ("provider.timeout" in broken(shop, observed(call(late, ending=raised("TooSlow"))))) is not right


def test_an_answer_that_takes_longer_is_not_waited_for(shop: Agreement) -> None:
    assert "provider.timeout" in broken(shop, observed(call(exchange(took=120.0))))


def test_an_attempt_may_be_left_when_another_one_of_the_call_has_failed(shop: Agreement) -> None:
    left = exchange(None, failure=Failure.TIMEOUT, took=1.0, asked=request(["pear"]))
    failed = exchange(400, took=0.5)
    seen = observed(call(left, failed, items=["pear", "apple"], ending=raised("InvalidRequest")))
    assert broken(shop, seen, "attempts") == set()


def test_who_gives_up_before_the_budget_ends_has_to_say_so(shop: Agreement) -> None:
    late = [exchange(None, failure=Failure.TIMEOUT, took=60.0, at=at) for at in (0.0, 61.0)]
    assert broken(shop, observed(call(*late, ending=raised("OutOfTime"))), "attempts") == set()
    assert broken(shop, observed(call(*late, ending=raised("TooSlow"))), "attempts") == {f"{RETRY}.attempts"}


def test_no_attempt_is_missed_while_the_circuit_is_open(shop: Agreement) -> None:
    down = [call(exchange(503, at=float(at)), ending=raised("Unavailable")) for at in range(3)]
    assert f"{RETRY}.on.503" not in broken(shop, observed(*down[2:], *down[:2]), "attempts") - broken(shop, observed(*down), "attempts")
    opened = observed(call(exchange(503), exchange(503, at=1.0), exchange(503, at=3.0), ending=raised("Unavailable")))
    assert broken(shop, opened, "attempts") == set()


def test_what_may_have_been_done_is_not_repeated(shop_where: Callable[..., Agreement]) -> None:
    shop = shop_where(("idempotent: true\n    cached", "idempotent: false\n    cached"))
    lost = exchange(None, failure=Failure.CONNECTION)
    assert "operations.order.idempotent" in broken(shop, observed(call(lost, exchange(at=1.0))))
    assert broken(shop, observed(call(lost, ending=raised("Unreachable"))), "attempts") == set()


def test_a_call_that_was_stopped_is_not_blamed_for_what_it_did_not_do(shop: Agreement) -> None:
    seen = observed(call(exchange(None, failure=Failure.TIMEOUT, took=3.0), ending=Unfinished()))
    assert broken(shop, seen, "attempts") == set()


def test_what_was_kept_is_said(shop: Agreement) -> None:
    seen = in_a_row([503, 503, 503], [1.0, 2.0])
    assert {f"{RETRY}.attempts", f"{RETRY}.on.503", f"{RETRY}.wait.initial", f"{RETRY}.wait.multiplier"} <= kept(shop, seen, "attempts")
