"""What the client makes of trouble below HTTP and gRPC: typed errors, as many attempts as the contract says, nothing twice."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from adapters import errors
from adapters.qdrant import Qdrant
from harness.provider.qdrant_engine import QdrantServer
from harness.wire import tcp

Ask = Callable[[Qdrant], Awaitable[object]]


@pytest.fixture(params=[False, True], ids=["rest", "grpc"])
def through(request: pytest.FixtureRequest, server: QdrantServer, patient: Path) -> Callable[..., int]:
    """Ask through toxics; how many connections it took."""

    def run(*toxics: tcp.Toxic, ask: Ask, contract: Path = patient) -> int:
        async def scene() -> int:
            address = server.grpc_address if request.param else server.url.removeprefix("http://")
            host, _, port = str(address).partition(":")
            async with tcp.TcpProxy(host, int(port), toxics) as proxy:
                base = server.url if request.param else f"http://{proxy.address}"
                options = {"prefer_grpc": True, "grpc_address": proxy.address} if request.param else {}
                async with Qdrant(base_url=base, credential="key", contract=contract, **options) as client:
                    await ask(client)
                return proxy.connections

        with ServerWith(server, "toxic"):
            return asyncio.run(scene())

    return run


class ServerWith:
    """The server with a collection of a few points, for as long as this lasts."""

    def __init__(self, server: QdrantServer, name: str) -> None:
        self._engine = server.engine
        self._name = name

    def __enter__(self) -> None:
        self._engine.create(self._name, {"vectors": {"size": 2, "distance": "Cosine"}})
        points = [{"id": number, "vector": [1.0, number], "payload": {"text": "x" * 200}} for number in range(20)]
        self._engine.update(self._name, "upsert", {"points": points}, wait=True)

    def __exit__(self, *_: object) -> None:
        self._engine.delete_collection(self._name)


async def finds_all(client: Qdrant) -> None:
    assert len(await client.search_vectors("toxic", [1.0, 0.0], limit=20)) == 20


MILD = {
    "latency": tcp.Latency(seconds=0.02),
    "bandwidth": tcp.Bandwidth(bytes_per_s=100_000),
    "slicer": tcp.Slicer(piece_bytes=50, pause_s=0.0005),
    "slow_close": tcp.SlowClose(seconds=0.05),
    "a slow way up": tcp.Bandwidth(bytes_per_s=50_000, direction="upstream"),
}


@pytest.mark.parametrize("toxic", MILD)
def test_what_is_only_slow_does_no_harm(toxic: str, through: Callable[..., int]) -> None:
    assert through(MILD[toxic], ask=finds_all) == 1


@pytest.mark.parametrize("toxic", [tcp.ResetPeer(), tcp.LimitData(most_bytes=5)], ids=["reset_peer", "limit_data"])
def test_a_lost_connection_is_unreachable_after_all_attempts(toxic: tcp.Toxic, through: Callable[..., int]) -> None:
    async def ask(client: Qdrant) -> None:
        with pytest.raises(errors.ProviderUnreachable):
            await client.count("toxic")
        assert client.metrics["attempts"] >= 3, client.metrics

    through(toxic, ask=ask)


@pytest.mark.parametrize("toxic", [tcp.Timeout(seconds=30), tcp.Latency(seconds=60)], ids=["timeout", "latency beyond the limit"])
def test_what_takes_too_long_is_a_timeout_and_not_repeated(toxic: tcp.Toxic, through: Callable[..., int], hasty: Path) -> None:
    async def ask(client: Qdrant) -> None:
        with pytest.raises(errors.ProviderTimeout):
            await client.count("toxic")
        assert client.metrics["attempts"] == 1, client.metrics

    through(toxic, ask=ask, contract=hasty)


def test_an_upsert_whose_answer_is_lost_is_reported_as_failed_and_written_once_at_most(through: Callable[..., int], server: QdrantServer) -> None:
    async def ask(client: Qdrant) -> None:
        with pytest.raises(errors.ProviderUnreachable) as caught:
            await client.upsert_vectors("toxic", [{"id": 100, "vector": [1.0, 2.0]}])
        assert caught.value.report.failed_points == 1  # type: ignore[attr-defined]  # that of an upsert
        assert server.engine.info("toxic")["points_count"] in (20, 21), "over gRPC a reset comes before the request was sent"

    through(tcp.ResetPeer(), ask=ask)
