"""Does the client watch its provider: at the declared interval, with metrics, with an alert on failure?"""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from harness.checks.judging import Judge, shown
from harness.checks.sight import Sight
from harness.exchange import Returned
from harness.verdict import Judgement

MONITOR = "monitor"  # the name under which a call of the client's monitor is recorded
SLACK_S = 0.05


def check_monitoring(sight: Sight) -> Iterator[Judgement]:
    """The monitor's probes on the wire, the alerts it raised and the metrics it counted."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="monitoring")
    monitoring = sight.agreement.contract.monitoring
    for call, sent in sight.by_call:
        if monitoring is None or call.operation != MONITOR or not isinstance(call.ending, Returned):
            continue
        report = call.ending.value if isinstance(call.ending.value, Mapping) else {}
        firsts = [seen.exchange.started_s for seen in sent if seen.exchange.injected is None]
        gaps = [later - earlier for earlier, later in pairwise(firsts)]
        interval_s = monitoring.health_check_interval
        if len(sent) == len(firsts):
            enough = len(firsts) >= int((call.ended_s - call.started_s) // interval_s)
            yield from judge.expect(
                "monitoring.health_check_interval",
                bool(gaps) and enough and all(abs(gap - interval_s) <= SLACK_S for gap in gaps),
                expected=f"a health check every {interval_s:g} s",
                actual=f"gaps of {shown([round(gap, 3) for gap in gaps[:5]])} s",
            )
        else:
            alerts = report.get("alerts", 0)
            wanted = bool(alerts) if monitoring.alert_on_failure else not alerts
            yield from judge.expect("monitoring.alert_on_failure", wanted, expected="an alert when the health check fails", actual=f"{alerts} alerts")
        metrics = report.get("metrics")
        yield from judge.expect(
            "monitoring.metrics", bool(metrics) is monitoring.metrics, expected="metrics that count what was done", actual=shown(metrics)
        )
