"""Through any seam, with any kind of client, faults take exactly the same time, and none of ours."""

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
import requests

from harness.exchange import Failure, Request, Response
from harness.wire.clock import VirtualClock, run, run_sync
from harness.wire.faults import Fault, Latency, ResetPeer, SlowBody, Timeout
from harness.wire.port import port_seam
from harness.wire.seam_httpx import httpx_seam
from harness.wire.wire import Wire

FAULTS: list[Fault | None] = [
    Timeout(),
    Latency(seconds=59),
    Latency(seconds=61),
    SlowBody(seconds=90, pieces=9),
    ResetPeer(),
    None,
]
# What each request took, and how it failed, with a read timeout of 60 s and 2 s between two requests.
EXPECTED = [
    (0, 60, Failure.TIMEOUT),
    (62, 121, None),
    (123, 183, Failure.TIMEOUT),
    (185, 275, None),
    (277, 277, Failure.CONNECTION),
    (279, 279, None),
]
TIMEOUT_S = 60
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # reading the machine's certificates is the slow part


class Provider:
    async def answer(self, request: Request) -> Response:
        return Response(status=200, body=b"0123456789")


async def ask_async(origin: str) -> None:
    async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=NO_TLS) as client:
        for _ in FAULTS:
            with suppress(httpx.TransportError):
                await client.get(origin)
            await asyncio.sleep(2)


def ask_httpx(origin: str) -> None:
    with httpx.Client(timeout=TIMEOUT_S, verify=NO_TLS) as client:
        for _ in FAULTS:
            with suppress(httpx.TransportError):
                client.get(origin)
            time.sleep(2)


def ask_requests(origin: str) -> None:
    with requests.Session() as session:
        for _ in FAULTS:
            with suppress(requests.RequestException):
                session.get(origin, timeout=TIMEOUT_S)
            time.sleep(2)


def async_inside(wire: Wire, clock: VirtualClock) -> None:
    with httpx_seam(wire, sleep=clock.advance, sleep_async=clock.elapse):
        run(lambda: ask_async("http://provider.example"), clock=clock)


def sync_inside(wire: Wire, clock: VirtualClock) -> None:
    with httpx_seam(wire, sleep=clock.advance, sleep_async=clock.elapse):
        run_sync(lambda: ask_httpx("http://provider.example"), clock=clock)


def async_at_a_port(wire: Wire, clock: VirtualClock) -> None:
    async def drive() -> None:
        async with port_seam(wire, sleep=clock.elapse) as server:
            await ask_async(server.origin)

    run(drive, clock=clock)


def sync_at_a_port(wire: Wire, clock: VirtualClock) -> None:
    async def drive() -> None:
        async with port_seam(wire, sleep=clock.elapse) as server:
            await asyncio.to_thread(ask_requests, server.origin)

    run(drive, clock=clock)


@pytest.mark.parametrize("through", [async_inside, sync_inside, async_at_a_port, sync_at_a_port])
def test_every_seam_keeps_the_same_time(through: Callable[[Wire, VirtualClock], None]) -> None:
    clock = VirtualClock()
    wire = Wire(upstream=Provider(), clock=lambda: clock.now_s, script=lambda n, request: FAULTS[n])
    through(wire, clock)
    wire.close()
    taken = [(exchange.started_s, exchange.ended_s, exchange.failure) for exchange in wire.exchanges]
    assert taken == EXPECTED
    assert {wait.seconds for wait in clock.waits} <= {2, TIMEOUT_S}
    assert sum(wait.seconds == 2 for wait in clock.waits) == len(FAULTS)
