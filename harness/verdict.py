"""What observations mean: findings name the clause that was broken, verdicts fold what a case found."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from harness.exchange import Level


class Outcome(IntEnum):
    """How a case ended; several fold to the worst.

    FAILED: the subject broke its contract. ERROR: the harness could not judge. INCONCLUSIVE: nothing was
    seen that could be judged, or what was seen does not tell.
    """

    SKIPPED = 0
    PASSED = 1
    INCONCLUSIVE = 2
    FAILED = 3
    ERROR = 4


class SkipReason(StrEnum):
    """Why a case was not run."""

    NOT_BOUND = "the client binds no method for this operation"
    NO_CASSETTE = "there is no cassette for this operation"
    ENGINE_MISSING = "an optional part is not installed"
    NOT_FOR_THIS_CLIENT = "this kind of client can't be driven this way"
    NOT_FOR_THIS_PROVIDER = "this provider can't be driven this way"
    NOT_DERIVED = "no such case can be made from the contract and its examples"
    WAIVED = "the contract waives every clause that this case checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A clause that was seen broken.

    ``place`` is file:line:column of the clause, ``pointer`` the JSON Pointer into the body that broke it.
    """

    clause: str
    place: str
    check: str
    expected: str
    actual: str
    pointer: str = ""
    curl: str = ""
    seed: int | None = None
    hint: str = ""

    @property
    def fingerprint(self) -> str:
        """Stable over runs: the same breach at the same place, whatever the numbers in it."""
        stable = re.sub(r"\d+", "#", f"{self.clause}|{self.check}|{self.pointer}|{self.expected}|{self.actual}")
        return hashlib.blake2b(stable.encode(), digest_size=6).hexdigest()

    def __str__(self) -> str:
        where = f" at {self.pointer}" if self.pointer else ""
        lines = [f"{self.place}: {self.clause} is broken{where}", f"  expected: {self.expected}", f"  actual:   {self.actual}"]
        lines += [f"  {name + ':':9} {text}" for name in ("curl", "hint") if (text := getattr(self, name))]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One check's word on one clause: broken if there is a finding, not to be told if there is a doubt, else kept."""

    clause: str
    check: str
    finding: Finding | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one case came to."""

    case: str
    suite: str
    outcome: Outcome
    level: Level = Level.STUB
    operation: str | None = None
    kept: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    note: str = ""  # what a reader should know besides, such as what was recorded and when
    exchanges: int = 0
    checks: tuple[str, ...] = field(default=())
    beyond: tuple[str, ...] = ()  # clauses (or ``prefix.*``) that the case is there for, if this provider has no way to tell of them


def fold(judgements: Iterable[Judgement], *, case: str, suite: str, level: Level, operation: str | None, exchanges: int) -> Verdict:
    """Fold a case's judgements: any finding fails it; a doubt, or no judgement at all, leaves it inconclusive."""
    seen = list(judgements)
    findings = {j.finding.fingerprint: j.finding for j in seen if j.finding}
    doubts = list(dict.fromkeys(j.doubt for j in seen if j.doubt))
    not_kept = {finding.clause for finding in findings.values()}.union(j.clause for j in seen if j.doubt)
    outcome = Outcome.FAILED if findings else Outcome.INCONCLUSIVE if doubts or not seen else Outcome.PASSED
    return Verdict(
        case=case,
        suite=suite,
        operation=operation,
        outcome=outcome,
        level=level,
        kept=tuple(sorted({j.clause for j in seen} - not_kept)),
        findings=tuple(findings.values()),
        reason="; ".join(doubts) if seen else "nothing was seen that a check could judge",
        exchanges=exchanges,
        checks=tuple(sorted({j.check for j in seen})),
    )
