"""Clients that wait in every way that Python has: each once as it should, and once for half of that (`…InHaste`)."""

import asyncio
import queue
import select
import selectors
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import anyio
import tenacity

from tests.miniatures.clients import over_aiohttp, over_requests

Way = Callable[[float], object]
WayAsync = Callable[[float], Awaitable[object]]


def condition(seconds: float) -> None:
    held = threading.Condition()
    with held:
        held.wait(seconds)


def full_queue(seconds: float) -> None:
    full: queue.Queue[int] = queue.Queue(1)
    full.put(1)
    with suppress(queue.Full):
        full.put(2, timeout=seconds)


def empty_queue(seconds: float) -> None:
    with suppress(queue.Empty):
        queue.Queue[int]().get(timeout=seconds)


def simple_queue(seconds: float) -> None:
    with suppress(queue.Empty):
        queue.SimpleQueue[int]().get(timeout=seconds)


def pool(seconds: float) -> None:
    with ThreadPoolExecutor(1) as threads:
        threads.submit(time.sleep, seconds).result()


def future(seconds: float) -> None:
    over = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        with suppress(TimeoutError):
            threads.submit(over.wait).result(timeout=seconds)
        over.set()


def timer(seconds: float) -> None:
    waiting = threading.Timer(seconds, lambda: None)
    waiting.start()
    waiting.join()


def silent_socket(seconds: float) -> None:
    here, there = socket.socketpair()
    with here, there, suppress(TimeoutError):
        here.settimeout(seconds)
        here.recv(1)


def selector(seconds: float) -> None:
    with selectors.DefaultSelector() as waiting:
        waiting.select(seconds)


def loop_of_its_own(seconds: float) -> None:
    asyncio.run(asyncio.sleep(seconds))


def short_sleeps(seconds: float) -> None:
    """Asks the clock again and again, and sleeps a little in between."""
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        time.sleep(min(0.25, left_s))


def retrying(seconds: float) -> None:
    """Has tenacity wait between two attempts at nothing."""
    with suppress(tenacity.RetryError):
        tenacity.Retrying(stop=tenacity.stop_after_attempt(2), wait=tenacity.wait_fixed(seconds))(lambda: 1 / 0)


async def wait_for(seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


async def timeout(seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().create_future()


async def call_later(seconds: float) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await over.wait()


async def move_on(seconds: float) -> None:
    with anyio.move_on_after(seconds):
        await anyio.sleep_forever()


async def in_a_thread(seconds: float) -> None:
    await asyncio.to_thread(time.sleep, seconds)


async def thread_of_anyio(seconds: float) -> None:
    await anyio.to_thread.run_sync(time.sleep, seconds)


async def retrying_async(seconds: float) -> None:
    with suppress(tenacity.RetryError):
        async for attempt in tenacity.AsyncRetrying(stop=tenacity.stop_after_attempt(2), wait=tenacity.wait_fixed(seconds)):
            with attempt:
                raise ZeroDivisionError


def locked(seconds: float) -> None:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire(timeout=seconds)


BLOCKING: dict[str, Way] = {
    "Sleep": lambda seconds: time.sleep(seconds),
    "Event": lambda seconds: threading.Event().wait(seconds),
    "Condition": condition,
    "Semaphore": lambda seconds: threading.Semaphore(0).acquire(timeout=seconds),
    "FullQueue": full_queue,
    "EmptyQueue": empty_queue,
    "SimpleQueue": simple_queue,
    "Pool": pool,
    "Future": future,
    "Timer": timer,
    "Socket": silent_socket,
    "Select": lambda seconds: select.select([], [], [], seconds),
    "Poll": lambda seconds: select.poll().poll(seconds * 1000),
    "Selector": selector,
    "LoopOfItsOwn": loop_of_its_own,
    "ShortSleeps": short_sleeps,
    "Tenacity": retrying,
}
UNREACHED: dict[str, Way] = {"Lock": locked, "KeptBefore": time.sleep}  # the latter in a mapping, where no patch looks
ASYNC: dict[str, WayAsync] = {
    "AsyncSleep": asyncio.sleep,
    "WaitFor": wait_for,
    "AsyncTimeout": timeout,
    "CallLater": call_later,
    "Anyio": anyio.sleep,
    "MoveOn": move_on,
    "InAThread": in_a_thread,
    "ThreadOfAnyio": thread_of_anyio,
    "AsyncTenacity": retrying_async,
}


def _blocking(name: str, way: Way, share: float) -> type:
    return type(name, (over_requests.Honest,), {"sleep": lambda self, seconds: way(seconds * share), "__module__": __name__})


def _async(name: str, way: WayAsync, share: float) -> type:
    async def sleep(self: over_aiohttp.Honest, seconds: float) -> None:
        await way(seconds * share)

    return type(name, (over_aiohttp.Honest,), {"sleep": sleep, "__module__": __name__})


for _name, _way in BLOCKING.items():
    globals().update({name: _blocking(name, _way, share) for name, share in ((_name, 1.0), (f"{_name}InHaste", 0.5))})
globals().update({name: _blocking(name, way, 1.0) for name, way in UNREACHED.items()})
for _name, _way_async in ASYNC.items():
    globals().update({name: _async(name, _way_async, share) for name, share in ((_name, 1.0), (f"{_name}InHaste", 0.5))})
