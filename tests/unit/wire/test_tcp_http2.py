"""What is overheard of gRPC: each call with its method, its message, its status and its times."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from itertools import count

import hpack
import pytest
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame

from harness.exchange import Exchange, Failure, Request, Response
from harness.wire.rpc import MARK
from harness.wire.tcp import Journal, Sleep
from harness.wire.tcp.http2 import PREFACE, GrpcEar
from harness.wire.tcp.journal import Unjudged

METHOD = "/shop.Things/Count"
Fields = tuple[tuple[str, str], ...]


class Plain:
    """The messages as they are."""

    def request(self, method: str, metadata: Mapping[str, str], message: bytes) -> Request:
        return Request(method="POST", target=method, headers=tuple(metadata.items()), body=message)

    def response(self, request: Request, method: str, message: bytes) -> Response:
        return Response(status=200, body=message)

    def refusal(self, request: Request, status: int, text: str, metadata: Mapping[str, str]) -> Response:
        return Response(status=400 + status, headers=tuple(metadata.items()), body=text.encode())


class Peers:
    """A client and a provider that talk, with an ear between them."""

    def __init__(self, sleep: Sleep | None = None) -> None:
        moments = count()
        self.journal = Journal(clock=lambda: float(next(moments)))
        self.ear = GrpcEar(self.journal, meaning=Plain(), injected="latency", sleep=sleep)
        self._client, self._provider = hpack.Encoder(), hpack.Encoder()
        self.ear.sent(PREFACE + SettingsFrame(0).serialize())
        self.ear.came(SettingsFrame(0).serialize())

    def asks(self, message: bytes = b"how many", *, stream: int = 1, split: bool = False, timeout: str = "") -> None:
        more = [("grpc-timeout", timeout)] if timeout else []
        block = self._client.encode([(":method", "POST"), (":path", METHOD), ("api-key", "secret-key"), *more])
        head = HeadersFrame(stream, data=block[:5] if split else block, flags=[] if split else ["END_HEADERS"])
        rest = ContinuationFrame(stream, data=block[5:], flags=["END_HEADERS"]).serialize() if split else b""
        self.ear.sent(head.serialize() + rest + DataFrame(stream, data=framed(message), flags=["END_STREAM"]).serialize())

    def answers(
        self, message: bytes | None = b"three", *, status: int = 0, text: str = "", stream: int = 1, metadata: Fields = ()
    ) -> bytes:
        first = HeadersFrame(stream, data=self._provider.encode([(":status", "200")]), flags=["END_HEADERS"])
        data = DataFrame(stream, data=framed(message)).serialize() if message is not None else b""
        fields = [("grpc-status", str(status)), ("grpc-message", text), *metadata]
        last = HeadersFrame(stream, data=self._provider.encode(fields), flags=["END_HEADERS", "END_STREAM"])
        return first.serialize() + data + last.serialize()

    def exchanges(self) -> tuple[Exchange, ...]:
        self.journal.close()
        return self.journal.exchanges


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4) + message


def test_a_call_and_its_answer() -> None:
    peers = Peers()
    peers.asks()
    peers.ear.came(peers.answers())
    (exchange,) = peers.exchanges()
    assert exchange.rpc is not None
    assert (exchange.rpc.method, exchange.rpc.status) == (METHOD, 0)
    assert (exchange.request.body, exchange.request.header("api-key")) == (b"how many", "secret-key")
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.body) == (200, b"three")
    assert (exchange.started_s, exchange.ended_s, exchange.injected) == (0.0, 1.0, "latency")


@pytest.mark.parametrize("size", [1, 10, 60])
def test_it_does_not_matter_how_the_bytes_come(size: int) -> None:
    peers = Peers()
    peers.asks(split=True)
    data = peers.answers()
    for start in range(0, len(data), size):
        peers.ear.came(data[start : start + size])
    (exchange,) = peers.exchanges()
    assert exchange.response is not None
    assert exchange.response.body == b"three"


def test_a_refusal_has_its_status_and_its_words() -> None:
    peers = Peers()
    peers.asks()
    peers.ear.came(peers.answers(None, status=5, text="no such thing"))
    (exchange,) = peers.exchanges()
    assert exchange.rpc is not None
    assert exchange.rpc.status == 5
    assert exchange.response == Response(status=405, body=b"no such thing")


def test_what_a_refusal_says_besides_is_told_too_and_who_made_it_up_is_not_told_but_known() -> None:
    peers = Peers()
    peers.asks()
    peers.ear.came(peers.answers(None, status=8, metadata=(("retry-after", "7"), (MARK, "RESOURCE_EXHAUSTED"))))
    (exchange,) = peers.exchanges()
    assert exchange.injected == "RESOURCE_EXHAUSTED"
    assert exchange.response is not None
    assert exchange.response.headers == (("retry-after", "7"),)


def test_calls_at_the_same_time_are_told_apart() -> None:
    peers = Peers()
    peers.asks(b"first", stream=1)
    peers.asks(b"second", stream=3)
    peers.ear.came(peers.answers(b"of second", stream=3))
    peers.ear.came(peers.answers(b"of first", stream=1))
    assert [(each.request.body, each.response and each.response.body) for each in peers.exchanges()] == [
        (b"first", b"of first"),
        (b"second", b"of second"),
    ]


def without_answer(peers: Peers) -> None:
    """It stays open."""


def cut(peers: Peers) -> None:
    peers.ear.came(peers.answers()[:-1])
    peers.ear.over("cut")


@pytest.mark.parametrize(
    ("scene", "failure"),
    [
        (without_answer, Failure.TIMEOUT),
        (cut, Failure.CONNECTION),
        (lambda peers: peers.ear.over("reset"), Failure.CONNECTION),
        (lambda peers: peers.ear.over("client"), Failure.TIMEOUT),
        (lambda peers: peers.ear.sent(RstStreamFrame(1, error_code=8).serialize()), Failure.TIMEOUT),
        (lambda peers: peers.ear.came(RstStreamFrame(1, error_code=2).serialize()), Failure.CONNECTION),
    ],
)
def test_a_call_that_is_not_answered(scene: Callable[[Peers], None], failure: Failure) -> None:
    peers = Peers()
    peers.asks()
    scene(peers)
    (exchange,) = peers.exchanges()
    assert (exchange.response, exchange.failure) == (None, failure)
    assert exchange.rpc is not None
    assert exchange.rpc.status is None


@pytest.mark.parametrize(("timeout", "outlived"), [("500m", True), ("1000u", True), ("1S", False), ("2M", False), ("soon", False)])
def test_a_timeout_that_the_library_keeps_itself_must_not_be_outlived(timeout: str, outlived: bool) -> None:
    peers = Peers()
    peers.asks(timeout=timeout)
    answer = peers.answers()
    if outlived:
        with pytest.raises(Unjudged, match="real time"):
            peers.ear.came(answer)
    else:
        peers.ear.came(answer)
        assert [each.failure for each in peers.exchanges()] == [None]


@pytest.mark.parametrize("begun", [False, True])
def test_a_timeout_that_the_library_keeps_itself_ends_the_call_in_the_harness_s_time(begun: bool) -> None:
    """The client is told what gRPC would have told it, and what comes then is of no stream that it knows."""
    told = bytearray()

    async def scene() -> None:
        peers.ear.heed(told.extend)
        peers.asks(timeout="2S")
        answer = peers.answers()
        peers.ear.came(answer[:30] if begun else b"")
        assert peers.ear.is_between is not begun
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        peers.ear.came(answer[30:] if begun else answer)
        peers.asks(stream=3)
        peers.ear.came(peers.answers(b"four", stream=3))

    async def at_once(seconds: float) -> None:
        assert seconds == pytest.approx(2, abs=0.01)

    peers = Peers(sleep=at_once)
    asyncio.run(scene())
    late, following = peers.exchanges()
    assert (late.failure, following.response and following.response.body) == (Failure.TIMEOUT, b"four")
    frame, length = Frame.parse_frame_header(memoryview(bytes(told[:9])))
    assert isinstance(frame, HeadersFrame)
    assert (frame.stream_id, "END_STREAM" in frame.flags, len(told)) == (1, True, 9 + length)
    assert hpack.Decoder().decode(bytes(told[9:])) == [
        *([] if begun else [(":status", "200"), ("content-type", "application/grpc")]),
        ("grpc-status", "4"),
        ("grpc-message", "Deadline Exceeded"),
    ]


def test_an_answer_without_a_status_breaks_the_protocol() -> None:
    peers = Peers()
    peers.asks()
    peers.ear.came(HeadersFrame(1, data=hpack.Encoder().encode([(":status", "502")]), flags=["END_HEADERS", "END_STREAM"]).serialize())
    assert [each.failure for each in peers.exchanges()] == [Failure.PROTOCOL]


def test_it_knows_how_long_the_answer_is() -> None:
    peers = Peers()
    peers.asks()
    ping: Frame = PingFrame(0, opaque_data=b"12345678")
    answer = peers.answers()
    peers.ear.came(answer + ping.serialize())
    assert peers.ear.answer_bytes == len(answer)


def test_the_credential_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    peers = Peers()
    with caplog.at_level(logging.DEBUG):
        caplog.clear()
        peers.ear.sent(b"")
        block = hpack.Encoder().encode([(":path", METHOD), ("api-key", "another-key")])
        caplog.clear()
        peers.ear.sent(HeadersFrame(1, data=block, flags=["END_HEADERS"]).serialize())
    assert "another-key" not in caplog.text


def test_what_is_no_http2_is_not_heard() -> None:
    peers = Peers()
    peers.ear.sent(b"GET / HTTP/1.1\r\n\r\n" * 10)
    assert peers.exchanges() == ()
    assert not peers.ear.asked
