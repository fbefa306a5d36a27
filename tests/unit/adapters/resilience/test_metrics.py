"""Rules of the metrics: every event is added up under a name of its own."""

from adapters.errors import ProviderTimeout
from adapters.resilience import Metrics
from adapters.resilience.breaker import State
from adapters.resilience.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BreakerChanged,
    GaveUp,
    Refused,
    RetryScheduled,
    Throttled,
)
from adapters.resilience.retry import Reason


def test_every_event_is_added_up() -> None:
    metrics = Metrics()
    for event in (
        Throttled(wait_s=60.0),
        AttemptStarted(number=1),
        AttemptFailed(number=1, took_s=0.5, error=ProviderTimeout("60 s")),
        BreakerChanged(before=State.CLOSED, after=State.OPEN),
        RetryScheduled(number=2, wait_s=1.5),
        AttemptStarted(number=2),
        AttemptSucceeded(number=2, took_s=0.25),
        GaveUp(attempts=3, reason=Reason.ATTEMPTS),
        Refused(attempts=0),
    ):
        metrics(event)
    assert metrics.snapshot() == {
        "throttled": 1,
        "throttled.wait_s": 60.0,
        "attempts": 2,
        "attempts.succeeded": 1,
        "attempts.failed": 1,
        "attempts.failed.ProviderTimeout": 1,
        "attempts_s": 0.75,
        "breaker.open": 1,
        "retries": 1,
        "retries.wait_s": 1.5,
        "gave_up.attempts": 1,
        "refused": 1,
    }


def test_a_snapshot_does_not_change_any_more() -> None:
    metrics = Metrics()
    before = metrics.snapshot()
    metrics(AttemptStarted(number=1))
    assert before == {}
