"""Does the provider take the same request twice, where the contract says that a repeat does no harm?"""

from collections.abc import Iterator

from harness.checks.judging import Judge
from harness.checks.sight import Sight
from harness.verdict import Judgement

GONE = (404, 410)  # what a deletion may find the second time


def check_repeats(sight: Sight) -> Iterator[Judgement]:
    """Each request that the harness itself made again after it was answered well."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="repeats")
    well: set[tuple[object, ...]] = set()
    for seen in sight.direct:
        request, response = seen.exchange.request, seen.exchange.response
        if seen.terms is None or response is None or seen.exchange.given is not None or not seen.terms.model.idempotent:
            continue
        key = (request.method, request.target, request.headers, request.body)
        if key in well:
            yield from judge.expect(
                f"operations.{seen.terms.name}.idempotent",
                response.status < 300 or (request.method == "DELETE" and response.status in GONE),
                expected="a success again, as it was the first time",
                actual=f"status {response.status}",
                exchange=seen.exchange,
            )
        elif response.status < 300:
            well.add(key)
