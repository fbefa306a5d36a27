"""After a failed attempt: try again, and after which wait, or give up, and why."""

import random
from dataclasses import dataclass
from enum import StrEnum

from adapters.errors import (
    IntegrationError,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
)
from adapters.resilience.policy import RetryPolicy


class Reason(StrEnum):
    """Why a call is not tried again."""

    FORBIDDEN = "the policy does not retry this failure"
    ATTEMPTS = "no attempt is left"
    CIRCUIT = "the circuit is open"
    BUDGET = "the wait would overrun the budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryIn:
    """Try again after this wait."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Do not try again; `wait_s` is the wait that the budget did not allow."""

    reason: Reason
    wait_s: float = 0.0


def decide(
    policy: RetryPolicy,
    *,
    attempt: int,
    error: IntegrationError,
    elapsed_s: float,
    budget_s: float,
    rng: random.Random,
    refused_s: float = 0.0,
) -> RetryIn | GiveUp:
    """What to do after attempt number `attempt` (from 1) failed with `error`.

    `refused_s` is how long the circuit breaker will refuse every attempt from now.
    """
    if not retryable(policy, error):
        return GiveUp(reason=Reason.FORBIDDEN)
    if attempt >= policy.attempts:
        return GiveUp(reason=Reason.ATTEMPTS)
    wait_s = wait(policy, retry=attempt - 1, error=error, rng=rng)
    if wait_s < refused_s:
        return GiveUp(reason=Reason.CIRCUIT)
    if elapsed_s + wait_s >= budget_s:
        return GiveUp(reason=Reason.BUDGET, wait_s=wait_s)
    return RetryIn(seconds=wait_s)


def retryable(policy: RetryPolicy, error: IntegrationError) -> bool:
    """Whether the policy names this failure, and does not forbid it."""
    match error:
        case ProviderError():
            return error.status in policy.on_statuses and error.status not in policy.never_statuses
        case ProviderTimeout():
            return policy.on_timeout
        case ProviderUnreachable():
            return policy.on_connection
    return False


def wait(policy: RetryPolicy, *, retry: int, error: IntegrationError, rng: random.Random) -> float:
    """Seconds before retry number `retry` (from 0); a hint is not cut at `wait_max_s`, the budget judges."""
    hint_s = error.retry_after_s if isinstance(error, ProviderError) else None
    if policy.honour_retry_after and hint_s is not None:
        return hint_s + rng.uniform(*policy.retry_after_extra_s)
    return min(_backoff(policy, retry) + rng.uniform(0.0, policy.jitter_s), policy.wait_max_s)


def _backoff(policy: RetryPolicy, retry: int) -> float:
    try:
        return policy.wait_initial_s * policy.wait_multiplier**retry
    except OverflowError:  # of a float power, long after the maximum
        return policy.wait_max_s
