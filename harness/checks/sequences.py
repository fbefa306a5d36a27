"""Does the provider keep what only several requests in a row can show?"""

from collections.abc import Iterable, Iterator, Mapping

from harness.checks.judging import Judge, shown
from harness.checks.sight import Seen, Sight
from harness.contract.agreement import SequenceTerms
from harness.contract.expressions import EvaluationError
from harness.exchange import Call, Observation, Raised, Returned, Unfinished
from harness.verdict import Judgement

Names = Mapping[str, object]


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
        tasks = sight.agreement.tasks_of(terms)
        done = tasks_done(sight.observation, name, tasks)
        own = {step: seen for step, seen in steps.items() if step not in tasks}
        if terms.steps.keys() <= own.keys() | done.keys():
            yield from _judged(judge, name, terms, own, done)


def tasks_done(observation: Observation, sequence: str, steps: Iterable[str]) -> dict[str, Names]:
    """What came of the steps of a sequence that the client did by a task; of those that ended."""
    calls = {call.step: call for call in observation.calls if call.step and not isinstance(call.ending, Unfinished)}
    return {step: _outcome(calls[f"{sequence}/{step}"]) for step in steps if f"{sequence}/{step}" in calls}


def _outcome(call: Call) -> Names:
    if isinstance(call.ending, Returned):
        return {"returned": call.ending.value, "raised": []}
    assert isinstance(call.ending, Raised)
    return {"returned": None, "raised": [call.ending.type, *call.ending.bases]}


def _judged(judge: Judge, name: str, terms: SequenceTerms, steps: Mapping[str, Seen], done: Mapping[str, Names]) -> Iterator[Judgement]:
    constants = {"facts": judge.agreement.contract.facts, "settings": judge.agreement.contract.settings}
    names: dict[str, object] = {step: {"request": seen.request_parts, "response": seen.response_parts} for step, seen in steps.items()}
    names |= {**done, **constants}
    last = list(steps.values())[-1]
    for promise, expression in terms.promises.items():
        try:
            value = expression.evaluate(names)
            actual = "it is false"
        except EvaluationError as error:
            value, actual = False, f"it can't be evaluated: {error}"
        told = {**done, **{step: seen.response_body for step, seen in steps.items()}}
        answers = "" if value is True else "; ".join(f"{step}: {shown(told[step], most=100)}" for step in terms.steps)
        yield from judge.expect(
            f"sequences.{name}.promises.{promise}",
            value is True,
            expected=" ".join(expression.source.split()),
            actual=f"{actual} for {answers}",
            exchange=last.exchange,
        )
