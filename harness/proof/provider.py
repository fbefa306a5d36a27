"""Lying providers: for each clause that a provider keeps, the answers that break it, made on the wire.

A lie is made from an answer that was really given: it is chosen by the case in which that was seen, and made
anew from whatever the provider answers when the case is run again with the liar in between.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.checks.compare import close
from harness.checks.sight import Seen
from harness.contract.agreement import Agreement, OperationTerms, RelationTerms, response_clause
from harness.contract.clauses import clause_id
from harness.contract.expressions import EvaluationError
from harness.exchange import Exchange, Observation, Request, Response
from harness.wire.mutations import carrying, encoded, invariants_broken, mutations, reshaped

Change = Callable[[Request, Response], Response]
MOST_EXCHANGES = 8  # each of them is looked at for lies; more would only be more of the same


@dataclass(frozen=True, kw_only=True)
class Lie:
    """One way for a provider to break one clause, found in one case; ``change`` is applied to every answer."""

    clause: str
    kind: str
    what: str
    case: str
    change: Change = field(repr=False)


def lies(agreement: Agreement, case: str, observation: Observation) -> Iterator[Lie]:
    """Every lie that can be made from the provider's own answers in one observation."""
    exchanges = [*observation.exchanges, *(exchange for call in observation.calls for exchange in call.exchanges)]
    for exchange in exchanges if len(exchanges) <= MOST_EXCHANGES else ():
        if exchange.response is not None and exchange.injected is None:
            seen = Seen(agreement, exchange, None)
            if seen.terms is not None and seen.shape is not None:
                yield from _about(agreement, case, seen, seen.terms)
    yield from _across(agreement, case, exchanges)


def _about(agreement: Agreement, case: str, seen: Seen, terms: OperationTerms) -> Iterator[Lie]:
    request, response = seen.exchange.request, seen.exchange.response
    assert response is not None
    status = response.status
    for message in mutations(agreement, request, response):
        shaped = response_clause(terms.name, status, "error")
        if message.clause and message.clause.startswith("errors.") and shaped in agreement.clauses:
            yield Lie(
                clause=shaped, kind=str(message.kind), what=f"{terms.name} {status}: {message.name}", case=case,
                change=_same_again(agreement, terms.name, status, message.clause, str(message.kind)),
            )
        for header in _headers_about(agreement, message.clause):
            yield Lie(
                clause=header, kind=str(message.kind), what=f"{terms.name} {status}: {message.name}", case=case,
                change=_same_again(agreement, terms.name, status, str(message.clause), str(message.kind)),
            )
        if message.clause in agreement.clauses and message.clause is not None:
            yield Lie(
                clause=message.clause, kind=str(message.kind), what=f"{terms.name} {status}: {message.name}", case=case,
                change=_same_again(agreement, terms.name, status, message.clause, str(message.kind)),
            )
    if status < 300 and seen.request_is_valid:
        for message, clauses in invariants_broken(agreement, request, response):
            for clause in clauses:
                yield Lie(
                    clause=clause, kind=str(message.kind), what=f"{terms.name} {status}: {message.name}", case=case,
                    change=_same_invariant(agreement, terms.name, status, clause, str(message.kind)),
                )
    yield from _of_status(agreement, case, seen, terms)
    yield from _of_refusal(agreement, case, seen, terms)


def _headers_about(agreement: Agreement, clause: str | None) -> list[str]:
    """The clause of a header that stands above a clause of its schema."""
    above = (clause or "").partition(".schema")[0]
    return [above] if clause != above and ".headers." in above and above in agreement.clauses else []


def _applies(agreement: Agreement, operation: str, status: int, request: Request, response: Response) -> bool:
    found = agreement.operation_of(request.method, request.path)
    return found is not None and found[0].name == operation and response.status == status


