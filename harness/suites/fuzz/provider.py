"""What is asked of the provider: good requests to the edges, bad ones of every kind, made-up ones of both."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from harness.checks.breaches import refusal_status
from harness.contract.agreement import OperationTerms, response_clause, schema_steps
from harness.contract.document import value_at
from harness.contract.schemas import reference
from harness.exchange import Level, Observation, Request
from harness.suites.asking import ask
from harness.suites.case import Case, Skipped
from harness.suites.fuzz.bodies import GROUPS, Ask, Bodies
from harness.suites.fuzz.generated import EngineMissing, Generator, Mode
from harness.suites.fuzz.plain import LARGEST_FLOAT, is_portable, plainly, takes_several, whole
from harness.suites.fuzz.routes import Promise, promises
from harness.suites.fuzz.rules import breaking_rule, repaired
from harness.suites.staging import Staging
from harness.verdict import SkipReason
from harness.wire.mutations.keywords import types_of

SUITE = "fuzz"
MADE_UP = 16
IN_ONE_CASE = 8
MODES: tuple[Mode, ...] = ("positive", "negative")
_NESTED = 5_000

Asking = Callable[[], Iterable[Ask | Request]]


@dataclass(frozen=True)
class ProviderFuzz:
    """The provider's half of the suite, for one operation."""

    staging: Staging
    generator: Generator
    terms: OperationTerms

    @cached_property
    def bodies(self) -> Bodies:
        return Bodies(self.staging.setting.agreement, self.terms)

    def cases(self) -> Iterator[Case]:
        """All cases for the operation."""
        refusal = refusal_status(self.terms)
        if refusal is not None:
            yield from self._along_the_schema(response_clause(self.terms.name, refusal))
            yield from self._against_the_rules()
            yield from self._garbage(response_clause(self.terms.name, refusal))
        yield from self._to_the_edges()
        yield from self._credentials()
        yield from self._outside()
        yield from self._made_up()

    def _case(self, name: str, asks: Asking, *aims: str) -> Case:
        return Case(suite=SUITE, operation=self.terms.name, name=name, execute=lambda: self._observed(asks()), aims=aims)

    def _observed(self, asks: Iterable[Ask | Request]) -> Observation | Skipped:
        found = list(asks)
        if not found:
            return Skipped(reason=SkipReason.NOT_DERIVED, detail="no change to an example breaks only this, or the engine made up nothing")
        state = next((each.state for each in found if isinstance(each, Ask)), self.bodies.good.state)
        requests = [self._request(each) if isinstance(each, Ask) else each for each in found]
        return self.staging.observed(ask(self.staging.setting, requests, state=state))

    def _request(self, asked: Ask) -> Request:
        return self.staging.request(self.terms, asked.parts)

    # The schema, clause by clause

    def _along_the_schema(self, refused: str) -> Iterator[Case]:
        if self.terms.model.request.body is not None:
            for promise in self._promises("body"):
                yield self._case(f"request-{promise.name}", partial(self._against, promise.clause), promise.clause, refused)
        for part, name, parameter in self.bodies.parameters():
            if parameter.required and part != "path":
                without = partial(self._lacking, part, name)
                clause = f"operations.{self.terms.name}.request.{part}.{name}.required"
                yield self._case(f"request-{part}-{name}-required", without, clause, refused)
            for promise in self._promises(part, name, "schema"):
                if promise.keyword == "type" and "string" in self._types(parameter.value_schema):
                    continue  # whatever stands in a URL is text
                if promise.keyword == "minLength" and part == "path":
                    continue  # without its parameter it is another path
                asks = partial(self.bodies.misspelt, part, name, promise.clause)
                yield self._case(f"request-{part}-{name}-{promise.name}", asks, promise.clause, refused)

    def _types(self, schema: Any) -> tuple[str, ...]:
        """The types that a parameter's schema allows, also where it is another one's."""
        return types_of(self._resolved(schema))

    def _resolved(self, schema: Any) -> Any:
        target = reference(schema)
        return schema if target is None else value_at(self.staging.setting.agreement.document.value, target)

    def _lacking(self, part: str, name: str) -> list[Ask]:
        return [self.bodies.without(part, name)]

    def _against(self, clause: str) -> list[Ask]:
        return self.bodies.breaking.get(clause, [])

    def _promises(self, *where: str) -> Iterator[Promise]:
        return promises(self.staging.setting.agreement, schema_steps("operations", self.terms.name, "request", *where))

    def _against_the_rules(self) -> Iterator[Case]:
        for name, rule in self.terms.model.request.rules.items():
            clause = f"operations.{self.terms.name}.request.rules.{name}"
            yield self._case(f"request-rule-{name}", partial(self._breaking, name), clause, response_clause(self.terms.name, rule.status))

    def _breaking(self, rule: str) -> list[Ask]:
        parts = breaking_rule(self.staging.setting.agreement, self.terms, rule)
        return [Ask(parts=parts, note=rule, state=self.bodies.good.state)] if parts is not None else []

    def _to_the_edges(self) -> Iterator[Case]:
        """Good requests at the bounds, with each listed value, with and without what is optional."""
        if self.terms.model.request.body is None:
            return
        for group in dict.fromkeys(GROUPS.values()):
            yield self._case(f"accepts-{group}", partial(self._kept, group), *self._answer_aims())
        yield self._case("accepts-most-items", self._fullest, *self._answer_aims())

    def _kept(self, group: str) -> list[Ask]:
        return [self.bodies.good, *self.bodies.keeping(group)]

    def _fullest(self) -> list[Ask]:
        return [self.bodies.good, *self.bodies.fullest(self.staging.leanest(self.terms))]  # many items mean large answers

    def _answer_aims(self) -> tuple[str, ...]:
        status = self.terms.success[0]
        at = schema_steps("operations", self.terms.name, "responses", status, "body")
        roots = {".".join(promise.clause.split(".")[:2]) for promise in promises(self.staging.setting.agreement, at)}
        named = sorted(f"{root}.*" for root in roots if not root.startswith("operations."))
        return (response_clause(self.terms.name, status), f"{response_clause(self.terms.name, status)}.*", *named)

    def _request_aims(self) -> tuple[str, ...]:
        parameters = [(part, name, "schema") for part, name, _ in self.bodies.parameters()]
        return tuple(promise.clause for where in (("body",), *parameters) for promise in self._promises(*where))

    # Past the schema

    def _garbage(self, refused: str) -> Iterator[Case]:
        if self.terms.model.request.body is None:
            return
        spoilt: dict[str, Callable[[bytes], bytes]] = {
            "cut-in-half": lambda body: body[: len(body) // 2],
            "not-json": lambda body: b"not JSON",
            "empty": lambda body: b"",
            "not-utf-8": lambda body: b"\xff\xfe\x00" + body,
            "nan": lambda body: b'{"value": NaN}',
            "twice": lambda body: body + body,
            "nested": lambda body: b"[" * _NESTED + b"]" * _NESTED,
        }
        for name, spoil in spoilt.items():
            yield self._case(f"body-{name}", partial(self._spoilt, spoil), refused)

    def _spoilt(self, spoil: Callable[[bytes], bytes]) -> list[Ask | Request]:
        good = self._good_request()
        return [replace(good, body=spoil(good.body)), self.bodies.good]

    def _good_request(self) -> Request:
        return self._request(self.bodies.good)

    def _outside(self) -> Iterator[Case]:
        """What the contract does not speak of: whatever comes of it, a good request is answered well afterwards."""
        good, aims = self._good_request, self._answer_aims()
        yield self._case(
            "unknown-path", lambda: [replace(good(), target=f"{good().path.rstrip('/')}/no-such-thing"), self.bodies.good], *aims
        )
        yield self._case("unknown-method", lambda: [replace(good(), method="PROPFIND"), self.bodies.good], *aims)
        if self.terms.model.request.body is not None:
            others = ("text/plain", "application/x-www-form-urlencoded", "")
            yield self._case("wrong-content-type", lambda: [*(_typed(good(), other) for other in others), self.bodies.good], *aims)

    def _credentials(self) -> Iterator[Case]:
        auth = self.staging.setting.agreement.contract.provider.auth
        refused = next((status for status, shape in self.terms.model.responses.items() if shape.when == "unauthenticated"), None)
        if auth is None or refused is None:
            return
        aims = ("provider.auth.scheme", response_clause(self.terms.name, refused))
        yield self._case("credential-missing", lambda: [self._with_credential(None)], *aims)
        yield self._case("credential-wrong", lambda: [self._with_credential(value) for value in self._wrong_values()], *aims)

    def _wrong_values(self) -> list[str]:
        auth = self.staging.setting.agreement.contract.provider.auth
        assert auth is not None
        secret = self.staging.setting.provider.credential
        if auth.scheme == "bearer":
            return ["Bearer not-the-credential", f"Bearer {secret}x", f"Bearer {secret[:-1]}", "Bearer ", secret, f"Basic {secret}"]
        return ["not-the-credential", f"{secret}x", secret[:-1], f"Bearer {secret}"]

    def _with_credential(self, value: str | None) -> Request:
        auth = self.staging.setting.agreement.contract.provider.auth
        assert auth is not None
        request = self.staging.request(self.terms, self.bodies.good.parts, credential="")
        return request if value is None else replace(request, headers=(*request.headers, (auth.header.lower(), value)))

    # Made up by the engine

    def _made_up(self) -> Iterator[Case]:
        for mode in MODES if self.varies else ():
            aims = self._answer_aims() if mode == "positive" else self._request_aims()
            for number in range(MADE_UP // IN_ONE_CASE):
                execute = partial(self._generated, mode, number)
                yield Case(suite=SUITE, operation=self.terms.name, name=f"{mode}-{number + 1}", execute=execute, aims=aims)

    @property
    def varies(self) -> bool:
        """Whether there is anything to vary in a request."""
        fixed = {"path"} if self.staging.setting.agreement.contract.states else set()  # elsewhere there may be nothing
        return self.terms.model.request.body is not None or any(part not in fixed for part, *_ in self.bodies.parameters())

    def _generated(self, mode: Mode, number: int) -> Observation | Skipped:
        provider = self.staging.setting.provider
        if provider.remembers and provider.level is Level.LIVE:
            return Skipped(reason=SkipReason.NOT_FOR_THIS_PROVIDER, detail="made-up requests could destroy what it remembers")
        try:
            requests = self.made_up(mode)[number :: MADE_UP // IN_ONE_CASE]
        except EngineMissing as error:
            return Skipped(reason=SkipReason.ENGINE_MISSING, detail=str(error))
        return self._observed(requests)

    def made_up(self, mode: Mode) -> list[Request]:
        """Requests made up by the engine, with the credential; the positive ones brought to keep the rules."""
        found = self.generator.requests(self.terms.name, mode, MADE_UP)
        if mode == "positive":
            found = [self._repaired(request, number) for number, request in enumerate(found) if is_portable(request)]
            if self.staging.setting.provider.remembers:
                found = [self._placed(request) for request in found if not self._is_example(request)]
        else:
            found = [plainly(request) for request in found if is_portable(request, LARGEST_FLOAT) and not self._is_ambiguous(request)]
        return [replace(request, headers=(*request.headers, *self._authorization())) for request in found]

    def _placed(self, request: Request) -> Request:
        """The request about what the example is about: elsewhere there may be nothing yet."""
        return replace(request, target=self._good_request().target) if self.bodies.good.parts["path"] else request

    def _is_example(self, request: Request) -> bool:
        """Whether it is an example, which asked again in another state may be answered otherwise."""
        return any((request.json() if request.body else None) == ask.parts["body"] for ask in self.bodies.examples.values())

    def _is_ambiguous(self, request: Request) -> bool:
        return takes_several(self._resolved(self.terms.model.request.body or {}), request)

    def _repaired(self, request: Request, number: int) -> Request:
        if not request.body:
            return request
        body = whole(request.json())
        target = {"query": request.query, "path": {}}
        if self.staging.setting.provider.remembers and self.bodies.good.parts["path"]:
            target = {part: self.bodies.good.parts[part] for part in target}  # that is where it is placed
        better = repaired(self.terms, {**target, "body": body, "headers": {}}, number)
        return replace(request, body=json.dumps(better["body"]).encode())

    def _authorization(self) -> tuple[tuple[str, str], ...]:
        auth = self.staging.setting.agreement.contract.provider.auth
        name = auth.header.lower() if auth else ""
        return tuple((key, value) for key, value in self._good_request().headers if key == name)


def _typed(request: Request, media_type: str) -> Request:
    headers = tuple((name, value) for name, value in request.headers if name != "content-type")
    return replace(request, headers=(*headers, ("content-type", media_type)) if media_type else headers)
