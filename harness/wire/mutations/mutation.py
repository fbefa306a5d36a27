"""All lies about one response, and what each of them breaks."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from harness.checks.breaches import expected_status, read_response
from harness.checks.sight import Seen
from harness.contract.agreement import Agreement, OperationTerms, response_clause, schema_steps
from harness.contract.expressions import EvaluationError
from harness.contract.reader import Steps
from harness.exchange import Exchange, Request, Response
from harness.wire.mutations.edits import Edit
from harness.wire.mutations.messages import Message, bodies, headers, media_types, of_edit, statuses, value_of
from harness.wire.mutations.schema import breaking, keeping
from harness.wire.mutations.structure import reshaped

Only = Callable[[str, str], bool]  # of a clause and a kind


def mutations(agreement: Agreement, request: Request, response: Response, *, only: Only | None = None) -> Iterator[Message]:
    """Every lie about a response to a request of a known operation, in an order that does not change.

    Those along the schema and about the message name the clause that they are made to break; the others
    name none. A lie may turn out to be none: ``broken_by`` says what it breaks. Edits along the schema may be narrowed
    to ``only`` some clauses and kinds, which spares the making of the others.
    """
    seen = Seen(agreement, Exchange(request=request, response=response), None)
    terms = seen.terms
    if terms is None or seen.shape is None:
        return
    at = body_schema(terms, response.status)
    value = value_of(response) if response.body else None
    if at is not None and value is not None:
        for edit in (*breaking(agreement, at, value), *reshaped(value), *_optional(agreement, at, value)):
            if only is not None and not (edit.clause and only(edit.clause, str(edit.kind))):
                continue
            if isinstance(edit.value, str) or not isinstance(value, str) or response.media_type.endswith("json"):
                yield of_edit(response, edit)  # what is no JSON can't be anything but text
    yield from bodies(agreement, terms, response)
    yield from media_types(agreement, terms, response)
    yield from headers(agreement, terms, response)
    yield from statuses(agreement, terms, response, expected_status(seen))


def body_schema(terms: OperationTerms, status: int) -> Steps | None:
    """Where the schema of a status's body stands; None when it promises no body."""
    shape = terms.response_for(status)
    if shape is None:
        return None
    if shape.error:
        return ("errors", shape.error, "body")
    return schema_steps("operations", terms.name, "responses", status, "body") if shape.body is not None else None


def _optional(agreement: Agreement, at: Steps, value: Any) -> Iterator[Edit]:
    """With and without what is optional: the schema allows it, an invariant may not."""
    for edit in keeping(agreement, at, value):
        yield Edit(kind=edit.kind, steps=edit.steps, note=edit.note, value=edit.value)


def broken_by(agreement: Agreement, request: Request, response: Response) -> tuple[str, ...]:
    """The clauses that a response breaks, as the contract's own reading finds them; none for an equivalent lie."""
    seen = Seen(agreement, Exchange(request=request, response=response), None)
    return tuple(dict.fromkeys(breach.clause for breach in read_response(seen).breaches))


def broken_invariants(
    agreement: Agreement,
    terms: OperationTerms,
    request: Mapping[str, object],
    status: int,
    value: Any,
    *,
    among: Collection[str] | None = None,
) -> tuple[str, ...]:
    """The names of the invariants (``among`` some) that a JSON value breaks; none when it breaks its schema already."""
    at = body_schema(terms, status)
    if at is None or not agreement.schemas.is_valid(at, value):
        return ()
    names = terms.terms(request=request, response={"status": status, "body": value, "headers": {}})
    broken = []
    for name, promise in terms.invariants.get(status, {}).items():
        if among is not None and name not in among:
            continue
        try:
            holds = promise.evaluate(names)
        except EvaluationError:
            holds = False
        if holds is not True:
            broken.append(name)
    return tuple(broken)


def invariants_broken(
    agreement: Agreement, request: Request, response: Response, *, only: Only | None = None
) -> Iterator[tuple[Message, tuple[str, ...]]]:
    """The lies that keep the schema and break invariants (``only`` some), each with the clauses of those that it breaks."""
    seen = Seen(agreement, Exchange(request=request, response=response), None)
    terms, status, value = seen.terms, response.status, value_of(response)
    at = body_schema(terms, status) if terms else None
    if terms is None or at is None or value is None or not terms.invariants.get(status):
        return
    for edit in (*reshaped(value), *_optional(agreement, at, value)):
        clauses = {name: response_clause(terms.name, status, "invariants", name) for name in terms.invariants[status]}
        among = [name for name, clause in clauses.items() if only is None or only(clause, str(edit.kind))]
        broken = broken_invariants(agreement, terms, seen.request_parts, status, edit.value, among=among) if among else ()
        if broken:
            yield of_edit(response, edit), tuple(clauses[name] for name in broken)