def _same_again(agreement: Agreement, operation: str, status: int, clause: str, kind: str) -> Change:
    """The first lie of this kind about this clause, made from whatever answer it meets."""

    def change(request: Request, response: Response) -> Response:
        if _applies(agreement, operation, status, request, response):
            for message in mutations(agreement, request, response):
                if message.clause == clause and str(message.kind) == kind:
                    return message.response
        return response

    return change


def _same_invariant(agreement: Agreement, operation: str, status: int, clause: str, kind: str) -> Change:
    def change(request: Request, response: Response) -> Response:
        if _applies(agreement, operation, status, request, response):
            for message, clauses in invariants_broken(agreement, request, response):
                if clause in clauses and str(message.kind) == kind:
                    return message.response
        return response

    return change


def _of_status(agreement: Agreement, case: str, seen: Seen, terms: OperationTerms) -> Iterator[Lie]:
    """Another status than the one that is declared for the state, the request or the credential."""
    response, shape = seen.exchange.response, seen.shape
    assert response is not None and shape is not None
    operation, status = terms.name, response.status
    for kind, other in (
        ("undeclared status", 418),
        ("success for failure" if status >= 300 else "failure for success", 200 if status >= 300 else 500),
    ):

        def change(request: Request, given: Response, other: int = other) -> Response:
            return replace(given, status=other) if _applies(agreement, operation, status, request, given) else given

        yield Lie(clause=response_clause(operation, status), kind=kind, what=f"{operation}: {other} for {status}", case=case, change=change)
    if seen.request_is_valid and status < 300:
        for example in _examples_of(agreement, terms, seen):

            def refuse(request: Request, given: Response) -> Response:
                return replace(given, status=500) if _applies(agreement, operation, status, request, given) else given

            yield Lie(clause=example, kind="example fails", what=f"{operation}: 500 for an example", case=case, change=refuse)
    if shape.when == "unauthenticated" and seen.exchange.given is None and "provider.auth.scheme" in agreement.clauses:
        accept = _accepting(agreement, operation, status)
        yield Lie(
            clause="provider.auth.scheme",
            kind="any credential accepted",
            what=f"{operation}: 200 for a wrong credential",
            case=case,
            change=accept,
        )


def _examples_of(agreement: Agreement, terms: OperationTerms, seen: Seen) -> Iterator[str]:
    for name, example in terms.model.examples.items():
        if example.request.body == seen.request_body:
            yield clause_id(("operations", terms.name, "examples", name))
            if agreement.contract.provider.probe == f"{terms.name}/{name}":
                yield "provider.probe"


def _of_refusal(agreement: Agreement, case: str, seen: Seen, terms: OperationTerms) -> Iterator[Lie]:
    """A request that the contract forbids is accepted."""
    response = seen.exchange.response
    assert response is not None
    if not 400 <= response.status < 500 or seen.request_is_valid:
        return
    broken = [clause_id(violation.keyword) for violation in seen.request_violations]
    broken += [clause_id(("operations", terms.name, "request", "rules", name)) for name in seen.broken_rules] if not broken else []
    for clause in dict.fromkeys(broken):
        if clause in agreement.clauses:
            yield Lie(
                clause=clause, kind="forbidden request accepted", what=f"{terms.name}: 200 for a request that breaks it", case=case,
                change=_accepting(agreement, terms.name, response.status),
            )


def _accepting(agreement: Agreement, operation: str, status: int) -> Change:
    def change(request: Request, response: Response) -> Response:
        if not _applies(agreement, operation, status, request, response):
            return response
        success = agreement.operations[operation].success[0]
        return Response(status=success, headers=(("content-type", "application/json"),), body=b"{}")

    return change


# Across exchanges


