"""What a suite is: a generator of cases; and what a case is: something to run, and what it then saw."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.client.binding import Binding
from harness.client.driver import REAL_LIMIT_S
from harness.contract.agreement import Agreement
from harness.exchange import Observation
from harness.provider.had import Provider
from harness.verdict import SkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A case that was not run, and why."""

    reason: SkipReason
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is under test: a contract, a client and a provider, and where files go.

    ``seed`` makes everything random repeatable; ``record_mode`` is that of the cassettes.
    """

    agreement: Agreement
    binding: Binding
    provider: Provider
    root: Path
    seed: int = 0
    record_mode: str = "none"
    real_limit_s: float = REAL_LIMIT_S  # of one play, in real seconds: whoever takes longer hangs

    @property
    def build(self) -> Path:
        """The folder for what a run leaves behind."""
        return self.root / "build"

    @property
    def cassettes(self) -> Path:
        """The folder of this contract's cassettes: as with contracts, one for each version where there are several."""
        return self.root.joinpath("cassettes", *self.agreement.name.split("@"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing to try. ``aims`` are the clauses (or ``prefix.*``) that it is there for.

    One that is ``alone`` measures times. One ``over_grpc`` speaks it: a proof lies there by itself, as far as gRPC can say it.
    """

    suite: str
    operation: str | None
    name: str
    execute: Callable[[], Observation | Skipped] = field(repr=False)
    aims: tuple[str, ...] = ()
    over_grpc: bool = False
    alone: bool = False

    @property
    def id(self) -> str:
        """Speaking, unique within the contract, and the same in every run."""
        return "::".join(part for part in (self.suite, self.operation, self.name) if part)


class Suite(Protocol):
    """One technique."""

    @property
    def name(self) -> str: ...

    def cases(self, setting: Setting) -> Iterable[Case]:
        """The cases, in an order that does not change; making them runs nothing and starts nothing."""
        ...
