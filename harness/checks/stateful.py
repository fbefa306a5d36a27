"""Does the provider answer as a simple model of it does, whatever was done before?"""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from harness.checks.judging import Judge, shown
from harness.checks.sight import Sight
from harness.contract.agreement import Agreement
from harness.verdict import Judgement

STEP = "stateful"  # what the exchanges of a run against the model are marked with


class Model(Protocol):
    """A provider in a few lines: it is told each request, and says what is wrong with the response."""

    def step(self, operation: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> str | None: ...


def make_model(agreement: Agreement) -> Model:
    """The contract's model, at where its state begins."""
    assert agreement.contract.stateful is not None
    module, _, name = agreement.contract.stateful.model.partition(":")
    model: Model = getattr(importlib.import_module(module), name)(agreement.contract.settings)
    return model


def check_stateful(sight: Sight) -> Iterator[Judgement]:
    """Each exchange of a run against the model, in order; after the first that differs nothing more is known."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="stateful")
    taken = [seen for seen in sight.all if seen.exchange.step == STEP]
    stateful = sight.agreement.contract.stateful
    if not taken or stateful is None:
        return
    model = make_model(sight.agreement)
    done: list[str] = []
    for seen in taken:
        if seen.terms is None or seen.exchange.response is None:
            return
        done.append(f"{seen.exchange.request.method} {seen.exchange.request.target} {shown(seen.request_body, most=60)}".strip())
        if seen.terms.name not in stateful.operations:
            continue  # it changes nothing that the model is asked for
        try:
            wrong = model.step(seen.terms.name, seen.request_parts, seen.response_parts)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:  # then the other checks say what is wrong with it
            wrong = f"the model can't follow: {error!r}"
        yield from judge.expect(
            f"stateful.operations.{seen.terms.name}",
            wrong is None,
            expected=f"what the model says after {len(done) - 1} other requests: {'; '.join(done[-6:-1]) or 'none'}",
            actual=wrong or "",
            exchange=seen.exchange,
        )
        if wrong is not None:
            return
