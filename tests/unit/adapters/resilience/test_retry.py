"""Rules of the retry decision: which failures, how often, how long, and never over the budget."""

import dataclasses
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from adapters.errors import (
    CircuitOpen,
    DeadlineExceeded,
    IntegrationError,
    InvalidInput,
    InvalidRequest,
    InvalidResponse,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
    for_status,
)
from adapters.resilience import RetryPolicy
from adapters.resilience.retry import GiveUp, Reason, RetryIn, decide

POLICY = RetryPolicy(
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
Decide = Callable[..., RetryIn | GiveUp]


def after(error: IntegrationError, *, policy: RetryPolicy = POLICY, **changed: Any) -> RetryIn | GiveUp:
    asked: dict[str, Any] = {
        "attempt": 1,
        "elapsed_s": 0.0,
        "budget_s": 180.0,
        "rng": random.Random(7),
    } | changed
    return decide(policy, error=error, **asked)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_on_the_list_is_tried_again(status: int) -> None:
    assert isinstance(after(for_status(status)(status=status)), RetryIn)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501])
def test_a_status_that_is_not_on_the_list_is_final(status: int) -> None:
    assert after(for_status(status)(status=status)) == GiveUp(reason=Reason.FORBIDDEN)


@pytest.mark.parametrize(
    "error",
    [
        InvalidResponse("x"),
        InvalidInput("x"),
        CircuitOpen(retry_in_s=1.0),
        DeadlineExceeded("x"),
        IntegrationError(),
    ],
)
def test_what_is_no_failure_of_the_provider_is_final(error: IntegrationError) -> None:
    assert after(error) == GiveUp(reason=Reason.FORBIDDEN)


def test_timeouts_and_lost_connections_are_tried_again_each_only_if_said_so() -> None:
    for error, field in ((ProviderTimeout(), "on_timeout"), (ProviderUnreachable(), "on_connection")):
        assert isinstance(after(error), RetryIn)
        silent = dataclasses.replace(POLICY, **{field: False})  # type: ignore[arg-type]  # both are bool
        assert after(error, policy=silent) == GiveUp(reason=Reason.FORBIDDEN)


def test_the_last_attempt_is_the_last() -> None:
    assert isinstance(after(ProviderTimeout(), attempt=2), RetryIn)
    assert after(ProviderTimeout(), attempt=3) == GiveUp(reason=Reason.ATTEMPTS)


def test_a_wait_that_ends_at_the_budget_is_not_begun() -> None:
    hint = RateLimited(status=429, retry_after_s=100.0)
    exact = dataclasses.replace(POLICY, retry_after_extra_s=(0.0, 0.0))
    assert after(hint, policy=exact, elapsed_s=79.9) == RetryIn(seconds=100.0)
    assert after(hint, policy=exact, elapsed_s=80.0) == GiveUp(reason=Reason.BUDGET, wait_s=100.0)


def test_nobody_waits_for_a_circuit_that_will_still_be_open() -> None:
    assert after(ProviderTimeout(), refused_s=60.0) == GiveUp(reason=Reason.CIRCUIT)
    exact = dataclasses.replace(POLICY, retry_after_extra_s=(0.0, 0.0))
    hint = RateLimited(status=429, retry_after_s=60.0)
    assert after(hint, policy=exact, refused_s=60.0) == RetryIn(seconds=60.0)


def test_a_hint_is_waited_for_with_a_share_of_the_extra() -> None:
    decision = after(RateLimited(status=429, retry_after_s=30.0))
    assert isinstance(decision, RetryIn)
    assert 31.0 <= decision.seconds <= 35.0


def test_a_hint_is_ignored_when_the_policy_says_so() -> None:
    deaf = dataclasses.replace(POLICY, honour_retry_after=False)
    decision = after(RateLimited(status=429, retry_after_s=30.0), policy=deaf)
    assert isinstance(decision, RetryIn)
    assert 1.0 <= decision.seconds <= 2.0


def test_the_number_of_a_hopeless_retry_does_not_overflow() -> None:
    patient = dataclasses.replace(POLICY, attempts=10**6)
    assert after(ProviderTimeout(), policy=patient, attempt=10**5) == RetryIn(seconds=60.0)


