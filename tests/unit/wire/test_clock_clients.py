"""Clients of every stack wait their minutes in milliseconds, against a server in their loop or in a thread."""

import asyncio
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import httpx
import httpx2
import pytest
import requests
import tenacity
import urllib3

from harness.wire.clock import Means, VirtualClock, run, run_sync

Get = Callable[[str, float], int]  # address and timeout in seconds → status
GetAsync = Callable[[str, float], Coroutine[None, None, int]]
BUSY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(kw_only=True)
class Peer:
    """Answers the n-th request with the n-th answer, late by so many virtual seconds; None: never."""

    clock: VirtualClock
    answers: list[bytes | None]
    late_s: float = 0.0
    arrived_at_s: list[float] = field(default_factory=list)

    def next(self) -> bytes | None:
        self.arrived_at_s.append(self.clock.now_s)
        return self.answers[min(len(self.arrived_at_s), len(self.answers)) - 1]

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            answer = self.next()
            await self.clock.elapse(self.late_s)
            if answer is None:
                await asyncio.Event().wait()
            else:
                writer.write(answer)
        writer.close()


@asynccontextmanager
async def in_the_loop(peer: Peer) -> AsyncIterator[str]:
    server = await asyncio.start_server(peer.converse, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}/"
    finally:
        server.close()


