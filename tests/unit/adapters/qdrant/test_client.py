"""The client against the engine, over REST and over gRPC."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid5

import numpy as np
import pytest

from adapters import errors
from adapters.qdrant import Qdrant, Range, UpsertReport
from harness.provider.qdrant_engine import QdrantServer

SIZE = 16
Use = Callable[[Qdrant, str], Awaitable[None]]
NAMES = iter(range(10_000))


@pytest.fixture(params=[False, True], ids=["rest", "grpc"])
def using(request: pytest.FixtureRequest, server: QdrantServer) -> Callable[[Use], None]:
    """Run something with a client and an empty collection of its own."""

    def run(use: Use) -> None:
        name = f"test_{next(NAMES)}"

        async def scene() -> None:
            options = {"prefer_grpc": request.param, "grpc_address": server.grpc_address}
            async with Qdrant(base_url=server.url, credential="key", **options) as client:
                await client.ensure_collection(name, size=SIZE)
                await use(client, name)
                await client.delete_collection(name)

        asyncio.run(scene())

    return run


def vectors(count: int, *, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(count, SIZE)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_ensuring_a_collection_twice_makes_it_once_with_its_indexes(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        assert await client.ensure_collection(name, size=SIZE) is False
        info = await client.info(name)
        assert (info.size, info.distance) == (SIZE, "Cosine")
        assert info.indexed == {
            "library_id": "keyword",
            "doc_type": "keyword",
            "language": "keyword",
            "section": "keyword",
            "chunk_index": "integer",
            "trust_score": "float",
            "created_at": "datetime",
        }

    using(use)


def test_a_collection_of_another_size_is_left_alone(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        with pytest.raises(errors.InvalidInput, match=f"vectors of {SIZE} components"):
            await client.ensure_collection(name, size=SIZE + 1)

    using(use)


def test_what_was_upserted_is_its_own_nearest_neighbour(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        made = vectors(50)
        await client.upsert_vectors(name, ids=list(range(50)), vectors=made, payloads=[{"chunk_index": i} for i in range(50)])
        for number in (0, 25, 49):
            nearest = (await client.search_vectors(name, made[number], limit=1, with_vectors=True))[0]
            assert nearest.id == number
            assert nearest.score == pytest.approx(1, abs=1e-5)
            assert nearest.payload == {"chunk_index": number}
            assert nearest.vector == pytest.approx(made[number], abs=1e-6)

    using(use)


def test_a_list_means_any_and_fields_mean_all(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        payloads = [{"language": "en" if i % 2 else "de", "library_id": f"lib{i % 3}", "chunk_index": i} for i in range(12)]
        await client.upsert_vectors(name, ids=list(range(12)), vectors=vectors(12), payloads=payloads)
        wanted = {"library_id": ["lib0", "lib1"], "language": "en"}
        found = await client.search_vectors(name, vectors(1)[0], limit=12, filters=wanted)
        assert {each.id for each in found} == {i for i in range(12) if i % 3 in (0, 1) and i % 2}
        assert await client.count(name, filters={"chunk_index": Range(gte=3, lt=6)}) == 3
        assert {each.id for each in (await client.scroll(name, filters=wanted)).points} == {each.id for each in found}

    using(use)


def test_payloads_of_every_kind_come_back_as_they_were(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        payload = {"text": "ä", "whole": 7, "real": 0.5, "truth": True, "nothing": None, "list": [1, "a", {"b": []}], "map": {"c": {"d": 1}}}
        await client.upsert_vectors(name, [{"id": 1, "vector": vectors(1)[0], "payload": payload}])
        assert (await client.retrieve(name, [1]))[0].payload == payload

    using(use)


def test_ids_may_be_uuids(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        identity = uuid5(UUID(int=0), "chunk_0")
        await client.upsert_vectors(name, [{"id": identity, "vector": vectors(1)[0]}])
        assert [each.id for each in await client.retrieve(name, [identity])] == [str(identity)]

    using(use)


def test_scrolling_visits_each_point_once(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        await client.upsert_vectors(name, ids=list(range(25)), vectors=vectors(25))
        assert [point.id async for point in client.scroll_all(name, limit=7)] == list(range(25))

    using(use)


def test_deleted_points_are_gone(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        await client.upsert_vectors(name, ids=[1, 2, 3], vectors=vectors(3), payloads=[{"section": s} for s in "aab"])
        assert await client.delete(name, [2]) == "completed"
        assert await client.count(name) == 2
        await client.delete(name, filters={"section": "a"})
        assert [point.id async for point in client.scroll_all(name)] == [3]
        with pytest.raises(errors.InvalidInput, match="everything=True"):
            await client.delete(name, filters={})
        await client.delete(name, filters={}, everything=True)
        assert await client.count(name) == 0

    using(use)


def test_setting_a_field_keeps_the_others(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        await client.upsert_vectors(name, ids=[1], vectors=vectors(1), payloads=[{"section": "a"}])
        await client.set_payload(name, {"language": "en"}, ids=[1])
        assert (await client.retrieve(name, [1]))[0].payload == {"section": "a", "language": "en"}

    using(use)


def test_many_points_go_out_in_batches_and_all_arrive(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        report = await client.upsert_vectors(name, ids=list(range(2_001)), vectors=vectors(2_001))
        assert (len(report.upserted), report.batches, report.failed) == (2_001, 3, ())
        assert await client.count(name) == 2_001

    using(use)


def test_inserted_and_updated_are_told_apart_on_request(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        first = await client.upsert_vectors(name, ids=[1, 2], vectors=vectors(2))
        assert (first.inserted, first.updated) == (None, None)
        second = await client.upsert_vectors(name, ids=[2, 3, 4], vectors=vectors(3), distinguish=True)
        assert (second.inserted, second.updated) == (2, 1)

    using(use)


def test_of_two_points_with_one_id_the_last_counts(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        points = [{"id": 1, "vector": vectors(1)[0], "payload": {"chunk_index": i}} for i in range(1_002)]
        await client.upsert_vectors(name, points)
        assert (await client.retrieve(name, [1]))[0].payload == {"chunk_index": 1_001}

    using(use)


def test_what_could_not_be_upserted_is_reported_with_the_error(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        points = [{"id": i, "vector": vectors(1)[0]} for i in range(1_500)]
        points[1_200]["vector"] = [1.0] * (SIZE + 1)
        with pytest.raises(errors.InvalidRequest, match="expected dim: 16, got 17") as caught:
            await client.upsert_vectors(name, points)
        report: UpsertReport = caught.value.report  # type: ignore[attr-defined]  # that of an upsert
        assert report.upserted == list(range(1_000))
        assert [batch.number for batch in report.failed] == [1]
        assert report.failed[0].ids == tuple(range(1_000, 1_500))
        assert report.failed_points == 500
        assert "batch 1 with 500 points failed" in str(report)
        assert await client.count(name) == 1_000

    using(use)


def test_an_unknown_collection_is_not_found(using: Callable[[Use], None]) -> None:
    async def use(client: Qdrant, name: str) -> None:
        with pytest.raises(errors.NotFound, match="absent"):
            await client.search_vectors("absent", vectors(1)[0])

    using(use)


def test_a_wrong_key_is_refused_and_shown_nowhere(server: QdrantServer) -> None:
    async def scene(grpc: bool) -> None:
        async with Qdrant(base_url=server.url, credential="s3cret", prefer_grpc=grpc, grpc_address=server.grpc_address) as client:
            with pytest.raises(errors.AuthenticationFailed) as caught:
                await client.count("any")
            assert "s3cret" not in f"{caught.value!r} {client!r}"

    for grpc in (False, True):
        asyncio.run(scene(grpc))


BAD: dict[str, tuple[Callable[[Qdrant, str], Awaitable[object]], str]] = {
    "NaN": (lambda client, name: client.search_vectors(name, [float("nan")] * SIZE), "NaN or an infinity"),
    "infinity in an array": (lambda client, name: client.search_vectors(name, np.full(SIZE, np.inf)), "NaN or an infinity"),
    "text as a vector": (lambda client, name: client.search_vectors(name, "vector"), "give a list of numbers or a numpy array"),
    "two rows": (lambda client, name: client.search_vectors(name, np.ones((2, SIZE))), "not one row of numbers"),
    "the platform's dimension": (lambda client, name: client.search_vectors("contexter_docs", [1.0]), "holds vectors of 2048"),
    "no points": (lambda client, name: client.upsert_vectors(name, []), "at least one point"),
    "no ids": (lambda client, name: client.upsert_vectors(name), "give `points`, or `ids` with `vectors`"),
    "a name as id": (lambda client, name: client.upsert_vectors(name, [{"id": "chunk_0", "vector": [1.0]}]), "uuid5"),
    "a negative id": (lambda client, name: client.retrieve(name, [-1]), "an integer from 0"),
    "a truth value as id": (lambda client, name: client.retrieve(name, [True]), "can't be the id"),
    "a point without a vector": (lambda client, name: client.upsert_vectors(name, [{"id": 1}]), "has no `vector`"),
    "columns that differ": (lambda client, name: client.upsert_vectors(name, ids=[1, 2], vectors=[[1.0]]), "2 ids, 1 vectors"),
    "a payload that is no mapping": (lambda client, name: client.upsert_vectors(name, [{"id": 1, "vector": [1.0], "payload": 3}]), "give a mapping"),
    "an unknown field": (lambda client, name: client.count(name, filters={"libary_id": "x"}), "nearest is `library_id`"),
    "a float in a filter": (lambda client, name: client.count(name, filters={"trust_score": 0.5}), "give a Range"),
    "a range without bounds": (lambda client, name: client.count(name, filters={"trust_score": Range()}), "needs bounds"),
    "a filter that is none": (lambda client, name: client.count(name, filters=["x"]), "a mapping of fields"),
    "no limit": (lambda client, name: client.search_vectors(name, [1.0] * SIZE, limit=0), "at least one point"),
    "a nameless collection": (lambda client, name: client.count(""), "collection"),
    "neither ids nor filters": (lambda client, name: client.delete(name), "either `ids` or `filters`"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_refused_in_words(bad: str, using: Callable[[Use], None]) -> None:
    ask, message = BAD[bad]

    async def use(client: Qdrant, name: str) -> None:
        before = client.metrics
        with pytest.raises(errors.InvalidInput, match=message):
            await ask(client, name)
        assert client.metrics == before, "nothing is sent"

    using(use)
