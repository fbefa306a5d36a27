"""A liar between a provider and whoever asks it."""

import asyncio
from collections.abc import Callable
from time import monotonic

from harness.contract.agreement import Agreement
from harness.exchange import Request, Response
from harness.provider.lying import LyingProvider
from harness.provider.stubbed import StubProvider

ASKED = Request(method="GET", target="/")
MADE_UP = Response(status=200, body=b"done")


def answer_of(provider: LyingProvider) -> Response:
    return asyncio.run(provider.upstream(monotonic).answer(ASKED))


def test_only_answers_that_become_others_are_counted(read: Callable[..., Agreement]) -> None:
    honest = LyingProvider(StubProvider(read()), lambda request, response: response)
    answer_of(honest)
    assert honest.changed == 0
    liar = LyingProvider(StubProvider(read()), lambda request, response: MADE_UP)
    assert (answer_of(liar), liar.changed) == (MADE_UP, 1)


def test_what_is_made_up_never_reaches_the_provider(read: Callable[..., Agreement]) -> None:
    def unexpected(request: Request, response: Response) -> Response:
        raise AssertionError("it was asked")

    liar = LyingProvider(StubProvider(read()), unexpected, instead=lambda request: MADE_UP)
    assert (answer_of(liar), liar.changed) == (MADE_UP, 1)


def test_it_lies_about_what_stands_in_for_it_too(read: Callable[..., Agreement]) -> None:
    liar = LyingProvider(StubProvider(read()), lambda request, response: MADE_UP)
    assert answer_of(liar.about(StubProvider(read()))) == MADE_UP
    assert liar.changed == 1
