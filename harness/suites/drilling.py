"""The contract's drill as calls of a client: what it makes of data that the examples don't have."""

from collections.abc import Container, Iterator

from harness.checks.examples import request_parts
from harness.checks.stateful import STEP
from harness.client.scenario import Invoke, Scenario
from harness.contract.model import DrillRequest, Stateful
from harness.exchange import Observation
from harness.suites.case import Skipped
from harness.suites.over_grpc import operations_over_grpc, play_over_grpc
from harness.suites.staging import Staging
from harness.verdict import SkipReason


def drill_through_client(staging: Staging) -> Observation | Skipped:
    """The drill by the client's methods."""
    if not staging.setting.provider.remembers:
        return Skipped(reason=SkipReason.NOT_FOR_THIS_PROVIDER, detail="it remembers nothing")
    return staging.play(_calls(staging, {terms.name for terms in staging.bound()}))


def drill_over_grpc(staging: Staging) -> Observation | Skipped:
    """The same with a client that speaks gRPC."""
    return play_over_grpc(staging, _calls(staging, operations_over_grpc(staging.setting)))


def _calls(staging: Staging, known: Container[str]) -> Scenario:
    """All changes, with every question after the first that is settled, and one question after each later one."""
    stateful = staging.setting.agreement.contract.stateful
    assert stateful is not None
    return tuple(_call(each, stateful.given) for each in _steps(stateful) if each.operation in known)


def _steps(stateful: Stateful) -> Iterator[DrillRequest]:
    assert stateful.drill is not None
    questions = stateful.drill.questions
    for change in stateful.drill.changes:
        yield change
        if change.settled:
            yield from questions
            questions = questions[:1]


def _call(request: DrillRequest, state: str) -> Invoke:
    return Invoke(operation=request.operation, parts=request_parts(request), needs=state, step=STEP)
