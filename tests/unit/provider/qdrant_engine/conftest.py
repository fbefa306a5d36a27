"""A server without ports for tests of the wire format, and one with ports for the official client."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import orjson
import pytest

from harness.exchange import Request, Response
from harness.provider.qdrant_engine import QdrantServer

Ask = Callable[..., Response]
JSON = (("content-type", "application/json"),)
SQUARE = {"vectors": {"size": 4, "distance": "Dot"}}


def asking(server: QdrantServer, *headers: tuple[str, str]) -> Ask:
    """A function that asks the server in process; a body that isn't bytes is sent as JSON."""

    def ask(method: str, target: str, body: object = None) -> Response:
        raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return server.answer(Request(method=method, target=target, headers=JSON + headers, body=raw))

    return ask


@pytest.fixture
def ask() -> Iterator[Ask]:
    """An empty server of the default version."""
    server = QdrantServer()
    server.open()
    yield asking(server)
    server.stop()


@pytest.fixture
def square(ask: Ask) -> Ask:
    """A server with a collection ``c`` of 4 dimensions (Dot) that holds points 1 to 6."""
    assert ask("PUT", "/collections/c", SQUARE).status == 200
    points = [
        {"id": number, "vector": [number, 0, 0, 1], "payload": {"number": number, "odd": bool(number % 2)}}
        for number in range(1, 7)
    ]
    assert ask("PUT", "/collections/c/points?wait=true", {"points": points}).status == 200
    return ask


@pytest.fixture(scope="session")
def server() -> Iterator[QdrantServer]:
    with QdrantServer() as running:
        yield running


def connect(server: QdrantServer, **settings: Any) -> Any:
    """The official client on both ports of a server."""
    from qdrant_client import QdrantClient

    host, _, port = server.url.removeprefix("http://").partition(":")
    grpc_port = int((server.grpc_address or ":0").partition(":")[2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of an API key over plain HTTP, which is what is tested
        return QdrantClient(
            host=host, port=int(port), grpc_port=grpc_port, https=False, check_compatibility=False, timeout=60, **settings
        )


@pytest.fixture(params=["rest", "grpc"])
def client(request: pytest.FixtureRequest, server: QdrantServer) -> Iterator[Any]:
    connected = connect(server, prefer_grpc=request.param == "grpc")
    yield connected
    connected.close()


@pytest.fixture
def name() -> str:
    """A collection name that no other test uses."""
    return uuid4().hex


def error_of(response: Response) -> str:
    """The text of an error in Qdrant's JSON envelope."""
    envelope: Any = response.json()
    assert set(envelope) == {"status", "time"}, envelope
    return str(envelope["status"]["error"])


def result_of(response: Response) -> Any:
    """The result in Qdrant's envelope."""
    envelope: Any = response.json()
    assert response.status == 200, envelope
    assert envelope["status"] == "ok"
    assert isinstance(envelope["time"], float)
    return envelope["result"]
