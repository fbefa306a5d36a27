"""What happens during a call and a health check, as told to an observer."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from adapters.resilience.breaker import State
from adapters.resilience.retry import Reason

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """An attempt waited for the rate limits."""

    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    """Attempt `number` (from 1) of a call starts."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSucceeded:
    """The attempt brought a result."""

    number: int
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed:
    """The attempt raised, or was cancelled."""

    number: int
    took_s: float
    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled:
    """After `wait_s` comes attempt `number`."""

    number: int
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GaveUp:
    """The call ends with the failure of its last attempt."""

    attempts: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The circuit breaker refused the call."""

    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChanged:
    """The circuit breaker went from one state to another."""

    before: State
    after: State


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChecked:
    """A health check ended; `error` says what was wrong."""

    took_s: float
    error: Exception | None


Event = (
    Throttled
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | RetryScheduled
    | GaveUp
    | Refused
    | BreakerChanged
    | HealthChecked
)
Observer = Callable[[Event], None]


def tell(observer: Observer | None, event: Event) -> None:
    """Let the observer know; its own failure is logged and does not touch the call."""
    if observer is None:
        return
    try:
        observer(event)
    except Exception:  # noqa: BLE001  an observer must not decide over a call
        _log.exception("an observer failed on %s", type(event).__name__)
