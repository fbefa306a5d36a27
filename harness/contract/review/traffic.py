"""The traffic of a contract: its operations exist, its expressions compile, and a profile fills only where there is a fill."""

from collections.abc import Iterator

from harness.contract.agreement import compiled
from harness.contract.document import Steps
from harness.contract.expressions import ExpressionError, compile_scope
from harness.contract.problems import nearest
from harness.contract.promises import Traffic
from harness.contract.review.gathered import Review
from harness.contract.traffic import TRAFFIC_NAMES


def check_traffic(review: Review) -> None:
    traffic = review.contract.traffic
    for name, profile in review.contract.load.items():
        if profile.fill and (traffic is None or traffic.fill is None):
            review.problem(("load", name, "fill"), "needs `traffic.fill`")
    if traffic is None:
        return
    for at, operation in _operations(traffic):
        known = review.contract.operations
        if operation not in known and review.is_whole(("operations",)):
            problem = f"there is no operation `{operation}`"
            review.problem(at, problem, ", ".join(known), nearest(operation, known), at_key=at[1] == "requests")
    names = TRAFFIC_NAMES
    for name, source in traffic.let.items():
        _compile(review, ("traffic", "let", name), source, names)
        try:
            compile_scope({name: "true"}, names=names)
        except ExpressionError as error:
            review.problem(("traffic", "let", name), error.message, hint=error.hint, at_key=True)
        names |= {name}
    for at, source in _requests(traffic):
        _compile(review, at, source, names)


def _operations(traffic: Traffic) -> Iterator[tuple[Steps, str]]:
    for part in ("before", "after"):
        for place, step in enumerate(getattr(traffic, part)):
            yield ("traffic", part, place, "operation"), step.operation
    if traffic.fill is not None:
        yield ("traffic", "fill", "operation"), traffic.fill.operation
    for operation in traffic.requests:
        yield ("traffic", "requests", operation), operation


def _requests(traffic: Traffic) -> Iterator[tuple[Steps, str]]:
    for part in ("before", "after"):
        for place, step in enumerate(getattr(traffic, part)):
            yield ("traffic", part, place, "request"), step.request
    if traffic.fill is not None:
        yield ("traffic", "fill", "request"), traffic.fill.request
    for operation, named in traffic.requests.items():
        for name, source in named.items():
            yield ("traffic", "requests", operation, name), source


def _compile(review: Review, at: Steps, source: str, names: frozenset[str]) -> None:
    try:
        compiled(source, names)
    except ExpressionError as error:
        place = review.document.place_within(at, source, error.column)
        hint = f"column {error.column} of the expression" + (f"; {error.hint}" if error.hint else "")
        review.problem(at, f"can't be parsed: {error.message}", hint=hint, place=place)
