"""What is wrong with a response, by the contract alone: status, media type, headers, schema, invariants."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from harness.checks.judging import listed, shown
from harness.checks.sight import UNREADABLE, Seen
from harness.contract.agreement import OperationTerms, response_clause, schema_steps
from harness.contract.clauses import clause_id
from harness.contract.expressions import EvaluationError
from harness.contract.model import ResponseShape
from harness.contract.reader import Steps
from harness.exchange import find_header


@dataclass(frozen=True, kw_only=True)
class Breach:
    """One clause that a response breaks."""

    clause: str
    expected: str
    actual: str
    pointer: str = ""
    hidden: bool = False  # from the client: its HTTP library leaves unread what is wrong


@dataclass(kw_only=True)
class Reading:
    """A response read against the contract: the clauses it touched, and those it broke."""

    touched: set[str] = field(default_factory=set)
    breaches: list[Breach] = field(default_factory=list)

    @property
    def seems_whole(self) -> bool:
        """Whether nothing is wrong that a client could see."""
        return all(breach.hidden for breach in self.breaches)

    def note(self, clause: str, *, breach: bool, expected: str, actual: str, pointer: str = "") -> None:
        self.touched.add(clause)
        if breach:
            self.breaches.append(Breach(clause=clause, expected=expected, actual=actual, pointer=pointer))


def read_response(seen: Seen) -> Reading:
    """Everything that the contract says about the response of an exchange with a known operation; read once."""
    known = seen.memory.get("reading")
    if isinstance(known, Reading):
        return known
    seen.memory["reading"] = reading = _read(seen)
    return reading


def _read(seen: Seen) -> Reading:
    reading = Reading()
    terms, response, shape = seen.terms, seen.exchange.response, seen.shape
    if terms is None or response is None:
        return reading
    if shape is None:
        known = listed(terms.model.responses)
        clause = response_clause(terms.name, expected_status(seen))
        reading.note(clause, breach=True, expected=f"one of the declared statuses {known}", actual=f"status {response.status}")
        return reading
    at = response_clause(terms.name, response.status)
    reading.touched.add(at)
    if seen.has_no_body:
        _no_body(seen, at, reading)
    if seen.has_no_body or _media_type(seen, shape, at, reading):
        _headers(seen, shape, at, reading)
        if not seen.has_no_body and (shape.error or shape.body is not None):
            named = schema_steps("operations", terms.name, "responses", response.status, "body")
            _schema(seen, ("errors", shape.error, "body") if shape.error else named, at, reading)
        if reading.seems_whole and response.status < 300 and seen.request_is_valid:
            _invariants(seen, terms, response.status, reading)
    if shape.error:
        breach, what = bool(reading.breaches), "; ".join(each.actual for each in reading.breaches[:1])
        reading.note(f"{at}.error", breach=breach, expected=f"the error shape `{shape.error}`", actual=what)
    return reading


def expected_status(seen: Seen) -> int:
    """The status that the contract expects for a request: the refusal it declares, or success."""
    terms = seen.terms
    assert terms is not None
    if seen.request_is_valid:
        return terms.success[0]
    broken = seen.broken_rules
    if broken and not seen.request_violations:
        return terms.model.request.rules[broken[0]].status
    return refusal_status(terms) or terms.success[0]


def refusal_status(terms: OperationTerms) -> int | None:
    """The status that an operation declares for requests that break their schema."""
    return next((status for status, shape in terms.model.responses.items() if shape.when == "invalid_request"), None)


def _media_type(seen: Seen, shape: ResponseShape, at: str, reading: Reading) -> bool:
    """Whether the body may be read on; a body-less response has no media type to be wrong."""
    response = seen.exchange.response
    assert response is not None
    error = seen.agreement.contract.errors.get(shape.error or "")
    wanted = error.media_type if error else shape.media_type
    clause = f"errors.{shape.error}.media_type" if error else f"{at}.media_type"
    if wanted == "*/*" or (shape.body is None and error is None):
        return True
    if clause not in seen.agreement.clauses:
        clause = at
    sent = response.media_type
    reading.touched.add(clause)
    if not fnmatchcase(sent, wanted):
        where = "in the header `content-type`" if sent else "because the header `content-type` is missing"
        reading.note(clause, breach=True, expected=f"media type {wanted}", actual=f"{sent or 'none'} {where}: {_start(response.body)}")
        return False
    if seen.response_body is UNREADABLE:
        reading.note(clause, breach=True, expected="a body that is JSON", actual=f"a body that is not: {_start(response.body)}")
        return False
    return True


def _no_body(seen: Seen, at: str, reading: Reading) -> None:
    """What HTTP forbids to be sent is no client's to read, and gets in the way of the next answer."""
    response, method = seen.exchange.response, seen.exchange.request.method
    assert response is not None
    why = "an answer to HEAD" if method == "HEAD" else f"an answer with status {response.status}"
    if response.body:
        actual = f"{len(response.body)} bytes: {_start(response.body)}"
        reading.breaches.append(Breach(clause=at, expected=f"no body: {why} has none", actual=actual, hidden=True))


