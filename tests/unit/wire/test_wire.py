"""The wire records what happened, in order, and takes no mistake of the harness for a fact."""

import asyncio
from dataclasses import replace

import pytest

from harness.exchange import Exchange, Failure, Request, Response
from harness.wire.faults import Answer, EmptyResponse, Fault, Latency, Reply, ResetPeer, Timeout
from harness.wire.wire import Wire

ASKED = Request(method="GET", target="/a")
OK = Response(status=200, body=b"fine")


class Provider:
    """Answers OK, or fails as told; counts how often it was asked."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.asked = 0

    async def answer(self, request: Request) -> Response:
        self.asked += 1
        if self.failure:
            raise self.failure
        return OK


class Ticks:
    """A clock that says 0, 1, 2, ..."""

    def __init__(self) -> None:
        self.next = 0

    def __call__(self) -> float:
        self.next += 1
        return self.next - 1


def wire_with(fault: Fault | None, provider: Provider | None = None) -> Wire:
    return Wire(upstream=provider or Provider(), clock=Ticks(), script=lambda n, request: fault)


def reply_of(wire: Wire, request: Request = ASKED) -> Reply:
    return asyncio.run(wire.open(request).reply())


def test_an_exchange_is_recorded_when_it_ends() -> None:
    wire = Wire(upstream=Provider(), clock=Ticks(), operation_of=lambda request: request.path[1:])
    passage = wire.open(ASKED)
    assert asyncio.run(passage.reply()) == Answer(response=OK)
    assert not wire.exchanges
    passage.end()
    assert wire.exchanges == (
        Exchange(request=ASKED, response=OK, operation="a", started_s=0.0, ended_s=1.0),
    )


def test_exchanges_are_in_order_of_arrival_whichever_ends_first() -> None:
    wire = wire_with(None)
    first, second = wire.open(replace(ASKED, target="/1")), wire.open(replace(ASKED, target="/2"))
    second.end()
    first.end()
    assert [exchange.request.target for exchange in wire.exchanges] == ["/1", "/2"]


def test_only_the_first_end_counts() -> None:
    wire = wire_with(None)
    passage = wire.open(ASKED)
    passage.end(Failure.PROTOCOL)
    passage.end(Failure.TIMEOUT)
    assert [exchange.failure for exchange in wire.exchanges] == [Failure.PROTOCOL]


def test_a_failed_exchange_has_no_response() -> None:
    wire = wire_with(Latency(seconds=1))
    passage = wire.open(ASKED)
    asyncio.run(passage.reply())
    passage.end(Failure.TIMEOUT)
    assert wire.exchanges[0].response is None
    assert wire.exchanges[0].injected == "latency"


def test_what_is_open_at_the_close_was_given_up_by_the_client() -> None:
    wire = wire_with(Timeout())
    wire.open(ASKED)
    wire.close()
    [exchange] = wire.exchanges
    assert (exchange.failure, exchange.injected, exchange.ended_s) == (Failure.TIMEOUT, "timeout", 1.0)


def test_the_script_knows_which_request_it_breaks() -> None:
    faults = {1: EmptyResponse()}
    wire = Wire(upstream=Provider(), clock=Ticks(), script=lambda n, request: faults.get(n))
    assert [reply_of(wire) for _ in range(3)] == [Answer(response=OK), EmptyResponse(), Answer(response=OK)]


def test_a_fault_that_needs_no_answer_leaves_the_provider_alone() -> None:
    provider = Provider()
    reply_of(wire_with(ResetPeer(), provider))
    reply_of(wire_with(Answer(response=Response(status=503)), provider))
    assert provider.asked == 0


def test_a_fault_that_spoils_an_answer_gets_the_providers() -> None:
    assert reply_of(wire_with(Latency(seconds=1))) == Answer(response=OK, fault=Latency(seconds=1))


def test_an_answer_instead_of_the_providers_is_recorded_as_injected() -> None:
    wire = wire_with(Answer(response=Response(status=503)))
    passage = wire.open(ASKED)
    asyncio.run(passage.reply())
    passage.end()
    assert wire.exchanges[0].response == Response(status=503)
    assert wire.exchanges[0].injected == "answer"


def test_a_rewritten_answer_passes_for_the_providers_own() -> None:
    wire = Wire(
        upstream=Provider(), clock=Ticks(), rewrite=lambda request, response: replace(response, status=201)
    )
    passage = wire.open(ASKED)
    assert asyncio.run(passage.reply()) == Answer(response=replace(OK, status=201))
    passage.end()
    assert wire.exchanges[0].response == replace(OK, status=201)
    assert wire.exchanges[0].injected is None


@pytest.mark.parametrize("failure", [ConnectionRefusedError(), TimeoutError()])
def test_a_provider_that_can_not_be_reached_is_a_fact_about_the_provider(failure: Exception) -> None:
    wire = wire_with(None, Provider(failure))
    assert reply_of(wire) == ResetPeer()
    assert wire.errors == ()


def test_a_mistake_of_the_provider_stand_in_is_an_error_of_the_harness() -> None:
    wire = wire_with(None, Provider(KeyError("oops")))
    with pytest.raises(KeyError):
        reply_of(wire)
    assert [type(error) for error in wire.errors] == [KeyError]
    assert [exchange.failure for exchange in wire.exchanges] == [Failure.CONNECTION]


def test_a_mistake_in_a_script_or_in_a_rewrite_is_an_error_of_the_harness() -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    scripted = Wire(upstream=Provider(), clock=Ticks(), script=fail)
    rewritten = Wire(upstream=Provider(), clock=Ticks(), rewrite=fail)  # type: ignore[arg-type]  # never returns
    for wire in (scripted, rewritten):
        with pytest.raises(ZeroDivisionError):
            reply_of(wire)
        assert [type(error) for error in wire.errors] == [ZeroDivisionError]


@pytest.mark.parametrize("unsendable", [Response(status=42), Response(status=200, headers=(("a", "1\n2"),))])
def test_a_response_that_can_not_be_sent_is_an_error_of_the_harness(unsendable: Response) -> None:
    injected = wire_with(Answer(response=unsendable))
    rewritten = Wire(upstream=Provider(), clock=Ticks(), rewrite=lambda request, response: unsendable)
    for wire in (injected, rewritten):
        with pytest.raises(ValueError, match=r"status|line break"):
            reply_of(wire)
        assert [type(error) for error in wire.errors] == [ValueError]
