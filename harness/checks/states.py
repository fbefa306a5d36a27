"""Does the provider answer as declared when it is put into a declared state?"""

from collections.abc import Iterator

from harness.checks.judging import Judge
from harness.checks.sight import Sight
from harness.contract.agreement import response_clause
from harness.verdict import Judgement


def check_states(sight: Sight) -> Iterator[Judgement]:
    """Each exchange under a provider state, against the status that the operation declares for that state."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="states")
    for seen in sight.all:
        given, terms, response = seen.exchange.given, seen.terms, seen.exchange.response
        if given is None or terms is None or response is None or not seen.by_provider:
            continue
        for status, shape in terms.model.responses.items():
            if shape.given == given:
                yield from judge.expect(
                    response_clause(terms.name, status),
                    response.status == status,
                    expected=f"status {status}, given {given}",
                    actual=f"status {response.status}",
                    exchange=seen.exchange,
                )
