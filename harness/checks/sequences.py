"""Does the provider keep what only several requests in a row can show?"""

from collections.abc import Iterator, Mapping

from harness.checks.judging import Judge, shown
from harness.checks.sight import Seen, Sight
from harness.contract.agreement import SequenceTerms
from harness.contract.expressions import EvaluationError
from harness.verdict import Judgement


def check_sequences(sight: Sight) -> Iterator[Judgement]:
    """Each sequence of which every step was taken, whoever took it."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="sequences")
    taken: dict[str, dict[str, Seen]] = {}
    for seen in sight.all:
        if seen.exchange.step is not None and seen.exchange.response is not None and seen.exchange.injected is None:
            sequence, _, step = seen.exchange.step.partition("/")
            if sequence not in sight.agreement.sequences:
                continue
            taken.setdefault(sequence, {})[step] = seen
    for name, steps in taken.items():
        terms = sight.agreement.sequences[name]
        if terms.steps.keys() <= steps.keys():
            yield from _judged(judge, name, terms, steps)


def _judged(judge: Judge, name: str, terms: SequenceTerms, steps: Mapping[str, Seen]) -> Iterator[Judgement]:
    constants = {"facts": judge.agreement.contract.facts, "settings": judge.agreement.contract.settings}
    names = {step: {"request": seen.request_parts, "response": seen.response_parts} for step, seen in steps.items()} | constants
    last = list(steps.values())[-1]
    for promise, expression in terms.promises.items():
        try:
            value = expression.evaluate(names)
            actual = "it is false"
        except EvaluationError as error:
            value, actual = False, f"it can't be evaluated: {error}"
        answers = "" if value is True else "; ".join(f"{step}: {shown(seen.response_body, most=100)}" for step, seen in steps.items())
        yield from judge.expect(
            f"sequences.{name}.promises.{promise}",
            value is True,
            expected=" ".join(expression.source.split()),
            actual=f"{actual} for {answers}",
            exchange=last.exchange,
        )
