"""Changes to a response that are not in its JSON value: status, headers, media type, the bytes of the body."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import orjson

from harness.checks.parameters import typed_parameter
from harness.contract.agreement import Agreement, OperationTerms, response_clause, schema_steps
from harness.contract.bodiless import has_no_body
from harness.contract.clauses import clause_id
from harness.exchange import Response
from harness.wire.mutations.edits import Edit, Kind, Steps, pointer, replaced
from harness.wire.mutations.schema import breaking

UNDECLARED = (418, 599, 299)
HTML = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>It works!</body></html>"
MALFORMED: Mapping[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data.rstrip()[:-1],
    "followed by more": lambda data: data + b"{}",
    "with single quotes": lambda data: data.replace(b'"', b"'"),
    "not text in UTF-8": lambda data: b"\xff\xfe" + data,
    "HTML": lambda data: HTML,
    "blank": lambda data: b" \r\n",
}
UNASKED = "a body where HTTP has none"
OTHER_TYPES = ("text/html", "text/plain; charset=utf-8", "application/json", "application/octet-stream")
_OF_THE_BODY = ("content-length", "transfer-encoding", "content-encoding")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A response with one thing about it changed, and the clause that it is made to break."""

    kind: Kind
    note: str
    response: Response
    clause: str | None
    steps: Steps = ()

    @property
    def name(self) -> str:
        """Tells it from the other changes of the same response."""
        where = f" at {pointer(self.steps)}" if self.steps else ""
        return f"{self.kind}{where}: {self.note}"


def carrying(response: Response, body: bytes, *, media_type: str | None = None) -> Response:
    """The response with another body; headers that told the length or the coding of the old one go."""
    gone = _OF_THE_BODY if media_type is None else (*_OF_THE_BODY, "content-type")
    headers = tuple((name, value) for name, value in response.headers if name.lower() not in gone)
    typed = headers if media_type is None else (*headers, ("content-type", media_type))
    return Response(status=response.status, headers=typed, body=body)


def encoded(value: Any) -> bytes:
    """A JSON value as bytes; numbers that JSON does not have are written as Python's json does."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def of_edit(response: Response, edit: Edit) -> Message:
    """The response with its JSON value edited, or its text where it is no JSON."""
    as_text = isinstance(edit.value, str) and not response.media_type.endswith("json")
    changed = carrying(response, edit.value.encode() if as_text else encoded(edit.value))
    return Message(kind=edit.kind, note=edit.note, response=changed, clause=edit.clause, steps=edit.steps)


def bodies(agreement: Agreement, terms: OperationTerms, response: Response) -> Iterator[Message]:
    """Bodies that are not the JSON that they should be."""
    clause, wanted = _media_type(agreement, terms, response.status)
    if has_no_body(terms.model.method, response.status):
        body = carrying(response, encoded({"unasked": True}), media_type="application/json")
        yield Message(kind=Kind.FILLED, note=UNASKED, response=body, clause=response_clause(terms.name, response.status))
        return
    if clause is None:
        return
    if not wanted.endswith("json"):  # of other text nothing but its schema says what is malformed
        return
    for note, spoil in MALFORMED.items():
        yield Message(kind=Kind.MALFORMED, note=note, response=carrying(response, spoil(response.body)), clause=clause)
    yield Message(kind=Kind.EMPTIED, note="no body", response=carrying(response, b""), clause=response_clause(terms.name, response.status))
    yield from _not_numbers(response, clause)


def _not_numbers(response: Response, clause: str) -> Iterator[Message]:
    """Literals that Python's json writes and reads, though they are no JSON, in place of the first number."""
    value = json_of(response)
    steps = _first_number(value, ())
    for literal in ("NaN", "Infinity", "-Infinity") if steps is not None else ():
        assert steps is not None
        data = json.dumps(replaced(value, steps, float(literal))).encode()
        note = f"{literal} for a number"
        yield Message(kind=Kind.NOT_A_NUMBER, note=note, response=carrying(response, data), clause=clause, steps=steps)


def _first_number(value: Any, steps: Steps) -> Steps | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return steps
    children = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    found = (_first_number(item, (*steps, step)) for step, item in children)
    return next((each for each in found if each is not None), None)


