"""Are the examples true: is each one answered with the success that it stands for?"""

from collections.abc import Iterator, Mapping

from harness.checks.compare import close
from harness.checks.groups import group
from harness.checks.judging import Judge
from harness.checks.sight import Seen, Sight
from harness.checks.stateful import STEP
from harness.contract.agreement import OperationTerms
from harness.contract.model import Example, ExampleRequest
from harness.verdict import Judgement


def example_parts(example: Example) -> dict[str, object]:
    """An example's request by its parts."""
    return request_parts(example.request)


def request_parts(request: ExampleRequest) -> dict[str, object]:
    """A request that stands in the contract, by its parts."""
    return {"body": request.body, "query": dict(request.query), "path": dict(request.path), "headers": dict(request.headers)}


def check_examples(sight: Sight) -> Iterator[Judgement]:
    """Each example that was sent, by the client or by the harness, and how the provider itself answered it."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="examples")
    changed = "credential_changed_to" in sight.observation.measured  # then a refusal is what was asked for
    for call, sent in () if changed else sight.by_call:
        terms = sight.agreement.operations.get(call.operation)
        by_provider = bool(sent) and all(seen.exchange.injected is None and not _from_anywhere(seen) for seen in sent)
        if terms is not None and call.intended is not None and by_provider:
            for name in names_of_examples(terms, call.intended):
                held = all(each.succeeded for each in group(call, sent))
                yield from sent[-1].of_http(_judged(judge, terms, name, held, sent[-1]))
    for seen in sight.direct:
        if (
            seen.terms is not None
            and seen.by_provider
            and seen.request_is_spoken_of
            and seen.exchange.given is None
            and not _from_anywhere(seen)
            and is_authentic(sight, seen)
        ):
            for name in names_of_examples(seen.terms, seen.request_parts):
                assert seen.exchange.response is not None
                yield from _judged(judge, seen.terms, name, seen.exchange.response.status == _status(seen.terms, name), seen)


def _from_anywhere(seen: Seen) -> bool:
    """Whether it was made in a walk, and not from the state that the example needs."""
    return seen.exchange.step == STEP


def _status(terms: OperationTerms, name: str) -> int:
    response = terms.model.examples[name].response
    return response.status if response else terms.success[0]


def is_authentic(sight: Sight, seen: Seen) -> bool:
    """Whether a request carried a credential that is in use, as it has to be carried; none, where there is none and none is needed."""
    auth = sight.agreement.contract.provider.auth
    sent = seen.exchange.request.header(auth.header) if auth else None
    prefix = "Bearer " if auth and auth.scheme == "bearer" else ""
    in_use = {prefix + secret for secret in sight.observation.secrets if secret}
    return auth is None or (sent in in_use if in_use or auth.required else sent is None)


def names_of_examples(terms: OperationTerms, parts: Mapping[str, object]) -> list[str]:
    """The examples that a request by its parts is; headers that the wire adds do not matter."""
    found = []
    for name, example in terms.model.examples.items():
        wanted = example_parts(example)
        same = close(wanted["body"], parts.get("body"), 0.0) and all(_same(wanted[part], parts.get(part)) for part in ("query", "path"))
        if same and _same(_lower(wanted["headers"]), _declared_headers(terms, parts.get("headers"))):
            found.append(name)
    return found


def _lower(headers: object) -> dict[str, object]:
    return {name.lower(): value for name, value in headers.items()} if isinstance(headers, Mapping) else {}


def _declared_headers(terms: OperationTerms, headers: object) -> dict[str, object]:
    """The headers that the contract speaks of, as they were sent."""
    declared = {name.lower() for name in terms.model.request.headers}
    return {name: value for name, value in _lower(headers).items() if name in declared}


def _same(wanted: object, sent: object) -> bool:
    """Whether parameters are the same: on the wire they are text."""
    if isinstance(wanted, Mapping) and isinstance(sent, Mapping) and wanted.keys() == sent.keys():
        return all(close(value, sent[key], 0.0) or str(value).lower() == str(sent[key]).lower() for key, value in wanted.items())
    return close(wanted, sent, 0.0) or (not wanted and not sent)


def _judged(judge: Judge, terms: OperationTerms, name: str, holds: bool, seen: Seen) -> Iterator[Judgement]:
    status = seen.exchange.response.status if seen.exchange.response else seen.trouble
    clauses = [f"operations.{terms.name}.examples.{name}"]
    if judge.agreement.contract.provider.probe == f"{terms.name}/{name}":
        clauses.append("provider.probe")
    for clause in clauses:
        yield from judge.expect(
            clause,
            holds,
            expected=f"status {_status(terms, name)} and a response that keeps the contract",
            actual=f"status {status}",
            exchange=seen.exchange,
        )
