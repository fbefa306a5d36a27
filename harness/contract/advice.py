"""What is no mistake in a contract, and yet will not be what its author expects: told by lint, with its place."""

from collections.abc import Iterator

from harness.contract.agreement import Agreement
from harness.contract.model import Operation
from harness.contract.problems import Problem

BAD_REQUEST = 400  # what a stub answers where no status is said to be for invalid requests
UNPROCESSABLE = 422
ANY_TEXT = {"type": "string"}


def advice(agreement: Agreement) -> Iterator[Problem]:
    """What the contract's author should know, in the order of the file."""
    yield from sorted((*_bad_requests(agreement), *_unseen_waits(agreement)))


def _bad_requests(agreement: Agreement) -> Iterator[Problem]:
    for name, operation in agreement.contract.operations.items():
        responses = operation.responses
        if BAD_REQUEST in responses or not _can_be_invalid(operation) or any(each.when == "invalid_request" for each in responses.values()):
            continue
        if UNPROCESSABLE in responses:
            hint = f"say `when: invalid_request` at {UNPROCESSABLE}"
        else:
            hint = f"add `{BAD_REQUEST}: {{error: …, when: invalid_request}}`"
        place = agreement.document.key_place(("operations", name, "responses"))
        yield Problem(place, f"`{name}` declares no status for an invalid request; the stub answers {BAD_REQUEST} to one", hint=hint)


def _can_be_invalid(operation: Operation) -> bool:
    request = operation.request
    named = (*request.path.values(), *request.query.values(), *request.headers.values())
    return request.body is not None or bool(request.rules) or any(each.required or each.value_schema != ANY_TEXT for each in named)


def _unseen_waits(agreement: Agreement) -> Iterator[Problem]:
    retry = agreement.contract.resilience.retry
    at = ("resilience", "retry", "wait", "multiplier")
    if retry is None or retry.attempts > 2 or ".".join(at) not in agreement.clauses:
        return
    waits = "one wait" if retry.attempts == 2 else "no wait"
    message = f"with `attempts: {retry.attempts}` there is {waits}, and nothing shows by what it grows: the clause stays unchecked"
    yield Problem(agreement.document.key_place(at), message, hint="leave `multiplier` out, or allow 3 attempts")
