"""A state that nobody has left is not reached again; any other is."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any, cast

import pytest

from harness.client.reaching import reach
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Request, Response
from harness.provider.embedded import EmbeddedProvider, Engine

CONTRACT = Path(__file__).parents[3] / "contracts" / "qdrant" / "v1.16.yaml"
STATE, OTHER = "six points", "an empty collection"


class Counting:
    """An engine that counts what it is asked, and doesn't say whether anything has changed."""

    def __init__(self, honest: Any) -> None:
        self._honest = honest
        self.asked = 0

    def answer(self, request: Request) -> Response:
        self.asked += 1
        return cast(Response, self._honest.answer(request))

    def stop(self) -> None:
        self._honest.stop()


class Telling(Counting):
    """One that says it."""

    @property
    def changes(self) -> int:
        return int(self._honest.changes)


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load(CONTRACT)


@pytest.fixture
def provider(agreement: Agreement) -> Iterator[EmbeddedProvider]:
    made = EmbeddedProvider(agreement)
    yield made
    made.close()


def watched(provider: EmbeddedProvider, kind: type[Counting]) -> Counting:
    provider.assure_opens()
    found = kind(provider._engine)
    provider._engine = cast(Engine, found)
    return found


def reached(provider: EmbeddedProvider, agreement: Agreement, state: str = STATE, credential: str | None = None) -> None:
    asyncio.run(reach(agreement, provider.upstream(monotonic), state, provider.credential if credential is None else credential))


def test_nothing_is_asked_to_reach_the_state_that_it_stands_in(provider: EmbeddedProvider, agreement: Agreement) -> None:
    engine = watched(provider, Telling)
    reached(provider, agreement)
    once = engine.asked
    reached(provider, agreement)
    assert (once > 0, engine.asked) == (True, once)


def test_another_state_in_between_is_left_again(provider: EmbeddedProvider, agreement: Agreement) -> None:
    engine = watched(provider, Telling)
    counts = []
    for state in (STATE, OTHER, STATE):
        before = engine.asked
        reached(provider, agreement, state)
        counts.append(engine.asked - before)
    assert counts[0] == counts[2] > 0
    assert counts[1] > 0


def test_after_a_change_it_is_reached_anew(provider: EmbeddedProvider, agreement: Agreement) -> None:
    engine = watched(provider, Telling)
    reached(provider, agreement)
    once = engine.asked
    name = agreement.operations["delete_collection"].model.examples["check"].request.path["collection"]
    gone = Request(method="DELETE", target=f"/collections/{name}", headers=(("api-key", provider.credential),))
    assert engine.answer(gone).status == 200
    reached(provider, agreement)
    assert engine.asked == 2 * once + 1


def test_a_new_engine_stands_nowhere(provider: EmbeddedProvider, agreement: Agreement) -> None:
    watched(provider, Telling)
    reached(provider, agreement)
    provider.close()
    engine = watched(provider, Telling)
    reached(provider, agreement)
    assert engine.asked > 0


def test_of_an_engine_that_does_not_tell_a_state_is_reached_each_time(provider: EmbeddedProvider, agreement: Agreement) -> None:
    engine = watched(provider, Counting)
    reached(provider, agreement)
    once = engine.asked
    reached(provider, agreement)
    assert engine.asked == 2 * once
