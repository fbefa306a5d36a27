"""The contract itself: are its waivers and accepted differences still in force today?"""

from collections.abc import Iterator
from datetime import date

from harness.exchange import Observation
from harness.suites.case import Case, Setting


class Static:
    """What can be judged without anybody answering."""

    name = "static"

    def cases(self, setting: Setting) -> Iterator[Case]:
        today = date.today()  # noqa: DTZ011 - the day where it is run
        contract = setting.agreement.contract
        waivers = (*contract.waivers, *contract.proof.waivers)
        if not any(evidence.differs for evidence in contract.evidence) and all(waiver.until >= today for waiver in waivers):
            return  # nothing in it speaks of a day

        def execute() -> Observation:
            return Observation(measured={"today": today.toordinal()})

        yield Case(suite=self.name, operation=None, name="terms-in-force", execute=execute, aims=("evidence.*", "waivers"))


SUITE = Static()
