"""The stub: a provider made from the contract alone.

It judges each request by the contract (credential, schema, rules, limits) and answers a good one with the
value of the contract's own expression, so that every invariant holds. It knows no service.
"""

import hmac
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from time import monotonic
from typing import Any

import orjson

from harness.contract.agreement import Agreement, OperationTerms, schema_steps
from harness.contract.expressions import EvaluationError, Expression
from harness.contract.model import ResponseShape
from harness.exchange import Headers, Request, Response
from harness.provider.windows import Windows

ANY_STATE = "*"
JOURNAL_LENGTH = 1000
_JSON_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal: what was asked, what was answered, and why it was refused."""

    method: str
    target: str
    status: int
    operation: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Refused(Exception):
    when: str
    reason: str
    status: int | None = None
    headers: Headers = ()


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """An operation with everything at hand that an answer needs."""

    terms: OperationTerms
    status: int
    body: Expression | None
    headers: Headers
    schema: tuple[Any, ...] | None
    refusals: Mapping[str, int]
    states: Mapping[str, int]
    constants: Mapping[str, object] = field(repr=False)


class Stub:
    """Answers requests as the contract says; ``credential`` None accepts any.

    ``enforce_limits`` makes it keep the contract's rate limits; ``seed`` changes every made-up value.
    Nothing here is safe to be used from two threads at once.
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
        self._credential = credential
        self._windows = Windows(agreement.contract.limits.rate, clock=clock) if enforce_limits else None
        auth = agreement.contract.provider.auth
        self._auth_header = auth.header.lower() if auth else ""
        self._auth_value = (f"Bearer {credential}" if auth.scheme == "bearer" else credential) if auth and credential else None
        self._prepared = {name: self._prepare(terms, seed) for name, terms in agreement.operations.items()}
        self._routes: dict[tuple[str, str], tuple[_Prepared, dict[str, str]]] = {}

    def _prepare(self, terms: OperationTerms, seed: str) -> _Prepared:
        status, shape = terms.success
        body = terms.model.request.body
        return _Prepared(
            terms=terms,
            status=status,
            body=terms.stub_bodies.get(status),
            headers=(("content-type", shape.media_type),) if shape.body is not None else (),
            schema=schema_steps("operations", terms.name, "request", "body") if body is not None else None,
            refusals={s.when: status for status, s in reversed(terms.model.responses.items()) if s.when},
            states={s.given: status for status, s in terms.model.responses.items() if s.given},
            constants={**terms.constants, "seed": seed},
        )

    @property
    def states(self) -> frozenset[str]:
        """The provider states that the contract declares."""
        return frozenset(state for prepared in self._prepared.values() for state in prepared.states)

    def accept(self, credential: str) -> None:
        """From now on only this credential is right."""
        auth = self.agreement.contract.provider.auth
        if auth:
            self._auth_value = f"Bearer {credential}" if auth.scheme == "bearer" else credential

    def enter(self, given: str | None) -> None:
        """Put the provider into a declared state until it is put into another; None is the normal one."""
        if given is not None and given not in self.states:
            raise ValueError(f"the contract declares no provider state `{given}`; there are: {', '.join(sorted(self.states))}")
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
        try:
            response = self._serve(prepared, path, request)
            reason = ""
        except _Refused as refused:
            response, reason = self._refusal(prepared, refused), refused.reason
        self.journal.append(
            Entry(method=request.method, target=request.target, status=response.status, operation=prepared.terms.name, reason=reason)
        )
        return response

    def declared(self, operation: str, status: int, *, reason: str = "", headers: Mapping[str, str] | None = None) -> Response:
        """The response that an operation declares for a status of failure, whoever wants to send it."""
        prepared = self._prepared[operation]
        refused = _Refused("state", reason or f"status {status}", status, tuple((headers or {}).items()))
        return self._refusal(prepared, refused)

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
            status = prepared.states[self.given]
            raise _Refused("state", f"given {self.given}", status) if status >= 300 else _Refused("outage", self.given)
        if self._auth_value is not None:
            self._authenticate(request)
        body = self._read(prepared, request)
        parts = {"body": body, "query": request.query if "?" in request.target else {}, "path": path, "headers": dict(request.headers)}
        self._parameters(prepared, parts)
        names = prepared.terms.scope.bind({"request": parts, "response": None, **prepared.constants})
        for name, rule in prepared.terms.rules.items():
            self._rule(prepared, name, rule, names)
        if self._windows is not None:
            self._limit(prepared, names)
        if prepared.body is None:
            return Response(status=prepared.status, headers=prepared.headers)
        data = prepared.body.evaluate(names)
        text = isinstance(data, str) and not prepared.headers[0][1].endswith("json")
        content = str(data).encode() if text else orjson.dumps(data, option=_JSON_OPTIONS)
        return Response(status=prepared.status, headers=prepared.headers, body=content)

    def _authenticate(self, request: Request) -> None:
        sent = request.header(self._auth_header)
        if sent is None:
            raise _Refused("unauthenticated", f"the header `{self._auth_header}` is missing")
        if not hmac.compare_digest(sent.encode(), str(self._auth_value).encode()):
            raise _Refused("unauthenticated", "the credential is not the right one")

    def _read(self, prepared: _Prepared, request: Request) -> object:
        if prepared.schema is None:
            return None
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError as error:
            raise _Refused("invalid_request", f"the body is not JSON: {error}") from None
        if not self.agreement.schemas.is_valid(prepared.schema, body):
            violation = next(self.agreement.schemas.violations(prepared.schema, body))
            raise _Refused("invalid_request", f"at {violation.pointer or '/'}: {violation.message}")
        return body

    def _parameters(self, prepared: _Prepared, parts: Mapping[str, Any]) -> None:
        declared = prepared.terms.model.request
        for part in ("query", "path", "headers"):
            for name, parameter in getattr(declared, part).items():
                value = parts[part].get(name.lower() if part == "headers" else name)
                if value is None:
                    if parameter.required:
                        raise _Refused("invalid_request", f"the {part} parameter `{name}` is missing")
                    continue
                at = schema_steps("operations", prepared.terms.name, "request", part, name, "schema")
                if not any(self.agreement.schemas.is_valid(at, typed) for typed in _readings(value)):
                    raise _Refused("invalid_request", f"the {part} parameter `{name}` is malformed")

    def _rule(self, prepared: _Prepared, name: str, rule: Expression, names: Mapping[str, object]) -> None:
        try:
            holds = rule.evaluate(names)
        except EvaluationError as error:
            holds, reason = False, f"{name} can't be judged: {error}"
        else:
            reason = f"{name}: {prepared.terms.model.request.rules[name].because}"
        if holds is not True:
            raise _Refused("invalid_request", reason, prepared.terms.model.request.rules[name].status)

    def _limit(self, prepared: _Prepared, names: Mapping[str, object]) -> None:
        assert self._windows is not None
        tokens = prepared.terms.cost.get("tokens")
        cost = tokens.evaluate(names) if tokens else 0
        wait_s = self._windows.take(tokens=float(cost) if isinstance(cost, int | float) else 0.0)
        if wait_s > 0:
            seconds = str(int(wait_s) + 1)
            raise _Refused("rate_limited", f"the rate limit is used up for {seconds} s", headers=(("retry-after", seconds),))

    def _refusal(self, prepared: _Prepared, refused: _Refused) -> Response:
        status = refused.status or prepared.refusals.get(refused.when) or prepared.refusals.get("invalid_request") or 400
        shape = prepared.terms.response_for(status)
        headers = dict(refused.headers)
        if shape is not None:
            examples = {name.lower(): header.example for name, header in shape.headers.items() if header.example}
            headers = {**examples, **headers}
        return self._error(shape, status, refused.reason, headers)

    def _error(self, shape: ResponseShape | None, status: int, reason: str, headers: Mapping[str, str]) -> Response:
        error = self.agreement.contract.errors.get(shape.error or "") if shape else None
        if error is None:
            return Response(status=status, headers=(("content-type", "text/plain"), *headers.items()), body=reason.encode())
        example = shape.example if shape and shape.example is not None else with_message(error.example, error.message, reason)
        media_type = "text/plain" if "*" in error.media_type else error.media_type
        body = str(example).encode() if isinstance(example, str) and not media_type.endswith("json") else orjson.dumps(example)
        return Response(status=status, headers=(("content-type", media_type), *headers.items()), body=body)

    def _unknown(self, request: Request) -> Response:
        """No operation answers here: say which one was nearly asked for."""
        offered = {
            f"{terms.model.method} {self.agreement.base_path}{terms.model.path}": name for name, terms in self.agreement.operations.items()
        }
        asked = f"{request.method} {request.path}"
        close = get_close_matches(asked, list(offered), n=1, cutoff=0.3)
        hint = f"; the nearest is {close[0]} ({offered[close[0]]})" if close else ""
        other_method = any(key.split(" ", 1)[1] == request.path for key in offered)
        reason = f"the contract has no operation {asked}{hint}"
        status = 405 if other_method else 404
        self.journal.append(Entry(method=request.method, target=request.target, status=status, operation=None, reason=reason))
        return Response(status=status, headers=(("content-type", "text/plain"),), body=reason.encode())


def with_message(example: Any, pointer: str, message: str) -> Any:
    """An error body with its text for people replaced; ``pointer`` says where that text stands."""
    steps = pointer.split("/")[1:]
    if not steps:
        return message if isinstance(example, str) else example
    if not isinstance(example, Mapping):
        return example
    head, rest = steps[0], "/".join(["", *steps[1:]]) if len(steps) > 1 else ""
    inner = with_message(example.get(head, ""), rest, message) if rest else message
    return {**example, head: inner}


def _readings(text: str) -> list[object]:
    """What the text of a parameter may mean: itself, a number, a truth value."""
    found: list[object] = [text]
    if text in ("true", "false"):
        found.append(text == "true")
    for convert in (int, float):
        try:
            found.append(convert(text))
        except ValueError:
            continue
    return found
