"""The client's monitor put to the test."""

from collections.abc import Iterator

from harness.client.scenario import Watch
from harness.suites.fault.catalogue import always, first
from harness.suites.fault.ordeal import Ordeal, ordeal, server_error
from harness.suites.staging import Staging


def monitor_ordeals(staging: Staging) -> Iterator[Ordeal]:
    """The client's monitor while its provider is down."""
    contract = staging.setting.agreement.contract
    if contract.monitoring is None:
        return
    operation = contract.provider.probe.partition("/")[0]
    status = server_error(staging.setting.agreement.operations[operation])
    if status is not None:
        down = always(staging.declared(operation, status))
        watch = (Watch(seconds=3 * contract.monitoring.health_check_interval),)
        yield ordeal(staging, "provider-is-down", watch, down, "monitoring.alert_on_failure", "monitoring.metrics")
        interval_s, retry = contract.monitoring.health_check_interval, contract.resilience.retry
        once = first(retry.attempts if retry else 1, staging.declared(operation, status))
        long_watch = (Watch(seconds=5 * interval_s + 1),)
        yield ordeal(staging, "provider-recovers", long_watch, once, "monitoring.health_check_interval")
