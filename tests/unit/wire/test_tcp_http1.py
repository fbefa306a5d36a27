"""What is overheard of HTTP/1.1: requests and answers as the client had them."""

from collections.abc import Callable

import pytest

from harness.exchange import Exchange, Failure
from harness.wire.tcp import Journal
from harness.wire.tcp.http1 import Http1Ear

ASKED = b"POST /count?exact=1 HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}"
ANSWERED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n[1]"
Scene = Callable[[Http1Ear], None]


def heard(scene: Scene) -> tuple[Exchange, ...]:
    moments = iter(range(100))
    journal = Journal(clock=lambda: float(next(moments)))
    ear = Http1Ear(journal, origin="http://here", injected="latency")
    scene(ear)
    journal.close()
    return journal.exchanges


def whole(ear: Http1Ear) -> None:
    ear.sent(ASKED)
    ear.came(ANSWERED)


def test_a_request_and_its_answer() -> None:
    (exchange,) = heard(whole)
    assert (exchange.request.method, exchange.request.target, exchange.request.body) == ("POST", "/count?exact=1", b"{}")
    assert exchange.request.header("host") == "here"
    assert exchange.request.origin == "http://here"
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body) == (200, b"[1]")
    assert (exchange.failure, exchange.injected) == (None, "latency")
    assert (exchange.started_s, exchange.ended_s) == (0.0, 1.0)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_it_does_not_matter_how_the_bytes_come(size: int) -> None:
    def in_pieces(ear: Http1Ear) -> None:
        for start in range(0, len(ASKED), size):
            ear.sent(ASKED[start : start + size])
        for start in range(0, len(ANSWERED), size):
            ear.came(ANSWERED[start : start + size])

    assert heard(in_pieces) == heard(whole)


def test_one_after_the_other_on_one_connection() -> None:
    def twice(ear: Http1Ear) -> None:
        whole(ear)
        ear.sent(b"GET /readyz HTTP/1.1\r\nHost: here\r\n\r\n")
        ear.came(b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n")

    first, second = heard(twice)
    assert first.response is not None
    assert second.response is not None
    assert (second.request.target, second.response.status, second.response.body) == ("/readyz", 503, b"bad")


def test_two_asked_at_once_are_answered_in_turn() -> None:
    def both(ear: Http1Ear) -> None:
        ear.sent(ASKED + ASKED.replace(b"count", b"other"))
        ear.came(ANSWERED + ANSWERED.replace(b"[1]", b"[2]"))

    assert [(each.request.path, each.response and each.response.body) for each in heard(both)] == [("/count", b"[1]"), ("/other", b"[2]")]


def test_an_answer_may_be_as_long_as_its_connection() -> None:
    def until_closed(ear: Http1Ear) -> None:
        ear.sent(ASKED)
        ear.came(b"HTTP/1.1 200 OK\r\n\r\nall")
        ear.over("provider")

    (exchange,) = heard(until_closed)
    assert exchange.response is not None
    assert exchange.response.body == b"all"


@pytest.mark.parametrize(
    ("came", "ended_by", "failure"),
    [
        (b"", "reset", Failure.CONNECTION),
        (b"", "cut", Failure.PROTOCOL),
        (ANSWERED[:-1], "cut", Failure.PROTOCOL),
        (ANSWERED[:-1], "provider", Failure.PROTOCOL),
        (ANSWERED[:-1], "reset", Failure.CONNECTION),
        (ANSWERED[:-1], "client", Failure.TIMEOUT),
        (b"no HTTP at all\r\n\r\n", "client", Failure.PROTOCOL),
    ],
)
def test_what_came_of_an_answer_that_broke_off(came: bytes, ended_by: str, failure: Failure) -> None:
    def broken(ear: Http1Ear) -> None:
        ear.sent(ASKED)
        ear.came(came)
        ear.over(ended_by)

    (exchange,) = heard(broken)
    assert (exchange.response, exchange.failure) == (None, failure)


def test_what_is_open_at_the_end_is_a_client_that_has_left() -> None:
    (exchange,) = heard(lambda ear: ear.sent(ASKED))
    assert exchange.failure is Failure.TIMEOUT


def test_what_is_no_http_is_not_heard() -> None:
    assert heard(lambda ear: ear.sent(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")) == ()


def test_it_knows_how_long_the_answer_is() -> None:
    journal = Journal(clock=lambda: 0.0)
    ear = Http1Ear(journal, origin="")
    whole(ear)
    ear.came(b"something that nobody asked for")
    assert ear.answer_bytes == len(ANSWERED)
