"""Sequences of requests against a simple model of the provider, shrunk to the shortest that tells them apart."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Any

from harness.checks.examples import example_parts, request_parts
from harness.checks.stateful import STEP, make_model
from harness.client.reaching import reach
from harness.contract.agreement import QUESTION_NAMES, OperationTerms, compiled
from harness.contract.model import Drill, DrillRequest
from harness.exchange import Exchange, Observation, Request
from harness.suites.case import Case, Setting, Skipped
from harness.suites.drilling import drill_over_grpc, drill_through_client
from harness.suites.over_grpc import operations_over_grpc
from harness.suites.staging import Staging
from harness.verdict import SkipReason
from harness.wire.wire import Upstream

RUNS, STEPS = 40, 12
MANY = 1001  # what is lost once in a thousand has to show


class Differs(Exception):
    """The provider answered otherwise than the model."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One request that can be made at any time."""

    terms: OperationTerms
    parts: Mapping[str, Any]
    request: Request


class Stateful:
    """Any examples in any order, the contract's drill, and many items at once."""

    name = "stateful"

    def cases(self, setting: Setting) -> Iterator[Case]:
        stateful = setting.agreement.contract.stateful
        if stateful is None:
            return
        run = partial(_guarded, setting, _any_order)
        yield Case(suite=self.name, operation=None, name="any-order", execute=run, aims=("stateful.operations.*",))
        if stateful.drill is not None:
            run = partial(_guarded, setting, _drill)
            yield Case(suite=self.name, operation=None, name="drill", execute=run, aims=("stateful.operations.*",))
            yield from self._drills_of_client(Staging(setting), stateful.drill)
        for name in stateful.operations:
            if Staging(setting).splits(setting.agreement.operations[name]):
                many = partial(_guarded, setting, partial(_many, operation=name))
                yield Case(suite=self.name, operation=name, name="many-items", execute=many, aims=("stateful.operations.*",))


    def _drills_of_client(self, staging: Staging, drill: Drill) -> Iterator[Case]:
        asked = {request.operation for request in (*drill.changes, *drill.questions)}
        aims = ("stateful.operations.*", *(f"operations.{name}.bind.*" for name in sorted(asked)))
        if any(terms.name in asked for terms in staging.bound()):
            through = partial(drill_through_client, staging)
            yield Case(suite=self.name, operation=None, name="drill-through-the-client", execute=through, aims=aims)
        if asked & operations_over_grpc(staging.setting):
            through = partial(drill_over_grpc, staging)
            yield Case(suite=self.name, operation=None, name="drill-over-grpc", execute=through, aims=aims, over_grpc=True)


def _guarded(setting: Setting, run: Any) -> Observation | Skipped:
    if not setting.provider.remembers:
        return Skipped(reason=SkipReason.NOT_FOR_THIS_PROVIDER, detail="it remembers nothing")
    found: Observation = run(setting)
    return found


def _moves(setting: Setting) -> list[Move]:
    staging, stateful = Staging(setting), setting.agreement.contract.stateful
    assert stateful is not None
    found = []
    for name in stateful.operations:
        terms = setting.agreement.operations[name]
        for example in terms.model.examples.values():
            parts = example_parts(example)
            found.append(Move(terms=terms, parts=parts, request=staging.request(terms, parts)))
    return found


def _questions(setting: Setting, items: list[object]) -> Iterator[Move]:
    """What the contract asks of many items that went out in one request."""
    staging, contract = Staging(setting), setting.agreement.contract
    assert contract.stateful is not None
    for name, source in contract.stateful.questions.items():
        made = compiled(source, QUESTION_NAMES).evaluate({"items": items, "facts": contract.facts, "settings": contract.settings})
        for each in made if isinstance(made, list) else [made]:
            assert isinstance(each, Mapping)
            terms, parts = setting.agreement.operations[name], {"query": {}, "path": {}, "headers": {}, "body": None, **each}
            yield Move(terms=terms, parts=parts, request=staging.request(terms, parts))


class _Play:
    """A run of the provider beside the model."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._upstream: Upstream = setting.provider.upstream(monotonic)
        self._model = make_model(setting.agreement)
        self.exchanges: list[Exchange] = []
        stateful = setting.agreement.contract.stateful
        assert stateful is not None
        asyncio.run(reach(setting.agreement, self._upstream, stateful.given, setting.provider.credential))

    def make(self, move: Move) -> None:
        """Differs when the model says something else."""
        started_s = monotonic()
        response = asyncio.run(self._upstream.answer(move.request))
        self.exchanges.append(Exchange(request=move.request, response=response, step=STEP, started_s=started_s, ended_s=monotonic()))
        stateful = self._setting.agreement.contract.stateful
        if stateful is None or move.terms.name not in stateful.operations:
            return  # to the model it is nothing
        body = response.json() if response.media_type.endswith("json") else response.body.decode("utf-8", "replace")
        try:
            wrong = self._model.step(move.terms.name, move.parts, {"status": response.status, "body": body})
        except (KeyError, TypeError, AttributeError) as error:
            raise Differs(f"the answer can't be read: {error!r}") from None
        if wrong is not None:
            raise Differs(wrong)


def _any_order(setting: Setting) -> Observation:
    """The shortest sequence that differs, or else the last one that was tried."""
    import hypothesis
    from hypothesis import stateful
    from hypothesis import strategies as st

    moves = _moves(setting)
    last: list[_Play] = []

    class Machine(stateful.RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.play = _Play(setting)
            last[:] = [self.play]

        @stateful.rule(move=st.sampled_from(moves))
        def make(self, move: Move) -> None:
            self.play.make(move)

    options = hypothesis.settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    run = hypothesis.seed(setting.seed)(Machine)
    try:
        stateful.run_state_machine_as_test(run, settings=options, _min_steps=1)
    except Differs as difference:
        note = f"the shortest sequence that differs: {difference}"
        return replace(Staging(setting).observed(last[0].exchanges), note=note)
    return Staging(setting).observed(last[0].exchanges)


def _drill(setting: Setting) -> Observation:
    """Every question after each change."""
    stateful = setting.agreement.contract.stateful
    assert stateful is not None and stateful.drill is not None
    play = _Play(setting)
    questions = [_stated(setting, each) for each in stateful.drill.questions]
    try:
        for change in stateful.drill.changes:
            for move in (_stated(setting, change), *(questions if change.settled else ())):
                play.make(move)
    except Differs:
        pass  # the check finds the same, and names the clause
    return Staging(setting).observed(play.exchanges)


def _stated(setting: Setting, request: DrillRequest) -> Move:
    terms, parts = setting.agreement.operations[request.operation], request_parts(request)
    return Move(terms=terms, parts=parts, request=Staging(setting).request(terms, parts))


def _many(setting: Setting, *, operation: str) -> Observation:
    """A thousand items and one in one go, and then every question."""
    staging, play = Staging(setting), _Play(setting)
    terms = setting.agreement.operations[operation]
    items = staging.items(terms, MANY)
    call = staging.call_with(terms, items)
    moves = [Move(terms=terms, parts=call.parts, request=staging.request(terms, call.parts))]
    moves += _questions(setting, items)
    moves += [move for move in _moves(setting) if move.terms.name != operation]
    try:
        for move in moves:
            play.make(move)
    except Differs:
        pass  # the check finds the same, and names the clause
    return staging.observed(play.exchanges)


SUITE = Stateful()
