"""Each fault says what it does, step by step, before anything does it."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exchange import Failure, Response
from harness.wire.faults import (
    Answer,
    EmptyResponse,
    Ended,
    Fault,
    Latency,
    LimitData,
    MalformedChunk,
    Pause,
    RandomData,
    Reply,
    ResetPeer,
    Send,
    Slicer,
    SlowBody,
    SlowClose,
    Step,
    Stop,
    Timeout,
    play,
)

OK = Response(status=200, headers=(("content-type", "text/plain"),), body=b"0123456789")
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\n0123456789"


def steps(reply: Reply, *, to_head: bool = False) -> list[Step]:
    return list(play(reply, to_head=to_head))


def on(fault: Fault, response: Response = OK) -> Reply:
    return Answer(response=response, fault=fault)


def sent(played: list[Step]) -> bytes:
    return b"".join(step.data for step in played if isinstance(step, Send))


def paused_s(played: list[Step]) -> float:
    return sum(step.seconds for step in played if isinstance(step, Pause))


def test_a_response_without_a_fault_is_sent_and_done() -> None:
    assert steps(OK) == [Send(WHOLE), Ended()]


def test_latency_comes_before_the_first_byte() -> None:
    assert steps(on(Latency(seconds=3))) == [Pause(3), Send(WHOLE), Ended()]


def test_timeout_never_ends_by_itself() -> None:
    assert steps(Timeout()) == [Stop.HOLD]


def test_reset_peer_sends_nothing_and_resets() -> None:
    assert steps(ResetPeer()) == [Ended(Failure.CONNECTION), Stop.RESET]


def test_an_empty_response_is_a_close_without_a_byte() -> None:
    assert steps(EmptyResponse()) == [Ended(Failure.PROTOCOL), Stop.CLOSE]


@given(st.integers(min_value=0, max_value=9))
def test_limited_data_declares_the_whole_and_sends_a_part(body_bytes: int) -> None:
    cut = WHOLE[: len(WHOLE) - 10 + body_bytes]
    assert steps(on(LimitData(body_bytes=body_bytes))) == [Send(cut), Ended(Failure.PROTOCOL), Stop.CLOSE]


@pytest.mark.parametrize("body_bytes", [10, 11])
def test_a_limit_that_cuts_nothing_is_no_failure(body_bytes: int) -> None:
    assert steps(on(LimitData(body_bytes=body_bytes))) == [Send(WHOLE), Ended(), Stop.CLOSE]


def test_a_malformed_chunk_comes_after_a_good_one() -> None:
    played = steps(on(MalformedChunk()))
    assert b"transfer-encoding: chunked\r\n\r\n5\r\n01234\r\nno length\r\n" in sent(played)
    assert b"content-length" not in sent(played)
    assert played[1:] == [Ended(Failure.PROTOCOL), Stop.CLOSE]


@pytest.mark.parametrize("fault", [MalformedChunk(), LimitData(body_bytes=1), Slicer(size=1000)])
def test_an_answer_without_a_body_has_none_to_spoil(fault: Fault) -> None:
    played = steps(on(fault), to_head=True)
    assert sent(played) == WHOLE[:-10]
    assert Ended() in played


@given(st.integers(), st.integers(min_value=1, max_value=600))
def test_random_data_is_no_http_and_the_same_for_the_same_seed(seed: int, size: int) -> None:
    data = sent(steps(RandomData(seed=seed, size=size)))
    assert len(data) == size
    assert not data[:1].isascii()
    assert data == sent(steps(RandomData(seed=seed, size=size)))


def test_other_seeds_give_other_random_data() -> None:
    assert sent(steps(RandomData(seed=1))) != sent(steps(RandomData(seed=2)))


@given(st.binary(min_size=1, max_size=200), st.integers(1, 50), st.floats(0, 1e6))
def test_a_slow_body_comes_whole_over_its_time(body: bytes, pieces: int, seconds: float) -> None:
    played = steps(on(SlowBody(seconds=seconds, pieces=pieces), Response(status=200, body=body)))
    assert sent(played).endswith(b"\r\n\r\n" + body)
    assert paused_s(played) == pytest.approx(seconds)
    assert b"" not in [step.data for step in played if isinstance(step, Send)]


def test_no_gap_of_a_slow_body_is_longer_than_its_share() -> None:
    played = steps(on(SlowBody(seconds=100, pieces=10)))
    assert {step.seconds for step in played if isinstance(step, Pause)} == {10}


@given(st.integers(1, 200))
def test_slices_are_no_larger_than_said_and_lose_nothing(size: int) -> None:
    played = steps(on(Slicer(size=size)))
    assert sent(played) == WHOLE
    assert max(len(step.data) for step in played if isinstance(step, Send)) <= size
    assert paused_s(played) == 0


def test_a_slow_close_comes_after_an_exchange_that_is_complete() -> None:
    played = steps(on(SlowClose(seconds=7)))
    assert b"connection: close\r\n" in sent(played)
    assert played[1:] == [Ended(), Pause(7), Stop.CLOSE]


def test_an_answer_replaces_the_providers() -> None:
    assert steps(Answer(response=OK)) == [Send(WHOLE), Ended()]


def test_an_answer_goes_by_the_name_of_the_fault_that_delivers_it() -> None:
    assert Answer(response=OK).name == "answer"
    assert Answer(response=OK, fault=Latency(seconds=1)).name == "latency"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Latency(seconds=-1),
        lambda: Latency(seconds=float("nan")),
        lambda: LimitData(body_bytes=-1),
        lambda: RandomData(size=0),
        lambda: SlowBody(seconds=-1),
        lambda: SlowBody(seconds=1, pieces=0),
        lambda: Slicer(size=0),
        lambda: SlowClose(seconds=-0.1),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(make: Callable[[], Fault]) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        make()
