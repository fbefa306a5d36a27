"""Counts of what happened, for one client."""

from collections import Counter, defaultdict

from adapters.resilience.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BreakerChanged,
    Event,
    GaveUp,
    HealthChecked,
    Refused,
    RetryScheduled,
    Throttled,
)


class Metrics:
    """An observer that adds up events; `snapshot` is the sum so far."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def __call__(self, event: Event) -> None:
        match event:
            case AttemptStarted():
                self._counts["attempts"] += 1
            case AttemptSucceeded():
                self._counts["attempts.succeeded"] += 1
                self._add_seconds("attempts", event.took_s)
            case AttemptFailed():
                self._counts["attempts.failed"] += 1
                self._counts[f"attempts.failed.{type(event.error).__name__}"] += 1
                self._add_seconds("attempts", event.took_s)
            case RetryScheduled():
                self._counts["retries"] += 1
                self._add_seconds("retries.wait", event.wait_s)
            case Throttled():
                self._counts["throttled"] += 1
                self._add_seconds("throttled.wait", event.wait_s)
            case GaveUp():
                self._counts[f"gave_up.{event.reason.name.lower()}"] += 1
            case Refused():
                self._counts["refused"] += 1
            case BreakerChanged():
                self._counts[f"breaker.{event.after}"] += 1
            case HealthChecked():
                self._counts["health_checks"] += 1
                self._counts["health_checks.failed"] += event.error is not None

    def snapshot(self) -> dict[str, float]:
        """Counts by name, and sums of seconds by name with `_s` at the end."""
        return {**self._counts, **self._seconds}

    def _add_seconds(self, name: str, seconds: float) -> None:
        self._seconds[f"{name}_s"] += seconds