policies = st.builds(
    RetryPolicy,
    attempts=st.integers(1, 12),
    on_statuses=st.just(frozenset({429, 500, 503})),
    on_timeout=st.booleans(),
    on_connection=st.booleans(),
    never_statuses=st.just(frozenset({400, 401})),
    wait_initial_s=st.floats(0, 5),
    wait_multiplier=st.floats(1, 4),
    wait_max_s=st.floats(5, 120),
    jitter_s=st.floats(0, 3),
    honour_retry_after=st.booleans(),
    retry_after_extra_s=st.tuples(st.floats(0, 2), st.floats(2, 5)),
)
failures = st.one_of(
    st.just(ProviderTimeout()),
    st.just(ProviderUnreachable()),
    st.just(InvalidRequest(status=400)),
    st.builds(
        ProviderError,
        status=st.sampled_from([401, 429, 500, 503, 504]),
        retry_after_s=st.none() | st.floats(0, 100),
    ),
)
situations = st.fixed_dictionaries(
    {
        "attempt": st.integers(1, 12),
        "error": failures,
        "elapsed_s": st.floats(0, 200),
        "budget_s": st.floats(1, 200),
        "rng": st.builds(random.Random, st.integers(0, 99)),
    }
)


def keeps_the_policy(decide: Decide, policy: RetryPolicy, situation: dict[str, Any]) -> None:
    """Whatever the situation, a retry is one that the policy allows, after a wait that it allows."""
    decision = decide(policy, **situation)
    error, attempt = situation["error"], situation["attempt"]
    named = (
        (policy.on_timeout and isinstance(error, ProviderTimeout))
        or (policy.on_connection and isinstance(error, ProviderUnreachable))
        or getattr(error, "status", 0) in policy.on_statuses
    )
    if isinstance(decision, GiveUp):
        over = situation["elapsed_s"] + decision.wait_s >= situation["budget_s"]
        assert not named or attempt >= policy.attempts or (over and decision.reason is Reason.BUDGET)
        return
    assert named
    assert attempt < policy.attempts
    assert situation["elapsed_s"] + decision.seconds < situation["budget_s"]
    hint_s = getattr(error, "retry_after_s", None)
    if policy.honour_retry_after and hint_s is not None:
        least, most = policy.retry_after_extra_s
        assert hint_s + least <= decision.seconds <= hint_s + most
        return
    backoff_s = policy.wait_initial_s * policy.wait_multiplier ** (attempt - 1)
    assert min(backoff_s, policy.wait_max_s) <= decision.seconds
    assert decision.seconds <= min(backoff_s + policy.jitter_s, policy.wait_max_s)


@given(policies, situations)
def test_a_retry_is_always_one_that_the_policy_allows(policy: RetryPolicy, situation: dict[str, Any]) -> None:
    keeps_the_policy(decide, policy, situation)


def one_too_many(policy: RetryPolicy, *, attempt: int, **rest: Any) -> RetryIn | GiveUp:
    return decide(policy, attempt=max(1, attempt - 1), **rest)


def one_too_few(policy: RetryPolicy, *, attempt: int, **rest: Any) -> RetryIn | GiveUp:
    return GiveUp(reason=Reason.ATTEMPTS) if attempt == 2 else decide(policy, attempt=attempt, **rest)


def impatient(policy: RetryPolicy, **situation: Any) -> RetryIn | GiveUp:
    decision = decide(policy, **situation)
    return RetryIn(seconds=decision.seconds / 2) if isinstance(decision, RetryIn) else decision


def deaf_to_hints(policy: RetryPolicy, **situation: Any) -> RetryIn | GiveUp:
    return decide(dataclasses.replace(policy, honour_retry_after=False), **situation)


def without_deadline(policy: RetryPolicy, *, budget_s: float, **rest: Any) -> RetryIn | GiveUp:
    return decide(policy, budget_s=10 * budget_s, **rest)


def stubborn(policy: RetryPolicy, *, error: IntegrationError, **rest: Any) -> RetryIn | GiveUp:
    everything = dataclasses.replace(
        policy, on_statuses=frozenset(range(400, 600)), never_statuses=frozenset()
    )
    return decide(everything, error=error, **rest)


@pytest.mark.parametrize(
    "liar", [one_too_many, one_too_few, impatient, deaf_to_hints, without_deadline, stubborn]
)
def test_every_wrong_decision_is_noticed(liar: Decide) -> None:
    @settings(phases=[Phase.generate], derandomize=True, max_examples=1000, database=None)
    @given(policies, situations)
    def judged(policy: RetryPolicy, situation: dict[str, Any]) -> None:
        keeps_the_policy(liar, policy, situation)

    with pytest.raises(AssertionError):
        judged()
