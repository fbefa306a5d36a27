"""The threads in which gRPC works for asyncio: one set for all loops of a process, so they belong to no run."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc.aio


@contextmanager
def running() -> Iterator[None]:
    """They are there, started by the calling thread."""
    grpc.aio.init_grpc_aio()
    try:
        yield
    finally:
        grpc.aio.shutdown_grpc_aio()
