"""Lies that only several answers show: each of them is good by itself."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

from harness.checks.breaches import read_response
from harness.checks.compare import close
from harness.checks.sequences import tasks_done
from harness.checks.sight import Seen
from harness.checks.stateful import STEP, make_model
from harness.contract.agreement import Agreement, OperationTerms, RelationTerms
from harness.contract.expressions import EvaluationError
from harness.exchange import Exchange, Observation, Request, Response
from harness.proof.answered import refusal_of
from harness.proof.lie import Lie, applies, changing, counting, is_same, pretending
from harness.provider.had import Provider
from harness.provider.lying import Change, LyingProvider
from harness.provider.stub import Stub
from harness.wire.mutations import carrying, encoded, reshaped

Answers = Mapping[tuple[str, str, bytes], list[Any]]  # what the same request was answered at one time or another
MOST_LOOKED_AT = 8
MOST_STEPS = 60


def lasting_lies(
    agreement: Agreement, case: str, observation: Observation, answers: Answers, wanted: Callable[[str], bool]
) -> Iterator[Lie]:
    """Answers that are good one by one, and break what is promised about several; only about clauses that are ``wanted``."""
    exchanges = [*observation.exchanges, *(exchange for call in observation.calls for exchange in call.exchanges)]
    good = [
        Seen(agreement, exchange, None)
        for exchange in exchanges
        if exchange.response and exchange.injected is None and exchange.response.status < 300
    ]
    for terms in {seen.terms.name: seen.terms for seen in good if seen.terms}.values():
        own = [seen for seen in good if seen.terms is terms and seen.request_is_valid]
        yield from _of_relations(agreement, case, terms, own, wanted)
        yield from _of_repeats(agreement, case, terms, own)
    steps = {seen.exchange.step: seen for seen in good if seen.exchange.step}
    for name, sequence in agreement.sequences.items():
        tasks = agreement.tasks_of(sequence)
        taken = {step: steps[f"{name}/{step}"] for step in sequence.steps if f"{name}/{step}" in steps and step not in tasks}
        done = tasks_done(observation, name, tasks)
        if sequence.steps.keys() == taken.keys() | done.keys():
            yield from _Sequence(agreement, case, name, taken, done, exchanges).lies(answers)
    if any(seen.exchange.step == STEP for seen in good):
        yield from _of_model(agreement, case, [seen for seen in good if seen.exchange.step == STEP])


# Relations: what holds for an item, whatever it is asked beside


def _of_relations(
    agreement: Agreement, case: str, terms: OperationTerms, own: list[Seen], wanted: Callable[[str], bool]
) -> Iterator[Lie]:
    for name, relation in terms.relations.items() if len(own) > 1 else ():
        if not wanted(f"operations.{terms.name}.relations.{name}"):
            continue
        kinds = dict.fromkeys(str(edit.kind) for seen in own[:MOST_LOOKED_AT] for edit in _result_changes(relation, seen))
        for kind in kinds:
            yield Lie(
                clause=f"operations.{terms.name}.relations.{name}", kind=kind, what=f"{terms.name}: every other answer, {kind}",
                case=case, tell=counting(lambda relation=relation, kind=kind: _every_other(agreement, terms, relation, kind)),  # type: ignore[misc]
            )  # fmt: skip


def _result_changes(relation: RelationTerms, seen: Seen) -> Iterator[Any]:
    """Edits of an answer that keep its schema and invariants, and change what the relation calls its results."""
    terms, response = seen.terms, seen.exchange.response
    assert terms is not None and response is not None
    before = relation.results.evaluate(seen.names)
    for edit in reshaped(seen.response_body):
        changed = Seen(seen.agreement, replace(seen.exchange, response=carrying(response, encoded(edit.value))), None)
        try:
            after = relation.results.evaluate(changed.names)
        except EvaluationError:
            continue
        if not close(before, after, 2 * relation.tolerance) and not read_response(changed).breaches:
            yield edit


def _every_other(agreement: Agreement, terms: OperationTerms, relation: RelationTerms, kind: str) -> Change:
    count = [0]

    def change(request: Request, response: Response) -> Response:
        if not applies(agreement, terms.name, terms.success[0], request, response):
            return response
        count[0] += 1
        seen = Seen(agreement, Exchange(request=request, response=response), None)
        if count[0] % 2 == 0 and seen.request_is_valid:
            for edit in _result_changes(relation, seen):
                if str(edit.kind) == kind:
                    return carrying(response, encoded(edit.value))
        return response

    return change


# Repeats: what was answered well once is not the second time


def _of_repeats(agreement: Agreement, case: str, terms: OperationTerms, own: list[Seen]) -> Iterator[Lie]:
    twice = any(is_same(one.exchange.request, other.exchange.request) for one, other in pairwise(own))
    refusal = refusal_of(agreement, terms)
    wrong = refusal or Response(status=500, headers=(("content-type", "text/plain"),), body=b"once is enough")
    if twice and terms.model.idempotent and own[0].exchange.given is None:
        yield Lie(
            clause=f"operations.{terms.name}.idempotent", kind="repeat refused", what=f"{terms.name}: {wrong.status} the second time",
            case=case, tell=counting(lambda: _once_only(agreement, terms, wrong)),
        )  # fmt: skip


def _once_only(agreement: Agreement, terms: OperationTerms, wrong: Response) -> Change:
    known: list[Request] = []

    def change(request: Request, response: Response) -> Response:
        if not applies(agreement, terms.name, terms.success[0], request, response):
            return response
        if any(is_same(request, other) for other in known):
            return wrong
        known.append(request)
        return response

    return change


# Sequences: one step of a row is told wrongly, or not done


class _Sequence:
    """The lies about one sequence of which every step was answered well."""

    def __init__(
        self, agreement: Agreement, case: str, name: str, taken: Mapping[str, Seen], done: Mapping[str, Any], exchanges: list[Exchange]
    ) -> None:
        self._agreement, self._case, self._name, self._taken, self._exchanges = agreement, case, name, taken, exchanges
        constants = {"facts": agreement.contract.facts, "settings": agreement.contract.settings, **done}
        self._names: Mapping[str, Any] = {step: self._parts(seen, seen.response_body) for step, seen in taken.items()} | constants

    def _parts(self, seen: Seen, body: object) -> dict[str, object]:
        return {"request": seen.request_parts, "response": {**seen.response_parts, "body": body}}

    def lies(self, answers: Answers) -> Iterator[Lie]:
        for promise, expression in self._agreement.sequences[self._name].promises.items():
            kinds = set()
            for step, seen in self._taken.items():
                for kind, what, body in self._wrong_bodies(seen, answers):
                    if kind not in kinds and not _holds(expression, {**self._names, step: self._parts(seen, body)}):
                        kinds.add(kind)
                        yield self._lie(promise, kind, f"{step}: {what}", step, body)
        for step, seen in self._taken.items():
            if seen.exchange.request.method != "GET" and seen.terms is not None:
                yield self._not_done(step, seen)

    def _wrong_bodies(self, seen: Seen, answers: Answers) -> Iterator[tuple[str, str, Any]]:
        for edit in reshaped(seen.response_body):
            yield str(edit.kind), edit.name, edit.value
        request = seen.exchange.request
        for body in answers.get((request.method, request.target, request.body), ()):
            if body != seen.response_body:
                yield "stale answer", "what it answered at another time", body

    def _lie(self, promise: str, kind: str, what: str, step: str, body: Any) -> Lie:
        nth = self._occurrence(step)
        wanted = self._taken[step].exchange.request
        return Lie(
            clause=f"sequences.{self._name}.promises.{promise}", kind=kind, what=what, case=self._case,
            tell=counting(lambda: _nth_answer(wanted, nth, body)),
        )  # fmt: skip

    def _occurrence(self, step: str) -> int:
        """How often the step's request is made before it: in the row itself, and over REST in the steps that lead to the state."""
        terms, own = self._agreement.sequences[self._name], self._taken[step].exchange
        before = self._exchanges[: next(index for index, each in enumerate(self._exchanges) if each is own)]
        leading = self._agreement.contract.states.get(terms.given or "", []) if own.rpc is None else []
        return sum(is_same(each.request, own.request) for each in before) + leading.count("/".join(terms.steps[step]))

    def _not_done(self, step: str, seen: Seen) -> Lie:
        """The step is answered as if it had been done; any promise of the row may be what that breaks."""
        row = f"sequences.{self._name}.promises"
        first = next(iter(self._agreement.sequences[self._name].promises))
        wanted, nth, good = seen.exchange.request, self._occurrence(step), seen.exchange.response
        assert good is not None
        return Lie(
            clause=f"{row}.{first}", kind=f"not done: {step}", what=f"{step}: answered as if done", case=self._case,
            tell=lambda honest: _pretending(honest, wanted, nth, good), names=(f"{row}.*",),
        )  # fmt: skip