def _start(body: bytes) -> str:
    return shown(body[:200].decode("utf-8", "replace"), most=80)


def _headers(seen: Seen, shape: ResponseShape, at: str, reading: Reading) -> None:
    response = seen.exchange.response
    assert response is not None and seen.terms is not None
    for name, header in shape.headers.items():
        clause = f"{at}.headers.{name}"
        value = find_header(response.headers, name)
        if value is None:
            if header.required:
                reading.note(clause, breach=True, expected=f"the header `{name}`", actual="no such header")
            continue
        reading.touched.add(clause)
        steps = schema_steps("operations", seen.terms.name, "responses", response.status, "headers", name, "schema")
        if "schema" in header.model_fields_set or "value_schema" in header.model_fields_set:
            before = len(reading.breaches)
            _by_schema(seen, steps, _number(value, header.value_schema), f"/headers/{name}", reading)
            for breach in reading.breaches[before : before + 1]:
                reading.note(clause, breach=True, expected=f"a header `{name}` that keeps its schema", actual=breach.actual)


def _number(value: str, schema: dict[str, object]) -> object:
    """A header's text as the number that its schema asks for, where it is one."""
    wanted = schema.get("type")
    try:
        return int(value) if wanted == "integer" else float(value) if wanted == "number" else value
    except ValueError:
        return value


def _schema(seen: Seen, at: Steps, clause: str, reading: Reading) -> None:
    response, body = seen.exchange.response, seen.response_body
    if response is not None and not response.body and seen.shape is not None:
        if response.media_type.startswith("text/"):
            _by_schema(seen, at, "", "", reading)  # nothing is a text too, if a short one
            return
        reading.note(clause, breach=True, expected="a body", actual="an empty body")
        return
    _by_schema(seen, at, body, "", reading)


def _by_schema(seen: Seen, at: Steps, value: object, prefix: str, reading: Reading) -> None:
    reading.touched.update(clause_id(steps) for steps in seen.agreement.schemas.touched(at, value))
    for violation in seen.agreement.schemas.violations(at, value):
        clause = clause_id(violation.keyword)
        expected = f"{violation.keyword[-1]} as in {clause}"
        reading.note(clause, breach=True, expected=expected, actual=violation.message, pointer=prefix + violation.pointer)


def _invariants(seen: Seen, terms: OperationTerms, status: int, reading: Reading) -> None:
    for name, promise in terms.invariants.get(status, {}).items():
        source = " ".join(promise.source.split())
        try:
            value = promise.evaluate(seen.names)
            actual = "it is false"
        except EvaluationError as error:
            value, actual = False, f"it can't be evaluated: {error}"
        clause = response_clause(terms.name, status, "invariants", name)
        shown_body = shown(seen.response_body) if value is not True else ""
        reading.note(clause, breach=value is not True, expected=source, actual=f"{actual} for {shown_body}")


def breached(seen: Seen) -> Iterator[str]:
    """The clauses that the response of an exchange breaks."""
    return (breach.clause for breach in read_response(seen).breaches)
