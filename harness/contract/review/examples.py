"""The examples of a contract: each keeps its schema, and falsifies no rule and no invariant."""

from collections.abc import Callable, Mapping
from itertools import islice

from harness.contract.agreement import OperationTerms, schema_steps
from harness.contract.bodiless import has_no_body
from harness.contract.document import Steps
from harness.contract.expressions import EvaluationError, Expression
from harness.contract.model import ErrorShape, Example, ExampleRequest, ExampleResponse, Operation, Parameter, ResponseShape
from harness.contract.review.gathered import Review, drilled, value_at
from harness.contract.schemas import pointer_steps

Promises = Mapping[str, Expression]

MOST_BREACHES = 20  # of one value: a thousand wrong items are wrong in one way


def check_examples(review: Review) -> None:
    for name, shape in review.contract.errors.items():
        _error_shape(review, name, shape)
    for name, operation in review.contract.operations.items():
        _responses(review, name, operation)
        for example_name, example in operation.examples.items():
            _example(review, name, operation, ("operations", name, "examples", example_name), example)
    for at, step in drilled(review.contract):
        if step.operation in review.contract.operations:
            _request(review, step.operation, review.contract.operations[step.operation], at, step)


def _error_shape(review: Review, name: str, shape: ErrorShape) -> None:
    at, before = ("errors", name), len(review.problems)
    _by_schema(review, (*at, "body"), shape.example, (*at, "example"))
    text = value_at(shape.example, pointer_steps(shape.message))
    if shape.message and not isinstance(text, str) and len(review.problems) == before:
        review.problem((*at, "message"), f"`{shape.message}` points at no text in the example")


def _responses(review: Review, name: str, operation: Operation) -> None:
    """What the responses themselves show: an error's own body, a header's value."""
    for status, shape in operation.responses.items():
        at = schema_steps("operations", name, "responses", status)
        if shape.body is not None and has_no_body(operation.method, status):
            why = "an answer to HEAD" if operation.method == "HEAD" else f"an answer with status {status}"
            review.problem((*at, "body"), f"{why} has no body", at_key=True)
        if shape.example is not None and (shape.error or shape.body is not None):
            _by_schema(review, _body_schema(name, status, shape), shape.example, (*at, "example"))
        for header_name, header in shape.headers.items():
            schema = (*at, "headers", header_name, "schema")
            if header.example is not None and value_at(review.document.value, schema) is not None:
                _by_schema(review, schema, header.example, (*at, "headers", header_name, "example"))


def _body_schema(operation: str, status: int, shape: ResponseShape) -> Steps:
    return ("errors", shape.error, "body") if shape.error else schema_steps("operations", operation, "responses", status, "body")


def _by_schema(review: Review, schema: Steps, value: object, at: Steps) -> None:
    if schema in review.unusable or value_at(review.document.value, schema) is None:
        return
    for violation in islice(review.schemas.violations(schema, value), MOST_BREACHES):
        place = review.document.place(violation.keyword)
        hint = f"the schema says so in line {place.line}"
        review.problem((*at, *pointer_steps(violation.pointer)), f"breaks its schema: {violation.message}", hint=hint)


def _example(review: Review, name: str, operation: Operation, at: Steps, example: Example) -> None:
    before = len(review.problems)
    parts = _request(review, name, operation, (*at, "request"), example.request)
    if not review.is_whole((*at, "request")):
        return
    if example.response is not None and len(review.problems) == before:
        _response(review, name, operation, (*at, "response"), example.response, parts)


def _request(review: Review, name: str, operation: Operation, at: Steps, request: ExampleRequest) -> Mapping[str, object]:
    """Judge a request that is meant to be good; its parts."""
    before = len(review.problems)
    if operation.request.body is not None:
        _by_schema(review, schema_steps("operations", name, "request", "body"), request.body, (*at, "body"))
    elif request.body is not None:
        review.problem((*at, "body"), "the operation takes no body", at_key=True)
    for part in ("path", "query", "headers"):
        _parameters(review, name, getattr(operation.request, part), at, part, getattr(request, part))
    parts = {"body": request.body, "query": request.query, "path": request.path, "headers": _lower(request.headers)}
    if len(review.problems) == before:
        _holds(review, name, "rules", lambda terms: terms.rules, at, request=parts)
    return parts


def _parameters(
    review: Review, operation: str, declared: Mapping[str, Parameter], at: Steps, part: str, given: Mapping[str, object]
) -> None:
    for name, parameter in declared.items():
        if name in given:
            schema = schema_steps("operations", operation, "request", part, name, "schema")
            _by_schema(review, schema, given[name], (*at, part, name))
        elif parameter.required or part == "path":
            review.problem(at, f"lacks the {part} parameter `{name}`")
    for name in given:
        if name not in declared:
            review.problem((*at, part, name), f"the operation declares no {part} parameter `{name}`", ", ".join(declared), at_key=True)


def _response(review: Review, name: str, operation: Operation, at: Steps, given: ExampleResponse, request: Mapping[str, object]) -> None:
    shape = operation.responses.get(given.status)
    if shape is None:
        statuses = ", ".join(map(str, operation.responses))
        review.problem((*at, "status"), f"the operation declares no status {given.status}", statuses)
        return
    before = len(review.problems)
    if shape.error or shape.body is not None:
        _by_schema(review, _body_schema(name, given.status, shape), given.body, (*at, "body"))
    headers = _lower(given.headers)
    for header_name, header in shape.headers.items():
        if header.required and header_name.lower() not in headers:
            review.problem(at, f"lacks the header `{header_name}`")
    response = {"status": given.status, "body": given.body, "headers": headers}
    if len(review.problems) == before:
        _holds(review, name, "invariants", lambda terms: terms.invariants[given.status], at, request=request, response=response)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by the names that expressions see."""
    return {name.lower(): value for name, value in headers.items()}


def _holds(
    review: Review,
    operation: str,
    what: str,
    of: Callable[[OperationTerms], Promises],
    at: Steps,
    *,
    request: object,
    response: object = None,
) -> None:
    """Judge an example by promises, unless a stand-in would be judged instead."""
    terms = review.operations.get(operation)
    if terms is None or not review.is_whole(("facts",), ("settings",), ("operations", operation, "let")):
        return
    for name, promise in of(terms).items():
        try:
            value = terms.evaluate(promise, request=request, response=response)
        except EvaluationError as error:
            review.problem(at, f"`{what}.{name}` can't be judged by this example: {error}")
            continue
        if value is not True:
            review.problem(at, f"falsifies `{what}.{name}`: {' '.join(promise.source.split())}")
