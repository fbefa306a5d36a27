"""The outcome of a proof: each clause proven, checked, unchecked or waived; each mutant's fate; the score."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from harness.proof.mutant import Fate, Mutant


class Standing(StrEnum):
    """What is known of a clause: proven means kept, and seen to fail against every mutant of it."""

    PROVEN = "proven"
    CHECKED = "checked"
    UNCHECKED = "unchecked"
    BROKEN = "broken"
    WAIVED = "waived"


@dataclass(frozen=True, kw_only=True)
class ClauseProof:
    """One clause after a proof; ``why`` says what keeps it from being proven."""

    id: str
    kind: str
    place: str
    standing: Standing
    made: int
    killed: int
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One contract after a proof; ``wire_share`` is the part of the mutants' time that exchanges took."""

    contract: str
    client: str
    provider: str
    required_score: float
    clauses: tuple[ClauseProof, ...]
    mutants: tuple[Mutant, ...]
    excused: Mapping[str, str]  # the reasons of waivers in force, by clause
    cases: int
    seconds: float
    baseline_seconds: float
    wire_share: float
    whole: bool = True  # by all suites: then nothing may stay unchecked
    objections: tuple[str, ...] = ()  # what is wrong with the proof's own terms, such as a waiver that has expired

    @property
    def made(self) -> int:
        return sum(mutant.fate is not Fate.EQUIVALENT for mutant in self.mutants)

    @property
    def killed(self) -> int:
        return sum(mutant.fate is Fate.KILLED for mutant in self.mutants)

    @property
    def equivalent(self) -> int:
        return sum(mutant.fate is Fate.EQUIVALENT for mutant in self.mutants)

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        return tuple(mutant for mutant in self.mutants if mutant.fate is Fate.SURVIVED)

    @property
    def score(self) -> float:
        """Killed of made; 0 when none was made, because then nothing is proven."""
        return self.killed / self.made if self.made else 0.0

    @property
    def standings(self) -> Counter[Standing]:
        return Counter(clause.standing for clause in self.clauses)

    @property
    def sufficient(self) -> bool:
        """Whether the required score is reached, excused survivors left out, with nothing broken, untouched or objected to."""
        unexcused = [mutant for mutant in self.survivors if mutant.clause not in self.excused]
        counted = self.killed + len(unexcused)
        untouched = self.whole and self.standings[Standing.UNCHECKED] > 0
        amiss = untouched or self.objections or self.standings[Standing.BROKEN]
        return bool(counted) and self.killed / counted >= self.required_score and not amiss

    def as_json(self) -> dict[str, object]:
        """The report: numbers first, then the survivors, then every clause."""
        by_kind = Counter(f"{mutant.party}: {mutant.kind}" for mutant in self.mutants)
        return {
            "contract": self.contract,
            "client": self.client,
            "provider": self.provider,
            "score": round(self.score, 4),
            "required": self.required_score,
            "sufficient": self.sufficient,
            "made": self.made,
            "killed": self.killed,
            "equivalent": self.equivalent,
            "survivors": [_mutant(mutant) | {"excused": self.excused.get(mutant.clause, "")} for mutant in self.survivors],
            "objections": list(self.objections),
            "standings": {standing.value: self.standings[standing] for standing in Standing},
            "kinds": dict(sorted(by_kind.items())),
            "cases": self.cases,
            "seconds": round(self.seconds, 2),
            "baseline_seconds": round(self.baseline_seconds, 2),
            "wire_share": round(self.wire_share, 3),
            "clauses": [asdict(clause) for clause in self.clauses],
            "mutants": [_mutant(mutant) for mutant in self.mutants],
        }


def _mutant(mutant: Mutant) -> dict[str, object]:
    return asdict(mutant)
