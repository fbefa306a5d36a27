"""The interactions of a contract, as Pact is told them: matchers for the request, and the response."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from harness.contract.agreement import Agreement, OperationTerms, query_text, schema_steps
from harness.contract.model import Parameter
from harness.exchange import Request, Response
from harness.suites.pact.matchers import ANY_TEXT, KIND, Matcher, Matching, parameter_pattern, text_pattern, typed
from harness.suites.pact.prospects import Answers, Prospect

CREDENTIAL = "credential"  # the word stands in the pact where a real one would
CONTENT_TYPE = "Content-Type"  # in Pact's spelling: it adds one of its own where it finds none
Fields = tuple[tuple[str, Matcher], ...]


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """One interaction; a body in bytes is itself, any other is a matcher."""

    description: str
    given: str | None
    method: str
    path: str
    query: Fields
    headers: Fields
    body: Matcher | None
    status: int
    response_headers: Fields
    response_body: Matcher | bytes | None
    media_type: str


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Draws up the interactions of one contract."""

    agreement: Agreement
    answers: Answers = field(repr=False)

    def for_consumer(self, prospect: Prospect, sent: Request) -> Interaction:
        """What Pact's mock server expects of a client, and answers.

        Which optional fields there are is the client's choice, so they are taken from what it sent; whether
        they may be there, and what may be in them, is the contract's.
        """
        response = self.answers.to(prospect, sent)
        return self._interaction(
            prospect,
            description=f"{prospect.terms.name} {prospect.name}",
            asked=self._allowed(prospect, sent),
            headers=tuple((name, value) for name, value in response.headers if name != "content-type"),
            body=response.body or None,
            media_type=response.header("content-type") or "",
        )

    def for_provider(self, prospect: Prospect, *, number: int) -> Interaction:
        """What the pact says of a provider: all that the contract requires of its answer.

        Pact sorts interactions by their description: the number keeps them in the contract's order.
        """
        declared = prospect.terms.model.responses.get(prospect.status)
        media_type = self.answers.media_type(prospect)
        headers: Fields = tuple(
            (name, {KIND: "regex", "regex": text_pattern(header.value_schema), "value": header.example or "x"})
            for name, header in (declared.headers if declared else {}).items()
            if header.required
        )
        body = self._required(prospect, self.answers.to(prospect))
        return self._interaction(
            prospect,
            description=f"{number:03} {prospect.terms.name} {prospect.name}",
            asked={"target": None, **prospect.parts},
            headers=headers if body is None else (*headers, (CONTENT_TYPE, typed(media_type))),
            body=body,
            media_type=media_type,
        )

    def _interaction(
        self,
        prospect: Prospect,
        *,
        description: str,
        asked: Mapping[str, Any],
        headers: Fields,
        body: Matcher | bytes | None,
        media_type: str,
    ) -> Interaction:
        terms, at = prospect.terms, _body_of(prospect.terms)
        has_body = terms.model.request.body is not None
        return Interaction(
            description=description,
            given=prospect.given,
            method=terms.model.method,
            path=asked["target"] or urlsplit(self.agreement.target(terms.name, asked["path"], {})).path,
            query=_parameters(terms.model.request.query, asked["query"]),
            headers=self._request_headers(terms, asked["headers"]),
            body=Matching(agreement=self.agreement, optional=True).matcher(at, asked["body"]) if has_body else None,
            status=prospect.status,
            response_headers=headers,
            response_body=body,
            media_type=media_type,
        )

    def _required(self, prospect: Prospect, response: Response) -> Matcher | None:
        """The matcher of a JSON body; Pact has no word for what a contract leaves open."""
        terms, shape = prospect.terms, prospect.terms.model.responses.get(prospect.status)
        if shape is None or not response.body or not response.media_type.endswith("json"):
            return None
        if shape.error is None and shape.body is None:
            return None
        own = schema_steps("operations", terms.name, "responses", prospect.status, "body")
        at = ("errors", shape.error, "body") if shape.error else own
        return Matching(agreement=self.agreement, optional=False).matcher(at, response.json())

    def _request_headers(self, terms: OperationTerms, sent: Mapping[str, Any]) -> Fields:
        fields = _parameters(terms.model.request.headers, sent)
        if terms.model.request.body is not None:
            fields += ((CONTENT_TYPE, typed(terms.model.request.media_type)),)
        auth = self.agreement.contract.provider.auth
        if auth:
            prefix = "Bearer " if auth.scheme == "bearer" else ""
            fields += ((auth.header, {KIND: "regex", "regex": rf"^{prefix}\S+$", "value": prefix + CREDENTIAL}),)
        return fields

    def _allowed(self, prospect: Prospect, sent: Request) -> dict[str, Any]:
        """The parts of what was sent, as far as the contract allows them; else those of the example."""
        terms, meant = prospect.terms, prospect.parts
        found, declared = self.agreement.operation_of(sent.method, sent.path), terms.model.request
        headers = {name: sent.header(name) for name in declared.headers if sent.header(name) is not None}
        return {
            "target": sent.path if found and found[0] is terms else None,
            "path": meant["path"],
            "query": _needed(declared.query, meant["query"])
            | dict(parse_qsl(urlsplit(sent.target).query, keep_blank_values=True)),
            "headers": _needed(declared.headers, meant["headers"]) | headers,
            "body": self._allowed_body(terms, meant["body"], sent),
        }

    def _allowed_body(self, terms: OperationTerms, meant: Any, sent: Request) -> Any:
        try:
            body = sent.json()
        except ValueError:
            return meant
        if self.agreement.schemas.is_valid(_body_of(terms), body):
            return body
        if not isinstance(body, Mapping) or not isinstance(meant, Mapping):
            return meant
        known, required = Matching(agreement=self.agreement, optional=True).properties(_body_of(terms), meant)
        allowed = {name: meant[name] for name in meant if name in body or name in required}
        for name, value in body.items():
            at, trial = known.get(name, _body_of(terms)), value if name in known else {**meant, name: value}
            if self.agreement.schemas.is_valid(at, trial):
                allowed[name] = value
        return allowed


def _body_of(terms: OperationTerms) -> tuple[str | int, ...]:
    return schema_steps("operations", terms.name, "request", "body")


def _parameters(declared: Mapping[str, Parameter], sent: Mapping[str, Any]) -> Fields:
    """Parameters that the contract does not know are not forbidden by it."""

    def pattern(name: str) -> str:
        return parameter_pattern(declared[name].value_schema) if name in declared else ANY_TEXT

    return tuple(
        (name, {KIND: "regex", "regex": pattern(name), "value": query_text(value)}) for name, value in sent.items()
    )


def _needed(declared: Mapping[str, Parameter], meant: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meant.items() if name in declared and declared[name].required}
