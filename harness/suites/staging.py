"""What the suites stage their cases with: calls made from the contract's examples, answers it declares."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from time import monotonic
from typing import Any

import orjson

from harness.checks.examples import example_parts
from harness.checks.intent import forbidden_by, said_items, with_items
from harness.client.driver import Trial, play
from harness.client.scenario import Invoke, Scenario
from harness.contract.agreement import OperationTerms, SequenceTerms
from harness.contract.expressions import EvaluationError, Expression
from harness.exchange import Exchange, Observation, Request, Response
from harness.provider.lying import LyingProvider
from harness.provider.stub import Stub
from harness.provider.stubbed import StubProvider
from harness.suites.case import Setting
from harness.wire.faults import Answer, Fault
from harness.wire.wire import Rewrite

FaultOf = Callable[[int], Fault | None]
PATIENCE = 2  # times that a client may use up its bound of real time
IMPATIENT_S = 2.0
LEEWAY = 5  # times the longest play that came to its end: on this machine, with this client
MOST_BYTES_OF_TEXT = 8_000_000
PROBE = 10_000  # characters that are counted to learn what a text costs
MOST_TEXTS = 50


@dataclass(frozen=True)
class Staging:
    """One contract, client and provider, and what can be played with them."""

    setting: Setting

    @cached_property
    def _leanest(self) -> dict[str, str]:
        return {}

    @cached_property
    def _hangs(self) -> list[str]:
        return []

    @cached_property
    def _took_s(self) -> list[float]:
        return []

    @cached_property
    def stub(self) -> Stub:
        """Where declared answers come from, whatever the provider is."""
        return Stub(self.setting.agreement)

    @cached_property
    def in_any_state(self) -> "Staging":
        """The same with a provider that can be put into states: the stub, where the provider itself can't be."""
        if self.setting.provider.takes_states:
            return self
        stub = StubProvider(self.setting.agreement)
        provider = self.setting.provider
        stand_in = provider.about(stub) if isinstance(provider, LyingProvider) else stub  # a liar lies about it too
        return Staging(replace(self.setting, provider=stand_in))

    def play(self, scenario: Scenario, *, script: FaultOf | None = None, rewrite: Rewrite | None = None) -> Observation:
        """Take the client through a scenario; ``script`` maps the number of a request to a fault."""
        return self.observe(self.trial(script=script, rewrite=rewrite), scenario)

    def observe(self, trial: Trial, scenario: Scenario) -> Observation:
        """Take a trial's client through a scenario; one that has often kept us waiting is waited for no longer."""
        if len(self._hangs) >= PATIENCE:
            impatient_s = max(IMPATIENT_S, LEEWAY * max(self._took_s, default=0.0))
            trial = replace(trial, real_limit_s=min(impatient_s, trial.real_limit_s))
        began_s = monotonic()
        seen = play(trial, scenario)
        took_s = monotonic() - began_s
        if not seen.hung:
            self._took_s[:] = [max((took_s, *self._took_s))]
        elif took_s >= min(IMPATIENT_S, trial.real_limit_s):
            self._hangs.append(seen.hung)
        return seen

    def trial(self, *, script: FaultOf | None = None, rewrite: Rewrite | None = None) -> Trial:
        provider = self.setting.provider
        return Trial(
            binding=self.setting.binding,
            upstream=provider.upstream,
            credential=provider.credential,
            level=provider.level,
            script=(lambda number, _: script(number)) if script else None,
            rewrite=rewrite,
            seed=self.setting.seed,
            real_limit_s=self.setting.real_limit_s,
        )

    # Calls

    def bound(self) -> Iterator[OperationTerms]:
        """The operations that the client has a method for."""
        for name, terms in self.setting.agreement.operations.items():
            if self.setting.binding.binds(name):
                yield terms

    def invoke(self, operation: str, example: str | None = None, **arguments: object) -> Invoke:
        """A call that means an example (the first one by default), with some arguments replaced."""
        examples = self.setting.agreement.operations[operation].model.examples
        chosen = examples[example or next(iter(examples))]
        return Invoke(operation=operation, parts=example_parts(chosen), arguments=arguments, needs=self._needed(chosen.given))

    def row(self, name: str, sequence: SequenceTerms) -> tuple[Invoke, ...]:
        """The calls that are the steps of a sequence."""
        made = {step: self._task(*shown) or self.invoke(*shown) for step, shown in sequence.steps.items()}
        return tuple(replace(call, needs=sequence.given, step=f"{name}/{step}") for step, call in made.items())

    def _task(self, name: str, example: str) -> Invoke | None:
        """The call that is an example of a task; None for an operation."""
        task = self.setting.agreement.contract.tasks.get(name)
        return Invoke(operation=name, parts={}, arguments=task.examples[example]) if task else None

    def _needed(self, state: str | None) -> str | None:
        """The state, where the provider remembers anything at all."""
        return state if self.setting.provider.remembers else None

    def call_with(self, terms: OperationTerms, items: list[object], *, example: str | None = None) -> Invoke:
        """A call of a splitting operation with just these items, and as small an answer as an example allows."""
        invoke = self.invoke(terms.name, example or self.leanest(terms))
        return replace(invoke, parts=with_items(terms, invoke.parts, items) or invoke.parts)

    def fresh(self, terms: OperationTerms, number: int) -> Invoke:
        """A call that is like no other: the first example, with an item or a text of its own."""
        if self.splits(terms):
            return self.call_with(terms, self.items(terms, 1, tag=f"n{number}"))
        invoke = self.invoke(terms.name)
        # where something is remembered, another text might mean something that is not there
        return invoke if self.setting.provider.remembers else self.retold(invoke, f"n{number}")

    def retold(self, call: Invoke, text: str) -> Invoke:
        """The call with ``text`` before the first text of its body that may be any; the same one if there is none."""
        for body in _edited(call.parts["body"], lambda old: f"{text} {old}"):
            changed = {**call.parts, "body": body}
            if not forbidden_by(self.setting.agreement, self.setting.agreement.operations[call.operation], changed):
                return replace(call, parts=changed)
        return call

    def wordy(self, terms: OperationTerms, tokens: float) -> Invoke | None:
        """A call that costs about so many tokens; None when no text can be that long."""
        call = self.invoke(terms.name, self.leanest(terms))
        bodies = zip(_edited(call.parts["body"], lambda old: old + "x" * PROBE), range(MOST_TEXTS), strict=False)
        for place, body in ((place, body) for body, place in bodies):
            cost = self.cost(terms, {**call.parts, "body": body}, "tokens") or 0.0
            length = int(tokens / cost * PROBE) if cost >= PROBE / 100 else 0
            if not 0 < length < MOST_BYTES_OF_TEXT:
                continue
            longer = list(_edited(call.parts["body"], lambda old, length=length: old + "x" * length))[place]  # type: ignore[misc]
            parts = {**call.parts, "body": longer}
            if not forbidden_by(self.setting.agreement, terms, parts):
                return replace(call, parts=parts)
        return None

    def splits(self, terms: OperationTerms) -> bool:
        return terms.model.bind is not None and terms.model.bind.split is not None and terms.bind is not None

    def items(self, terms: OperationTerms, count: int, *, tag: str = "item", length: int = 0) -> list[object]:
        """So many different items, shaped like those of the operation's examples, each of at least ``length`` characters."""
        assert terms.bind is not None
        if terms.bind.split_made is not None:
            return [_made(terms.bind.split_made, f"{tag} {number} ".ljust(length, "x")) for number in range(count)]
        model = self._item_like(terms)
        return [_relabelled(model, f"{tag} {number} ".ljust(length, "x")) for number in range(count)]

    def misfit(self, terms: OperationTerms) -> tuple[object, str] | None:
        """An item that is made up, and the clause that it breaks: then whatever is tried with such items is no good call."""
        items = self.items(terms, 1, tag="n1")
        parts = with_items(terms, example_parts(terms.model.examples[self.leanest(terms)]), items)
        broken = forbidden_by(self.setting.agreement, terms, parts) if parts is not None else []
        return (items[0], broken[0]) if broken else None

    def items_of(self, terms: OperationTerms, texts: Sequence[str]) -> list[object]:
        """Items shaped like those of the operation's examples, one for each text; none, where there is no text in them."""
        model = self._item_like(terms)
        found = [_relabelled(model, text) for text in texts]
        return [] if found and found[0] == model else found

    def most_items(self, terms: OperationTerms) -> int | None:
        """How many items the contract allows in one request, by what each of them costs; None without such a limit."""
        limit = self.setting.agreement.contract.limits.batch
        if limit is None or limit.items is None:
            return None
        two = self.cost(terms, self.call_with(terms, self.items(terms, 2)).parts, "items")
        return max(1, int(limit.items * 2 // two)) if two else limit.items

    def _item_like(self, terms: OperationTerms) -> object:
        items = said_items(terms, example_parts(terms.model.examples[self.leanest(terms)]))
        return items[0] if items else "item"

    def leanest(self, terms: OperationTerms) -> str:
        """The example with the smallest answer for an item: what has to be asked often costs the least with it."""
        if terms.name not in self._leanest:
            sizes = {name: self._answer_size(terms, name) for name in self._fit(terms)}
            self._leanest[terms.name] = min(sizes, key=lambda name: sizes[name])
        return self._leanest[terms.name]

    def first_with_items(self, terms: OperationTerms) -> str:
        """The first example whose items can be replaced."""
        return self._fit(terms)[0]

    def _fit(self, terms: OperationTerms) -> list[str]:
        """The examples whose items can be replaced, where the operation has items; else all."""
        fit = [name for name, each in terms.model.examples.items() if with_items(terms, example_parts(each), ["item"]) is not None]
        return fit if self.splits(terms) and fit else list(terms.model.examples)

    def _answer_size(self, terms: OperationTerms, name: str) -> float:
        parts = example_parts(terms.model.examples[name])
        status = terms.success[0]
        body = terms.stub_bodies.get(status)
        if body is None:
            return 0.0
        response = self.stub.answer_now(self.request(terms, parts))
        return len(response.body) / max(1.0, self.cost(terms, parts, "items") or 1.0)

    def cost(self, terms: OperationTerms, parts: Mapping[str, object], unit: str) -> float | None:
        """What a request costs in a unit, by the contract."""
        expression = dict(terms.cost).get(unit)
        if expression is None:
            return None
        try:
            value = terms.evaluate(expression, request=parts)
        except EvaluationError:
            return None
        return float(value) if isinstance(value, int | float) else None

    def length_for(self, terms: OperationTerms, tokens: float) -> int | None:
        """How many characters make an item of about so many tokens; None when the contract counts none."""
        assert terms.model.bind is not None and terms.model.bind.split is not None
        one = self.call_with(terms, self.items(terms, 1, length=PROBE)).parts
        counted = self.cost(terms, one, "tokens")
        if not counted:
            return None
        length = int(tokens / counted * PROBE)
        return length if length < MOST_BYTES_OF_TEXT else None

    # Exchanges without a client

    def request(self, terms: OperationTerms, parts: Mapping[str, Any], *, credential: str | None = None) -> Request:
        """A request by its parts, with the provider's credential unless another is given ('' for none)."""
        auth = self.setting.agreement.contract.provider.auth
        credential = self.setting.provider.credential if credential is None else credential
        headers = [(name.lower(), value) for name, value in (parts.get("headers") or {}).items()]
        if terms.model.request.body is not None:
            headers.append(("content-type", terms.model.request.media_type))
        if auth and credential:
            headers.append((auth.header.lower(), f"Bearer {credential}" if auth.scheme == "bearer" else credential))
        body = json.dumps(parts["body"]).encode() if terms.model.request.body is not None else b""
        target = self.setting.agreement.target(terms.name, parts.get("path") or {}, parts.get("query") or {})
        return Request(method=terms.model.method, target=target, headers=tuple(headers), body=body)

    def observed(self, exchanges: list[Exchange]) -> Observation:
        """An observation of what the harness itself asked the provider."""
        provider = self.setting.provider
        secrets = (provider.credential,) if provider.credential else ()
        return Observation(exchanges=tuple(exchanges), level=provider.level, secrets=secrets, seed=self.setting.seed)

    def declared(self, operation: str, status: int, **headers: str) -> Answer:
        """The answer that an operation declares for a status of failure."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Answer(response=self.stub.declared(operation, status, headers=named))

    def good_answer(self, invoke: Invoke) -> Response:
        """The stub's answer to the request that a call means."""
        terms = self.setting.agreement.operations[invoke.operation]
        return self.stub.answer_now(self.request(terms, invoke.parts))


def _made(expression: Expression, text: str) -> object:
    """A new item by the contract's own expression; the number is as peculiar to it as the text."""
    number = int.from_bytes(blake2b(text[:100].encode(), digest_size=6).digest())
    item = expression.evaluate({"number": number, "text": text})
    return orjson.loads(orjson.dumps(item, option=orjson.OPT_SERIALIZE_NUMPY))  # a vector is written by its numbers


def _relabelled(model: object, text: str) -> object:
    """A value shaped like ``model`` with its first text replaced."""
    if isinstance(model, str):
        return text
    if isinstance(model, list):
        return [_relabelled(model[0], text)] if model else [text]
    if isinstance(model, Mapping):
        return {key: _relabelled(value, text) if isinstance(value, str) else value for key, value in model.items()}
    return text


def _edited(value: object, edit: Callable[[str], str]) -> Iterator[object]:
    """``value`` with one of its texts edited, for each of them in turn."""
    if isinstance(value, str):
        yield edit(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from ({**value, key: changed} for changed in _edited(item, edit))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from ([*value[:index], changed, *value[index + 1 :]] for changed in _edited(item, edit))
