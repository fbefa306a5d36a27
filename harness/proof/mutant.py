"""What a mutant is: one clause broken in one way, on the wire or in what the client is seen to do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from harness.exchange import Observation


class Party(StrEnum):
    """Who is made to lie."""

    PROVIDER = "provider"
    CONSUMER = "consumer"


class Fate(StrEnum):
    """What became of a mutant: EQUIVALENT ones changed nothing that anybody could have seen."""

    KILLED = "killed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """One way to break a clause, applied to one observation: what was seen, as a liar would have it seen."""

    kind: str
    what: str
    observation: Observation = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One clause broken in one way; ``killed_by`` are the case and check that named it, ``nearest`` what came closest.

    ``diff`` says of a survivor what was seen without the liar and with it.
    """

    clause: str
    place: str
    party: Party
    kind: str
    what: str
    fate: Fate
    killed_by: str = ""
    nearest: str = ""
    diff: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.clause}#{self.kind}"


Distortions = Iterator[Distortion]
