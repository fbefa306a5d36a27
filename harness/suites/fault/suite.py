"""The fault suite: each trouble of the catalogue and each ordeal of the policies, for each operation."""

from collections.abc import Callable, Iterator

from harness.contract.agreement import OperationTerms
from harness.exchange import Observation
from harness.suites.case import Case, Setting, Skipped
from harness.suites.fault.breaking import breaker_ordeals
from harness.suites.fault.caching import cache_ordeals
from harness.suites.fault.catalogue import catalogue
from harness.suites.fault.credentials import credential_ordeals
from harness.suites.fault.limiting import batch_ordeals, rate_ordeals
from harness.suites.fault.ordeal import Ordeal
from harness.suites.fault.refusals import refusal_ordeals
from harness.suites.fault.rpc_statuses import status_ordeals
from harness.suites.fault.spreading import spreading_ordeals
from harness.suites.fault.transport import transport_ordeals
from harness.suites.fault.watching import monitor_ordeals
from harness.suites.staging import Staging

ORDEALS: tuple[Callable[[Staging, OperationTerms], Iterator[Ordeal]], ...] = (
    breaker_ordeals,
    spreading_ordeals,
    rate_ordeals,
    batch_ordeals,
    cache_ordeals,
    credential_ordeals,
    refusal_ordeals,
    transport_ordeals,
    status_ordeals,
)


class Faults:
    """Cases that break the wire and watch the client."""

    name = "fault"

    def cases(self, setting: Setting) -> Iterator[Case]:
        staging = Staging(setting)
        for terms in staging.bound():
            call = staging.invoke(terms.name)
            for trouble in catalogue(staging, terms):
                execute = lambda fault=trouble.fault, call=call: staging.play((call,), script=fault)
                yield self._case(terms.name, trouble.name, execute, trouble.aims)
            for ordeals in ORDEALS:
                for ordeal in ordeals(staging, terms):
                    yield self._case(terms.name, ordeal.name, ordeal.execute, ordeal.aims, over_grpc=ordeal.over_grpc)
        for ordeal in monitor_ordeals(staging):
            yield self._case("monitor", ordeal.name, ordeal.execute, ordeal.aims)

    def _case(
        self, operation: str, name: str, execute: Callable[[], Observation | Skipped], aims: tuple[str, ...], *, over_grpc: bool = False
    ) -> Case:
        return Case(suite=self.name, operation=operation, name=name, execute=execute, aims=aims, over_grpc=over_grpc)


SUITE = Faults()
