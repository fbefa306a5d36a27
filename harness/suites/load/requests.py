"""What is asked under load: a contract's examples, each time with texts of its own, so that no cache answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.checks.examples import example_parts
from harness.checks.sight import Seen
from harness.contract.agreement import Agreement, OperationTerms
from harness.exchange import Exchange, Headers, Request

MARK = "7f3c0d91ba"  # stands in a body where each request has its own number; ten characters, as the number has
MOST_VARIED = 64

Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Template:
    """A request of which any number of fresh ones can be made; ``status`` is what a good answer has."""

    operation: str
    example: str
    method: str
    target: str
    headers: Headers
    status: int
    media_type: str | None
    body: bytes = field(repr=False)

    def fresh(self, number: int) -> bytes:
        """A body that no other number has, if anything in it may vary."""
        return self.body.replace(MARK.encode(), f"{number % 10**10:010d}".encode())

    def request(self, number: int) -> Request:
        """The request as the contract sees it; without a credential."""
        return Request(method=self.method, target=self.target, headers=self.headers, body=self.fresh(number))


def templates(agreement: Agreement, operation: str) -> tuple[Template, ...]:
    """One for each example of an operation."""
    terms = agreement.operations[operation]
    return tuple(_template(agreement, terms, name) for name in terms.model.examples)


def _template(agreement: Agreement, terms: OperationTerms, name: str) -> Template:
    example = terms.model.examples[name]
    parts: dict[str, Any] = example_parts(example)
    declared = terms.model.request
    headers = tuple((header.lower(), value) for header, value in parts["headers"].items())
    if declared.body is not None:
        headers += (("content-type", declared.media_type),)
    status = example.response.status if example.response else terms.success[0]
    shape = terms.response_for(status)
    plain = Template(
        operation=terms.name,
        example=name,
        method=terms.model.method,
        target=agreement.target(terms.name, parts["path"], parts["query"]),
        headers=headers,
        status=status,
        media_type=shape.media_type if shape and shape.body is not None else None,
        body=_encoded(parts["body"]) if declared.body is not None else b"",
    )
    return _varied(agreement, plain, parts["body"]) if declared.body is not None else plain


def _varied(agreement: Agreement, plain: Template, body: object) -> Template:
    """The template with a mark in every text that may have one: the request has to stay good."""
    chosen = plain
    for path in list(texts(body))[:MOST_VARIED]:
        body_with = _marked(body, path)
        candidate = replace(plain, body=_encoded(body_with))
        if _is_good(agreement, candidate):
            chosen, body = candidate, body_with
    return chosen


def _is_good(agreement: Agreement, template: Template) -> bool:
    return Seen(agreement, Exchange(request=template.request(0)), None).request_is_valid


def texts(value: object, path: Path = ()) -> Iterator[Path]:
    """Where texts stand in a body."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from texts(item, (*path, index))


def _marked(value: Any, path: Path) -> Any:
    if not path:
        return f"{value} {MARK}"
    head, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        return {**value, head: _marked(value[head], rest)}
    return [*value[:head], _marked(value[head], rest), *value[int(head) + 1 :]]


def _encoded(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
