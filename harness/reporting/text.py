"""A summary as text for people: what was proven, against what, and what to do next."""

from collections import Counter
from collections.abc import Iterator

from harness.exchange import Level
from harness.reporting.summary import ClauseResult, State, Summary

Line = tuple[str, str]  # text and style: "", "bold", "green", "red", "yellow", "dim"
MOST_FINDINGS = 25
MOST_NAMES = 3


def lines(summary: Summary, *, verbose: bool = False) -> Iterator[Line]:
    """The lines of a report, each with a style."""
    yield from _head(summary)
    yield from _suites(summary)
    yield from _clauses(summary, verbose=verbose)
    yield from _findings(summary)
    yield from _troubles(summary)
    yield from _unchecked(summary)
    yield from ((f"note: {note}", "dim") for note in _together(summary.notes))
    yield _conclusion(summary)


def _head(summary: Summary) -> Iterator[Line]:
    started = summary.started
    yield f"{started.contract}: {started.title} ({started.file})", "bold"
    yield f"client {started.client} · provider {started.provider} (evidence: {started.level}) · seed {started.seed}", ""


def _together(notes: list[str]) -> Iterator[str]:
    """The notes; where several things are the same, they are told in one line."""
    things: dict[str, list[str]] = {}
    for note in notes:
        thing, was, what = note.partition(" was ")
        things.setdefault((was and what) or note, []).append(thing)
    for what, names in things.items():
        if len(names) == 1:
            yield names[0] if names[0] == what else f"{names[0]} was {what}"
        else:
            yield f"{_some(names)} were {what}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else "")


def _suites(summary: Summary) -> Iterator[Line]:
    for suite, outcomes in summary.by_suite.items():
        counted = ", ".join(
            f"{count} {outcome.name.lower()}" for outcome, count in sorted(outcomes.items(), key=lambda pair: pair[0]) if count
        )
        yield f"  {suite:12} {counted}", ""
    for reason, count in summary.skipped.items():
        yield f"  {count} skipped: {reason}", "yellow"


def _clauses(summary: Summary, *, verbose: bool) -> Iterator[Line]:
    states = Counter(clause.state for clause in summary.clauses.values())
    yield "clauses: " + ", ".join(f"{states[state]} {state}" for state in State if states[state]), "bold"
    for level in reversed(Level):
        kept = [clause for clause in summary.in_state(State.KEPT) if clause.level is level]
        if kept:
            suites = sorted({suite for clause in kept for suite in clause.suites})
            yield f"  {len(kept):4} kept on {level} evidence, checked by {', '.join(suites)}", "green"
    if verbose:
        for clause in summary.clauses.values():
            yield _clause_line(clause), ""


def _clause_line(clause: ClauseResult) -> str:
    by = f" [{clause.level}] by {', '.join(sorted(clause.suites))}" if clause.level is not None else ""
    return f"  {clause.state:9} {clause.id} ({clause.place}){by}"


def _findings(summary: Summary) -> Iterator[Line]:
    findings = [(clause, key, finding) for clause in summary.in_state(State.BROKEN) for key, finding in clause.findings.items()]
    for clause, key, finding in findings[:MOST_FINDINGS]:
        times = f" (seen {clause.repeats[key]} times)" if clause.repeats[key] > 1 else ""
        head, *rest = str(finding).splitlines()
        yield head + times, "red"
        yield from ((line, "") for line in rest)
    if len(findings) > MOST_FINDINGS:
        yield f"… and {len(findings) - MOST_FINDINGS} more findings; all are in the JSON report", "red"


def _troubles(summary: Summary) -> Iterator[Line]:
    for event in summary.troubles:
        yield f"{event.verdict.outcome.name.lower()}: {event.verdict.case}: {event.verdict.reason}", "yellow"


def _unchecked(summary: Summary) -> Iterator[Line]:
    unchecked = summary.in_state(State.UNCHECKED)
    if unchecked and not summary.started.partial:
        yield "unchecked: nothing that was run says whether these are kept (check them, or waive them in the contract):", "red"
        yield from ((f"  {clause.place}: {clause.id}", "red") for clause in unchecked)
    beyond = summary.in_state(State.BEYOND)
    for why in dict.fromkeys(clause.beyond for clause in beyond):
        names = [clause.id for clause in beyond if clause.beyond == why]
        yield f"{len(names)} clauses can't be told with this provider, as {why.partition(': ')[2] or why}: {_some(names)}", "yellow"
    for clause in summary.in_state(State.WAIVED):
        yield f"waived: {clause.id}: {clause.waived}", "yellow"


def _conclusion(summary: Summary) -> Line:
    name = summary.started.contract
    if summary.vacuous:
        return f"{name}: nothing is proven: {summary.vacuous}", "red"
    if not summary.kept:
        broken = summary.in_state(State.BROKEN)
        return (f"{name}: BROKEN, {len(broken)} clauses" if broken else f"{name}: NOT PROVEN, see above"), "red"
    limited = summary.in_state(State.BEYOND)
    part = " as far as the chosen cases go" if summary.started.partial else " as far as this provider can tell" if limited else ""
    cases = sum(summary.outcomes.values())
    return f"{name}: kept{part}: {cases} cases, {summary.exchanges} exchanges, {summary.seconds:.1f} s", "green"
