"""Does the provider answer as the contract says? Every response of its own is read; refusals are expected."""

from collections.abc import Iterator

from harness.checks.breaches import expected_status, read_response, refusal_status
from harness.checks.examples import is_authentic
from harness.checks.judging import Judge, shown
from harness.checks.parameters import parameter_breaches
from harness.checks.sight import UNREADABLE, Seen, Sight
from harness.contract.agreement import response_clause
from harness.contract.clauses import clause_id
from harness.exchange import Level
from harness.verdict import Judgement

_OURS = (Level.STUB, Level.EMBEDDED, Level.CONTAINER)  # nobody else asks these providers anything


def check_responses(sight: Sight) -> Iterator[Judgement]:
    """Each complete response that the provider itself gave, against the status it should have and its shape."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="responses")
    for seen in sight.all:
        if seen.by_provider and seen.request_is_spoken_of:
            yield from _shape(judge, seen)
            if not _is_excused(sight, seen):
                yield from seen.of_http(_refusal(judge, seen))
            yield from _acceptance(judge, seen)


def _is_excused(sight: Sight, seen: Seen) -> bool:
    """Whether a bad request may be refused for another reason than that it is bad: its credential, a limit, a state."""
    other_reason = seen.shape is not None and seen.shape.when not in (None, "invalid_request")
    undisturbed = seen.call is None and seen.exchange.given is None and is_authentic(sight, seen)
    return other_reason and not (undisturbed and sight.observation.level in _OURS)


def _shape(judge: Judge, seen: Seen) -> Iterator[Judgement]:
    reading = read_response(seen)
    broken = set()
    for breach in reading.breaches:
        broken.add(breach.clause)
        yield judge.broken(breach.clause, expected=breach.expected, actual=breach.actual, pointer=breach.pointer, exchange=seen.exchange)
    for clause in reading.touched - broken:
        if not seen.over_grpc or ".invariants." in clause:
            yield from judge.kept(clause)


def _acceptance(judge: Judge, seen: Seen) -> Iterator[Judgement]:
    """A good request, with nothing in its way, must not be refused as a bad one, nor fail.

    Other refusals (a limit, a resource that is not there) may have their reasons in what was asked before.
    """
    terms, response, shape = seen.terms, seen.exchange.response, seen.shape
    assert terms is not None and response is not None
    if seen.exchange.given is not None or not seen.request_is_valid or any(parameter_breaches(seen)) or shape is None:
        return
    if shape.when == "invalid_request" or response.status >= 500:
        yield judge.broken(
            response_clause(terms.name, terms.success[0]),
            expected=f"status {terms.success[0]} for a request that keeps the contract",
            actual=f"status {response.status}: {shown(seen.response_body)}",
            exchange=seen.exchange,
        )


def _refusal(judge: Judge, seen: Seen) -> Iterator[Judgement]:
    """A request that breaks the contract must be refused, with the status that is declared for it."""
    terms, response = seen.terms, seen.exchange.response
    assert terms is not None and response is not None
    wrong_parameters = [clause for clause, _ in parameter_breaches(seen)]
    if seen.request_is_valid and not wrong_parameters:
        return
    wanted = (
        refusal_status(terms) if seen.request_is_valid else expected_status(seen) if seen.broken_rules or refusal_status(terms) else None
    )
    if wanted is None:
        return
    broken = wrong_parameters + [clause_id(violation.keyword) for violation in seen.request_violations]
    broken += [f"operations.{terms.name}.request.rules.{name}" for name in seen.broken_rules] if not broken else []
    refused = 400 <= response.status < 500
    for clause in dict.fromkeys(broken):
        yield from judge.expect(
            clause,
            refused,
            expected=f"status {wanted}, because the request breaks this clause",
            actual=f"status {response.status} for {shown(seen.request_body)}",
            exchange=seen.exchange,
        )
    if response.status in _refusals(seen, wanted, breaks_parameters=bool(wrong_parameters)):
        wanted = response.status
    yield from judge.expect(
        response_clause(terms.name, wanted),
        response.status == wanted,
        expected=f"status {wanted} for a request that breaks {', '.join(broken) or 'JSON itself'}",
        actual=f"status {response.status}",
        exchange=seen.exchange,
    )


def _refusals(seen: Seen, wanted: int, *, breaks_parameters: bool) -> set[int]:
    """The statuses with which a bad request may be refused: a rule has its own, a schema any that is for bad requests.

    Where it matters what was asked before, the request may also be refused for what is there or is not.
    """
    assert seen.terms is not None
    shapes = seen.terms.model.responses
    found = {wanted, *(seen.terms.model.request.rules[name].status for name in seen.broken_rules)}
    if not seen.broken_rules or seen.request_violations or seen.request_body is UNREADABLE or breaks_parameters:
        found |= {status for status, shape in shapes.items() if shape.when == "invalid_request"}
    if any(example.given for example in seen.terms.model.examples.values()):
        found |= {status for status, shape in shapes.items() if 400 <= status < 500 and shape.when is None}
    return found
