"""What goes wrong below HTTP and gRPC: a TCP proxy between the client and a real port, with one toxic at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from harness.client.scenario import Invoke, Scenario
from harness.client.seams import Tcp
from harness.contract.agreement import OperationTerms
from harness.exchange import Observation
from harness.suites.case import Skipped
from harness.suites.fault.ordeal import Ordeal
from harness.suites.over_grpc import operations_over_grpc, play_over_grpc
from harness.suites.staging import Staging
from harness.wire.tcp import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout, Toxic

FOREVER = 20  # budgets: longer than any client may wait
PIECES = 8
RETRY, RESULT = "resilience.retry.*", "operations.{}.bind.result"
LATE = ("provider.timeout", "failures.timeout.raises")
BROKEN = ("failures.invalid_response.raises", "failures.connection.raises")
ToxicsOf = Callable[[int], tuple[Toxic, ...]]


@dataclass(frozen=True, kw_only=True)
class Harm:
    """What is wrong with the connections; ``made`` is told the provider's timeout, and how many bytes a good answer has."""

    name: str
    made: Callable[[float, int], ToxicsOf]
    aims: tuple[str, ...]
    needs_size: bool = False


def _each(toxic: Toxic) -> ToxicsOf:
    return lambda number: (toxic,)


HARMS = (
    Harm(name="latency", made=lambda limit_s, size: _each(Latency(seconds=limit_s / 10)), aims=(RESULT,)),
    Harm(name="latency-beyond-timeout", made=lambda limit_s, size: _each(Latency(seconds=2 * limit_s)), aims=LATE),
    Harm(  # it trickles: no single read ever takes too long
        name="bandwidth-beyond-timeout",
        made=lambda limit_s, size: _each(Bandwidth(bytes_per_s=size / (3 * limit_s), every_s=limit_s / 4)),
        aims=LATE,
        needs_size=True,
    ),
    Harm(name="reset_peer", made=lambda limit_s, size: _each(ResetPeer()), aims=(RETRY, "operations.{}.idempotent", BROKEN[1])),
    Harm(
        name="reset_peer-once",
        made=lambda limit_s, size: lambda number: (ResetPeer(),) if number == 0 else (),
        aims=("resilience.retry.on.connection", RESULT),
    ),
    Harm(
        name="timeout",
        made=lambda limit_s, size: _each(Timeout(seconds=FOREVER * limit_s)),
        aims=(*LATE, "resilience.budget"),
    ),
    Harm(name="slow_close", made=lambda limit_s, size: _each(SlowClose(seconds=2 * limit_s)), aims=(RESULT,)),
    Harm(
        name="slicer",
        made=lambda limit_s, size: _each(Slicer(piece_bytes=max(1, size // PIECES), pause_s=limit_s / 100)),
        aims=(RESULT,),
        needs_size=True,
    ),
    Harm(
        name="limit_data",
        made=lambda limit_s, size: _each(LimitData(most_bytes=size * 3 // 4)),
        aims=BROKEN,
        needs_size=True,
    ),
)


def transport_ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """Every harm to one operation, over each transport that the client has; for a few telling operations."""
    if terms.name in telling(staging):
        yield from (_ordeal(staging, terms, harm, over_grpc=False) for harm in HARMS)
    if terms.name in telling(staging) and terms.name in operations_over_grpc(staging.setting):
        yield from (_ordeal(staging, terms, harm, over_grpc=True) for harm in HARMS)


def telling(staging: Staging) -> frozenset[str]:
    """A write that is split, or else any; one that may not be repeated; the read that is asked for most."""
    bound = {terms.name: terms for terms in staging.bound()}
    mixes = [profile.mix for profile in staging.setting.agreement.contract.load.values()]
    plain = [name for name in bound if not staging.splits(bound[name])]
    asked = sorted(plain, key=lambda name: -max((mix.get(name, 0) for mix in mixes), default=0))
    chosen = (
        next((name for name in bound if staging.splits(bound[name])), None),
        next((name for name in bound if not bound[name].model.idempotent), None),
        next((name for name in asked if bound[name].model.idempotent), None),
    )
    return frozenset(name for name in chosen if name is not None)


def _ordeal(staging: Staging, terms: OperationTerms, harm: Harm, *, over_grpc: bool) -> Ordeal:
    play = partial(play_over_grpc, staging) if over_grpc else partial(_play_over_tcp, staging)
    name = f"{'grpc' if over_grpc else 'tcp'}-{harm.name}"
    execute = lambda: _harmed(staging, staging.invoke(terms.name), harm, play)
    return Ordeal(name=name, execute=execute, aims=tuple(aim.format(terms.name) for aim in harm.aims), over_grpc=over_grpc)


def _play_over_tcp(staging: Staging, scenario: Scenario, *, tcp: Tcp) -> Observation:
    return staging.observe(replace(staging.trial(), tcp=tcp), scenario)


def _harmed(staging: Staging, call: Invoke, harm: Harm, play: Callable[..., Observation | Skipped]) -> Observation | Skipped:
    size = 0
    if harm.needs_size:
        unharmed = play((call,), tcp=Tcp())
        size = 0 if isinstance(unharmed, Skipped) else _size_of_answer(unharmed)
        if not size:
            return unharmed  # it fails without any harm: let that be seen
    limit_s = staging.setting.agreement.contract.provider.timeout
    return play((call,), tcp=Tcp(toxics=harm.made(limit_s, size)))


def _size_of_answer(observation: Observation) -> int:
    """How many bytes brought the answer, of the connection with most of them; 0 when none came."""
    return max((each.answered_bytes for each in observation.connections), default=0)
