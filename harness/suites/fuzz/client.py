"""What is answered to the client: whatever is good it has to understand, whatever is not it has to refuse."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

from harness.checks.requests import cost_of
from harness.checks.sight import Seen
from harness.client.scenario import Invoke
from harness.contract.agreement import OperationTerms, response_clause
from harness.contract.reader import Steps
from harness.exchange import Exchange, Observation, Request, Response
from harness.suites.case import Case, Skipped
from harness.suites.fuzz.answers import MOST_CALLS, Answers, Lies
from harness.suites.fuzz.generated import EngineMissing
from harness.suites.fuzz.plain import declared_only
from harness.suites.fuzz.provider import SUITE, ProviderFuzz
from harness.suites.fuzz.routes import Promise, leaves_open, promises
from harness.suites.fuzz.variants import VARIANTS, Variant, good_variants
from harness.suites.staging import Staging
from harness.verdict import SkipReason
from harness.wire.mutations import Edit, Kind, Message, breaking, carrying, confirmed, invariants_broken
from harness.wire.mutations.messages import HTML, MALFORMED, bodies, headers, json_of, media_types, of_edit, statuses
from harness.wire.mutations.mutation import body_schema

MOST_ITEMS = 8
CALLS = 6
_OTHER_SEED = "another"


@dataclass(frozen=True)
class ClientFuzz:
    """The client's half of the suite, for one operation that it binds."""

    staging: Staging
    terms: OperationTerms
    asked: ProviderFuzz

    @cached_property
    def answers(self) -> Answers:
        return Answers(self.staging, self.terms)

    def cases(self) -> Iterator[Case]:
        """All cases for the operation."""
        status, shape = self.terms.success
        if shape.body is not None and shape.media_type.endswith("json"):
            yield from self._variants()
            yield from self._lies_about_the_value(status)
            yield from self._lies_about_the_message()
        yield from self._error_bodies()
        yield from self._made_up()

    def _case(self, name: str, execute: Callable[[], Observation | Skipped], *aims: str) -> Case:
        return Case(suite=SUITE, operation=self.terms.name, name=name, execute=execute, aims=aims)

    def _lie(self, name: str, lies: Lies, *, most: int = MOST_CALLS) -> Case:
        return self._case(f"response-{name}", partial(self.answers.told, lies, most=most), "failures.invalid_response.raises")

    # Good answers

    def _variants(self) -> Iterator[Case]:
        result = f"operations.{self.terms.name}.bind.result"
        for name, variant in VARIANTS.items():
            if self._can_vary(name):
                yield self._case(f"variant-{name}", partial(self.answers.told_of_some, self._varied(variant)), result)

    def _can_vary(self, name: str) -> bool:
        """Whether the schema leaves anything open in the way that a variant wants to use."""
        if name == "bounds":
            return bool({promise.keyword for promise in self._promises()} & {"minimum", "maximum", "minLength", "maxLength", "enum"})
        at = body_schema(self.terms, self.terms.success[0])
        return name != "optional-properties" or (at is not None and leaves_open(self.staging.setting.agreement, at))

    def _varied(self, variant: Variant) -> Lies:
        agreement = self.staging.setting.agreement
        return lambda request, response: good_variants(variant, agreement, self.terms, request, response)

    # Answers that break the contract

    def _promises(self) -> list[Promise]:
        at = body_schema(self.terms, self.terms.success[0])
        return list(promises(self.staging.setting.agreement, at)) if at is not None else []

    def _lies_about_the_value(self, status: int) -> Iterator[Case]:
        for promise in self._promises():
            if promise.keyword == "required":
                for name in self.staging.setting.agreement.clauses[promise.clause].value:
                    yield self._lie(f"{promise.name}-{name}", partial(self._without, promise.clause, name))
            else:
                yield self._lie(promise.name, partial(self._against, promise.clause), most=2)  # nothing, and something else
        for name in self.terms.invariants.get(status, {}):
            clause = response_clause(self.terms.name, status, "invariants", name)
            yield self._lie(f"invariant-{name}", partial(self._against_invariant, clause))

    def _against(self, clause: str, request: Request, response: Response) -> list[Response]:
        """Answers that break a clause of the schema."""
        return _mixed([of_edit(response, edit) for edit in self._edits_against(clause, response)])

    def _without(self, clause: str, name: str, request: Request, response: Response) -> list[Response]:
        """Answers that lack a required property, or have it under another name."""
        edits = self._edits_against(clause, response)
        return [of_edit(response, edit).response for edit in edits if edit.note == f"without {name}" or edit.note.startswith(f"{name} as ")]

    def _edits_against(self, clause: str, response: Response) -> list[Edit]:
        agreement, at = self.staging.setting.agreement, body_schema(self.terms, response.status)
        return list(confirmed(agreement, at, iter(self._edits(at, response).get(clause, ())))) if at is not None else []

    def _edits(self, at: Steps, response: Response) -> dict[str | None, list[Edit]]:
        """All that can be done to an answer, by the clause that it is done to."""
        if response.body not in self._known_edits:
            found: dict[str | None, list[Edit]] = {}
            for edit in breaking(self.staging.setting.agreement, at, json_of(response)):
                found.setdefault(edit.clause, []).append(edit)
            self._known_edits[response.body] = found
        return self._known_edits[response.body]

    @cached_property
    def _known_edits(self) -> dict[bytes, dict[str | None, list[Edit]]]:
        return {}

    @cached_property
    def _known(self) -> dict[tuple[bytes, bytes], list[tuple[Message, tuple[str, ...]]]]:
        return {}

    def _against_invariant(self, clause: str, request: Request, response: Response) -> list[Response]:
        """Answers that break an invariant; those that break no other one first."""
        key = (request.body, response.body)
        if key not in self._known:
            self._known[key] = list(invariants_broken(self.staging.setting.agreement, request, response))
        found = [(message, broken) for message, broken in self._known[key] if clause in broken]
        found.sort(key=lambda pair: len(pair[1]))
        return _mixed([message for message, _ in found])

    def _lies_about_the_message(self) -> Iterator[Case]:
        agreement, terms = self.staging.setting.agreement, self.terms
        for note in (*MALFORMED, "no body"):
            yield self._lie(f"body-{note.replace(' ', '-').lower()}", partial(self._spoilt, note))
        yield self._lie("body-nan", lambda _, response: _of_kind(bodies(agreement, terms, response), Kind.NOT_A_NUMBER))
        yield self._lie("media-type", lambda _, response: _all(media_types(agreement, terms, response)))
        yield self._lie(
            "status-undeclared", lambda _, response: _of_kind(statuses(agreement, terms, response, response.status), Kind.STATUS)
        )
        yield self._lie(
            "error-as-success", lambda _, response: _of_kind(statuses(agreement, terms, response, response.status), Kind.ERROR_SHAPE)
        )
        if terms.success[1].headers:
            yield self._lie("headers", lambda _, response: _all(headers(agreement, terms, response)))

    def _spoilt(self, note: str, request: Request, response: Response) -> list[Response]:
        found = bodies(self.staging.setting.agreement, self.terms, response)
        return [message.response for message in found if message.note == note]

    # Errors that come in another shape than declared

    def _error_bodies(self) -> Iterator[Case]:
        for shape, status in self._statuses_by_shape().items():
            aims = (response_clause(self.terms.name, status, "raises"), "failures.invalid_response.raises")
            execute = partial(self.answers.told, partial(self._misshapen, status), most=self._calls_for(status))
            yield self._case(f"error-{shape}-misshapen", execute, *aims)

    def _statuses_by_shape(self) -> dict[str, int]:
        """Each error shape with a status of it, one that is not retried where there is one."""
        found: dict[str, int] = {}
        for status, shape in self.terms.model.responses.items():
            if shape.error and (shape.error not in found or self._calls_for(found[shape.error]) == 1 < self._calls_for(status)):
                found[shape.error] = status
        return found

    def _calls_for(self, status: int) -> int:
        retry = self.staging.setting.agreement.contract.resilience.retry
        return 1 if retry and status in retry.on else CALLS

    def _misshapen(self, status: int, request: Request, response: Response) -> list[Response]:
        agreement = self.staging.setting.agreement
        error = self.staging.stub.declared(self.terms.name, status)
        at, value = body_schema(self.terms, status), json_of(error)
        edits = [of_edit(error, edit) for edit in breaking(agreement, at, value)] if at is not None and value is not None else []
        odd = [
            carrying(error, b""),
            carrying(error, HTML, media_type="text/html"),
            carrying(error, b"\xff\xfe\x00{"),
            carrying(error, b"[]"),
        ]
        return [*_mixed(edits)[:2], *odd]

    # Calls made up by the engine

    def _made_up(self) -> Iterator[Case]:
        aims = (f"operations.{self.terms.name}.bind.*",)
        for number in range(2) if self.asked.varies else ():
            yield self._case(f"calls-{number + 1}", partial(self._generated, number), *aims)

    def _generated(self, number: int) -> Observation | Skipped:
        try:
            requests = [request for request in self.asked.made_up("positive") if self._is_fit(request)]
        except EngineMissing as error:
            return Skipped(reason=SkipReason.ENGINE_MISSING, detail=str(error))
        calls = [self._call(request) for request in requests[number::2]][:CALLS]
        if not calls:
            return Skipped(reason=SkipReason.NOT_DERIVED, detail="the engine made up no call that fits")
        return self.staging.play(tuple(calls))

    def _is_fit(self, request: Request) -> bool:
        """Good by the contract, and small."""
        seen = Seen(self.staging.setting.agreement, Exchange(request=request), None)
        return seen.terms is self.terms and seen.request_is_valid and (cost_of(seen, "items") or 0) <= MOST_ITEMS

    def _call(self, request: Request) -> Invoke:
        parts = Seen(self.staging.setting.agreement, Exchange(request=request), None).request_parts
        root = self.staging.setting.agreement.document.value
        body = declared_only(parts["body"], self.terms.model.request.body, root)
        return replace(self.staging.invoke(self.terms.name), parts={**parts, "body": body, "headers": {}})


def _mixed(messages: list[Message]) -> list[Response]:
    """The responses, with those of different kinds first."""
    first = list({message.kind: message for message in reversed(messages)}.values())[::-1]
    others = [message for message in messages if all(message is not each for each in first)]
    return [message.response for message in (*first, *others)]


def _all(messages: Iterator[Message]) -> list[Response]:
    return [message.response for message in messages]


def _of_kind(messages: Iterator[Message], kind: Kind) -> list[Response]:
    return [message.response for message in messages if message.kind is kind]
