"""Guards against a run that passes because it did nothing: each says what was not done."""

from collections.abc import Iterable, Iterator

from harness.engine.core import all_cases
from harness.events import CaseFinished
from harness.suites.case import Setting, Suite
from harness.verdict import Outcome, Verdict

RECORDED = "cassette::"
SILENT = frozenset({"static", "load"})  # one makes no request, the other's are samples, and no sample breaks its objectives


def vacuities(setting: Setting, suites: Iterable[Suite], events: Iterable[CaseFinished], *, whole: bool) -> Iterator[str]:
    """Why these results prove less than they seem to; nothing when all is well.

    What was chosen by hand, case by case, has only to be run: nothing that was left out is missed.
    ``whole``: all suites were to run.
    """
    verdicts = [event.verdict for event in events]
    suites = tuple(suites)
    expected = {case.id for case in all_cases(setting, suites)}
    if setting.record_mode != "none":  # what was just recorded is there to be replayed the next time
        expected = {case for case in expected if not case.startswith(RECORDED)}
    missing = expected - {verdict.case for verdict in verdicts}
    if missing:
        yield f"{len(missing)} cases were not run, such as {min(missing)}"
    for suite in suites:
        yield from _silent(suite.name, [verdict for verdict in verdicts if verdict.suite == suite.name])
    if whole:
        yield from _never_entered(setting, verdicts)


def _silent(suite: str, verdicts: list[Verdict]) -> Iterator[str]:
    passed = [verdict for verdict in verdicts if verdict.outcome is Outcome.PASSED]
    if passed and suite not in SILENT and not any(verdict.exchanges for verdict in passed):
        yield f"{len(passed)} cases of the suite `{suite}` passed without a single request"


def _never_entered(setting: Setting, verdicts: list[Verdict]) -> Iterator[str]:
    """A state is entered by whoever starts in it: an example, an answer or a sequence that was judged."""
    judged = {clause for verdict in verdicts for clause in (*verdict.kept, *(finding.clause for finding in verdict.findings))}
    for state in setting.agreement.contract.states:
        starting = set(_started_in(setting, state))
        if not starting & judged:
            yield f"the state `{state}` was never entered" + ("" if starting else ": nothing in the contract starts in it")


def _started_in(setting: Setting, state: str) -> Iterator[str]:
    contract = setting.agreement.contract
    for operation, terms in setting.agreement.operations.items():
        yield from (f"operations.{operation}.examples.{name}" for name, example in terms.model.examples.items() if example.given == state)
        yield from (f"operations.{operation}.responses.{status}" for status, shape in terms.model.responses.items() if shape.given == state)
    for name, sequence in contract.sequences.items():
        if sequence.given == state:
            yield from (f"sequences.{name}.promises.{promise}" for promise in sequence.promises)
    if contract.stateful is not None and contract.stateful.given == state:
        yield from (clause for clause in setting.agreement.clauses if clause.startswith("stateful."))
