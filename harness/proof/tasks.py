"""Lying clients in a row of requests: what a task gave back or raised, told otherwise."""

from collections.abc import Iterator
from dataclasses import replace

from harness.checks.sequences import tasks_done
from harness.checks.sight import Seen
from harness.contract.agreement import Agreement
from harness.contract.clauses import Clause
from harness.contract.expressions import EvaluationError, Expression
from harness.exchange import Ending, Raised, Returned
from harness.proof.mutant import Distortion, Distortions
from harness.proof.scene import Scene


def task(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """Other endings of the tasks of a sequence, as far as the promise does not hold with them."""
    _, name, _, promise = clause.id.split(".", 3)
    terms = agreement.sequences[name]
    tasks = agreement.tasks_of(terms)
    names: dict[str, object] = {"facts": agreement.contract.facts, "settings": agreement.contract.settings}
    for _, _, exchange in scene.sent if tasks else ():
        sequence, _, step = (exchange.step or "").partition("/")
        if sequence == name and step not in tasks:
            seen = Seen(agreement, exchange, None)
            names[step] = {"request": seen.request_parts, "response": seen.response_parts}
    for number, call in scene.calls:
        sequence, _, step = (call.step or "").partition("/")
        for kind, ending in _others(call.ending) if sequence == name and step in tasks else ():
            changed = scene.with_call(number, replace(call, ending=ending))
            done = tasks_done(changed, name, tasks)
            if terms.steps.keys() <= names.keys() | done.keys() and not _holds(terms.promises[promise], {**names, **done}):
                yield Distortion(kind=f"{step}: {kind}", what=f"{call.operation}: {kind}", observation=changed)


def _others(ending: Ending) -> Iterator[tuple[str, Ending]]:
    if isinstance(ending, Returned):
        yield "result changed", Returned(value=not ending.value if isinstance(ending.value, bool) else None)
        yield "raised for nothing", Raised(type="RuntimeError")
    elif isinstance(ending, Raised):
        yield "failure swallowed", Returned(value=None)
        yield "another error", Raised(type="RuntimeError")


def _holds(promise: Expression, names: dict[str, object]) -> bool:
    try:
        return promise.evaluate(names) is True
    except EvaluationError:
        return False