def _across(agreement: Agreement, case: str, exchanges: list[Exchange]) -> Iterator[Lie]:
    """Answers that are good one by one, and break what is promised about several."""
    good = [
        Seen(agreement, exchange, None)
        for exchange in exchanges
        if exchange.response and exchange.injected is None and exchange.response.status < 300
    ]
    for terms in {seen.terms.name: seen.terms for seen in good if seen.terms}.values():
        own = [seen for seen in good if seen.terms is terms and seen.request_is_valid]
        for name, relation in terms.relations.items():
            clause = f"operations.{terms.name}.relations.{name}"
            if len(own) > 1:
                for kind in _relation_kinds(relation, own):
                    yield Lie(
                        clause=clause,
                        kind=kind,
                        what=f"{terms.name}: every other answer, {kind}",
                        case=case,
                        change=_every_other(agreement, terms, relation, kind),
                    )
    steps = {seen.exchange.step: seen for seen in good if seen.exchange.step}
    for name, sequence in agreement.sequences.items():
        taken = {step: steps[f"{name}/{step}"] for step in sequence.steps if f"{name}/{step}" in steps}
        if taken.keys() == sequence.steps.keys():
            yield from _of_sequence(agreement, case, name, taken)


def _relation_kinds(relation: RelationTerms, own: list[Seen]) -> list[str]:
    """The kinds of changes that could be made to some of these answers; a few of them are looked at."""
    return list(dict.fromkeys(str(edit.kind) for seen in own[:MOST_EXCHANGES] for edit in _result_changes(relation, seen)))


def _result_changes(relation: RelationTerms, seen: Seen) -> Iterator[Any]:
    """Edits of an answer that keep its schema and invariants, and change what the relation calls its results."""
    terms, response = seen.terms, seen.exchange.response
    assert terms is not None and response is not None
    before = relation.results.evaluate(seen.names)
    for edit in reshaped(seen.response_body):
        changed = Seen(seen.agreement, replace(seen.exchange, response=carrying(response, encoded(edit.value))), None)
        try:
            after = relation.results.evaluate(changed.names)
        except EvaluationError:
            continue
        if not close(before, after, 2 * relation.tolerance) and not _broken_alone(changed):
            yield edit


def _broken_alone(seen: Seen) -> bool:
    from harness.checks.breaches import read_response

    return bool(read_response(seen).breaches)


def _every_other(agreement: Agreement, terms: OperationTerms, relation: RelationTerms, kind: str) -> Change:
    count = [0]

    def change(request: Request, response: Response) -> Response:
        if not _applies(agreement, terms.name, terms.success[0], request, response):
            return response
        count[0] += 1
        seen = Seen(agreement, Exchange(request=request, response=response), None)
        if count[0] % 2 == 0 and seen.request_is_valid:
            for edit in _result_changes(relation, seen):
                if str(edit.kind) == kind:
                    return carrying(response, encoded(edit.value))
        return response

    return change


def _of_sequence(agreement: Agreement, case: str, name: str, taken: Mapping[str, Seen]) -> Iterator[Lie]:
    constants = {"facts": agreement.contract.facts, "settings": agreement.contract.settings}
    names = {step: {"request": seen.request_parts, "response": seen.response_parts} for step, seen in taken.items()} | constants
    for promise, expression in agreement.sequences[name].promises.items():
        clause = f"sequences.{name}.promises.{promise}"
        kinds = set()
        for step, seen in taken.items():
            for edit in reshaped(seen.response_body):
                wrong = {**names, step: {"request": seen.request_parts, "response": {**seen.response_parts, "body": edit.value}}}
                if str(edit.kind) not in kinds and not _holds(expression, wrong):
                    kinds.add(str(edit.kind))
                    yield Lie(
                        clause=clause, kind=str(edit.kind), what=f"{step}: {edit.name}", case=case,
                        change=_at_request(seen.exchange.request, edit.value),
                    )


def _holds(expression: Any, names: Mapping[str, object]) -> bool:
    try:
        return expression.evaluate(names) is True
    except EvaluationError:
        return False


def _at_request(wanted: Request, body: object) -> Change:
    def change(request: Request, response: Response) -> Response:
        same = (request.method, request.target, request.body) == (wanted.method, wanted.target, wanted.body)
        return carrying(response, encoded(body)) if same else response

    return change


