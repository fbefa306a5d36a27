"""Does the client watch its provider: at the declared interval, with metrics, with an alert on failure?"""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from harness.checks.groups import is_good
from harness.checks.judging import Judge, shown
from harness.checks.sight import Seen, Sight
from harness.contract.promises import Monitoring
from harness.exchange import Call, Raised, Returned
from harness.verdict import Judgement

MONITOR = "monitor"  # the name under which a call of the client's monitor is recorded
SLACK_S = 0.05
INTERVAL, ALERTS, METRICS = "monitoring.health_check_interval", "monitoring.alert_on_failure", "monitoring.metrics"


def check_monitoring(sight: Sight) -> Iterator[Judgement]:
    """The monitor's probes on the wire, the alerts it raised and the metrics it counted."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="monitoring")
    monitoring = sight.agreement.contract.monitoring
    for call, sent in sight.by_call:
        if monitoring is None or call.operation != MONITOR:
            continue
        if isinstance(call.ending, Raised):
            for clause in (INTERVAL, ALERTS, METRICS):
                expected = "a monitor that runs: the client has `metrics` and `monitor(on_alert=…)`, which is entered (docs/clients.md)"
                yield judge.broken(clause, expected=expected, actual=f"{call.ending.type}: {shown(call.ending.message)}")
        elif isinstance(call.ending, Returned) and isinstance(call.ending.value, Mapping):
            yield from _watched(judge, monitoring, call, sent)
            yield from _counted(judge, monitoring, call.ending.value)


def _watched(judge: Judge, monitoring: Monitoring, call: Call, sent: tuple[Seen, ...]) -> Iterator[Judgement]:
    assert isinstance(call.ending, Returned) and isinstance(call.ending.value, Mapping)
    alerts, interval_s = call.ending.value.get("alerts", 0), monitoring.health_check_interval
    if any(seen.exchange.injected for seen in sent):
        wanted = bool(alerts) if monitoring.alert_on_failure else not alerts
        yield from judge.expect(ALERTS, wanted, expected="an alert when the health check fails", actual=f"{alerts} alerts")
        yield from _goes_on(judge, call, sent, interval_s)
        return
    if not all(is_good(seen) for seen in sent):
        return  # it saw something else than a provider that is well, and may say and do so
    starts = [seen.exchange.started_s for seen in sent]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    enough = len(starts) >= int((call.ended_s - call.started_s) // interval_s)
    yield from judge.expect(
        INTERVAL,
        bool(gaps) and enough and all(abs(gap - interval_s) <= SLACK_S for gap in gaps),
        expected=f"a health check every {interval_s:g} s",
        actual=f"gaps of {shown([round(gap, 3) for gap in gaps[:5]])} s",
    )
    yield from judge.expect(ALERTS, not alerts, expected="no alert while all is well", actual=f"{alerts} alerts")


def _goes_on(judge: Judge, call: Call, sent: tuple[Seen, ...], interval_s: float) -> Iterator[Judgement]:
    """After a failure that passes, the health checks go on as before."""
    last_bad = max(number for number, seen in enumerate(sent) if seen.exchange.injected)
    well = sent[last_bad + 1 :]
    rest_s = call.ended_s - sent[last_bad].exchange.ended_s
    if rest_s < 2 * interval_s or not all(is_good(seen) for seen in well):
        return
    gaps = [later.exchange.started_s - earlier.exchange.started_s for earlier, later in pairwise(well)]
    yield from judge.expect(
        INTERVAL,
        len(well) >= int(rest_s // interval_s) and all(abs(gap - interval_s) <= SLACK_S for gap in gaps),
        expected=f"a health check every {interval_s:g} s, also after one that failed",
        actual=f"{len(well)} in {rest_s:g} s",
    )


def _counted(judge: Judge, monitoring: Monitoring, report: Mapping[str, object]) -> Iterator[Judgement]:
    before, after = report.get("metrics_before"), report.get("metrics")
    counted = _numbers(after) != _numbers(before) if before is not None else bool(after)
    yield from judge.expect(
        METRICS,
        (bool(after) and counted) is monitoring.metrics,
        expected="metrics that count what was done" if monitoring.metrics else "no metrics",
        actual=f"{shown(after)}" + ("" if counted or not after else ", as before it"),
    )


def _numbers(value: object) -> list[float]:
    """Every number in a value of mappings and lists, in order."""
    if isinstance(value, Mapping):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    return [float(value)] if isinstance(value, int | float) else []
