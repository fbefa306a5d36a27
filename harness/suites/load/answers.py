"""What an answer under load is worth: its status and media type are always read, its body by sample."""

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.checks.breaches import read_response
from harness.checks.indicators import Fate
from harness.checks.sight import Seen
from harness.contract.agreement import Agreement
from harness.exchange import Exchange, Response
from harness.suites.load.requests import Template
from harness.suites.load.traffic import Made

READ_PER_S = 20.0  # reading a body whole takes a millisecond or more, which those who wait for an answer would be charged
MOST_KEPT = 5
MOST_KEPT_BYTES = 500_000


@dataclass(kw_only=True)
class Answers:
    """Tells the fate of each answer, and keeps the first that break the contract."""

    agreement: Agreement
    clock: Callable[[], float]
    read_per_s: float = READ_PER_S
    breaking: list[Exchange] = field(default_factory=list)
    _allowance: float = 1.0
    _filled_s: float | None = None

    def fate(self, template: Template | Made, number: int, response: Response) -> tuple[Fate, str]:
        """What came of a request that was answered, and in a few words why, unless it is good."""
        kept, why = self._read(template, number, response) if self._may_read() else (None, "")
        status = response.status
        if status >= 500:
            return Fate.FAILED, f"status {status}"
        if status >= 400:
            return Fate.REFUSED, f"status {status}"
        if status != template.status:
            return Fate.UNEXPECTED, f"status {status} instead of {template.status}"
        if template.media_type is not None and response.media_type != template.media_type:
            return Fate.UNEXPECTED, f"media type {response.media_type or 'none'} instead of {template.media_type}"
        if kept is None:
            return Fate.UNVERIFIED, ""
        return (Fate.VERIFIED, "") if kept else (Fate.WRONG, why)

    def _may_read(self) -> bool:
        """Whether a body may be read now: so many a second, and as many at once after a quiet second."""
        now = self.clock()
        quiet_s = now - self._filled_s if self._filled_s is not None else 1.0
        self._filled_s = now
        self._allowance = min(max(1.0, self.read_per_s), self._allowance + quiet_s * self.read_per_s)
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _read(self, template: Template | Made, number: int, response: Response) -> tuple[bool, str]:
        exchange = Exchange(request=template.request(number), response=response, operation=template.operation)
        breaches = read_response(Seen(self.agreement, exchange, None)).breaches
        if not breaches:
            return True, ""
        if len(self.breaking) < MOST_KEPT and len(response.body) <= MOST_KEPT_BYTES:
            self.breaking.append(exchange)
        return False, f"breaks {breaches[0].clause}"
