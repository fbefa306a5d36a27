"""Does the provider keep its promises across exchanges: has an item one result, whatever is asked beside it?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from harness.checks.compare import close
from harness.checks.judging import Judge, Told
from harness.checks.sight import Seen, Sight
from harness.contract.agreement import RelationTerms
from harness.contract.expressions import EvaluationError
from harness.exchange import Exchange
from harness.verdict import Judgement


@dataclass(frozen=True, eq=False)
class _First:
    result: object
    exchange: Exchange


def check_relations(sight: Sight) -> Iterator[Judgement]:
    """Each relation of each operation, over all exchanges that the provider itself answered well."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="relations")
    first: dict[str, _First] = {}
    for seen in sight.all:
        good = seen.by_provider and seen.terms is not None and seen.request_is_valid
        if good and seen.exchange.response is not None and seen.exchange.response.status < 300:
            assert seen.terms is not None
            for name, relation in seen.terms.relations.items():
                clause = f"operations.{seen.terms.name}.relations.{name}"
                yield from _compare(judge, seen, clause, relation, first)


def _compare(judge: Judge, seen: Seen, clause: str, relation: RelationTerms, first: dict[str, _First]) -> Iterator[Judgement]:
    try:
        given = relation.given.evaluate(seen.names)
        items, results = relation.items.evaluate(seen.names), relation.results.evaluate(seen.names)
    except EvaluationError:
        return  # the response breaks its schema: that finding is made where the schema is judged
    if not isinstance(items, list) or not isinstance(results, list) or len(items) != len(results):
        return
    about = json.dumps([clause, given], default=str)
    for item, result in zip(items, results, strict=True):
        key = about + (f'"{item}"' if type(item) is str else json.dumps(item, default=str))
        known = first.setdefault(key, _First(result, seen.exchange))
        if known.result is result:
            continue
        yield from judge.expect(
            clause,
            close(known.result, result, relation.tolerance),
            expected=Told("the result that {} had before: {}", item, known.result, most=60),
            actual=Told("{}", result, most=60),
            exchange=seen.exchange,
        )
