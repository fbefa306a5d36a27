"""The stub: a provider made from the contract alone.

It judges each request by the contract (credential, schema, rules, limits) and answers a good one with the
value of the contract's own expression, so that every invariant holds. It knows no service.
"""

import hmac
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from time import monotonic
from typing import Any

import orjson

from harness.contract.agreement import Agreement, OperationTerms, schema_steps
from harness.contract.bodiless import has_no_body
from harness.contract.document import value_at
from harness.contract.expressions import EvaluationError, Expression
from harness.contract.model import ResponseShape
from harness.contract.problems import nearest
from harness.exchange import Headers, Request, Response
from harness.provider.refusing import Refused, content, example_headers, refusal, with_message
from harness.provider.windows import Windows
from harness.wire.mutations.sample import sample

__all__ = ["ANY_CREDENTIAL", "Entry", "Stub", "with_message"]

ANY_CREDENTIAL = "*"
_LITERAL = re.compile(r"true|false|-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
JOURNAL_LENGTH = 1000
MOST_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal: what was asked, what was answered, and why it was refused."""

    method: str
    target: str
    status: int
    operation: str | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """An operation with everything at hand that an answer needs."""

    terms: OperationTerms
    status: int
    body: Expression | None
    example: object
    headers: Headers
    made_headers: Mapping[str, Expression]
    media_type: str
    schema: tuple[Any, ...] | None
    states: Mapping[str, int]
    constants: Mapping[str, object] = field(repr=False)


class Stub:
    """Answers requests as the contract says.

    ``credential`` None asks for none, ``ANY_CREDENTIAL`` for one of any value. ``enforce_limits`` makes it keep
    the contract's rate limits; ``seed`` changes every made-up value. Nothing here is safe to be used from two
    threads at once.
    """

    def __init__(
        self,
        agreement: Agreement,
        *,
        credential: str | None = None,
        enforce_limits: bool = False,
        seed: str = "",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.agreement = agreement
        self.journal: deque[Entry] = deque(maxlen=JOURNAL_LENGTH)
        self.given: str | None = None
        self._windows = Windows(agreement.contract.limits.rate, clock=clock) if enforce_limits else None
        auth = agreement.contract.provider.auth
        self._auth_header = auth.header.lower() if auth else ""
        self._auth_prefix = "Bearer " if auth and auth.scheme == "bearer" else ""
        self._credential: str | None = None
        if credential is not None and not (credential == ANY_CREDENTIAL and auth and not auth.required):
            self.accept(credential)
        self._prepared = {name: self._prepare(terms, seed) for name, terms in agreement.operations.items()}
        self._routes: dict[tuple[str, str], tuple[_Prepared, dict[str, str]]] = {}

    def _prepare(self, terms: OperationTerms, seed: str) -> _Prepared:
        status, shape = terms.success
        body = terms.model.request.body
        return _Prepared(
            terms=terms,
            status=status,
            body=terms.stub_bodies.get(status),
            example=self._example(terms, status, shape),
            headers=(*((("content-type", shape.media_type),) if shape.body is not None else ()), *example_headers(shape).items()),
            made_headers=terms.stub_headers.get(status, {}),
            media_type=shape.media_type,
            schema=schema_steps("operations", terms.name, "request", "body") if body is not None else None,
            states={s.given: status for status, s in terms.model.responses.items() if s.given},
            constants={**terms.constants, "seed": seed},
        )

    def _example(self, terms: OperationTerms, status: int, shape: ResponseShape) -> object:
        """The answer to any good request where the contract has no expression for one."""
        shown = [
            example.response.body for example in terms.model.examples.values() if example.response and example.response.status == status
        ]
        if shown or shape.example is not None or shape.body is None:
            return shown[0] if shown else shape.example
        at = schema_steps("operations", terms.name, "responses", status, "body")
        return sample(at, lambda steps: value_at(self.agreement.document.value, steps))

    @property
    def states(self) -> frozenset[str]:
        """The provider states that the contract declares.

        Those that requests lead to change nothing here: a stub remembers nothing, and answers as if it were so.
        """
        failures = (state for prepared in self._prepared.values() for state in prepared.states)
        return frozenset(failures) | frozenset(self.agreement.contract.states)

    def accept(self, credential: str) -> None:
        """From now on only this credential is right."""
        if self.agreement.contract.provider.auth:
            self._credential = credential

    def enter(self, given: str | None) -> None:
        """Put the provider into a declared state until it is put into another; None is the normal one."""
        if given is not None and given not in self.states:
            hint = nearest(given, self.states)
            known = f"the contract declares no provider state `{given}`; there are: {', '.join(sorted(self.states))}"
            raise ValueError(f"{known}; {hint}" if hint else known)
        self.given = given

    async def answer(self, request: Request) -> Response:
        """The answer to a request, as an upstream of the wire."""
        return self.answer_now(request)

    def answer_now(self, request: Request) -> Response:
        """The answer to a request."""
        found = self._route(request)
        if found is None:
            return self._unknown(request)
        prepared, path = found
        reason = ""
        try:
            response = self._serve(prepared, path, request)
        except Refused as refused:
            response, reason = refusal(self.agreement, prepared.terms, refused), refused.reason
        except EvaluationError as error:  # the contract says too little of such a request
            reason = f"the contract's own expression has no value for this request: {error}"
            response = Response(status=500, headers=(("content-type", "text/plain"),), body=reason.encode())
        if response.body and has_no_body(request.method, response.status):
            response = Response(status=response.status, headers=response.headers)
        self._note(request, response, prepared.terms.name, reason)
        return response

    def _note(self, request: Request, response: Response, operation: str | None, reason: str) -> None:
        entry = Entry(method=request.method, target=request.target, status=response.status, operation=operation, reason=reason)
        self.journal.append(entry)

    def declared(self, operation: str, status: int, *, reason: str = "", headers: Mapping[str, str] | None = None) -> Response:
        """The response that an operation declares for a status of failure, whoever wants to send it."""
        refused = Refused("outage", reason or f"status {status}", status, tuple((headers or {}).items()))
        return refusal(self.agreement, self._prepared[operation].terms, refused)

    def _route(self, request: Request) -> tuple[_Prepared, dict[str, str]] | None:
        path = request.target if "?" not in request.target else request.path
        known = self._routes.get((request.method, path))
        if known is None:
            found = self.agreement.operation_of(request.method, path)
            if found is None:
                return None
            known = self._prepared[found[0].name], found[1]
            if not found[1]:  # a path with parameters would fill the table
                self._routes[request.method, path] = known
        return known

    def _serve(self, prepared: _Prepared, path: dict[str, str], request: Request) -> Response:
        if self.given is not None and self.given in prepared.states:
            raise Refused("outage", f"given {self.given}", prepared.states[self.given])
        if self._credential is not None:
            self._authenticate(request)
        body = self._read(prepared, request)
        parts = {"body": body, "query": request.query if "?" in request.target else {}, "path": path, "headers": dict(request.headers)}
        self._parameters(prepared, parts)
        names = prepared.terms.scope.bind({"request": parts, "response": None, **prepared.constants})
        for name, rule in prepared.terms.rules.items():
            self._rule(prepared, name, rule, names)
        if self._windows is not None:
            self._limit(prepared, names)
        headers = prepared.headers
        if prepared.made_headers:
            made = {name.lower(): str(made.evaluate(names)) for name, made in prepared.made_headers.items()}
            headers = tuple({**dict(headers), **made}.items())
        if prepared.body is None:
            data = content(prepared.example, prepared.media_type) if prepared.example is not None else b""
            return Response(status=prepared.status, headers=headers, body=data)
        return Response(status=prepared.status, headers=headers, body=content(prepared.body.evaluate(names), prepared.media_type))

    def _authenticate(self, request: Request) -> None:
        sent = request.header(self._auth_header)
        if sent is None:
            raise Refused("unauthenticated", f"the header `{self._auth_header}` is missing")
        if not sent.startswith(self._auth_prefix) or sent == self._auth_prefix.strip():
            raise Refused("unauthenticated", f"the header `{self._auth_header}` is not of the form `{self._auth_prefix}…`")
        if self._credential == ANY_CREDENTIAL:
            return
        if not hmac.compare_digest(sent.encode(), f"{self._auth_prefix}{self._credential}".encode()):
            raise Refused("unauthenticated", "the credential is not the right one")

    def _read(self, prepared: _Prepared, request: Request) -> object:
        if prepared.schema is None:
            return None
        sent = request.header("content-type")
        wanted = prepared.terms.model.request.media_type
        if sent is not None and sent != wanted and sent.partition(";")[0].strip().lower() != wanted:
            raise Refused("invalid_request", f"the content type is `{sent}`, not `{wanted}`")
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError as error:
            raise Refused("invalid_request", f"the body is not JSON: {error}" if request.body else "the body is missing") from None
        if not self.agreement.schemas.is_valid(prepared.schema, body):
            broken = islice(self.agreement.schemas.violations(prepared.schema, body), MOST_REASONS)
            raise Refused("invalid_request", "; ".join(f"at {found.pointer or '/'}: {found.message}" for found in broken))
        return body

    def _parameters(self, prepared: _Prepared, parts: Mapping[str, Any]) -> None:
        declared = prepared.terms.model.request
        for part, parameters in (("query", declared.query), ("path", declared.path), ("headers", declared.headers)):
            for name, parameter in parameters.items():
                value = parts[part].get(name.lower() if part == "headers" else name)
                if value is None:
                    if parameter.required:
                        raise Refused("invalid_request", f"the {part} parameter `{name}` is missing")
                    continue
                at = schema_steps("operations", prepared.terms.name, "request", part, name, "schema")
                readings = _readings(value)
                if not any(self.agreement.schemas.is_valid(at, reading) for reading in readings):
                    found = next(self.agreement.schemas.violations(at, readings[-1]))
                    raise Refused("invalid_request", f"the {part} parameter `{name}` is malformed: {found.message}")

    def _rule(self, prepared: _Prepared, name: str, rule: Expression, names: Mapping[str, object]) -> None:
        try:
            holds = rule.evaluate(names)
        except EvaluationError as error:
            holds, reason = False, f"{name} can't be judged: {error}"
        else:
            reason = f"{name}: {prepared.terms.model.request.rules[name].because}"
        if holds is not True:
            raise Refused("invalid_request", reason, prepared.terms.model.request.rules[name].status)

    def _limit(self, prepared: _Prepared, names: Mapping[str, object]) -> None:
        assert self._windows is not None
        tokens = prepared.terms.cost.get("tokens")
        cost = tokens.evaluate(names) if tokens else 0
        wait_s = self._windows.take(tokens=float(cost) if isinstance(cost, int | float) else 0.0)
        if wait_s > 0:
            seconds = str(int(wait_s) + 1)
            raise Refused("rate_limited", f"the rate limit is used up for {seconds} s", headers=(("retry-after", seconds),))

    def _unknown(self, request: Request) -> Response:
        """No operation answers here: say which one was nearly asked for."""
        methods = {terms.model.method for terms in self.agreement.operations.values()}
        allowed = sorted(method for method in methods if self.agreement.operation_of(method, request.path))
        reason = f"the contract has no operation {request.method} {request.path}"
        if allowed:
            reason += f"; that path takes {', '.join(allowed)}"
        elif near := self._nearest(request):
            reason += f"; the nearest is {near}"
        headers: Headers = (("content-type", "text/plain"), *((("allow", ", ".join(allowed)),) if allowed else ()))
        response = Response(status=405 if allowed else 404, headers=headers, body=reason.encode())
        self._note(request, response, None, reason)
        return response

    def _nearest(self, request: Request) -> str:
        offered = {
            f"{terms.model.method} {self.agreement.base_path}{terms.model.path}": name for name, terms in self.agreement.operations.items()
        }
        close = get_close_matches(f"{request.method} {request.path}"[:200], list(offered), n=1, cutoff=0.3)
        return f"{close[0]} ({offered[close[0]]})" if close else ""


def _readings(text: str) -> list[object]:
    """What the text of a parameter may mean: itself, and a number or truth value if it looks like one."""
    return [text, orjson.loads(text)] if _LITERAL.fullmatch(text) else [text]
