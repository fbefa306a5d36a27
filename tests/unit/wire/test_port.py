"""What clients of any kind make of each fault at a real port, and what is recorded of it."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from typing import TypeVar

import httpx
import pytest
import requests

from harness.exchange import Failure, Request, Response
from harness.wire.clock import VirtualClock, run
from harness.wire.faults import (
    Answer,
    EmptyResponse,
    Fault,
    Latency,
    LimitData,
    MalformedChunk,
    RandomData,
    ResetPeer,
    Slicer,
    SlowBody,
    SlowClose,
    Timeout,
)
from harness.wire.port import port_seam
from harness.wire.server import Server, ThreadedServer
from harness.wire.wire import Wire

T = TypeVar("T")
Serve = Callable[..., Server]
Talk = Callable[..., bytes]
BODY = b'{"vectors": [0.1, 0.2, 0.3]}'
OK = Response(status=200, headers=(("content-type", "application/json"),), body=BODY)
ASK = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
IMPATIENT_S, PATIENT_S = 5.0, 60.0  # the former only in virtual time
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading the machine's certificates is the slow part


class Provider:
    async def answer(self, request: Request) -> Response:
        return OK


def get(origin: str, *, timeout: float = PATIENT_S) -> httpx.Response:
    return httpx.get(origin, timeout=timeout, verify=NO_TLS)


def wire_with(fault: Fault | None, clock: Callable[[], float] = lambda: 0.0) -> Wire:
    return Wire(upstream=Provider(), clock=clock, script=lambda n, request: fault)


def in_virtual_time(fault: Fault, ask: Callable[[str], T]) -> tuple[Wire, T]:
    """What blocking code makes of a port whose every answer is broken so; how busy the machine is makes no difference."""
    clock = VirtualClock()
    wire = wire_with(fault, lambda: clock.now_s)

    async def drive() -> T:
        async with port_seam(wire, sleep=clock.elapse) as server:
            return await asyncio.to_thread(ask, server.origin)

    return wire, run(drive, clock=clock)


def failing(ask: Callable[[str], object]) -> Callable[[str], object]:
    """What it raises instead of what it returns."""

    def asked(origin: str) -> object:
        try:
            return ask(origin)
        except Exception as error:
            return type(error)

    return asked


HARMLESS = [
    Latency(seconds=0.01),
    SlowBody(seconds=0.02),
    Slicer(size=1),
    SlowClose(seconds=0.02),
    LimitData(body_bytes=1000),
]
HARMFUL: list[tuple[Fault, type[Exception], type[Exception], Failure]] = [
    (Timeout(), httpx.ReadTimeout, requests.ReadTimeout, Failure.TIMEOUT),
    (Latency(seconds=60), httpx.ReadTimeout, requests.ReadTimeout, Failure.TIMEOUT),
    # requests knows no timeout while a body is read: it calls that a failed connection
    (SlowBody(seconds=60, pieces=2), httpx.ReadTimeout, requests.ConnectionError, Failure.TIMEOUT),
    (ResetPeer(), httpx.ReadError, requests.ConnectionError, Failure.CONNECTION),
    (EmptyResponse(), httpx.RemoteProtocolError, requests.ConnectionError, Failure.PROTOCOL),
    (RandomData(seed=3), httpx.RemoteProtocolError, requests.ConnectionError, Failure.PROTOCOL),
    (
        LimitData(body_bytes=0),
        httpx.RemoteProtocolError,
        requests.exceptions.ChunkedEncodingError,
        Failure.PROTOCOL,
    ),
    (
        LimitData(body_bytes=9),
        httpx.RemoteProtocolError,
        requests.exceptions.ChunkedEncodingError,
        Failure.PROTOCOL,
    ),
    (MalformedChunk(), httpx.RemoteProtocolError, requests.exceptions.ChunkedEncodingError, Failure.PROTOCOL),
]


@pytest.mark.parametrize("fault", HARMLESS, ids=repr)
def test_a_harmless_fault_loses_nothing(serve: Serve, fault: Fault) -> None:
    origin = serve(wire_with(fault)).origin
    assert get(origin).content == BODY
    assert requests.get(origin, timeout=PATIENT_S).content == BODY


@pytest.mark.parametrize("ask", [get, requests.get])
def test_a_slow_body_outlasts_a_timeout_that_no_gap_reaches(ask: Callable[..., httpx.Response | requests.Response]) -> None:
    wire, body = in_virtual_time(SlowBody(seconds=20), lambda origin: ask(origin, timeout=15).content)
    assert body == BODY
    assert wire.exchanges[0].ended_s - wire.exchanges[0].started_s == 20


@pytest.mark.parametrize(("fault", "in_httpx", "in_requests", "failure"), HARMFUL, ids=repr)
def test_a_fault_is_to_a_client_what_it_says(
    fault: Fault, in_httpx: type[Exception], in_requests: type[Exception], failure: Failure
) -> None:
    asked = {
        in_httpx: failing(lambda origin: get(origin, timeout=IMPATIENT_S)),
        in_requests: failing(lambda origin: requests.get(origin, timeout=IMPATIENT_S)),
    }
    for error, ask in asked.items():
        wire, said = in_virtual_time(fault, ask)
        assert said is error
        [exchange] = wire.exchanges
        assert (exchange.injected, exchange.failure, exchange.response) == (fault.name, failure, None)


@pytest.mark.parametrize(("fault", "in_httpx", "in_requests", "failure"), [each for each in HARMFUL if each[3] is not Failure.TIMEOUT], ids=repr)
def test_a_fault_is_the_same_in_real_time(
    serve: Serve, fault: Fault, in_httpx: type[Exception], in_requests: type[Exception], failure: Failure
) -> None:
    origin = serve(wire_with(fault)).origin
    with pytest.raises(in_httpx):
        get(origin)
    with pytest.raises(in_requests):
        requests.get(origin, timeout=PATIENT_S)


@pytest.mark.parametrize("fault", [None, *HARMLESS], ids=repr)
def test_a_complete_answer_is_recorded_whatever_its_way(fault: Fault | None) -> None:
    wire = wire_with(fault)
    with ThreadedServer(port_seam(wire), grace_s=PATIENT_S) as server:
        httpx.post(f"{server.origin}/v1?a=1", content=b"hi", headers={"X-Id": "7"}, verify=NO_TLS, timeout=PATIENT_S)
    [exchange] = wire.exchanges
    assert (exchange.response, exchange.failure) == (OK, None)
    assert exchange.injected == (fault.name if fault else None)
    assert (exchange.request.method, exchange.request.target, exchange.request.body) == (
        "POST",
        "/v1?a=1",
        b"hi",
    )
    assert exchange.request.header("x-id") == "7"


def test_an_exchange_without_an_answer_lasts_until_its_client_leaves() -> None:
    now_s, arrived = [100.0], threading.Event()

    def script(n: int, request: Request) -> Fault:
        arrived.set()
        return Timeout()

    wire = Wire(upstream=Provider(), clock=lambda: now_s[0], script=script)
    served = ThreadedServer(port_seam(wire), grace_s=PATIENT_S)  # it hears of all who have left before it ends
    with served as server, socket.create_connection(server.address, timeout=PATIENT_S) as connected:
        connected.sendall(ASK)
        assert arrived.wait(PATIENT_S)
        assert wire.exchanges == ()
        now_s[0] = 107.0
    [exchange] = wire.exchanges
    assert (exchange.started_s, exchange.ended_s, exchange.failure) == (100, 107, Failure.TIMEOUT)


def test_a_reset_is_a_reset_to_a_socket_too(serve: Serve) -> None:
    with socket.create_connection(serve(wire_with(ResetPeer())).address, timeout=PATIENT_S) as connected:
        connected.sendall(ASK)
        with pytest.raises(ConnectionResetError):
            connected.recv(1000)


def test_an_empty_response_is_an_orderly_end_to_a_socket(serve: Serve, talk: Talk) -> None:
    assert talk(serve(wire_with(EmptyResponse())), ASK) == b""


def test_limited_data_is_cut_to_the_byte(serve: Serve, talk: Talk) -> None:
    head, _, body = talk(serve(wire_with(LimitData(body_bytes=9))), ASK).partition(b"\r\n\r\n")
    assert b"content-length: 28" in head
    assert body == BODY[:9]


def test_random_data_is_the_same_to_a_socket_each_time(serve: Serve, talk: Talk) -> None:
    server = serve(wire_with(RandomData(seed=5, size=100)))
    assert len(talk(server, ASK)) == 100
    assert talk(server, ASK) == talk(server, ASK)


def test_a_slow_answer_does_not_hold_up_another_client(serve: Serve) -> None:
    faults: list[Fault | None] = [Timeout(), None]
    arrived = threading.Event()

    def script(n: int, request: Request) -> Fault | None:
        arrived.set()
        return faults[n]

    server = serve(Wire(upstream=Provider(), clock=lambda: 0.0, script=script))
    with socket.create_connection(server.address, timeout=PATIENT_S) as waiting:
        waiting.sendall(ASK)
        assert arrived.wait(PATIENT_S)
        assert get(server.origin).content == BODY


def test_after_a_harmless_answer_the_connection_is_used_again(serve: Serve) -> None:
    with httpx.Client(verify=NO_TLS, timeout=PATIENT_S) as client:
        origin = serve(wire_with(Slicer(size=5))).origin
        streams = {id(client.get(origin).extensions["network_stream"]) for _ in range(3)}
    assert len(streams) == 1


def test_a_provider_that_can_not_be_reached_is_a_reset(serve: Serve) -> None:
    class Unreachable:
        async def answer(self, request: Request) -> Response:
            raise ConnectionRefusedError

    wire = Wire(upstream=Unreachable(), clock=lambda: 0.0)
    with ThreadedServer(port_seam(wire), grace_s=PATIENT_S) as server, pytest.raises(httpx.ReadError):
        get(server.origin)
    assert [(exchange.failure, exchange.injected) for exchange in wire.exchanges] == [
        (Failure.CONNECTION, None)
    ]
    assert wire.errors == ()


def test_a_mistake_in_the_harness_is_not_laid_at_the_providers_door(serve: Serve) -> None:
    def fail(n: int, request: Request) -> Fault | None:
        raise ZeroDivisionError

    wire = Wire(upstream=Provider(), clock=lambda: 0.0, script=fail)
    response = get(serve(wire).origin)
    assert (response.status_code, b"harness" in response.content) == (500, True)
    assert [type(error) for error in wire.errors] == [ZeroDivisionError]


def test_a_slow_429_is_both_slow_and_a_429() -> None:
    limited = Response(status=429, headers=(("retry-after", "7"),), body=b"{}")
    slow = Answer(response=limited, fault=Latency(seconds=10))
    assert in_virtual_time(slow, failing(lambda origin: get(origin, timeout=9)))[1] is httpx.ReadTimeout
    _, response = in_virtual_time(slow, lambda origin: get(origin, timeout=11))
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
