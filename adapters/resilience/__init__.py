"""What every client needs when its provider fails: retry, breaker, rate limits, budget, cache, monitor.

Policies are values and decide without I/O on an injected clock; `Resilience`, `Cache` and `Monitor` act.
"""

from adapters.resilience.cache import Cache, readonly
from adapters.resilience.call import Resilience, speaks_against_provider
from adapters.resilience.metrics import Metrics
from adapters.resilience.monitor import Alert, Monitor
from adapters.resilience.policy import (
    BreakerPolicy,
    CachePolicy,
    RateLimit,
    RatePolicy,
    RetryPolicy,
)

__all__ = [
    "Alert",
    "BreakerPolicy",
    "Cache",
    "CachePolicy",
    "Metrics",
    "Monitor",
    "RateLimit",
    "RatePolicy",
    "Resilience",
    "RetryPolicy",
    "readonly",
    "speaks_against_provider",
]