def _holds(expression: Any, names: Mapping[str, object]) -> bool:
    try:
        return expression.evaluate(names) is True
    except EvaluationError:
        return False


def _nth_answer(wanted: Request, nth: int, body: object) -> Change:
    count = [0]

    def change(request: Request, response: Response) -> Response:
        if not is_same(request, wanted):
            return response
        count[0] += 1
        return carrying(response, encoded(body)) if count[0] == nth + 1 else response

    return change


def _pretending(honest: Provider, wanted: Request, nth: int, good: Response) -> LyingProvider:
    count = [0]

    def instead(request: Request) -> Response | None:
        count[0] += is_same(request, wanted)
        return good if is_same(request, wanted) and count[0] == nth + 1 else None

    return pretending(instead)(honest)


# The model: what differs from it at any place


def _of_model(agreement: Agreement, case: str, taken: list[Seen]) -> Iterator[Lie]:
    """Answers that the model would not give, one of each kind for each operation, and changes that are not made."""
    assert agreement.contract.stateful is not None
    known: set[tuple[str, str]] = set()
    modelled = agreement.contract.stateful.operations
    for index, seen in enumerate(taken[:MOST_STEPS]):
        for edit in reshaped(seen.response_body) if seen.terms is not None and seen.terms.name in modelled else ():
            assert seen.terms is not None
            key = (seen.terms.name, str(edit.kind))
            if key not in known and _differs(agreement, taken[:index], seen, edit.value):
                known.add(key)
                yield _unlike(agreement, case, *key, edit.steps, "stateful.operations." + seen.terms.name)
    stub = Stub(agreement)
    for name in agreement.contract.stateful.operations:
        terms = agreement.operations[name]
        tell = pretending(lambda request, terms=terms: _stubbed(agreement, stub, terms, request))  # type: ignore[misc]
        yield _forgetful(case, name, "not done", tell)
        if any(operation == name for operation, _ in known):  # the model judges its answers, not only its status
            yield _forgetful(case, name, "old answers", counting(lambda terms=terms: _for_ever(agreement, terms)))  # type: ignore[misc]


