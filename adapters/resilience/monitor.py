"""Asks at a fixed interval whether the provider is well, and says so when that changes."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

from adapters.errors import IntegrationError, ProviderTimeout
from adapters.resilience.clock import Clock, loop_time
from adapters.resilience.events import HealthChecked, Observer, tell

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The provider fell ill (`error` says how), or recovered (`error` is None) after `failures` checks."""

    error: Exception | None
    failures: int

    @property
    def healthy(self) -> bool:
        return self.error is None


OnAlert = Callable[[Alert], Awaitable[None] | None]


class Monitor:
    """Runs a health check every `interval_s` while it is entered; one alert for each change.

    A check fails by raising, by returning False, or by outlasting the interval.
    """

    def __init__(
        self,
        check: Callable[[], Awaitable[object]],
        *,
        interval_s: float,
        on_alert: OnAlert | None = None,
        on_event: Observer | None = None,
        clock: Clock = loop_time,
    ) -> None:
        if not interval_s > 0:
            raise ValueError(f"interval_s must be above 0, not {interval_s!r}")
        self._check = check
        self._interval_s = interval_s
        self._on_alert = on_alert
        self._on_event = on_event
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self.healthy: bool | None = None
        """What the last check found; None before the first."""
        self.checks = 0
        self.failures = 0
        self._failures_in_a_row = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def run(self) -> None:
        """Check until cancelled."""
        due_s = self._clock()
        while True:
            await self.check()
            # On the beat, however long the check took; a beat that was missed is not made up for.
            due_s = max(due_s + self._interval_s, self._clock())
            await asyncio.sleep(due_s - self._clock())

    async def check(self) -> None:
        """Check once, count, and alert if this changed anything."""
        since_s = self._clock()
        error = await self._ailment()
        tell(self._on_event, HealthChecked(took_s=self._clock() - since_s, error=error))
        was_ill, is_ill = self.healthy is False, error is not None
        self.healthy = not is_ill
        self.checks += 1
        self.failures += is_ill
        self._failures_in_a_row += is_ill
        if is_ill is not was_ill:
            await self._alert(Alert(error=error, failures=self._failures_in_a_row))
        if not is_ill:
            self._failures_in_a_row = 0

    async def _ailment(self) -> Exception | None:
        try:
            async with asyncio.timeout(self._interval_s) as scope:
                verdict = await self._check()
        except Exception as error:  # noqa: BLE001  whatever it is, the provider was not shown to be well
            if scope.expired():
                return ProviderTimeout(f"the health check took longer than {self._interval_s:g} s")
            return error
        return IntegrationError("the health check said no") if verdict is False else None

    async def _alert(self, alert: Alert) -> None:
        if self._on_alert is None:
            return
        try:
            answer = self._on_alert(alert)
            if inspect.isawaitable(answer):
                async with asyncio.timeout(self._interval_s):
                    await answer
        except Exception:  # noqa: BLE001  the alarm must not silence the monitor
            _log.exception("an alert could not be delivered")
