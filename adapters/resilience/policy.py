"""What a client promises to do when its provider fails, as plain values; the numbers come from a contract."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Which failures are tried again, how often, and after which waits.

    The wait before retry n (from 0) is `wait_initial_s * wait_multiplier ** n` plus up to `jitter_s`, never
    above `wait_max_s`. A provider's hint replaces it: the hint plus a random share of `retry_after_extra_s`.
    """

    attempts: int
    on_statuses: frozenset[int]
    on_timeout: bool
    on_connection: bool
    never_statuses: frozenset[int] = frozenset()
    wait_initial_s: float
    wait_multiplier: float
    wait_max_s: float
    jitter_s: float
    honour_retry_after: bool
    retry_after_extra_s: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        least, most = self.retry_after_extra_s
        both = sorted(self.on_statuses & self.never_statuses)
        _require(self.attempts >= 1, "attempts", self.attempts, "at least 1")
        _require(not both, "on_statuses", both, "disjoint from never_statuses")
        _require_seconds("wait_initial_s", self.wait_initial_s)
        _require_seconds("jitter_s", self.jitter_s)
        _require(1 <= self.wait_multiplier < math.inf, "wait_multiplier", self.wait_multiplier, "at least 1")
        _require_seconds("wait_max_s", self.wait_max_s, at_least=self.wait_initial_s)
        _require_seconds("retry_after_extra_s", least)
        _require_seconds("retry_after_extra_s", most, at_least=least)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """After how many consecutive failures calls are refused, for how long, and what ends it."""

    failure_threshold: int
    recovery_timeout_s: float
    half_open_successes: int

    def __post_init__(self) -> None:
        _require(self.failure_threshold >= 1, "failure_threshold", self.failure_threshold, "at least 1")
        _require_seconds("recovery_timeout_s", self.recovery_timeout_s)
        _require(self.half_open_successes >= 1, "half_open_successes", self.half_open_successes, "at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """At most `amount` of a unit (requests, tokens, …) in any window of `window_s`."""

    unit: str
    amount: float
    window_s: float

    def __post_init__(self) -> None:
        _require(bool(self.unit), "unit", self.unit, "a name")
        _require(0 < self.amount < math.inf, "amount", self.amount, "above 0")
        _require(0 < self.window_s < math.inf, "window_s", self.window_s, "above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePolicy:
    """All rate limits of a provider; none is no limit."""

    limits: tuple[RateLimit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """How long an answer is good for, and how many are kept."""

    ttl_s: float
    entries: int

    def __post_init__(self) -> None:
        _require(self.ttl_s > 0, "ttl_s", self.ttl_s, "above 0")
        _require(self.entries >= 1, "entries", self.entries, "at least 1")


def _require_seconds(name: str, value: float, at_least: float = 0.0) -> None:
    _require(at_least <= value < math.inf, name, value, f"at least {at_least:g} and finite")


def _require(holds: bool, name: str, value: object, rule: str) -> None:
    if not holds:
        raise ValueError(f"{name} must be {rule}, not {value!r}")
