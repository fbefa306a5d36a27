"""One load run: what every process that takes part has to know, and where their samples come together."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.checks.indicators import PREFIX, Samples, Terms, measure
from harness.contract.agreement import Agreement
from harness.exchange import Exchange, Level
from harness.suites.load.arrivals import Schedule
from harness.suites.load.order import Order
from harness.suites.load.requests import Template, templates
from harness.suites.load.result import LoadResult, packed, unpacked
from harness.suites.load.traffic import Made, made, traffic_of
from harness.suites.load.watch import Watch

MOST_IN_FLIGHT = 1000
SETTLING_S = 15.0  # past the last possible answer: for what is still under way between processes


class Part:
    """What one process does of a run."""

    def __init__(self, agreement: Agreement, order: Order, *, credential: str) -> None:
        self.agreement = agreement
        self.order = order
        self.credential = credential
        self.schedule = order.schedule(agreement)
        self._claimed = False
        traffic = traffic_of(agreement, order).requests
        self.templates: tuple[tuple[Template | Made, ...], ...] = tuple(
            tuple(made(agreement, maker, first_number=order.first_number) for maker in traffic.get(operation, ()))
            or templates(agreement, operation)
            for operation in self.schedule.operations
        )

    @property
    def credential_header(self) -> dict[str, str]:
        return credential_header(self.agreement, self.credential)

    @property
    def patience_s(self) -> float:
        """How long an answer is waited for, from when its request was meant to start: the contract's timeout."""
        return self.agreement.contract.provider.timeout

    @property
    def most_in_flight(self) -> int:
        """The requests that one process has open at once; more of them wait, and their waiting counts."""
        return self.order.users or MOST_IN_FLIGHT

    def claim(self, stream: str) -> bool:
        """Whether a stream is to send: it is in the order, and has not been started before."""
        new = not self._claimed and stream in self.order.streams
        self._claimed = self._claimed or new
        return new

    def arrivals(self, stream: str) -> Iterator[tuple[int, float, int]]:
        """The share of a stream."""
        return self.schedule.share(self.order.streams.index(stream), len(self.order.streams))

    def template(self, operation: int, number: int) -> Template | Made:
        """The request for an arrival: the traffic of its operation in turn, else its examples."""
        examples = self.templates[operation]
        return examples[number % len(examples)]


@dataclass
class Run:
    """A run as the process sees it that judges it."""

    agreement: Agreement
    order: Order
    level: Level
    schedule: Schedule
    samples: Samples = field(default_factory=Samples)
    breaking: list[Exchange] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)
    stopped: bool = False
    stalled_s: float = 0.0  # of the sender that could run least
    starved_s: float = 0.0

    @property
    def begun(self) -> bool:
        return bool(self.order.streams)

    def begin(self, streams: Sequence[str]) -> None:
        """From now on these send."""
        self.order = replace(self.order, streams=tuple(streams))

    def renewed(self) -> "Run":
        """The same once more, from the start, with other texts."""
        order = replace(self.order, first_number=self.order.first_number + len(self.schedule), streams=())
        return Run(self.agreement, order, self.level, self.schedule)

    def take(self, report: Mapping[str, Any]) -> None:
        """What a stream has done since it last reported."""
        self.samples.take(report["samples"])
        self.breaking.extend(map(unpacked, report["breaking"]))
        self.stalled_s = max(self.stalled_s, float(report["stalled_s"]))
        self.starved_s = max(self.starved_s, float(report["starved_s"]))
        if report["finished"]:
            self.finished.add(str(report["stream"]))

    @property
    def complete(self) -> bool:
        return self.begun and self.finished >= set(self.order.streams) and len(self.samples) == len(self.schedule)

    def over(self, elapsed_s: float, *, lost: Collection[str] = ()) -> bool:
        """Whether there is nothing more to wait for: all have finished or are lost, or no answer can come any more."""
        latest_s = self.order.duration_s + self.agreement.contract.provider.timeout + SETTLING_S
        return self.finished.union(lost) >= set(self.order.streams) or elapsed_s > latest_s

    @property
    def terms(self) -> Terms:
        return Terms(
            operations=self.schedule.operations,
            planned=len(self.schedule),
            duration_s=self.order.duration_s,
            grace_s=grace_s(self.agreement),
        )

    def result(self) -> LoadResult:
        """What the run came to, so far."""
        measured = {**measure(self.samples, self.terms), f"{PREFIX}.complete": float(self.complete)}
        measured |= {f"{PREFIX}.sender_stalled_s": self.stalled_s, f"{PREFIX}.provider_starved_s": self.starved_s}
        return LoadResult(
            contract=self.agreement.name,
            profile=self.order.profile,
            provider=self.order.provider,
            measured=measured,
            breaking=tuple(self.breaking),
        )


def credential_header(agreement: Agreement, credential: str) -> dict[str, str]:
    """The header that carries the credential, if the contract has one and it is known here."""
    auth = agreement.contract.provider.auth
    if auth is None or not credential:
        return {}
    return {auth.header.lower(): f"Bearer {credential}" if auth.scheme == "bearer" else credential}


def report(stream: str, samples: Samples, breaking: list[Exchange], *, watch: Watch, finished: bool) -> dict[str, Any]:
    """What a stream tells whoever judges the run."""
    start_s, response_s = samples.column("start_s"), samples.column("response_s")
    samples.excuse(watch.lost_s(start_s, start_s + response_s))
    lost = {"stalled_s": watch.stalled_s, "starved_s": watch.starved_s}
    return {"stream": stream, "samples": samples.pack(), "breaking": list(map(packed, breaking)), "finished": finished, **lost}


def grace_s(agreement: Agreement) -> float:
    """How late an answer may come and keep every response time; the timeout, when the contract states none."""
    sla = agreement.contract.sla
    stated = [sla.response_time_p50, sla.response_time_p95, sla.response_time_p99]
    return max((limit for limit in stated if limit is not None), default=agreement.contract.provider.timeout)
