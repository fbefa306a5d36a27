"""Clauses of which a provider of the chosen kind can't tell: said, and no reason to be red; those that nothing tried stay so."""

from harness.events import CaseFinished, ClauseListed, RunFinished, RunStarted
from harness.exchange import Level
from harness.reporting.summary import State, Summary, summarise
from harness.reporting.text import lines
from harness.verdict import Outcome, SkipReason, Verdict

CLAUSES = ("operations.find.responses.200", "stateful.operations.find", "sequences.twice.promises.same")
REMEMBERS_NOTHING = f"{SkipReason.NOT_FOR_THIS_PROVIDER}: it remembers nothing"


def run(*verdicts: Verdict) -> Summary:
    started = RunStarted(
        contract="search",
        title="Search",
        file="search.yaml",
        client="c",
        provider="stub",
        level=Level.STUB,
        seed=0,
        clauses=tuple(ClauseListed(id=clause, kind="", place="search.yaml:1:1") for clause in CLAUSES),
    )
    answered = Verdict(case="a", suite="fuzz", outcome=Outcome.PASSED, kept=CLAUSES[:1])
    cases = [CaseFinished(contract="search", verdict=verdict) for verdict in (answered, *verdicts)]
    [summary] = summarise([started, *cases, RunFinished(contract="search", cases=len(cases))])
    return summary


def skipped(*beyond: str, reason: str = REMEMBERS_NOTHING) -> Verdict:
    return Verdict(case="b", suite="stateful", outcome=Outcome.SKIPPED, reason=reason, beyond=beyond)


def test_what_no_case_can_tell_with_this_provider_is_said_and_leaves_the_run_kept() -> None:
    summary = run(skipped("stateful.*"), skipped(CLAUSES[2]))
    assert [clause.id for clause in summary.in_state(State.BEYOND)] == list(CLAUSES[1:])
    assert summary.kept
    said = [text for text, _ in lines(summary)]
    assert f"2 clauses can't be told with this provider, as it remembers nothing: {CLAUSES[1]}, {CLAUSES[2]}" in said
    assert said[-1].startswith("search: kept as far as this provider can tell: ")


def test_what_another_reason_left_out_stays_unchecked() -> None:
    summary = run(skipped("stateful.*"), skipped(reason=str(SkipReason.NOT_DERIVED)))
    assert [clause.id for clause in summary.in_state(State.UNCHECKED)] == [CLAUSES[2]]
    assert not summary.kept


def test_what_another_case_told_all_the_same_is_kept() -> None:
    summary = run(skipped(*CLAUSES[1:]), Verdict(case="c", suite="conformance", outcome=Outcome.PASSED, kept=CLAUSES[1:]))
    assert (summary.in_state(State.BEYOND), summary.kept) == ([], True)
