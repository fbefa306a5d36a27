"""Ports to talk to, and a way of talking that knows nothing of HTTP."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness.wire.connection import Answerer
from harness.wire.port import port_seam
from harness.wire.server import Server, ThreadedServer
from harness.wire.wire import Wire

Serve = Callable[..., Server]
Talk = Callable[..., bytes]
PATIENT_S = 60.0  # against hangs only


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A started server for an answerer or for a wire."""
    with ExitStack() as stack:

        def start(answering: Answerer | Wire, **options: object) -> Server:
            server = (
                port_seam(answering) if isinstance(answering, Wire) else Server(answer=answering, **options)  # type: ignore[arg-type]  # as the test spells them
            )
            return stack.enter_context(ThreadedServer(server, grace_s=PATIENT_S))

        yield start


@pytest.fixture
def talk() -> Talk:
    """Sends the pieces apart and returns all that comes until the server closes."""

    def speak(server: Server, *pieces: bytes, apart_s: float = 0.0) -> bytes:
        with socket.create_connection(server.address, timeout=PATIENT_S) as connected:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                connected.sendall(piece)
                time.sleep(apart_s)
            return _read_all(connected)

    return speak


def _read_all(connected: socket.socket) -> bytes:
    pieces: list[bytes] = []
    while piece := connected.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)
