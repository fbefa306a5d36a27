"""Responses are framed for the connection they go out on, and can't be made to say more than they say."""

import pytest

from harness.exchange import Response
from harness.wire.http1 import Message


def test_a_response_is_status_line_headers_length_and_body() -> None:
    response = Response(status=404, headers=(("Content-Type", "text/plain"), ("x-id", "1")), body=b"gone")
    assert Message(response=response).data() == (
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nx-id: 1\r\ncontent-length: 4\r\n\r\ngone"
    )


def test_the_framing_that_was_observed_is_not_passed_on() -> None:
    observed = (("Transfer-Encoding", "chunked"), ("Content-Length", "999"), ("Connection", "keep-alive"))
    head = Message(response=Response(status=200, headers=observed, body=b"ab")).head()
    assert head == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


def test_a_response_that_asks_to_close_closes() -> None:
    message = Message(response=Response(status=200, headers=(("connection", "close"),)))
    assert message.closes
    assert b"connection: close\r\n" in message.head()


def test_repeated_headers_stay_apart_and_in_order() -> None:
    headers = (("set-cookie", "a=1"), ("set-cookie", "b=2"))
    assert (
        b"set-cookie: a=1\r\nset-cookie: b=2\r\n"
        in Message(response=Response(status=200, headers=headers)).head()
    )


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_neither_body_nor_length(status: int) -> None:
    message = Message(response=Response(status=status, body=b"not sent"))
    assert message.data().endswith(b"\r\n\r\n")
    assert b"content-length" not in message.head()


def test_the_answer_to_head_declares_the_length_of_the_body_it_lacks() -> None:
    message = Message(response=Response(status=200, body=b"12345"), to_head=True)
    assert message.data() == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"


def test_the_answer_to_head_keeps_the_length_that_only_the_provider_knows() -> None:
    response = Response(status=200, headers=(("Content-Length", "77"),))
    assert b"content-length: 77\r\n" in Message(response=response, to_head=True).head()


@pytest.mark.parametrize("header", [("x-a", "1\r\nx-b: 2"), ("x-a\n", "1"), ("x-a", "1\0")])
def test_a_header_can_not_smuggle_in_another_one(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="line break"):
        Message(response=Response(status=200, headers=(header,))).head()


@pytest.mark.parametrize("status", [0, 100, 101, 199, 1000])
def test_a_status_that_ends_no_exchange_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match="no final status"):
        Message(response=Response(status=status)).head()


def test_an_unknown_status_has_no_reason_but_is_sent() -> None:
    assert Message(response=Response(status=599)).head().startswith(b"HTTP/1.1 599 \r\n")