def media_types(agreement: Agreement, terms: OperationTerms, response: Response) -> Iterator[Message]:
    """A media type that is another, or missing."""
    clause, wanted = _media_type(agreement, terms, response.status)
    if clause is None:
        return
    untyped = tuple((name, value) for name, value in response.headers if name.lower() != "content-type")
    for other in OTHER_TYPES:
        if fnmatchcase(other.partition(";")[0], wanted):
            continue
        changed = Response(status=response.status, headers=(*untyped, ("content-type", other)), body=response.body)
        yield Message(kind=Kind.MEDIA_TYPE, note=f"as {other}", response=changed, clause=clause)
    bare = Response(status=response.status, headers=untyped, body=response.body)
    yield Message(kind=Kind.MEDIA_TYPE, note="without a media type", response=bare, clause=clause)
    yield Message(kind=Kind.MEDIA_TYPE, note="HTML", response=carrying(response, HTML, media_type="text/html"), clause=clause)


def _media_type(agreement: Agreement, terms: OperationTerms, status: int) -> tuple[str | None, str]:
    """The promise that a status has a body of a media type, and that type; None where it has none, or any will do."""
    shape = terms.response_for(status)
    error = agreement.contract.errors.get((shape.error if shape else "") or "")
    wanted = error.media_type if error else shape.media_type if shape is not None and shape.body is not None else ""
    if shape is None or not wanted or wanted == "*/*":
        return None, ""
    clause = f"errors.{shape.error}.media_type" if error else response_clause(terms.name, status, "media_type")
    return clause if clause in agreement.clauses else response_clause(terms.name, status), wanted


def headers(agreement: Agreement, terms: OperationTerms, response: Response) -> Iterator[Message]:
    """Declared headers that are missing, or say what they may not."""
    shape = terms.response_for(response.status)
    for name, header in shape.headers.items() if shape else ():
        clause = response_clause(terms.name, response.status, "headers", name)
        others = tuple((key, value) for key, value in response.headers if key.lower() != name.lower())
        if header.required and len(others) < len(response.headers):
            bare = Response(status=response.status, headers=others, body=response.body)
            yield Message(kind=Kind.DROPPED, note=f"without the header {name}", response=bare, clause=clause)
        for clause, text in _header_texts(agreement, terms, response, name).items():
            changed = Response(status=response.status, headers=(*others, (name.lower(), text)), body=response.body)
            yield Message(kind=Kind.HEADER, note=f"the header {name} says {text!r}", response=changed, clause=clause)


def _header_texts(agreement: Agreement, terms: OperationTerms, response: Response, name: str) -> dict[str, str]:
    """For each clause of a header's schema the first text that breaks it."""
    at = schema_steps("operations", terms.name, "responses", response.status, "headers", name, "schema")
    schema, found = terms.model.responses[response.status].headers[name].value_schema, dict[str, str]()
    for edit in breaking(agreement, at, response.header(name) or "text"):
        text = str(edit.value) if isinstance(edit.value, str | int | float) else ""
        if text.isascii() and text.isprintable() and edit.clause is not None:
            typed = typed_parameter(text, schema)
            if edit.clause in {clause_id(violation.keyword) for violation in agreement.schemas.violations(at, typed)}:
                found.setdefault(edit.clause, text)
    return found


def statuses(agreement: Agreement, terms: OperationTerms, response: Response, expected: int) -> Iterator[Message]:
    """Another status over the same body, and another body under the same status; ``expected`` is the right one."""
    clause = response_clause(terms.name, expected)
    for status in UNDECLARED:
        if status not in terms.model.responses:
            changed = Response(status=status, headers=response.headers, body=response.body)
            yield Message(kind=Kind.STATUS, note=f"as status {status}", response=changed, clause=clause)
    for status, shape in terms.model.responses.items():
        error = agreement.contract.errors.get(shape.error or "")
        if error is None or (status < 300) == (response.status < 300):
            continue
        if error.media_type.endswith("json"):
            changed = Response(status=status, headers=response.headers, body=response.body)
            yield Message(kind=Kind.STATUS, note=f"as status {status}", response=changed, clause=None)
        body = shape.example if shape.example is not None else error.example
        wrong = carrying(response, encoded(body), media_type=None if "*" in error.media_type else error.media_type)
        yield Message(kind=Kind.ERROR_SHAPE, note=f"the error of status {status} under {response.status}", response=wrong, clause=None)


def json_of(response: Response) -> Any:
    """The body as JSON; None when it is not JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def value_of(response: Response) -> Any:
    """The body as JSON, or as text where it says that it is other text; None when it is neither."""
    return response.body.decode("utf-8", "replace") if response.media_type.startswith("text/") else json_of(response)