@contextmanager
def in_a_thread(peer: Peer) -> Iterator[str]:
    """A server of real time, which nobody told of the run."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if (answer := peer.next()) is None:
                released.wait(60)
                return
            if peer.late_s:
                peer.clock.advance(peer.late_s)
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    released = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        released.set()
        server.shutdown()
        thread.join()
        server.server_close()


# a client is a way to send one GET; what retries it is the same for all


def get_with_requests(address: str, timeout_s: float) -> int:
    return requests.get(address, timeout=timeout_s).status_code


def get_with_httpx(address: str, timeout_s: float) -> int:
    return httpx.get(address, timeout=timeout_s).status_code


def get_with_urllib(address: str, timeout_s: float) -> int:
    try:
        with urllib.request.urlopen(address, timeout=timeout_s) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def get_with_urllib3(address: str, timeout_s: float) -> int:
    with urllib3.PoolManager() as pool:
        return pool.request("GET", address, timeout=timeout_s, retries=False).status


async def get_with_httpx_async(address: str, timeout_s: float) -> int:
    async with httpx.AsyncClient(timeout=timeout_s) as client:
        return (await client.get(address)).status_code


async def get_with_httpx2_async(address: str, timeout_s: float) -> int:
    async with httpx2.AsyncClient(timeout=timeout_s) as client:
        return (await client.get(address)).status_code


async def get_with_aiohttp(address: str, timeout_s: float) -> int:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(address) as response:
        return response.status


BLOCKING = [get_with_requests, get_with_httpx, get_with_urllib, get_with_urllib3]
ASYNC = [get_with_httpx_async, get_with_httpx2_async, get_with_aiohttp]
TIMEOUTS = (
    TimeoutError,
    requests.Timeout,
    httpx.TimeoutException,
    httpx2.TimeoutException,
    urllib3.exceptions.TimeoutError,
)

blocking = pytest.mark.parametrize("get", BLOCKING)
asynchronous = pytest.mark.parametrize("get", ASYNC)


def patient(get: Get, address: str) -> int:
    """Three retries, each after the 60 s that the server asks for."""
    for _ in range(3):
        if (status := get(address, 30)) != 429:
            return status
        time.sleep(60)
    return get(address, 30)


async def patient_async(get: GetAsync, address: str) -> int:
    for _ in range(3):
        if (status := await get(address, 30)) != 429:
            return status
        await asyncio.sleep(60)
    return await get(address, 30)


# retries


@asynchronous
def test_three_waits_of_a_minute_are_exact_for_a_coroutine(get: GetAsync) -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[BUSY, BUSY, BUSY, FINE])

    async def call() -> int:
        async with in_the_loop(peer) as address:
            return await patient_async(get, address)

    assert run(call, clock=clock) == 200
    assert peer.arrived_at_s == [0.0, 60.0, 120.0, 180.0]
    assert [wait.seconds for wait in clock.waits if wait.by is Means.ASYNC_SLEEP] == [60.0, 60.0, 60.0]


@blocking
def test_three_waits_of_a_minute_are_exact_for_blocking_code_beside_a_server_in_the_loop(get: Get) -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[BUSY, BUSY, BUSY, FINE])

    async def call() -> int:
        async with in_the_loop(peer) as address:
            return await asyncio.to_thread(patient, get, address)

    assert run(call, clock=clock) == 200
    assert peer.arrived_at_s == [0.0, 60.0, 120.0, 180.0]
    assert [wait.seconds for wait in clock.waits if wait.by is Means.SLEEP] == [60.0, 60.0, 60.0]


@blocking
def test_three_waits_of_a_minute_are_exact_for_blocking_code_and_a_server_in_a_thread(get: Get) -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[BUSY, BUSY, BUSY, FINE])
    with in_a_thread(peer) as address:
        assert run_sync(lambda: patient(get, address), clock=clock, patience_s=2) == 200
    assert peer.arrived_at_s == [0.0, 60.0, 120.0, 180.0]


@asynchronous
def test_three_waits_of_a_minute_are_exact_for_a_coroutine_and_a_server_in_a_thread(get: GetAsync) -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[BUSY, BUSY, BUSY, FINE])
    with in_a_thread(peer) as address:
        assert run(lambda: patient_async(get, address), clock=clock, patience_s=2) == 200
    assert peer.arrived_at_s == [0.0, 60.0, 120.0, 180.0]


def test_a_retry_of_tenacity_waits_on_the_clock() -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[BUSY, FINE])

    @tenacity.retry(
        wait=tenacity.wait_fixed(60), retry=tenacity.retry_if_result(lambda status: status == 429)
    )
    def call(address: str) -> int:
        return get_with_requests(address, 30)

    with in_a_thread(peer) as address:
        assert run_sync(lambda: call(address), clock=clock, patience_s=2) == 200
    assert peer.arrived_at_s == [0.0, 60.0]


def test_a_retry_of_urllib3_honours_the_header_on_the_clock() -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[BUSY, FINE])
    with in_a_thread(peer) as address:

        def call() -> int:
            with urllib3.PoolManager(retries=urllib3.Retry(3, status_forcelist=[429])) as pool:
                return pool.request("GET", address).status

        assert run_sync(call, clock=clock, patience_s=2) == 200
    assert peer.arrived_at_s == [0.0, 60.0]


def test_one_connection_is_kept_over_the_waits() -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[BUSY, FINE])

    def call(address: str) -> list[int]:
        with requests.Session() as session:
            first = session.get(address, timeout=30)
            time.sleep(60)
            return [first.status_code, session.get(address, timeout=30).status_code]

    async def beside_the_server() -> list[int]:
        async with in_the_loop(peer) as address:
            return await asyncio.to_thread(call, address)

    assert run(beside_the_server, clock=clock) == [429, 200]
    assert clock.now_s == 60.0


# silence


@asynchronous
def test_a_coroutine_gives_up_on_a_silent_server_when_its_timeout_is_over(get: GetAsync) -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[None])

    async def call() -> None:
        async with in_the_loop(peer) as address:
            await get(address, 60)

    with pytest.raises(TIMEOUTS):
        run(call, clock=clock)
    assert clock.now_s == 60.0


@blocking
def test_blocking_code_gives_up_on_a_silent_server_in_the_loop_when_its_timeout_is_over(get: Get) -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[None])

    async def call() -> None:
        async with in_the_loop(peer) as address:
            await asyncio.to_thread(get, address, 60)

    with pytest.raises(TIMEOUTS):
        run(call, clock=clock)
    assert clock.now_s == 60.0
    assert [(wait.seconds, wait.by) for wait in clock.waits] == [(60.0, Means.SOCKET)]


@blocking
def test_blocking_code_gives_up_on_a_silent_server_in_a_thread_when_its_timeout_is_over(get: Get) -> None:
    clock = VirtualClock()
    with in_a_thread(Peer(clock=clock, answers=[None])) as address, pytest.raises(TIMEOUTS):
        run_sync(lambda: get(address, 60), clock=clock)
    assert clock.now_s == 60.0


# late answers


@asynchronous
def test_a_coroutine_sees_an_answer_as_late_as_it_is(get: GetAsync) -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[FINE], late_s=5)

    async def call(timeout_s: float) -> int:
        async with in_the_loop(peer) as address:
            return await get(address, timeout_s)

    assert run(lambda: call(6), clock=clock) == 200
    assert clock.now_s == 5.0
    with pytest.raises(TIMEOUTS):
        run(lambda: call(4), clock=clock)
    assert clock.now_s == 9.0


@blocking
def test_blocking_code_sees_an_answer_as_late_as_it_is(get: Get) -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[FINE], late_s=5)

    async def call(timeout_s: float) -> int:
        async with in_the_loop(peer) as address:
            return await asyncio.to_thread(get, address, timeout_s)

    assert run(lambda: call(6), clock=clock) == 200
    assert clock.now_s == 5.0
    with pytest.raises(TIMEOUTS):
        run(lambda: call(4), clock=clock)
    assert clock.now_s == 9.0


@blocking
def test_a_server_thread_can_be_late_on_the_clock(get: Get) -> None:
    clock = VirtualClock()
    with in_a_thread(Peer(clock=clock, answers=[FINE], late_s=5)) as address:
        assert run_sync(lambda: get(address, 6), clock=clock, patience_s=0.3) == 200
        assert clock.now_s == 5.0
        with pytest.raises(TIMEOUTS):
            run_sync(lambda: get(address, 4), clock=clock, patience_s=0.3)
        assert clock.now_s == 9.0


def test_a_slow_server_thread_that_joined_the_run_is_waited_for() -> None:
    clock = VirtualClock()
    joined = threading.Event()

    def work(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, clock.joined():
            joined.set()
            sum(range(3_000_000))
            time.sleep(2)
            connection.recv(65_536)
            connection.sendall(FINE)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=work, args=(listener,))
        thread.start()

        def call() -> int:
            with socket.create_connection(listener.getsockname(), timeout=30) as connection:
                assert joined.wait()
                connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
                return len(connection.recv(65_536))

        assert run_sync(call, clock=clock, patience_s=0.001) == len(FINE)
        thread.join()
    assert clock.now_s == 2.0


# the socket itself


def beside_a_listener(call: Callable[[tuple[str, int]], object], clock: VirtualClock) -> object:
    """A listener that never accepts: the kernel connects, nobody reads."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return run_sync(lambda: call(listener.getsockname()), clock=clock, patience_s=0.02)


