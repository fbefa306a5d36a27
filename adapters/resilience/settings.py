"""The policies of a contract: the numbers come from its file, and are written down nowhere else."""

from adapters.resilience.policy import BreakerPolicy, CachePolicy, RateLimit, RatePolicy, RetryPolicy
from harness.contract.model import Contract


def retry_policy(contract: Contract) -> RetryPolicy:
    """When the contract has a request repeated; one attempt where it says nothing."""
    retry = contract.resilience.retry
    if retry is None:
        return RetryPolicy(
            attempts=1,
            on_statuses=frozenset(),
            on_timeout=False,
            on_connection=False,
            wait_initial_s=0,
            wait_multiplier=1,
            wait_max_s=0,
            jitter_s=0,
            honour_retry_after=False,
        )
    hinted = retry.retry_after
    least, most = hinted.added if hinted else (0.0, 0.0)
    return RetryPolicy(
        attempts=retry.attempts,
        on_statuses=frozenset(trouble for trouble in retry.on if isinstance(trouble, int)),
        on_timeout="timeout" in retry.on,
        on_connection="connection" in retry.on,
        never_statuses=frozenset(retry.never),
        wait_initial_s=retry.wait.initial,
        wait_multiplier=retry.wait.multiplier,
        wait_max_s=retry.wait.max,
        jitter_s=retry.wait.jitter,
        honour_retry_after=hinted is not None,
        retry_after_extra_s=(least, most),
    )


def breaker_policy(contract: Contract) -> BreakerPolicy:
    """When the contract has the circuit opened; never where it says nothing."""
    breaker = contract.resilience.circuit_breaker
    if breaker is None:
        return BreakerPolicy(failure_threshold=2**62, recovery_timeout_s=0, half_open_successes=1)
    return BreakerPolicy(
        failure_threshold=breaker.failure_threshold,
        recovery_timeout_s=breaker.recovery_timeout,
        half_open_successes=breaker.half_open_successes,
    )


def rate_policy(contract: Contract) -> RatePolicy:
    """What the contract allows in any window."""
    limits = [
        RateLimit(unit=unit, amount=amount, window_s=limit.per)
        for limit in contract.limits.rate
        for unit, amount in (("requests", limit.requests), ("tokens", limit.tokens))
        if amount is not None
    ]
    return RatePolicy(limits=tuple(limits))


def cache_policy(contract: Contract) -> CachePolicy | None:
    """How long the contract has results kept, and how many; None for not at all."""
    cache = contract.resilience.cache
    return CachePolicy(ttl_s=cache.ttl, entries=cache.entries) if cache else None
