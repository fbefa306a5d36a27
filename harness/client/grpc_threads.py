"""The threads in which gRPC works for asyncio: one set for all loops of a process, so they belong to no run."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import grpc.aio


@contextmanager
def running() -> Iterator[None]:
    """They are there, started by the calling thread."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # gRPC asks for one, and a thread in which one has run has none any more
    try:
        grpc.aio.init_grpc_aio()
    finally:
        asyncio.set_event_loop(None)
    try:
        yield
    finally:
        grpc.aio.shutdown_grpc_aio()
        loop.close()
