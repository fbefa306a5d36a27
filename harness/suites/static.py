"""The contract itself: are its waivers and accepted differences still in force today?"""

from collections.abc import Iterator
from datetime import date

from harness.exchange import Observation
from harness.suites.case import Case, Setting


class Static:
    """What can be judged without anybody answering."""

    name = "static"

    def cases(self, setting: Setting) -> Iterator[Case]:
        def today() -> Observation:
            return Observation(measured={"today": date.today().toordinal()})  # noqa: DTZ011 - the day where it is run

        yield Case(suite=self.name, operation=None, name="terms-in-force", execute=today, aims=("evidence.*", "waivers"))


SUITE = Static()
