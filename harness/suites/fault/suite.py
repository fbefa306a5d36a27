"""The fault suite: each trouble of the catalogue and each ordeal of the policies, for each operation."""

from collections.abc import Callable, Iterator

from harness.exchange import Observation
from harness.suites.case import Case, Setting, Skipped
from harness.suites.fault.catalogue import catalogue
from harness.suites.fault.policies import monitoring, ordeals
from harness.suites.staging import Staging


class Faults:
    """Cases that break the wire and watch the client."""

    name = "fault"

    def cases(self, setting: Setting) -> Iterator[Case]:
        staging = Staging(setting)
        for terms in staging.bound():
            call = staging.invoke(terms.name)
            for trouble in catalogue(staging, terms):
                execute = lambda fault=trouble.fault, call=call: staging.play((call,), script=fault)  # type: ignore[misc]  # noqa: E731
                yield self._case(terms.name, trouble.name, execute, trouble.aims)
            for ordeal in ordeals(staging, terms):
                yield self._case(terms.name, ordeal.name, ordeal.execute, ordeal.aims)
        for ordeal in monitoring(staging):
            yield self._case("monitor", ordeal.name, ordeal.execute, ordeal.aims)

    def _case(self, operation: str, name: str, execute: Callable[[], Observation | Skipped], aims: tuple[str, ...]) -> Case:
        return Case(suite=self.name, operation=operation, name=name, execute=execute, aims=aims)


SUITE = Faults()
