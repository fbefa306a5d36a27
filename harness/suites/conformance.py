"""Do client and provider do what the contract's examples say, with nothing in the way?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from harness.checks.breaches import refusal_status
from harness.checks.examples import example_parts
from harness.checks.intent import forbidden_by
from harness.client.scenario import Watch
from harness.contract.agreement import OperationTerms, SequenceTerms, schema_steps
from harness.exchange import Observation, Request
from harness.suites.asking import ask
from harness.suites.case import Case, Setting, Skipped
from harness.suites.over_grpc import attempts_over_grpc
from harness.suites.staging import Staging
from harness.verdict import SkipReason
from harness.wire.mutations import Kind, breaking

WRONG_CREDENTIAL = "hk-not-the-credential"
LARGE = 130  # items: more than a provider takes on at once, if it works in powers of two


class Conformance:
    """Examples through the client and past it, declared states, promises across exchanges, defaults."""

    name = "conformance"

    def cases(self, setting: Setting) -> Iterator[Case]:
        staging = Staging(setting)
        for terms in setting.agreement.operations.values():
            yield from self._provider_cases(staging, terms)
            if setting.binding.binds(terms.name):
                yield from self._client_cases(staging, terms)
        yield from self._sequences(staging)
        for attempt in attempts_over_grpc(staging):
            yield replace(self._case(attempt.operation, attempt.name, attempt.execute, *attempt.aims), over_grpc=True)
        if setting.agreement.contract.monitoring is not None:
            yield self._case("monitor", "healthy", lambda: self._monitored(staging), "monitoring.*")

    def _case(self, operation: str, name: str, execute: Callable[[], Observation | Skipped], *aims: str) -> Case:
        return Case(suite=self.name, operation=operation, name=name, execute=execute, aims=aims)

    def _client_cases(self, staging: Staging, terms: OperationTerms) -> Iterator[Case]:
        for name in terms.model.examples:
            call = staging.invoke(terms.name, name)
            aims = (f"operations.{terms.name}.examples.{name}", f"operations.{terms.name}.bind.*")
            yield self._case(terms.name, name, partial(staging.play, (call,)), *aims)
        if terms.model.request.defaults:
            call = staging.invoke(terms.name)
            bare = replace(call, leave_out=frozenset(self._optional(terms)))
            yield self._case(terms.name, "defaults", lambda: staging.play((bare,)), f"operations.{terms.name}.request.defaults.*")

    def _optional(self, terms: OperationTerms) -> Iterator[str]:
        """The arguments that the caller may leave open, because a default stands in for them."""
        assert terms.model.bind is not None
        for argument, source in terms.model.bind.arguments.items():
            if source.removeprefix("request.body.") in terms.model.request.defaults:
                yield argument

    def _monitored(self, staging: Staging) -> Observation | Skipped:
        monitoring = staging.setting.agreement.contract.monitoring
        assert monitoring is not None
        return staging.play((Watch(seconds=5 * monitoring.health_check_interval + 1),))

    # What several requests in a row show

    def _sequences(self, staging: Staging) -> Iterator[Case]:
        for name, terms in staging.setting.agreement.sequences.items():
            aim = f"sequences.{name}.*"
            if not staging.setting.agreement.tasks_of(terms):
                yield self._case("sequence", name, partial(self._in_a_row, staging, name, terms), aim)
            if all(staging.setting.binding.binds(operation) for operation, _ in terms.steps.values()):
                through = partial(self._through_client, staging, name, terms)
                yield self._case("sequence", f"{name}-through-the-client", through, aim)

    def _in_a_row(self, staging: Staging, name: str, terms: SequenceTerms) -> Observation | Skipped:
        if not staging.setting.provider.remembers:
            return Skipped(reason=SkipReason.NOT_FOR_THIS_PROVIDER, detail="it remembers nothing")
        operations = staging.setting.agreement.operations
        requests = {}
        for step, (operation, example) in terms.steps.items():
            shown = operations[operation].model.examples[example]
            requests[f"{name}/{step}"] = staging.request(operations[operation], example_parts(shown))
        return staging.observed(ask(staging.setting, list(requests.values()), state=terms.given, steps=list(requests)))

    def _through_client(self, staging: Staging, name: str, terms: SequenceTerms) -> Observation | Skipped:
        if not staging.setting.provider.remembers:
            return Skipped(reason=SkipReason.NOT_FOR_THIS_PROVIDER, detail="it remembers nothing")
        return staging.play(staging.row(name, terms))

    # The provider alone

    def _provider_cases(self, staging: Staging, terms: OperationTerms) -> Iterator[Case]:
        def asked(parts: list[Mapping[str, Any]], given: str | None = None, state: str | None = None) -> Observation:
            reached = given in staging.setting.agreement.contract.states and staging.setting.provider.remembers
            asks = staging if given is None or reached else staging.in_any_state
            state = given if reached else state
            requests = [asks.request(terms, each) for each in parts]
            return asks.observed(ask(asks.setting, requests, given=given, state=state))

        examples = {name: example_parts(example) for name, example in terms.model.examples.items()}
        for name, parts in examples.items():
            state = terms.model.examples[name].given
            once = partial(asked, [parts], state=state)
            yield self._case(terms.name, f"provider-{name}", once, f"operations.{terms.name}.responses.*")
        first = next(iter(examples.values()))
        for status, shape in terms.model.responses.items():
            if shape.given is not None:
                aim = f"operations.{terms.name}.responses.{status}*"
                yield self._case(terms.name, f"given-{status}", partial(asked, [first], shape.given), aim)
        needed = next(iter(terms.model.examples.values())).given
        if terms.model.idempotent:
            yield self._case(terms.name, "asked-twice", partial(asked, [first, first], state=needed), f"operations.{terms.name}.idempotent")
        yield from self._refusals(staging, terms, first, needed)
        for relation in terms.model.relations:
            alike = [parts for name, parts in examples.items() if terms.model.examples[name].given == needed]
            variants = [variant for parts in alike for variant in _variants(parts)]
            aim = f"operations.{terms.name}.relations.{relation}"
            yield self._case(terms.name, relation, partial(asked, variants, state=needed), aim)
            if staging.splits(terms):
                full = lambda: asked(list(_largest(staging, terms)), state=needed)
                yield self._case(terms.name, f"{relation}-of-a-full-batch", full, aim)

    def _refusals(self, staging: Staging, terms: OperationTerms, parts: Mapping[str, Any], state: str | None) -> Iterator[Case]:
        """What the provider has to refuse, whether or not it can be put into states."""
        unauthenticated = next((status for status, shape in terms.model.responses.items() if shape.when == "unauthenticated"), None)
        if unauthenticated is not None and staging.setting.provider.credential:
            wrong = [staging.request(terms, parts, credential=each) for each in ("", WRONG_CREDENTIAL)]
            aims = (f"operations.{terms.name}.responses.{unauthenticated}*", "provider.auth.scheme")
            yield self._case(terms.name, "wrong-credential", lambda: staging.observed(ask(staging.setting, wrong)), *aims)
        refused = refusal_status(terms)
        incomplete = partial(self._incomplete, staging, terms, parts)
        if refused is not None and any(incomplete()):  # made when it is run: a proof makes all cases again for each mutant
            execute = lambda: staging.observed(ask(staging.setting, list(incomplete()), state=state))
            yield self._case(terms.name, "invalid-requests", execute, f"operations.{terms.name}.responses.{refused}*")

    def _incomplete(self, staging: Staging, terms: OperationTerms, parts: Mapping[str, Any]) -> Iterator[Request]:
        """The request without each of the properties that it needs."""
        at = schema_steps("operations", terms.name, "request", "body")
        for edit in breaking(staging.setting.agreement, at, parts["body"]) if terms.model.request.body is not None else ():
            if edit.kind is Kind.DROPPED:
                yield staging.request(terms, {**parts, "body": edit.value})


def _largest(staging: Staging, terms: OperationTerms) -> Iterator[Mapping[str, Any]]:
    """Full batches of what costs the least, and larger ones than usual of what is asked first; each again in another order.

    What goes wrong only in a large request, or only for a late item, shows in no other.
    """
    most, first = staging.most_items(terms) or LARGE, staging.first_with_items(terms)
    leanest = staging.leanest(terms)
    if terms.model.examples[leanest].given != terms.model.examples[first].given:  # all of them are asked from one state
        leanest = first
    for example, count in ((leanest, most), (first, min(most, LARGE))):
        items = staging.items(terms, count)
        for ordered in (items, items[::-1]):
            parts = staging.call_with(terms, ordered, example=example).parts
            if not forbidden_by(staging.setting.agreement, terms, parts):
                yield parts


def _variants(parts: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The request, and for each list of several items in its body: reversed, one of them twice, and each item alone."""
    yield parts
    body = parts["body"]
    for name, value in body.items() if isinstance(body, Mapping) else ():
        if isinstance(value, list) and len(value) > 1:
            yield {**parts, "body": {**body, name: value[::-1]}}
            yield {**parts, "body": {**body, name: [*value, value[0]]}}
            for item in value:
                yield {**parts, "body": {**body, name: [item]}}


SUITE = Conformance()
