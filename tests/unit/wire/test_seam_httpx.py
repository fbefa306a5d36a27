"""Inside the process httpx is led to the wire: any client, whenever it was made, and nothing gets past."""

import asyncio
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest
import respx

from harness.exchange import Failure, Request, Response
from harness.wire.faults import (
    Answer,
    Ended,
    Fault,
    Latency,
    LimitData,
    Pause,
    Send,
    SlowBody,
    Step,
    Timeout,
)
from harness.wire.http1 import Message
from harness.wire.memory import FOREVER_S
from harness.wire.seam_httpx import httpx_seam
from harness.wire.wire import Wire

URL = "https://api.example.com/v1/embeddings"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading the machine's certificates is the slow part
OK = Response(status=200, headers=(("Content-Type", "application/json"),), body=b'{"a": [1, 2, 3]}')


class Provider:
    async def answer(self, request: Request) -> Response:
        return OK


class Clock:
    """Time that only waiting moves, for both kinds of client."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.now_s += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


Seam = Callable[..., Wire]


@pytest.fixture
def seam(clock: Clock) -> Iterator[Callable[..., Wire]]:
    """A wire that the rest of the test goes through."""
    with ExitStack() as stack:

        def open_(fault: Fault | None = None, **options: object) -> Wire:
            wire = Wire(
                upstream=options.pop("upstream", Provider()),  # type: ignore[arg-type]  # as the test gives it
                clock=clock,
                script=lambda n, request: fault,
            )
            stack.enter_context(httpx_seam(wire, sleep=clock.sleep, sleep_async=clock.sleep_async))
            return wire

        yield open_


def get_sync(**options: object) -> httpx.Response:
    with httpx.Client(verify=NO_TLS, **options) as client:  # type: ignore[arg-type]  # httpx's own options
        return client.get(URL)


def get_async(**options: object) -> httpx.Response:
    async def run() -> httpx.Response:
        async with httpx.AsyncClient(verify=NO_TLS, **options) as client:  # type: ignore[arg-type]  # httpx's own options
            return await client.get(URL)

    return asyncio.run(run())


both = pytest.mark.parametrize("get", [get_sync, get_async])
Get = Callable[..., httpx.Response]


@both
def test_a_request_reaches_the_wire_as_it_would_be_sent(seam: Seam, get: Get) -> None:
    wire = seam()
    response = get(headers={"Authorization": "Bearer k", "X-A": "1"}, params={"q": "a b"})
    assert (response.status_code, response.json()) == (200, {"a": [1, 2, 3]})
    [exchange] = wire.exchanges
    assert (exchange.request.method, exchange.request.target) == ("GET", "/v1/embeddings?q=a+b")
    assert exchange.request.origin == "https://api.example.com"
    assert exchange.request.header("host") == "api.example.com"
    assert exchange.request.header("authorization") == "Bearer k"
    assert exchange.response == OK


def test_a_body_is_recorded_even_when_it_is_streamed(seam: Seam) -> None:
    wire = seam()
    httpx.post(URL, content=iter([b"in ", b"pieces"]))
    [exchange] = wire.exchanges
    assert exchange.request.body == b"in pieces"
    assert exchange.request.header("transfer-encoding") == "chunked"


def test_the_headers_of_a_request_are_in_lower_case(seam: Seam) -> None:
    wire = seam()
    get_sync(headers={"X-Mixed-Case": "Kept"})
    assert ("x-mixed-case", "Kept") in wire.exchanges[0].request.headers


def test_a_client_made_before_the_seam_is_led_to_it_too(clock: Clock) -> None:
    wire = Wire(upstream=Provider(), clock=clock)
    with httpx.Client() as client:
        with httpx_seam(wire):
            client.get(URL)
        assert len(wire.exchanges) == 1


def test_a_transport_of_the_clients_own_stays_above_the_wire(seam: Seam) -> None:
    class Twice(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            super().handle_request(request).read()
            return super().handle_request(request)

    wire = seam()
    get_sync(transport=Twice())
    assert len(wire.exchanges) == 2


def test_a_client_behind_a_proxy_reaches_the_wire_too(seam: Seam) -> None:
    wire = seam()
    assert get_sync(proxy="http://proxy.example.com:8080").status_code == 200
    assert len(wire.exchanges) == 1


def test_after_the_seam_nothing_is_routed(clock: Clock) -> None:
    wire = Wire(upstream=Provider(), clock=clock)
    with httpx_seam(wire):
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://127.0.0.1:9/")
    assert wire.exchanges == ()


def test_a_second_seam_is_refused_rather_than_ignored(seam: Seam, clock: Clock) -> None:
    seam()
    with (
        pytest.raises(RuntimeError, match="already routed"),
        httpx_seam(Wire(upstream=Provider(), clock=clock)),
    ):
        pass


def test_a_seam_over_another_users_respx_is_refused(clock: Clock) -> None:
    wire = Wire(upstream=Provider(), clock=clock)
    with respx.mock(assert_all_called=False), pytest.raises(RuntimeError, match="already"), httpx_seam(wire):
        pass


@both
def test_a_timeout_takes_the_clients_own_read_timeout(seam: Seam, clock: Clock, get: Get) -> None:
    wire = seam(Timeout())
    with pytest.raises(httpx.ReadTimeout):
        get(timeout=httpx.Timeout(5, read=42))
    assert clock.now_s == 42
    [exchange] = wire.exchanges
    assert (exchange.failure, exchange.injected, exchange.ended_s) == (Failure.TIMEOUT, "timeout", 42)


@both
def test_a_client_without_a_timeout_waits_for_a_day(seam: Seam, clock: Clock, get: Get) -> None:
    seam(Timeout())
    with pytest.raises(httpx.ReadTimeout):
        get(timeout=None)
    assert clock.now_s == FOREVER_S


@both
def test_latency_within_the_timeout_only_takes_time(seam: Seam, clock: Clock, get: Get) -> None:
    wire = seam(Latency(seconds=59))
    assert get(timeout=60).status_code == 200
    assert (wire.exchanges[0].injected, wire.exchanges[0].ended_s) == ("latency", 59)


@both
def test_latency_over_the_timeout_is_a_timeout(seam: Seam, clock: Clock, get: Get) -> None:
    wire = seam(Latency(seconds=61))
    with pytest.raises(httpx.ReadTimeout):
        get(timeout=60)
    assert clock.now_s == 60
    assert (wire.exchanges[0].failure, wire.exchanges[0].response) == (Failure.TIMEOUT, None)


@both
def test_a_slow_body_outlasts_a_timeout_that_no_gap_reaches(seam: Seam, clock: Clock, get: Get) -> None:
    wire = seam(SlowBody(seconds=90, pieces=10))
    assert get(timeout=10).json() == {"a": [1, 2, 3]}
    assert clock.now_s == 90
    assert wire.exchanges[0].ended_s == 90


@both
def test_a_slow_body_with_a_gap_over_the_timeout_is_a_timeout(seam: Seam, get: Get) -> None:
    seam(SlowBody(seconds=90, pieces=5))
    with pytest.raises(httpx.ReadTimeout):
        get(timeout=10)


@both
def test_a_slow_429_is_both(seam: Seam, clock: Clock, get: Get) -> None:
    limited = Response(status=429, headers=(("retry-after", "7"),))
    seam(Answer(response=limited, fault=Latency(seconds=30)))
    assert get(timeout=60).status_code == 429
    assert clock.now_s == 30


def test_limited_data_fails_while_the_body_is_read_not_before(seam: Seam) -> None:
    seam(LimitData(body_bytes=4))
    received = b""
    with httpx.Client() as client, client.stream("GET", URL) as response:
        assert response.headers["content-length"] == str(len(OK.body))
        with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 - the bytes before the failure count
            for part in response.iter_raw():
                received += part
    assert received == OK.body[:4]


def test_a_client_that_cancels_has_given_up(seam: Seam) -> None:
    wire = seam(upstream=Silent())

    async def run() -> None:
        async with httpx.AsyncClient(timeout=None) as client:
            async with asyncio.timeout(0.01):
                await client.get(URL)

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    assert [exchange.failure for exchange in wire.exchanges] == [Failure.TIMEOUT]


class Silent:
    """A provider that takes the request and says nothing."""

    async def answer(self, request: Request) -> Response:
        await asyncio.Event().wait()
        return OK


@both
def test_a_provider_that_says_nothing_is_a_timeout(seam: Seam, get: Get) -> None:
    wire = seam(upstream=Silent())
    with pytest.raises(httpx.ReadTimeout):
        get(timeout=0.02)
    assert [(exchange.failure, exchange.injected) for exchange in wire.exchanges] == [(Failure.TIMEOUT, None)]


def test_a_provider_is_not_kept_busy_for_a_client_that_timed_out(seam: Seam) -> None:
    abandoned = threading.Event()

    class Abandoned:
        async def answer(self, request: Request) -> Response:
            try:
                await asyncio.Event().wait()
            finally:
                abandoned.set()
            return OK

    seam(upstream=Abandoned())
    with pytest.raises(httpx.ReadTimeout):
        get_sync(timeout=0.02)
    assert abandoned.wait(60)


@both
def test_the_time_that_the_provider_takes_counts_towards_the_timeout(
    seam: Seam, clock: Clock, get: Get
) -> None:
    class Busy:
        async def answer(self, request: Request) -> Response:
            clock.now_s += 30
            return OK

    seam(Latency(seconds=40), upstream=Busy())
    with pytest.raises(httpx.ReadTimeout):
        get(timeout=60)
    assert clock.now_s == 60


@dataclass(frozen=True)
class Twice:
    """Is silent for 40 s, and then again."""

    name = "twice"
    needs_answer = True

    def play(self, message: Message) -> Iterator[Step]:
        yield Pause(40)
        yield Pause(40)
        yield Send(message.data())
        yield Ended()


@both
def test_a_timeout_runs_from_the_last_byte_not_from_the_last_pause(
    seam: Seam, clock: Clock, get: Get
) -> None:
    seam(Twice())
    with pytest.raises(httpx.ReadTimeout):
        get(timeout=60)
    assert clock.now_s == 60


def test_a_clock_that_stands_still_holds_nobody_up() -> None:
    wire = Wire(upstream=Provider(), clock=lambda: 0.0, script=lambda n, request: SlowBody(seconds=90))
    with httpx_seam(wire, sleep=lambda seconds: None):
        assert get_sync(timeout=60).status_code == 200


@both
def test_a_body_larger_than_one_read_comes_whole(seam: Seam, get: Get) -> None:
    body = bytes(range(256)) * 2000
    seam(Answer(response=Response(status=200, body=body)))
    assert get().content == body


@both
def test_a_mistake_in_the_harness_is_noted_even_if_a_client_hides_it(seam: Seam, get: Get) -> None:
    class Mistaken:
        async def answer(self, request: Request) -> Response:
            raise KeyError("ours")

    wire = seam(upstream=Mistaken())
    with pytest.raises(KeyError):
        get()
    assert [type(error) for error in wire.errors] == [KeyError]


def test_a_sync_client_can_be_used_inside_a_running_loop(seam: Seam) -> None:
    seam()

    async def run() -> int:
        return get_sync().status_code

    assert asyncio.run(run()) == 200


def test_clients_on_several_threads_share_a_wire(seam: Seam) -> None:
    wire = seam()
    threads = [threading.Thread(target=get_sync) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [exchange.response for exchange in wire.exchanges] == [OK] * 8


def test_concurrent_requests_of_one_client_are_each_recorded(seam: Seam) -> None:
    wire = seam()

    async def run() -> None:
        async with httpx.AsyncClient() as client:
            await asyncio.gather(*(client.get(f"{URL}/{number}") for number in range(20)))

    asyncio.run(run())
    assert {exchange.request.path for exchange in wire.exchanges} == {
        f"/v1/embeddings/{number}" for number in range(20)
    }


def test_nothing_heavy_is_imported_before_the_seam_is_opened() -> None:
    program = (
        "import sys, harness.wire.seam_httpx, harness.wire.port\n"
        "print([name for name in ('respx', 'httpx', 'httpcore', 'uvloop') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
