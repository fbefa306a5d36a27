"""Searches that come at the same time: asked for together, each told its own."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from harness.provider.qdrant_engine import QdrantServer
from harness.provider.qdrant_engine.collection import Ask, Found
from harness.provider.qdrant_engine.errors import Kind, Refused, no_collection
from harness.provider.qdrant_engine.together import MOST, LoopQueue, ThreadQueue
from tests.unit.provider.qdrant_engine.conftest import connect

SIZE = 64


def search(number: int) -> Ask:
    """A search that is known again; it is never asked for real."""
    return lambda held: number  # type: ignore[arg-type, return-value]


def number_of(ask: Ask) -> int:
    return ask(None)  # type: ignore[arg-type, return-value]


class Engine:
    """Answers each search with its number, and may be held up."""

    def __init__(self) -> None:
        self.bundles: list[tuple[str, list[int]]] = []
        self.begun = threading.Event()
        self.go = threading.Event()

    def found(self, name: str, asks: Sequence[Ask]) -> list[Found]:
        numbers = [number_of(ask) for ask in asks]
        self.bundles.append((name, numbers))
        self.begun.set()
        assert self.go.wait(60)
        if name == "unknown":
            raise no_collection(name)
        if name == "broken":
            raise ZeroDivisionError
        return [[{"id": number}] for number in numbers]


def at_once(names: Sequence[str]) -> tuple[Engine, list[Found]]:
    """One search in hand while the others come, and what each was told."""
    engine = Engine()
    queue = ThreadQueue(engine.found)
    with ThreadPoolExecutor(len(names)) as threads:
        first = threads.submit(queue.found, names[0], search(0))
        assert engine.begun.wait(60)
        others = [threads.submit(queue.found, name, search(number)) for number, name in enumerate(names[1:], 1)]
        while len(queue._waiting) < len(others):
            threading.Event().wait(0.001)
        engine.go.set()
        return engine, [each.result(60) for each in [first, *others]]


def test_threads_that_wait_are_asked_for_together_and_each_is_told_its_own() -> None:
    engine, told = at_once(["c"] * 6)
    assert [len(numbers) for _, numbers in engine.bundles] == [1, 5]
    assert told == [[{"id": number}] for number in range(6)]


def test_no_bundle_is_larger_than_the_most() -> None:
    engine, told = at_once(["c"] * (2 * MOST))
    assert [len(numbers) for _, numbers in engine.bundles] == [1, MOST, MOST - 1]
    assert told == [[{"id": number}] for number in range(2 * MOST)]


@pytest.mark.parametrize(("name", "kind"), [("unknown", Kind.NOT_FOUND), ("broken", Kind.INTERNAL)])
def test_what_goes_wrong_for_one_collection_is_told_there_only(name: str, kind: Kind) -> None:
    _, told = at_once(["c", "c", name, name, "c"])
    assert [isinstance(each, Refused) and each.kind for each in told] == [False, False, kind, kind, False]


def test_what_comes_to_a_loop_in_one_turn_is_asked_for_together_without_those_who_left() -> None:
    engine = Engine()
    engine.go.set()

    async def all_of_them() -> list[Found]:
        queue = LoopQueue(engine.found)
        coming = [queue.found("c", search(number)) for number in range(MOST + 4)]
        coming.pop(3).cancel()
        return await asyncio.gather(*coming)

    told = asyncio.run(all_of_them())
    expected = [number for number in range(MOST + 4) if number != 3]
    assert told == [[{"id": number}] for number in expected]
    assert engine.bundles == [("c", expected[: MOST - 1]), ("c", expected[MOST - 1 :])]


@pytest.fixture(scope="module")
def filled(server: QdrantServer) -> tuple[QdrantServer, Any]:
    vectors = np.random.default_rng(5).standard_normal((400, SIZE), dtype=np.float32)
    server.engine.create("together", {"vectors": {"size": SIZE, "distance": "Cosine"}})
    points = [{"id": number, "vector": vector.tolist(), "payload": {"part": number % 4}} for number, vector in enumerate(vectors)]
    server.engine.update("together", "upsert", {"points": points}, wait=True)
    return server, vectors


def body(vector: Any, number: int) -> dict[str, Any]:
    """Searches of several kinds: with a filter, another limit, with vectors."""
    wanted: dict[str, Any] = {"query": vector.tolist(), "limit": 3 + number % 3, "with_payload": number % 2 == 0}
    if number % 5 == 0:
        wanted["filter"] = {"must": [{"key": "part", "match": {"value": number % 4}}]}
    return wanted


def test_over_rest_many_at_once_find_what_each_finds_alone(filled: tuple[QdrantServer, Any]) -> None:
    server, vectors = filled
    bodies = [body(vector, number) for number, vector in enumerate(vectors[:60])]
    bodies[7] = {"query": [1.0], "limit": 3}

    async def asked() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=server.url, limits=httpx.Limits(max_connections=60), timeout=60) as client:
            return await asyncio.gather(*(client.post("/collections/together/points/query", json=each) for each in bodies))

    together = asyncio.run(asked())
    assert [each.status_code for each in together] == [400 if number == 7 else 200 for number in range(60)]
    assert "expected dim: 64, got 1" in together[7].text
    alone = [httpx.post(f"{server.url}/collections/together/points/query", json=each).json().get("result") for each in bodies]
    assert [each.json().get("result") for each in together] == alone


@pytest.mark.parametrize("grpc", [False, True], ids=["rest", "grpc"])
def test_over_either_face_threads_at_once_find_their_own(filled: tuple[QdrantServer, Any], grpc: bool) -> None:
    server, vectors = filled
    client = connect(server, prefer_grpc=grpc)
    ask: Callable[[int], Any] = lambda number: client.query_points("together", query=vectors[number].tolist(), limit=1).points[0].id
    with ThreadPoolExecutor(12) as threads:
        assert list(threads.map(ask, range(120))) == list(range(120))
    client.close()