def _forgetful(case: str, name: str, kind: str, tell: Callable[[Provider], LyingProvider]) -> Lie:
    """What was not done shows in the answers to other requests."""
    return Lie(
        clause=f"stateful.operations.{name}", kind=kind, what=f"{name}: {kind}", case=case, tell=tell, names=("stateful.operations.*",)
    )


def _differs(agreement: Agreement, before: list[Seen], seen: Seen, body: Any) -> bool:
    model, stateful = make_model(agreement), agreement.contract.stateful
    modelled = stateful.operations if stateful else []
    for each in before:
        assert each.terms is not None
        if each.terms.name not in modelled:
            continue
        model.step(each.terms.name, each.request_parts, each.response_parts)
    assert seen.terms is not None
    try:
        return model.step(seen.terms.name, seen.request_parts, {**seen.response_parts, "body": body}) is not None
    except (KeyError, TypeError, AttributeError, IndexError):
        return False  # it can't be read: that is for the schema to say


def _unlike(agreement: Agreement, case: str, operation: str, kind: str, steps: tuple[Any, ...], clause: str) -> Lie:
    status = agreement.operations[operation].success[0]

    def change(request: Request, response: Response) -> Response:
        if applies(agreement, operation, status, request, response):
            seen = Seen(agreement, Exchange(request=request, response=response), None)
            for edit in islice(reshaped(seen.response_body), 400):
                if str(edit.kind) == kind and edit.steps == steps:
                    return carrying(response, encoded(edit.value))
        return response

    return Lie(clause=clause, kind=f"unlike the model: {kind}", what=f"{operation}: {kind}", case=case, tell=changing(change))


def _stubbed(agreement: Agreement, stub: Stub, terms: OperationTerms, request: Request) -> Response | None:
    found = agreement.operation_of(request.method, request.path)
    return stub.answer_now(request) if found is not None and found[0] is terms else None


def _for_ever(agreement: Agreement, terms: OperationTerms) -> Change:
    """What a request was answered once, it is answered for ever."""
    known: dict[tuple[str, str, bytes], Response] = {}

    def change(request: Request, response: Response) -> Response:
        if not applies(agreement, terms.name, terms.success[0], request, response):
            return response
        return known.setdefault((request.method, request.target, request.body), response)

    return change


