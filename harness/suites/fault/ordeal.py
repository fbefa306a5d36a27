"""What an ordeal is: a scenario with what goes wrong in it."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.client.scenario import Scenario, Together
from harness.contract.agreement import OperationTerms
from harness.exchange import Observation
from harness.suites.case import Skipped
from harness.suites.fault.catalogue import FaultOf
from harness.suites.staging import Staging

CROWD = 10


@dataclass(frozen=True, kw_only=True)
class Ordeal:
    """A scenario and what goes wrong in it."""

    name: str
    execute: Callable[[], Observation | Skipped]
    aims: tuple[str, ...]
    over_grpc: bool = False


def ordeal(staging: Staging, name: str, scenario: Scenario | Callable[[], Scenario], fault: FaultOf | None, *aims: str) -> Ordeal:
    """One that is staged when it is run."""

    def execute() -> Observation:
        return staging.play(scenario() if callable(scenario) else scenario, script=fault)

    return Ordeal(name=name, execute=execute, aims=aims)


def calls(staging: Staging, terms: OperationTerms, count: int, start: int = 0) -> Scenario:
    """So many calls one after the other, each of something else."""
    return tuple(staging.fresh(terms, start + index) for index in range(count))


def crowd(staging: Staging, terms: OperationTerms, start: int, count: int = CROWD) -> Together:
    """So many calls at the same time, each of something else."""
    return Together(calls=tuple(staging.fresh(terms, start + index) for index in range(count)))


def server_error(terms: OperationTerms) -> int | None:
    """The first declared status of the provider's own failure."""
    return next((status for status, shape in terms.model.responses.items() if status >= 500 and shape.raises), None)


def refusal(terms: OperationTerms) -> int | None:
    """The first declared status of a refusal that is about the request itself."""
    found = (
        status
        for status, shape in terms.model.responses.items()
        if 400 <= status < 429 and shape.raises and shape.when != "unauthenticated"
    )
    return next(found, None)
