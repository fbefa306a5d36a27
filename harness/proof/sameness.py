"""Whether a liar was heard to say anything else than an honest provider: what differs from run to run by itself is no lie."""

from collections.abc import Iterator
from typing import Any

from harness.exchange import Exchange, Observation

Place = tuple[str | int, ...]
NUMBER = "a number"


def is_the_same(honest: Observation, lied: Observation, *again: Observation | None) -> bool:
    """Whether the lie differs from an honest run only where other honest runs differ from that, too.

    A number that differs by itself in one answer, such as a time, is told for the same place of all of them: for any one
    of them it may by chance have been the same in every run.
    """
    found = differences(honest, lied)
    return found <= frozenset(place for other in again if other is not None for place in differences(honest, other))


def differences(one: Observation, other: Observation) -> frozenset[Place]:
    """Where the answers of two runs of one case differ: number of the exchange, place in it."""
    these, those = exchanges_of(one), exchanges_of(other)
    if len(these) != len(those):
        return frozenset({("number of exchanges",)})
    return frozenset(
        ("any", *place[1:]) if place[0] is NUMBER else (number, *place)
        for number, pair in enumerate(zip(these, those, strict=True))
        for place in _apart(*map(_said, pair))
    )


def exchanges_of(observation: Observation) -> list[Exchange]:
    """All exchanges of an observation, with a client and without."""
    return [*observation.exchanges, *(exchange for call in observation.calls for exchange in call.exchanges)]


def _said(exchange: Exchange) -> Any:
    response = exchange.response
    if response is None:
        return {"failure": exchange.failure}
    try:
        return {"status": response.status, "body": response.json()}
    except ValueError:
        return {"status": response.status, "body": response.body}


def _apart(one: Any, other: Any, at: Place = ()) -> Iterator[Place]:
    """The places of two answers that differ; of two numbers with a mark."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _apart(one[key], other[key], (*at, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from _apart(*pair, (*at, index))
    elif type(one) is type(other) is float and one != other:
        yield (NUMBER, *at)
    elif one != other or type(one) is not type(other):
        yield at or ("",)
