"""The stub answers what is asked of the points in the examples as the engine does, so that a client is tried on answers that hold something."""

from pathlib import Path
from typing import Any

import pytest

from harness.checks.examples import example_parts
from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.engine.core import all_cases, find_suites, run_case
from harness.provider.choice import choose
from harness.provider.embedded import EmbeddedProvider
from harness.provider.stub import Stub
from harness.suites.asking import ask
from harness.suites.case import Setting
from harness.suites.staging import Staging
from harness.verdict import Outcome

from .conftest import ROOT

QUESTIONS = ("retrieve", "scroll", "count", "query", "search")
PLACES = 5


def rounded(value: Any) -> Any:
    """A result without what no stub can know: the version of a point, and the last digits of a number."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items() if name not in ("version", "order_value") and item is not None}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, PLACES) if isinstance(value, float) else value


def settled(result: Any) -> Any:
    """The scores of a search, and its points but for the farthest: which of several that are as far is anybody's choice."""
    points = result.get("points") if isinstance(result, dict) else result
    if isinstance(points, list) and points and "score" in points[0]:
        nearer = [point for point in points if point["score"] != points[-1]["score"]]
        return [point["score"] for point in points], sorted(nearer, key=lambda point: (point["score"], str(point["id"])))
    return result


@pytest.mark.parametrize("operation", QUESTIONS)
def test_the_stub_answers_the_examples_as_the_engine_does(operation: str, agreement: Agreement) -> None:
    if operation not in agreement.operations:
        pytest.skip("this version has no such operation")
    provider, stub = EmbeddedProvider(agreement), Stub(agreement)
    staging = Staging(Setting(agreement=agreement, binding=bind(agreement, None), provider=provider, root=ROOT))
    terms = agreement.operations[operation]
    try:
        for name, example in terms.model.examples.items():
            request = staging.request(terms, example_parts(example))
            (engine,) = ask(staging.setting, [request], state=example.given)
            assert engine.response is not None
            found, wanted = (rounded(response.json()["result"]) for response in (stub.answer_now(request), engine.response))
            assert settled(found) == settled(wanted), name
    finally:
        provider.close()


@pytest.mark.parametrize(("suite", "clauses"), [("stateful", "stateful.operations."), ("conformance", "sequences.")])
def test_what_only_a_memory_shows_is_said_to_be_beyond_a_stub(suite: str, clauses: str, agreement: Agreement, tmp_path: Path) -> None:
    setting = Setting(agreement=agreement, binding=bind(agreement, None), provider=choose(agreement, "stub"), root=tmp_path)
    wanted = [case for case in all_cases(setting, find_suites([suite])) if any(aim.startswith(clauses) for aim in case.aims)]
    verdicts = [run_case(setting, case) for case in wanted]
    setting.provider.close()
    assert {verdict.outcome for verdict in verdicts} == {Outcome.SKIPPED}
    assert [verdict.beyond for verdict in verdicts] == [case.aims for case in wanted]
    assert wanted
