"""Where a client connects to, and what it shows there, is checked before anything is sent."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from adapters.errors import InvalidInput, NotFound, ProviderUnreachable
from adapters.qdrant import Qdrant
from adapters.voyage_ai import VoyageAI
from harness.provider.qdrant_engine import QdrantServer

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no scheme": ({"base_url": "127.0.0.1:6333"}, "no URL of http or https: give one with its host"),
    "another scheme": ({"base_url": "ftp://127.0.0.1"}, "no URL of http or https"),
    "no host": ({"base_url": "http://"}, "no URL of http or https"),
    "no such port": ({"base_url": "http://127.0.0.1:99999"}, "Port out of range"),
    "a query": ({"base_url": "http://127.0.0.1:6333/?a=b"}, "leave that out"),
    "no text": ({"base_url": 5}, "base_url is a int"),
    "a line break in the key": ({"credential": "made\nup"}, "can't stand in a header.*QDRANT_API_KEY"),
    "a space after the key": ({"credential": "made-up "}, "can't stand in a header"),
    "a key beyond ASCII": ({"credential": "schlüssel"}, "can't stand in a header"),
    "a key that is no text": ({"credential": 5}, "the credential is a int"),
    "a scheme before the address": ({"prefer_grpc": True, "grpc_address": "http://localhost:6334"}, "give HOST:PORT"),
    "an address without a port": ({"prefer_grpc": True, "grpc_address": "localhost"}, "give HOST:PORT"),
    "an address without a host": ({"prefer_grpc": True, "grpc_address": ":6334"}, "give HOST:PORT"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_leads_nowhere_is_refused_at_once(what: str) -> None:
    options, reason = BAD[what]
    with pytest.raises(InvalidInput, match=reason) as told:
        Qdrant(**({"base_url": "http://127.0.0.1:6333", "credential": "made-up"} | options))
    assert not isinstance(credential := options.get("credential"), str) or credential not in str(told.value)


def test_another_service_checks_it_too() -> None:
    with pytest.raises(InvalidInput, match="VOYAGE_API_KEY"):
        VoyageAI(base_url="http://127.0.0.1:9", credential="made\nup")


@pytest.mark.parametrize("url", ["http://[::1]:6333", "https://qdrant.example/some/path/", "http://localhost"])
def test_what_leads_somewhere_is_taken(url: str) -> None:
    async def run() -> None:
        await Qdrant(base_url=url, credential="made-up", prefer_grpc=True).aclose()

    asyncio.run(run())


def test_a_connection_that_fails_says_to_where(hasty: Path) -> None:
    async def run() -> None:
        async with Qdrant(base_url="http://somebody:hidden@127.0.0.1:9", credential="made-up", contract=hasty) as client:
            with pytest.raises(ProviderUnreachable, match=r"http://127\.0\.0\.1:9") as told:
                await client.count("any")
            assert "hidden" not in str(told.value)

    asyncio.run(run())


def test_who_asks_for_tls_gets_it_over_grpc_too(server: QdrantServer, hasty: Path) -> None:
    """Without it the key would go out in the open, and this server would answer."""

    async def run() -> None:
        url = server.url.replace("http:", "https:")
        async with Qdrant(base_url=url, credential="key", contract=hasty, prefer_grpc=True, grpc_address=server.grpc_address) as client:
            with pytest.raises(ProviderUnreachable):
                await client.count("any")

    asyncio.run(run())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_over_tls_grpc_trusts_whom_rest_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(["openssl", *asked, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    seen: list[str] = []

    class Refusing(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc has no types of its own
        async def intercept_service(self, continuation: Any, details: Any) -> Any:
            seen.extend(value for name, value in details.invocation_metadata if name == "api-key")

            async def answer(request: bytes, context: Any) -> bytes:
                await context.abort(grpc.StatusCode.NOT_FOUND, "no such collection")
                return b""

            return grpc.unary_unary_rpc_method_handler(answer)

    async def run() -> None:
        running = grpc.aio.server(interceptors=[Refusing()])
        credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
        port = running.add_secure_port("localhost:0", credentials)
        await running.start()
        async with Qdrant(base_url="https://localhost", credential="made-up", prefer_grpc=True, grpc_address=f"localhost:{port}") as client:
            with pytest.raises(NotFound):
                await client.count("any")
        await running.stop(None)

    asyncio.run(run())
    assert seen == ["made-up"]
