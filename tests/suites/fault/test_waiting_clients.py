"""However a client waits, its waits pass on the harness's clock: the right ones are not suspected, too short ones are named."""

import pytest

from harness.verdict import Outcome
from tests.miniatures.clients.waiting import ASYNC, BLOCKING, UNREACHED
from tests.miniatures.trying import findings, verdicts

MODULE = "tests.miniatures.clients.waiting"
CASES = ("fault::rerank::503-503-then-200", "fault::rerank::429-retry-after-a-minute")
TOO_SHORT = {"resilience.retry.wait.initial", "resilience.retry.wait.multiplier", "resilience.retry.retry_after.on.429"}
STAND_FOR_THESE = {"resilience.patterns.retry_with_backoff", "resilience.policies.rate_limit", "resilience.policies.server_error"}


@pytest.mark.parametrize("way", [*BLOCKING, *ASYNC])
def test_the_right_waits_are_not_suspected(way: str) -> None:
    assert findings(verdicts(CASES, client=f"{MODULE}:{way}")) == []


@pytest.mark.parametrize("way", [*BLOCKING, *ASYNC])
def test_half_of_a_wait_is_named_by_its_clause(way: str) -> None:
    found = {finding.clause for finding in findings(verdicts(CASES, client=f"{MODULE}:{way}InHaste"))}
    assert "resilience.retry.retry_after.on.429" in found
    assert found & TOO_SHORT
    assert found - TOO_SHORT <= STAND_FOR_THESE


@pytest.mark.parametrize("way", UNREACHED)
def test_a_wait_that_the_clock_does_not_reach_is_said_to_be_one_and_not_judged(way: str) -> None:
    for verdict in verdicts(CASES, client=f"{MODULE}:{way}"):
        assert (verdict.outcome, verdict.findings) == (Outcome.INCONCLUSIVE, ())
        assert "waits in real time" in verdict.reason
        assert "waiting.py" in verdict.reason
