"""What a load run is to do: read from the contract and the command line, and told before it is done."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import time
from typing import Any, Self

from harness.contract.agreement import Agreement
from harness.contract.catalog import UnknownContract, contracts_folder, entries, find, load
from harness.contract.problems import nearest
from harness.contract.promises import LoadProfile
from harness.contract.units import positive_duration_s, rate_per_s
from harness.exchange import Level
from harness.suites.load.arrivals import Schedule, draw

SMOKE = "smoke"


class Misuse(Exception):
    """The command line asks for what can't be done; the message says what can."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be done, in plain values that can be sent to another machine.

    ``fill`` is how often the traffic's fill is sent before. ``streams`` are the processes that send, each
    its share of the schedule; ``first_number`` makes the texts of this run differ from those of an earlier one.
    """

    contract: str
    profile: str
    rate_per_s: float
    duration_s: float
    mix: dict[str, int]
    users: int | None = None
    fill: int = 0
    provider: str
    base_url: str = ""
    seed: int = 0
    first_number: int = 0
    streams: tuple[str, ...] = ()

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        return cls(**{**plain, "streams": tuple(plain["streams"])})

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "streams": list(self.streams)}

    def at(self, base_url: str) -> Self:
        """The same, for a provider that answers there."""
        return replace(self, base_url=base_url)

    def schedule(self, agreement: Agreement) -> Schedule:
        """When what is asked, the same on every machine."""
        profile = LoadProfile.model_construct(rate=self.rate_per_s, duration=self.duration_s, mix=self.mix)
        return draw(profile, tuple(agreement.operations), seed=self.seed)


def locate(name: str | None, start: Path) -> Agreement:
    """The contract that is meant: the one named, else the only one there is."""
    try:
        folder = contracts_folder(start)
    except UnknownContract:
        if name is None or not Path(name).is_file():
            raise
        return load(Path(name))
    if name is not None:
        return load(find(name, folder)[0].path, root=folder.parent)
    services = sorted({entry.service for entry in entries(folder)})
    if len(services) != 1:
        raise Misuse(f"which contract? Give --contract and one of: {', '.join(services) or f'none, there is no contract in {folder}'}")
    return load(find(services[0], folder)[0].path, root=folder.parent)


def order_for(
    agreement: Agreement,
    *,
    contract: str | None = None,
    profile: str | None = None,
    provider: str | None = None,
    rate: str | None = None,
    duration: str | None = None,
    seed: int = 0,
) -> Order:
    """The order for a profile of the contract (smoke, else the first), with another rate or duration if given.

    ``contract`` is what the contract was asked for by; another machine asks for it by the same.
    """
    profiles = agreement.contract.load
    if not profiles:
        raise Misuse(f"{agreement.document.file} has no profiles: give it some, such as `load: {{smoke: {{rate: 20/s, duration: 10s}}}}`")
    chosen = profile or (SMOKE if SMOKE in profiles else next(iter(profiles)))
    if chosen not in profiles:
        hint = nearest(chosen, profiles)
        raise Misuse(f"{agreement.name} has no profile `{chosen}`; there are: {', '.join(profiles)}" + (f"; {hint}" if hint else ""))
    model = profiles[chosen]
    try:
        return Order(
            contract=contract or agreement.name,
            profile=chosen,
            rate_per_s=rate_per_s(rate) if rate else model.rate,
            duration_s=positive_duration_s(duration) if duration else model.duration,
            mix=dict(model.mix),
            users=model.users,
            fill=model.fill,
            provider=provider or _unasked(agreement),
            seed=seed,
            first_number=int(time()) * 1000,
        )
    except ValueError as error:
        raise Misuse(str(error)) from None


def _unasked(agreement: Agreement) -> str:
    """The provider that is meant when none is named: never the live one."""
    default = agreement.contract.provider.default
    return "stub" if default == "live" else default


def announcement(agreement: Agreement, order: Order, schedule: Schedule, *, level: Level) -> Iterator[str]:
    """What is going to be sent, and to whom."""
    counts = ", ".join(f"{count} {name}" for name, count in schedule.counts().items())
    yield f"{agreement.name}, profile {order.profile}: {len(schedule)} requests in {order.duration_s:g} s ({counts}) to {order.base_url}"
    if level is not Level.LIVE:
        return
    yield "this is no stub: every request is real, and may cost money"
    for exceeded in over_limit(agreement, order):
        yield f"the profile exceeds what the contract lets a client send: {exceeded}"


def over_limit(agreement: Agreement, order: Order) -> Iterator[str]:
    """The rate limits of the contract that a client would exceed if it sent this much."""
    for limit in agreement.contract.limits.rate:
        sent = order.rate_per_s * min(limit.per, order.duration_s)
        if limit.requests is not None and sent > limit.requests:
            yield f"{sent:.0f} requests in {limit.per:g} s, where {limit.requests} are the most"
