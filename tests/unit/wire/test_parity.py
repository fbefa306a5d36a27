"""A fault inside the process is the same to a client, and on record, as at a real port."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from harness.exchange import Exchange, Request, Response
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
from harness.wire.seam_httpx import httpx_seam
from harness.wire.server import ThreadedServer
from harness.wire.wire import Wire

OK = Response(
    status=200,
    headers=(("Content-Type", "application/json"), ("X-Request-Id", "1"), ("X-Request-Id", "2")),
    body=b'{"data": [1, 2, 3]}' * 10,
)
IMPATIENT_S, PATIENT_S = 0.05, 60.0  # the former where no server can be late: inside, or in virtual time
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading the machine's certificates is the slow part
Seen = tuple[object, ...]
Through = Callable[[Wire, str, float], Seen]


class Provider:
    async def answer(self, request: Request) -> Response:
        return OK


def seen(call: Callable[[], httpx.Response]) -> Seen:
    """What a client can tell of an outcome."""
    try:
        response = call()
    except httpx.HTTPError as error:
        return (type(error),)
    return response.status_code, response.reason_phrase, response.headers.multi_items(), response.content


def through_a_port(wire: Wire, method: str, timeout_s: float) -> Seen:
    with ThreadedServer(port_seam(wire), grace_s=PATIENT_S) as server:
        return seen(lambda: httpx.request(method, server.origin, timeout=timeout_s, verify=NO_TLS))


def through_a_port_in_virtual_time(wire: Wire, method: str, timeout_s: float) -> Seen:
    clock = VirtualClock()

    async def drive() -> Seen:
        async with port_seam(wire, sleep=clock.elapse) as server:
            return await asyncio.to_thread(
                seen, lambda: httpx.request(method, server.origin, timeout=timeout_s, verify=NO_TLS)
            )

    return run(drive, clock=clock)


def inside_sync(wire: Wire, method: str, timeout_s: float) -> Seen:
    with httpx_seam(wire):
        return seen(
            lambda: httpx.request(method, "http://provider.example", timeout=timeout_s, verify=NO_TLS)
        )


def inside_async(wire: Wire, method: str, timeout_s: float) -> Seen:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(timeout=timeout_s, verify=NO_TLS) as client:
            return await client.request(method, "http://provider.example")

    with httpx_seam(wire):
        return seen(lambda: asyncio.run(ask()))


def recorded(exchange: Exchange) -> Seen:
    return exchange.response, exchange.failure, exchange.injected


def outcome(
    through: Through, fault: Fault | None, method: str = "GET", timeout_s: float = PATIENT_S
) -> tuple[Seen, list[Seen]]:
    wire = Wire(upstream=Provider(), clock=time.monotonic, script=lambda n, request: fault)
    shown = through(wire, method, timeout_s)
    wire.close()
    return shown, [recorded(exchange) for exchange in wire.exchanges]


@pytest.mark.parametrize("through", [inside_sync, inside_async])
@pytest.mark.parametrize(
    "fault",
    [
        None,
        Answer(response=Response(status=503, headers=(("retry-after", "3"),), body=b"busy")),
        Answer(response=Response(status=204, body=b"not sent")),
        Answer(response=Response(status=599)),
        Answer(response=Response(status=200, headers=(("content-encoding", "gzip"),), body=b"no gzip")),
        Answer(response=Response(status=200, headers=(("connection", "close"),), body=b"last")),
        Latency(seconds=0.01),
        ResetPeer(),
        EmptyResponse(),
        LimitData(body_bytes=0),
        LimitData(body_bytes=7),
        LimitData(body_bytes=10_000),
        MalformedChunk(),
        *(RandomData(seed=seed) for seed in range(5)),
        SlowBody(seconds=0.02),
        Slicer(size=1),
        SlowClose(seconds=0.02),
    ],
    ids=repr,
)
def test_a_fault_is_the_same_inside_as_at_a_port(through: Through, fault: Fault | None) -> None:
    assert outcome(through, fault) == outcome(through_a_port, fault)


@pytest.mark.parametrize("through", [inside_sync, inside_async])
@pytest.mark.parametrize("fault", [Timeout(), Latency(seconds=60), SlowBody(seconds=60, pieces=2)], ids=repr)
def test_a_silence_is_the_same_inside_as_at_a_port(through: Through, fault: Fault) -> None:
    inside = outcome(through, fault, timeout_s=IMPATIENT_S)
    assert inside == outcome(through_a_port_in_virtual_time, fault, timeout_s=IMPATIENT_S)


@pytest.mark.parametrize("through", [inside_sync, inside_async])
@pytest.mark.parametrize(
    "fault", [None, LimitData(body_bytes=1), MalformedChunk(), SlowBody(seconds=0.01)], ids=repr
)
def test_the_answer_to_head_is_the_same_inside_as_at_a_port(through: Through, fault: Fault | None) -> None:
    assert outcome(through, fault, "HEAD") == outcome(through_a_port, fault, "HEAD")


@pytest.mark.parametrize(
    "path",
    ["/", "/a%20b/%2F", "/ü?q=ß", "/a b", "/v1?x=a+b&y=%2B&z", "/?q=%zz", "//double", "/a/../b", "/#part"],
)
@pytest.mark.parametrize("content", [b"", b"body", b"x" * 200_000])
def test_a_request_is_the_same_inside_as_at_a_port(path: str, content: bytes) -> None:
    def send(client: httpx.Client, origin: str) -> None:
        client.post(origin + path, content=content, headers={"X-Mixed": "Kept", "Host": "h.example"})

    at_port, inside = (Wire(upstream=Provider(), clock=time.monotonic) for _ in range(2))
    with httpx.Client(verify=NO_TLS, timeout=PATIENT_S) as client:
        with ThreadedServer(port_seam(at_port)) as server:
            send(client, server.origin)
        with httpx_seam(inside):
            send(client, "http://provider.example")
    [there], [here] = at_port.exchanges, inside.exchanges
    assert replace(here.request, origin="") == replace(there.request, origin="")
