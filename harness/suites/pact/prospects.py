"""What an operation may answer, by its contract: each example's success, each declared error."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checks.examples import example_parts
from harness.contract.agreement import Agreement, OperationTerms
from harness.exchange import Request, Response
from harness.provider.stub import Stub


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """One answer: to which example, with which status, in which provider state."""

    terms: OperationTerms = field(repr=False)
    example: str
    status: int
    given: str | None = None
    is_error: bool = False

    @property
    def name(self) -> str:
        """Unique within the operation: the status, and the example or the provider state."""
        what = re.sub(r"[^a-z0-9]+", "-", (self.given or "").lower()).strip("-") if self.is_error else self.example
        return f"{self.status}-{what}" if what else str(self.status)

    @property
    def parts(self) -> dict[str, Any]:
        """The request that is meant, by its parts."""
        return example_parts(self.terms.model.examples[self.example])


def prospects(terms: OperationTerms) -> Iterator[Prospect]:
    """Each example with the status that it promises, then each declared error, met by the first example."""
    for name in terms.model.examples:
        yield Prospect(terms=terms, example=name, status=promised(terms, name))
    first = next(iter(terms.model.examples))
    for status, shape in terms.model.responses.items():
        if shape.error:
            yield Prospect(terms=terms, example=first, status=status, given=shape.given, is_error=True)


def promised(terms: OperationTerms, example: str) -> int:
    """The status that an example is answered with."""
    response = terms.model.examples[example].response
    return response.status if response else terms.success[0]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The responses to prospects: as the contract spells them out, else as its stub makes them."""

    agreement: Agreement
    stub: Stub = field(repr=False)

    def to(self, prospect: Prospect, sent: Request | None = None) -> Response:
        """The response to what was ``sent``, if that can have it; else to the example itself."""
        terms, status = prospect.terms, prospect.status
        if prospect.is_error:
            return self.stub.declared(terms.name, status)
        spelled = terms.model.examples[prospect.example].response
        if spelled is not None and not (status == terms.success[0] and status in terms.stub_bodies):
            return _spelled(status, spelled.headers, spelled.body, self.media_type(prospect))
        answered = self.stub.answer_now(sent) if sent is not None else None
        return (
            answered
            if answered is not None and answered.status == status
            else self.stub.answer_now(self.request(prospect))
        )

    def request(self, prospect: Prospect) -> Request:
        """The example as a request."""
        terms, parts = prospect.terms, prospect.parts
        declared = terms.model.request
        headers = [(name.lower(), str(value)) for name, value in parts["headers"].items()]
        return Request(
            method=terms.model.method,
            target=self.agreement.target(terms.name, parts["path"], parts["query"]),
            headers=(*headers, ("content-type", declared.media_type)),
            body=json.dumps(parts["body"]).encode() if declared.body is not None else b"",
        )

    def media_type(self, prospect: Prospect) -> str:
        """The media type that the contract declares for the response."""
        shape = prospect.terms.model.responses.get(prospect.status)
        error = self.agreement.contract.errors.get(shape.error or "") if shape else None
        return error.media_type if error else shape.media_type if shape else "application/json"


def _spelled(status: int, headers: Mapping[str, str], body: object, media_type: str) -> Response:
    if isinstance(body, str) and not media_type.endswith("json"):
        content = body.encode()
    else:
        content = b"" if body is None else json.dumps(body).encode()
    lower = {"content-type": media_type} | {name.lower(): value for name, value in headers.items()}
    return Response(status=status, headers=tuple(lower.items()), body=content)
