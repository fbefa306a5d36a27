"""What else a provider could answer in place of what it did: other shapes, refusals, failures."""

import json
from collections.abc import Iterator, Mapping

from harness.checks.examples import names_of_examples
from harness.checks.sight import Seen
from harness.client.reaching import example_request
from harness.contract.agreement import Agreement, OperationTerms
from harness.contract.clauses import clause_id
from harness.exchange import Response
from harness.provider.stub import Stub

Swapped = tuple[str, str, Response, tuple[str, ...]]  # kind, in words, the answer, other clauses that tell of it


def swapped_shapes(agreement: Agreement, terms: OperationTerms, response: Response) -> Iterator[Swapped]:
    """A declared answer of the operation under a status that it does not belong to, one of each kind."""
    here, errors = terms.response_for(response.status), agreement.contract.errors
    assert here is not None
    shaped = [(status, shape.error) for status, shape in terms.model.responses.items() if shape.error]
    for name in errors if here.error else ():
        if _differ(errors[here.error or ""].media_type, errors[name].media_type):
            yield "error shape", f"the shape `{name}` under {response.status}", _error(agreement, name, response.status), ()
            break
    if response.status < 300 and shaped:
        told = next((name for _, name in shaped if errors[name].media_type.endswith("json")), shaped[0][1])
        what = f"the error shape `{told}` under {response.status}"
        # which part of the promise such a body breaks first is the schema's affair
        names = (f"operations.{terms.name}.responses.{response.status}*", "schemas.*")
        yield "error as success", what, _error(agreement, told, response.status), names
    if response.status >= 400:
        other = next((each for each in shaped if (each[0] >= 500) is not (response.status >= 500) and each[0] != response.status), None)
        if other is not None:
            what = f"{other[0]} and what belongs to it for {response.status}"
            yield "another failure", what, _error(agreement, other[1], other[0]), ()


def _differ(here: str, there: str) -> bool:
    return "*" not in here + there and here != there


def _error(agreement: Agreement, name: str | None, status: int) -> Response:
    error = agreement.contract.errors[name or ""]
    media_type = error.media_type if "*" not in error.media_type else "text/plain"
    text = error.example if isinstance(error.example, str) and not media_type.endswith("json") else json.dumps(error.example)
    return Response(status=status, headers=(("content-type", media_type),), body=text.encode())


def refusal_of(agreement: Agreement, terms: OperationTerms) -> Response | None:
    """How the operation refuses a bad credential or request; None when it declares neither."""
    for when in ("unauthenticated", "invalid_request"):
        for status, shape in terms.model.responses.items():
            if shape.when == when and shape.error:
                return _error(agreement, shape.error, status)
    return None


def success_of(agreement: Agreement, terms: OperationTerms) -> Response:
    """A good answer, such as whoever accepts too much might give: the stub's to the first example."""
    example = next(iter(terms.model.examples.values()))
    return Stub(agreement).answer_now(example_request(agreement, terms.name, example.request, ""))


def examples_of(agreement: Agreement, seen: Seen) -> Iterator[str]:
    """The clauses of the examples that a request is, and the probe's if it is that."""
    assert seen.terms is not None
    parts: Mapping[str, object] = seen.request_parts
    for name in names_of_examples(seen.terms, parts):
        yield clause_id(("operations", seen.terms.name, "examples", name))
        if agreement.contract.provider.probe == f"{seen.terms.name}/{name}":
            yield "provider.probe"
