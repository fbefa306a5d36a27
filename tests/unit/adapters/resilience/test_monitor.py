"""Rules of the monitor: on the beat, one alert a change, and nothing silences it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from adapters.errors import IntegrationError, ProviderTimeout, ProviderUnreachable
from adapters.resilience import Alert, Metrics, Monitor

Run = Callable[[Coroutine[Any, Any, Any]], Any]
DOWN = ProviderUnreachable("down")


class Patient:
    """Is as well as its list says, one entry a check: an exception, seconds of silence, or a value."""

    def __init__(self, *script: object) -> None:
        self._script = list(script)
        self.asked_s: list[float] = []

    async def __call__(self) -> object:
        self.asked_s.append(asyncio.get_running_loop().time() - 1000.0)
        step = self._script.pop(0) if self._script else True
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
        return step


async def watched(patient: Patient, *, for_s: float, **options: Any) -> tuple[Monitor, list[Alert]]:
    alerts: list[Alert] = []
    async with Monitor(patient, interval_s=60.0, **({"on_alert": alerts.append} | options)) as monitor:
        await asyncio.sleep(for_s)
    return monitor, alerts


def test_it_checks_at_once_and_then_at_every_interval(run: Run) -> None:
    patient = Patient()
    monitor, alerts = run(watched(patient, for_s=181.0))
    assert patient.asked_s == [0.0, 60.0, 120.0, 180.0]
    assert (monitor.checks, monitor.failures, monitor.healthy, alerts) == (4, 0, True, [])


def test_a_slow_check_does_not_shift_the_beat(run: Run) -> None:
    patient = Patient(20.0, 59.0, 0.5)
    run(watched(patient, for_s=181.0))
    assert patient.asked_s == [0.0, 60.0, 120.0, 180.0]


def test_one_alert_when_it_falls_ill_and_one_when_it_recovers(run: Run) -> None:
    monitor, alerts = run(watched(Patient(True, DOWN, DOWN, DOWN, True, True, DOWN), for_s=361.0))
    assert alerts == [
        Alert(error=DOWN, failures=1),
        Alert(error=None, failures=3),
        Alert(error=DOWN, failures=1),
    ]
    assert [alert.healthy for alert in alerts] == [False, True, False]
    assert (monitor.checks, monitor.failures, monitor.healthy) == (7, 4, False)


def test_ill_from_the_first_check_is_an_alert(run: Run) -> None:
    _, alerts = run(watched(Patient(DOWN), for_s=1.0))
    assert alerts == [Alert(error=DOWN, failures=1)]


def test_saying_no_is_a_failure_too(run: Run) -> None:
    _, [alert] = run(watched(Patient(False), for_s=1.0))
    assert isinstance(alert.error, IntegrationError)


def test_a_check_that_hangs_fails_at_the_next_beat(run: Run) -> None:
    patient = Patient(1e6)
    monitor, alerts = run(watched(patient, for_s=61.0))
    assert isinstance(alerts[0].error, ProviderTimeout)
    assert (monitor.checks, len(patient.asked_s), alerts[1].healthy) == (2, 2, True)


def test_a_bug_in_the_check_is_a_failure_and_not_the_end(run: Run) -> None:
    monitor, alerts = run(watched(Patient(KeyError("x"), True), for_s=61.0))
    assert [alert.healthy for alert in alerts] == [False, True]
    assert monitor.checks == 2


def test_an_alert_may_be_a_coroutine(run: Run) -> None:
    heard: list[Alert] = []

    async def ring(alert: Alert) -> None:
        await asyncio.sleep(5.0)
        heard.append(alert)

    run(watched(Patient(DOWN), for_s=30.0, on_alert=ring))
    assert heard == [Alert(error=DOWN, failures=1)]


def broken(alert: Alert) -> None:
    raise RuntimeError("no line")


async def endless(alert: Alert) -> None:
    await asyncio.sleep(1e6)


@pytest.mark.parametrize("on_alert", [broken, endless])
def test_an_alarm_that_does_not_work_is_logged_and_does_not_silence_the_monitor(
    run: Run, caplog: pytest.LogCaptureFixture, on_alert: object
) -> None:
    monitor, _ = run(watched(Patient(DOWN, DOWN, DOWN), for_s=181.0, on_alert=on_alert))
    assert monitor.checks >= 3
    assert "an alert could not be delivered" in caplog.text


def test_it_stops_when_left_also_in_the_middle_of_a_check(run: Run) -> None:
    async def scenario() -> None:
        patient = Patient(50.0)
        await watched(patient, for_s=1.0)
        assert len(asyncio.all_tasks()) == 1
        await asyncio.sleep(600.0)
        assert len(patient.asked_s) == 1

    run(scenario())


def test_without_anyone_to_alert_it_still_counts(run: Run) -> None:
    monitor, _ = run(watched(Patient(DOWN), for_s=1.0, on_alert=None))
    assert monitor.failures == 1


def test_metrics_count_its_checks(run: Run) -> None:
    metrics = Metrics()
    run(watched(Patient(True, DOWN), for_s=121.0, on_event=metrics))
    assert metrics.snapshot() == {"health_checks": 3, "health_checks.failed": 1}


def test_an_interval_of_nothing_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="interval_s must be above 0"):
        Monitor(Patient(), interval_s=0.0)
