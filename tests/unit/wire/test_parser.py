"""Requests are the same however their bytes are cut, and what is no request is refused with a reason."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exchange import Request
from harness.wire.parser import MAX_HEAD_BYTES, Refusal, RequestParser, Turn

ORIGIN = "http://127.0.0.1:1"
INVITED = "invited"


def read(*pieces: bytes, max_body_bytes: int = 1000) -> list[Turn | Refusal | str]:
    heard: list[Turn | Refusal | str] = []
    parser = RequestParser(
        origin=ORIGIN,
        max_body_bytes=max_body_bytes,
        on_turn=heard.append,
        on_invite=lambda: heard.append(INVITED),
    )
    for piece in pieces:
        parser.feed(piece)
    return heard


def request(*pieces: bytes) -> Request:
    [turn] = read(*pieces)
    assert isinstance(turn, Turn)
    return turn.request


def refusal(*pieces: bytes, max_body_bytes: int = 1000) -> int:
    """The status of the one refusal that ends what was heard."""
    *turns, last = read(*pieces, max_body_bytes=max_body_bytes)
    assert isinstance(last, Refusal)
    assert not any(isinstance(turn, Refusal) for turn in turns)
    return last.response.status


def test_a_request_is_read_as_it_was_on_the_wire() -> None:
    observed = request(
        b"POST /v1/e?a=%20&b HTTP/1.1\r\nHost: h\r\nX-A:  1 \r\nx-a: 2\r\nContent-Length: 2\r\n\r\nhi"
    )
    assert observed == Request(
        method="POST",
        target="/v1/e?a=%20&b",
        headers=(("host", "h"), ("x-a", "1"), ("x-a", "2"), ("content-length", "2")),
        body=b"hi",
        origin=ORIGIN,
    )


def test_a_chunked_body_is_put_together_and_its_trailers_are_no_headers() -> None:
    observed = request(
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n",
    )
    assert observed.body == b"abcde"
    assert observed.header("x-trailer") is None


@pytest.mark.parametrize(
    ("line", "connection", "persistence"),
    [
        (b"HTTP/1.1", b"", ""),
        (b"HTTP/1.1", b"Connection: close\r\n", "close"),
        (b"HTTP/1.0", b"", "close"),
        (b"HTTP/1.0", b"Connection: keep-alive\r\n", "keep-alive"),
    ],
)
def test_a_connection_lasts_as_long_as_its_version_says(
    line: bytes, connection: bytes, persistence: str
) -> None:
    [turn] = read(b"GET / " + line + b"\r\nHost: h\r\n" + connection + b"\r\n")
    assert isinstance(turn, Turn)
    assert turn.persistence == persistence


def test_nothing_is_read_after_the_last_request() -> None:
    assert len(read(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"nonsense\r\n\r\n")) == 1


def test_a_target_as_sent_to_a_proxy_loses_scheme_and_authority() -> None:
    assert request(b"GET http://h:1/a?b=1 HTTP/1.1\r\nHost: h\r\n\r\n").target == "/a?b=1"
    assert request(b"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n").target == "/"


def test_an_offer_to_upgrade_is_declined_without_losing_body_headers_or_successor() -> None:
    turns = read(
        b"POST /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi"
        b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n"
    )
    first, second = [turn.request for turn in turns if isinstance(turn, Turn)]
    assert (first.target, first.body, first.header("upgrade")) == ("/a", b"hi", "h2c")
    assert (second.target, second.header("upgrade")) == ("/b", None)


def test_connect_is_passed_on_and_is_the_last() -> None:
    [turn] = read(b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n\x16\x03")
    assert isinstance(turn, Turn)
    assert (turn.request.method, turn.request.target, turn.persistence) == ("CONNECT", "h:443", "close")


def test_a_client_that_waits_to_send_its_body_is_invited() -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
    assert read(head) == [INVITED]
    assert len(read(head, b"hi")) == 2


def test_an_http_1_0_client_is_not_invited() -> None:
    assert INVITED not in read(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"BREW / HTTP/1.1\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET / HTTP/3.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\nHost: h\n\n",
        b"GET / HTTP/1.1\r\nBad Name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: no host\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nBad Name: x\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_once_and_for_all(data: bytes) -> None:
    assert refusal(data, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n") == 400


def test_a_refusal_comes_after_the_requests_before_it() -> None:
    turn, last = read(b"GET / HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n")
    assert isinstance(turn, Turn)
    assert isinstance(last, Refusal)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n",),
        (b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n",),
        (
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n",
            b"5\r\nabcde\r\n",
        ),
    ],
)
def test_a_body_over_the_limit_is_refused_before_it_has_come(pieces: Sequence[bytes]) -> None:
    assert refusal(*pieces, max_body_bytes=10) == 413


def test_a_body_at_the_limit_is_read() -> None:
    [turn] = read(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789", max_body_bytes=10)
    assert isinstance(turn, Turn)


@pytest.mark.parametrize("endless", [b"X-A: 1\r\n" * 512, b"x" * 4096])
def test_a_head_without_end_is_refused(endless: bytes) -> None:
    pieces = [endless] * (2 + MAX_HEAD_BYTES // len(endless))
    assert refusal(b"GET / HTTP/1.1\r\nHost: h\r\nX-B: ", *pieces) == 431


def test_a_long_head_and_many_requests_in_one_piece_are_no_endless_head() -> None:
    one = b"GET / HTTP/1.1\r\nHost: h\r\nX-A: " + b"a" * 8000 + b"\r\n\r\n"
    many = one * 20
    assert [type(turn) for turn in read(many[:-10], many[-10:])] == [Turn] * 20


STREAM = (
    b"GET /1?q=1 HTTP/1.1\r\nHost: h\r\n\r\n"
    b"POST /2 HTTP/1.1\r\nHost: h\r\nX-Long: " + b"v" * 50 + b"\r\nContent-Length: 5\r\n\r\nhello"
    b"\r\nPUT /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nwiki\r\n3;a=b\r\nped\r\n0\r\nT: 1\r\n\r\n"
    b"POST /4 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"Content-Length: 2\r\n\r\nhi"
    b"GET /5 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    b"GET /6 HTTP/1.1\r\nHost: h\r\n\r\n"
    b"this is no request\r\n\r\n"
)


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_the_cuts_between_packets_mean_nothing(cuts: set[int]) -> None:
    bounds = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(bounds)]
    assert _said(read(*pieces)) == _said(read(STREAM))


def test_one_byte_at_a_time_is_as_good() -> None:
    heard = _said(read(*(bytes([byte]) for byte in STREAM)))
    assert heard == _said(read(STREAM))
    assert len(heard) == 7


def _said(heard: list[Turn | Refusal | str]) -> list[object]:
    """Everything but the parser's wording of what it disliked, which may depend on how far it saw."""
    return [turn.response.status if isinstance(turn, Refusal) else turn for turn in heard]
