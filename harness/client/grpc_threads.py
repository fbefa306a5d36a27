"""The threads in which gRPC works: those for asyncio serve all loops of a process, so they belong to no run, and to no clock of one."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import grpc.aio
from grpc import _channel as blocking
from grpc.aio import _channel, _interceptor

# Where gRPC makes a moment of a timeout, to be told to threads that keep real time.
DEADLINES: tuple[tuple[ModuleType, str], ...] = (
    (blocking, "_deadline"),
    (_channel, "_timeout_to_deadline"),
    (_interceptor, "_timeout_to_deadline"),
)


LATE_S = 10.0  # that a busy machine may be with sending a call
ROUNDED = 0.01  # gRPC tells three digits of a timeout, rounded up

_given: dict[float, None] = {}


def given_for(told_s: float) -> float:
    """The timeout that a client gave, by what gRPC tells the server of it: what is left, in real time, when the call is sent."""
    fitting = [given_s for given_s in _given if told_s * (1 - ROUNDED) <= given_s <= told_s + LATE_S]
    return min(fitting, key=lambda given_s: abs(given_s - told_s), default=told_s)


@contextmanager
def running() -> Iterator[None]:
    """They are there, started by the calling thread."""
    _given.clear()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # gRPC asks for one, and a thread in which one has run has none any more
    try:
        grpc.aio.init_grpc_aio()
    finally:
        asyncio.set_event_loop(None)
    try:
        with ExitStack() as stack:
            for module, name in DEADLINES:
                stack.enter_context(_replaced(module, name, _moment))
            yield
    finally:
        grpc.aio.shutdown_grpc_aio()
        loop.close()


def _moment(timeout: float | None) -> float | None:
    """In real time, by a clock that no run replaces."""
    if timeout is None:
        return None
    _given[timeout] = None
    return time.clock_gettime(time.CLOCK_REALTIME) + timeout


@contextmanager
def _replaced(module: ModuleType, name: str, value: Any) -> Iterator[None]:
    """Nothing where this release of gRPC has no such name."""
    before = getattr(module, name, None)
    if before is None:
        yield
        return
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)
