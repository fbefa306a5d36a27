"""The back-off put to the test: do the waits of many clients fall apart?"""

from collections.abc import Iterator
from math import ceil

from harness.contract.agreement import OperationTerms
from harness.suites.fault.catalogue import FaultOf
from harness.suites.fault.ordeal import Ordeal, calls, ordeal, server_error
from harness.suites.staging import Staging

WAITS = 8


def spreading_ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """Calls that succeed with their last attempt, so that there are many waits and the circuit stays closed."""
    policies, status = staging.setting.agreement.contract.resilience, server_error(terms)
    retry, breaker = policies.retry, policies.circuit_breaker
    if retry is None or retry.attempts < 2 or not retry.wait.jitter or status is None or status not in retry.on:
        return
    failing = retry.attempts - 1 if breaker is None else min(retry.attempts, breaker.failure_threshold) - 1
    if failing:
        down = staging.declared(terms.name, status)
        fault: FaultOf = lambda number: None if number % (failing + 1) == failing else down
        yield ordeal(staging, "waits-are-spread", calls(staging, terms, ceil(WAITS / failing)), fault, "resilience.retry.wait.jitter")