def test_sending_more_than_anybody_reads_times_out_in_all() -> None:
    clock = VirtualClock()

    def send(address: tuple[str, int]) -> None:
        with socket.create_connection(address, timeout=7) as connection:
            connection.sendall(bytes(64 * 1024 * 1024))

    with pytest.raises(TimeoutError, match="^timed out$"):
        beside_a_listener(send, clock)
    assert clock.now_s == 7.0


def test_an_answer_without_a_timeout_is_waited_for() -> None:
    clock = VirtualClock()
    peer = Peer(clock=clock, answers=[FINE], late_s=3600)

    def ask(host: str, port: int) -> bytes:
        with socket.create_connection((host, port)) as connection:
            connection.sendall(b"?")
            return connection.recv(65_536)

    async def call() -> bytes:
        server = await asyncio.start_server(peer.converse, "127.0.0.1", 0)
        async with server:
            return await asyncio.to_thread(ask, *server.sockets[0].getsockname())

    assert run(call, clock=clock) == FINE
    assert clock.now_s == 3600.0


def test_a_connection_that_nobody_takes_times_out() -> None:
    clock = VirtualClock()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address), pytest.raises(TimeoutError, match="^timed out$"):
            run_sync(lambda: [socket.create_connection(address, timeout=9) for _ in range(9)], clock=clock)
    assert clock.now_s == 9.0


def test_a_port_that_is_closed_refuses_at_once() -> None:
    clock = VirtualClock()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        with pytest.raises(ConnectionRefusedError):
            run_sync(lambda: socket.create_connection(taken.getsockname(), timeout=9), clock=clock)
    assert clock.now_s == 0.0


def test_a_client_of_grpc_lives_in_the_time_of_its_loop() -> None:
    grpc = pytest.importorskip("grpc")
    clock = VirtualClock()

    async def answer(request: bytes, _: object) -> bytes:
        if request == b"late":
            await clock.elapse(5)
        return request

    async def call() -> list[float]:
        server = grpc.aio.server()
        method = grpc.unary_unary_rpc_method_handler(answer)
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("s", {"m": method})])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        at: list[float] = []
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            for request in (b"now", b"late"):
                assert await channel.unary_unary("/s/m")(request) == request
                at.append(clock.now_s)
                await asyncio.sleep(60)
        await server.stop(None)
        return at

    assert run(call, clock=clock) == [0.0, 65.0]
