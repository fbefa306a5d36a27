"""A run folded by clause: kept or broken, at which evidence level, checked by what."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from harness.events import CaseFinished, Event, Noted, RunFinished, RunStarted
from harness.exchange import Level
from harness.verdict import Finding, Outcome, Verdict


class State(StrEnum):
    """What a run knows of a clause."""

    KEPT = "kept"
    BROKEN = "broken"
    UNCHECKED = "unchecked"
    BEYOND = "beyond this provider"
    WAIVED = "waived"


@dataclass(kw_only=True)
class ClauseResult:
    """One clause after a run: ``level`` is the strongest evidence, ``suites`` and ``checks`` who looked at it."""

    id: str
    kind: str
    place: str
    waived: str = ""
    beyond: str = ""  # why no case can tell of it with this provider
    level: Level | None = None
    suites: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    findings: dict[str, Finding] = field(default_factory=dict)
    repeats: Counter[str] = field(default_factory=Counter)

    @property
    def state(self) -> State:
        if self.findings:
            return State.BROKEN
        if self.level is not None:
            return State.KEPT
        if self.waived:
            return State.WAIVED
        return State.BEYOND if self.beyond else State.UNCHECKED


@dataclass(kw_only=True)
class Summary:
    """One run, folded from its events."""

    started: RunStarted
    clauses: dict[str, ClauseResult]
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    by_suite: dict[str, Counter[Outcome]] = field(default_factory=dict)
    troubles: list[CaseFinished] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    exchanges: int = 0
    seconds: float = 0.0
    finished: bool = False
    undone: tuple[str, ...] = ()

    @classmethod
    def of(cls, started: RunStarted) -> "Summary":
        clauses = {c.id: ClauseResult(id=c.id, kind=c.kind, place=c.place, waived=c.waived) for c in started.clauses}
        return cls(started=started, clauses=clauses)

    def take(self, event: Event) -> None:
        """Fold one more event of this run in."""
        match event:
            case CaseFinished():
                self._case(event)
            case Noted():
                self._note(event.text)
            case RunFinished():
                self.finished = True
                self.undone = event.vacuous

    def _case(self, event: CaseFinished) -> None:
        verdict = event.verdict
        self.outcomes[verdict.outcome] += 1
        self.by_suite.setdefault(verdict.suite, Counter())[verdict.outcome] += 1
        self.exchanges += verdict.exchanges
        self.seconds += event.seconds
        self._note(verdict.note)
        if verdict.outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE):
            self.troubles.append(event)
        if verdict.outcome is Outcome.SKIPPED:
            self.skipped[verdict.reason] += 1
            self._beyond(verdict)
        for clause in verdict.kept:
            self._looked_at(clause, event)
        for finding in verdict.findings:
            result = self._looked_at(finding.clause, event, finding.place)
            result.findings.setdefault(finding.fingerprint, finding)
            result.repeats[finding.fingerprint] += 1

    def _beyond(self, verdict: Verdict) -> None:
        for aim in verdict.beyond:
            for clause in self.clauses.values():
                if clause.id == aim or (aim.endswith("*") and clause.id.startswith(aim[:-1])):
                    clause.beyond = clause.beyond or verdict.reason

    def _note(self, text: str) -> None:
        if text and text not in self.notes:
            self.notes.append(text)

    def _looked_at(self, clause: str, event: CaseFinished, place: str = "") -> ClauseResult:
        result = self.clauses.setdefault(clause, ClauseResult(id=clause, kind="", place=place))
        result.level = max(result.level or Level.STUB, event.verdict.level)
        result.suites.add(event.verdict.suite)
        result.checks.update(event.verdict.checks)
        return result

    def in_state(self, state: State) -> list[ClauseResult]:
        """The clauses in a state, in the order of the file."""
        return [clause for clause in self.clauses.values() if clause.state is state]

    @property
    def vacuous(self) -> str:
        """Why the run proves nothing, or an empty text."""
        if not sum(self.outcomes.values()):
            return "no case was run"
        if not self.outcomes[Outcome.PASSED] and not self.outcomes[Outcome.FAILED]:
            return "no case saw anything that could be judged"
        return "; ".join(self.undone)

    @property
    def kept(self) -> bool:
        """Whether the contract was kept, as far as this run goes: a chosen part need not check every clause."""
        troubled = self.outcomes[Outcome.FAILED] + self.outcomes[Outcome.ERROR] + self.outcomes[Outcome.INCONCLUSIVE]
        unchecked = [] if self.started.partial else self.in_state(State.UNCHECKED)
        return not troubled and not unchecked and not self.vacuous and not self.in_state(State.BROKEN)


def summarise(events: Iterable[Event]) -> list[Summary]:
    """One summary a run."""
    running: dict[str, Summary] = {}
    done: list[Summary] = []
    for event in events:
        if isinstance(event, RunStarted):
            running[event.contract] = summary = Summary.of(event)
            done.append(summary)
        else:
            running[event.contract].take(event)
    return done
