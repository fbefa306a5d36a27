"""Rules of the policies: the user's numbers can be said, nonsense can not."""

import dataclasses
import math

import pytest

from adapters.resilience import BreakerPolicy, CachePolicy, RateLimit, RatePolicy, RetryPolicy

RETRY = RetryPolicy(
    attempts=3,
    on_statuses=frozenset({429, 500, 502, 503, 504}),
    on_timeout=True,
    on_connection=True,
    never_statuses=frozenset({400, 401, 403}),
    wait_initial_s=1.0,
    wait_multiplier=2.0,
    wait_max_s=60.0,
    jitter_s=1.0,
    honour_retry_after=True,
    retry_after_extra_s=(1.0, 5.0),
)


def test_the_rate_limits_of_a_contract_can_be_said() -> None:
    limits = (
        RateLimit(unit="requests", amount=300, window_s=60.0),
        RateLimit(unit="tokens", amount=1_000_000, window_s=60.0),
    )
    assert [limit.unit for limit in RatePolicy(limits=limits).limits] == ["requests", "tokens"]


def test_the_least_of_everything_is_allowed() -> None:
    least = dataclasses.replace(RETRY, attempts=1, wait_initial_s=0.0, wait_multiplier=1.0, wait_max_s=0.0)
    assert least.wait_max_s == 0.0
    BreakerPolicy(failure_threshold=1, recovery_timeout_s=0.0, half_open_successes=1)
    CachePolicy(ttl_s=math.inf, entries=1)
    assert RatePolicy().limits == ()


def test_a_policy_is_a_value() -> None:
    assert dataclasses.replace(RETRY, attempts=3) == RETRY
    with pytest.raises(dataclasses.FrozenInstanceError):
        RETRY.attempts = 4  # type: ignore[misc]  # what must fail


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attempts", 0),
        ("never_statuses", frozenset({429})),
        ("wait_initial_s", -1.0),
        ("wait_initial_s", math.nan),
        ("wait_multiplier", 0.5),
        ("wait_max_s", 0.5),
        ("wait_max_s", math.inf),
        ("jitter_s", -0.1),
        ("retry_after_extra_s", (5.0, 1.0)),
        ("retry_after_extra_s", (-1.0, 1.0)),
    ],
)
def test_a_retry_policy_that_makes_no_sense_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"must be") as refusal:
        dataclasses.replace(RETRY, **{field: value})  # type: ignore[arg-type]  # what must fail
    assert field in str(refusal.value)


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: BreakerPolicy(failure_threshold=0, recovery_timeout_s=60.0, half_open_successes=3),
        lambda: BreakerPolicy(failure_threshold=5, recovery_timeout_s=-1.0, half_open_successes=3),
        lambda: BreakerPolicy(failure_threshold=5, recovery_timeout_s=60.0, half_open_successes=0),
        lambda: RateLimit(unit="", amount=1, window_s=1.0),
        lambda: RateLimit(unit="requests", amount=0, window_s=1.0),
        lambda: RateLimit(unit="requests", amount=1, window_s=0.0),
        lambda: RateLimit(unit="requests", amount=math.nan, window_s=1.0),
        lambda: CachePolicy(ttl_s=0.0, entries=1),
        lambda: CachePolicy(ttl_s=1.0, entries=0),
    ],
)
def test_the_other_policies_refuse_nonsense_too(nonsense: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        nonsense()  # type: ignore[operator]  # a parameter of the test
