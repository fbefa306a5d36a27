"""Many searches at once: the same as one by one, in as many requests as the limits ask for."""

import asyncio
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import errors
from adapters.qdrant import Qdrant, Qdrant18, ScoredPoint
from adapters.qdrant.searches import pieces
from harness.provider.qdrant_engine import QdrantServer

ROOT = Path(__file__).parents[4]
SIZE, COUNT = 8, 250
VECTORS = np.random.default_rng(3).standard_normal((COUNT, SIZE), dtype=np.float32)


@pytest.fixture(scope="module", params=[Qdrant, Qdrant18])
def kind(request: pytest.FixtureRequest, server: QdrantServer) -> type[Qdrant]:
    found: type[Qdrant] = request.param

    async def fill() -> None:
        async with found(base_url=server.url, credential="key") as client:
            await client.create_collection(found.__name__, vectors={"size": SIZE, "distance": "Cosine"})
            payloads = [{"third": number % 3} for number in range(COUNT)]
            await client.upsert_vectors(found.__name__, ids=list(range(COUNT)), vectors=VECTORS, payloads=payloads)

    asyncio.run(fill())
    return found


def _close(ours: list[ScoredPoint], theirs: list[ScoredPoint]) -> bool:
    alike = [(each.id, each.payload) for each in ours] == [(each.id, each.payload) for each in theirs]
    return alike and all(math.isclose(a.score, b.score, abs_tol=1e-5) for a, b in zip(ours, theirs, strict=True))


def _run(kind: type[Qdrant], server: QdrantServer, grpc: bool, use: Any) -> Any:
    async def scene() -> Any:
        async with kind(base_url=server.url, credential="key", prefer_grpc=grpc, grpc_address=server.grpc_address) as client:
            return await use(client)

    return asyncio.run(scene())


@pytest.mark.parametrize("grpc", [False, True], ids=["rest", "grpc"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"limit": 3, "filters": {"third": [0, 1]}},
        {"score_threshold": 0.6, "with_payload": ["third"]},
        {"offset": 2, "with_vectors": True},
    ],
    ids=str,
)
def test_many_searches_find_what_each_of_them_finds(kind: type[Qdrant], server: QdrantServer, grpc: bool, options: dict[str, Any]) -> None:
    async def use(client: Qdrant) -> None:
        name = kind.__name__
        lists = await client.search_many(name, VECTORS[:120], **options)
        assert client.metrics["attempts"] == 2
        for number in (0, 99, 100, 119):
            assert _close(lists[number], await client.search_vectors(name, VECTORS[number], **options))
        assert len(lists) == 120

    _run(kind, server, grpc, use)


@pytest.mark.parametrize("grpc", [False, True], ids=["rest", "grpc"])
def test_lists_and_arrays_of_any_kind_are_rows(kind: type[Qdrant], server: QdrantServer, grpc: bool) -> None:
    async def use(client: Qdrant) -> None:
        rows = [VECTORS[:3], VECTORS[:3].tolist(), list(VECTORS[:3]), VECTORS[:3].astype(np.float64), np.asfortranarray(VECTORS[:3])]
        first, *others = [await client.search_many(kind.__name__, each, limit=2) for each in rows]
        assert all(_close(a, b) for other in others for a, b in zip(first, other, strict=True))
        assert await client.search_many(kind.__name__, []) == await client.search_many(kind.__name__, np.empty((0, SIZE))) == []

    _run(kind, server, grpc, use)


BAD: dict[str, tuple[Any, str]] = {
    "one vector": (VECTORS[0], "not a matrix"),
    "one vector as a list": (VECTORS[0].tolist(), r"vectors\[0\] is a float"),
    "text": ("abc", "vectors is a str"),
    "rows of two sizes": ([VECTORS[0], VECTORS[1][:3]], r"vectors\[1\] has 3 components, and vectors\[0\] has 8"),
    "NaN in the last row": (np.vstack([VECTORS, np.full(SIZE, np.nan)]), "holds NaN"),
    "rows without a component": (np.empty((2, 0)), "not a matrix"),
    "truth values": (np.ones((2, SIZE), dtype=bool), "array of bool"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_matrix_of_numbers_is_refused(what: str, kind: type[Qdrant], server: QdrantServer) -> None:
    given, reason = BAD[what]

    async def use(client: Qdrant) -> None:
        with pytest.raises(errors.InvalidInput, match=reason):
            await client.search_many(kind.__name__, given)
        assert "attempts" not in client.metrics

    _run(kind, server, False, use)


@pytest.mark.parametrize("grpc", [False, True], ids=["rest", "grpc"])
def test_many_searches_where_nothing_is_fail_as_one_does(kind: type[Qdrant], server: QdrantServer, grpc: bool) -> None:
    async def use(client: Qdrant) -> None:
        with pytest.raises(errors.NotFound, match="`nowhere` doesn't exist"):
            await client.search_many("nowhere", VECTORS)
        with pytest.raises(errors.InvalidInput, match="limit"):
            await client.search_many(kind.__name__, VECTORS, limit=0)

    _run(kind, server, grpc, use)


def test_a_known_collection_has_its_dimension(server: QdrantServer) -> None:
    async def use(client: Qdrant) -> None:
        with pytest.raises(errors.InvalidInput, match=r"vectors\[0\] has 8 components, and the collection holds vectors of 2048"):
            await client.search_many(client.default_collection, VECTORS)

    _run(Qdrant, server, False, use)


def test_pieces_hold_no_more_than_they_may() -> None:
    rows = list(range(10))
    made = list(pieces(rows, most_items=4, most_bytes=10_000, write=lambda row: b"x" * 10))
    assert [list(each.rows) for each in made] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [each.number for each in made] == [0, 1, 2]
    small = list(pieces(rows, most_items=100, most_bytes=1000, write=lambda row: b"x" * 200))
    assert [row for each in small for row in each.rows] == rows
    assert max(sum(map(len, each.parts)) for each in small) <= 700
    with pytest.raises(errors.InvalidInput, match="search 0 takes 800 bytes"):
        list(pieces(rows, most_items=100, most_bytes=1000, write=lambda row: b"x" * 800))
