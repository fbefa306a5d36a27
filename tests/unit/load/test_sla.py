"""Each objective is judged by its clause, and no objective is kept by a run that saw nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from harness.checks.indicators import Fate, Samples, Terms, measure
from harness.checks.registry import judge
from harness.checks.sla import compare, percent, seconds
from harness.contract.agreement import Agreement
from harness.exchange import Level, Observation
from harness.verdict import Finding, Outcome, fold

Sampled = Callable[[list[Any]], Samples]
Make = Callable[..., Terms]
Promising = Callable[..., Agreement]
ALL = {"sla.availability", "sla.response_time_p95", "sla.throughput", "sla.error_rate"}


def good(count: int, *, operation: int = 0, fate: Fate = Fate.VERIFIED, response_s: float = 0.1) -> list[Any]:
    return [(operation, fate, 10.0 * number / count, response_s) for number in range(count)]


def judged(agreement: Agreement, measured: dict[str, float]) -> tuple[set[str], list[Finding]]:
    """The clauses that were kept, and the findings."""
    found = list(judge(agreement, Observation(measured=measured)))
    return {each.clause for each in found if not each.finding}, [each.finding for each in found if each.finding]


def test_a_good_run_keeps_every_objective(voyage: Agreement, sampled: Sampled, terms: Make) -> None:
    assert judged(voyage, measure(sampled(good(200)), terms(200))) == (ALL, [])


@pytest.mark.parametrize(
    ("rows", "clauses"),
    [
        (good(180) + good(20, response_s=2.5), {"sla.response_time_p95"}),
        (good(199) + good(1, fate=Fate.FAILED), {"sla.availability"}),
        (good(170) + good(30, fate=Fate.REFUSED), {"sla.error_rate"}),
        (good(170) + good(30, fate=Fate.WRONG), {"sla.error_rate"}),
        (good(200, response_s=30.0), {"sla.response_time_p95", "sla.throughput"}),
        (good(200, fate=Fate.LOST), ALL),
    ],
    ids=["slow", "one 5xx", "refuses", "lies", "very slow", "not there"],
)
def test_a_run_that_misses_an_objective_names_its_clause(
    voyage: Agreement, sampled: Sampled, terms: Make, rows: list[Any], clauses: set[str]
) -> None:
    _, findings = judged(voyage, measure(sampled(rows), terms(len(rows))))
    assert {finding.clause for finding in findings} == clauses
    assert all(finding.place == str(voyage.place(finding.clause)) for finding in findings)


def test_a_run_without_a_sample_misses_everything(voyage: Agreement, terms: Make) -> None:
    kept, findings = judged(voyage, measure(Samples(), terms(0)))
    assert (kept, {finding.clause for finding in findings}) == (set(), ALL)
    assert {finding.actual for finding in findings} == {"no sample"}


@pytest.mark.parametrize("complete", [0.0, 1.0])
def test_a_run_that_was_cut_short_misses_everything(voyage: Agreement, sampled: Sampled, terms: Make, complete: float) -> None:
    planned = 200 if complete else 150
    kept, findings = judged(voyage, {**measure(sampled(good(150)), terms(planned)), "load.complete": complete})
    assert (kept, {finding.clause for finding in findings}) == (set(), ALL)
    assert "cut short: 150 of" in findings[0].actual


def test_what_is_no_load_run_says_nothing_about_objectives(voyage: Agreement) -> None:
    assert list(compare(voyage, {"today": 1.0})) == []


def test_an_operation_is_judged_only_where_one_request_does_not_decide(promising: Promising, sampled: Sampled, terms: Make) -> None:
    agreement = promising(availability=0.99, response_time_p95=2.0, response_time_p99=2.0, error_rate=0.1)
    measured = measure(sampled(good(980) + good(20, operation=1)), terms(1000))
    of_rerank = {each.clause for each in compare(agreement, measured) if each.operation == "rerank"}
    assert of_rerank == {"sla.response_time_p95", "sla.error_rate"}


def test_a_slow_operation_is_found_behind_many_quick_ones(voyage: Agreement, sampled: Sampled, terms: Make) -> None:
    measured = measure(sampled(good(980) + good(20, operation=1, response_s=5.0)), terms(1000))
    _, findings = judged(voyage, measured)
    assert [(finding.clause, finding.expected, finding.actual) for finding in findings] == [
        ("sla.response_time_p95", "≤ 2 s for `rerank`", "5 s")
    ]


# Throughput


def test_a_profile_below_the_objective_asks_for_all_that_it_offers(promising: Promising, sampled: Sampled, terms: Make) -> None:
    agreement = promising(throughput=1000 / 60)
    slow_profile = terms(100, duration_s=10.0)  # 600/min
    (kept,) = [each for each in compare(agreement, measure(sampled(good(100)), slow_profile)) if each.operation is None]
    assert (kept.kept, kept.actual) == (True, "600/min")
    assert kept.expected == "≥ 99 % of the 600/min that the profile offers (the objective, 1000/min, was not tried)"
    (missed,) = [
        each for each in compare(agreement, measure(sampled(good(98) + good(2, fate=Fate.FAILED)), slow_profile)) if each.operation is None
    ]
    assert not missed.kept


@pytest.mark.parametrize(("answered", "kept"), [(200, True), (167, True), (166, False)])
def test_a_profile_above_the_objective_tries_the_objective_itself(
    promising: Promising, sampled: Sampled, terms: Make, answered: int, kept: bool
) -> None:
    rows = good(answered) + good(200 - answered, fate=Fate.REFUSED) if answered < 200 else good(200)
    (found,) = compare(promising(throughput=1000 / 60), measure(sampled(rows), terms(200)))
    assert (found.kept, found.expected) == (kept, "≥ 1000/min")


def test_a_sender_that_is_late_itself_is_named(voyage: Agreement, terms: Make) -> None:
    samples = Samples()
    for number in range(200):
        samples.add(0, Fate.VERIFIED, start_s=number / 20, lag_s=2.9, response_s=3.0)
    _, findings = judged(voyage, measure(samples, terms(200)))
    assert "sent 2.9 s late or later" in findings[0].hint


def test_numbers_are_shown_as_exactly_as_objectives_are_stated() -> None:
    assert [percent(0.999), percent(0.9995), percent(1.0), percent(0.1)] == ["99.9 %", "99.95 %", "100 %", "10 %"]
    assert [seconds(2.0), seconds(0.05), seconds(0.0123456)] == ["2 s", "50 ms", "12.3 ms"]


# A machine that was too busy to tell


def excused(sampled: Sampled, rows: list[Any], share: float) -> Samples:
    """The same requests, so much of each response time taken by others."""
    samples = sampled(rows)
    samples.excuse(samples.column("response_s") * share)
    return samples


@pytest.mark.parametrize(
    ("rows", "clause"),
    [
        (good(180) + good(20, response_s=2.5), "sla.response_time_p95"),
        (good(180) + good(20, response_s=60.0, fate=Fate.LATE), "sla.availability"),
        (good(200, response_s=30.0), "sla.throughput"),
    ],
)
def test_what_a_busy_machine_may_have_done_is_no_breach_and_no_pass(
    voyage: Agreement, sampled: Sampled, terms: Make, rows: list[Any], clause: str
) -> None:
    measured = measure(excused(sampled, rows, 0.98), terms(200)) | {"load.sender_stalled_s": 3.5}
    judgements = list(judge(voyage, Observation(measured=measured)))
    verdict = fold(judgements, case="c", suite="load", level=Level.STUB, operation=None, exchanges=0)
    assert (verdict.outcome, verdict.findings) == (Outcome.INCONCLUSIVE, ())
    assert clause not in verdict.kept
    assert f"{clause}: expected" in verdict.reason
    assert "the machine was too busy to tell: the sender could not run for 3.5 s" in verdict.reason


@pytest.mark.parametrize(
    "rows",
    [
        good(180) + good(20, response_s=20.0),  # slow, whatever others took
        good(180) + good(20, fate=Fate.FAILED),  # nobody else makes a provider say 500
        good(170) + good(30, fate=Fate.WRONG),
    ],
    ids=["slow", "5xx", "wrong"],
)
def test_a_busy_machine_is_no_excuse_for_what_is_missed_at_best(voyage: Agreement, sampled: Sampled, terms: Make, rows: list[Any]) -> None:
    judgements = judge(voyage, Observation(measured=measure(excused(sampled, rows, 0.5), terms(200))))
    verdict = fold(judgements, case="c", suite="load", level=Level.STUB, operation=None, exchanges=0)
    assert verdict.outcome is Outcome.FAILED


def test_a_provider_that_is_fast_on_a_busy_machine_keeps_its_objectives(voyage: Agreement, sampled: Sampled, terms: Make) -> None:
    assert judged(voyage, measure(excused(sampled, good(200), 0.9), terms(200))) == (ALL, [])
