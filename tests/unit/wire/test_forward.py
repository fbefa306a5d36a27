"""A request sent on arrives as it was, in real time, past whatever stands in for the network."""

import asyncio
import gzip
import zlib
from collections.abc import Callable, Iterator

import pytest

from harness.exchange import Request, Response
from harness.wire.clock import VirtualClock, run
from harness.wire.forward import forward, real_time
from harness.wire.seam_httpx import httpx_seam
from harness.wire.server import Server, ThreadedServer
from harness.wire.wire import Wire

SENT = Request(
    method="POST",
    target="/v1/things?a=1",
    headers=(
        ("authorization", "Bearer x"),
        ("content-type", "application/json"),
        ("accept-encoding", "gzip"),
        ("host", "elsewhere"),
    ),
    body=b'{"a": 1}',
)


class Far:
    """A server that keeps what it was sent."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.reply = Response(status=200, headers=(("content-type", "application/json"),), body=b"{}")
        self.before: Callable[[], object] = lambda: None

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        self.before()
        return self.reply


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
def origin(far: Far) -> Iterator[str]:
    with ThreadedServer(Server(answer=far.answer)) as server:
        yield server.origin


def ask(origin: str, request: Request = SENT, *, timeout_s: float = 5.0) -> Response:
    return asyncio.run(forward(request, origin=origin, timeout_s=timeout_s))


def test_what_is_sent_arrives_but_for_what_belongs_to_one_hop(far: Far, origin: str) -> None:
    ask(origin)
    (got,) = far.asked
    assert (got.method, got.target, got.body) == (SENT.method, SENT.target, SENT.body)
    assert (got.header("authorization"), got.header("content-type")) == ("Bearer x", "application/json")
    assert got.header("host") == origin.removeprefix("http://")
    assert got.header("accept-encoding") == "identity"
    assert got.header("user-agent") is None


def test_a_body_without_a_type_is_given_none(far: Far, origin: str) -> None:
    ask(origin, Request(method="PUT", target="/", body=b"a=b"))
    assert far.asked[0].header("content-type") is None


@pytest.mark.parametrize("status", [200, 204, 302, 404, 429, 503])
def test_any_status_is_an_answer(far: Far, origin: str, status: int) -> None:
    far.reply = Response(
        status=status, headers=(("location", "/elsewhere"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
    )
    answer = ask(origin, Request(method="GET", target="/"))
    assert answer.status == status
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert len(far.asked) == 1


@pytest.mark.parametrize(("how", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress)])
def test_an_answer_that_was_packed_unasked_is_unpacked(far: Far, origin: str, how: str, pack: Callable[[bytes], bytes]) -> None:
    far.reply = Response(status=200, headers=(("content-type", "application/json"), ("content-encoding", how)), body=pack(b'{"a": 1}'))
    got = ask(origin)
    assert got.body == b'{"a": 1}'
    assert got.header("content-encoding") is None


def test_what_only_says_that_it_is_packed_stays_as_it_is(far: Far, origin: str) -> None:
    far.reply = Response(status=200, headers=(("content-encoding", "gzip"),), body=b"{}")
    assert ask(origin).body == b"{}"


def test_nobody_there_is_a_connection_error() -> None:
    with pytest.raises(ConnectionError, match="127.0.0.1:9"):
        ask("http://127.0.0.1:9")


def test_a_proxy_is_not_asked_for_this_machine(far: Far, origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert ask(origin).status == 200


def test_in_virtual_time_the_clock_stands_still_meanwhile(far: Far, origin: str) -> None:
    clock = VirtualClock()

    async def work() -> Response:
        answer = await forward(SENT, origin=origin, timeout_s=60.0)
        assert clock.now_s == 0.0
        await asyncio.sleep(60)
        return answer

    assert run(work, clock=clock).status == 200
    assert clock.now_s == 60.0


def test_who_is_in_real_time_already_stays_there() -> None:
    with real_time():
        pass


def test_the_seam_for_httpx_does_not_meet_itself(far: Far, origin: str) -> None:
    import httpx

    class Onward:
        async def answer(self, request: Request) -> Response:
            return await forward(request, origin=origin, timeout_s=60.0)

    wire = Wire(upstream=Onward(), clock=lambda: 0.0)

    async def work() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.post("http://provider.invalid/v1/things", json={})).status_code

    with httpx_seam(wire):
        assert asyncio.run(work()) == 200
    assert len(far.asked) == 1
