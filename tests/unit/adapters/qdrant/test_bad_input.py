"""What a caller gives wrongly is told as what it is, over REST and gRPC alike, and nothing is stored or lost."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

pytest.importorskip("qdrant_edge")
from adapters.errors import IntegrationError, InvalidInput, InvalidRequest, NotFound
from adapters.qdrant import Qdrant
from adapters.voyage_ai import VoyageAI
from harness.provider.qdrant_engine import QdrantServer

GOOD = [1.0, 0.0, 0.0, 0.0]
Ask = Callable[[Qdrant, str], Awaitable[Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[QdrantServer]:
    with QdrantServer() as running:
        yield running


def upserting(**parts: Any) -> Ask:
    return lambda client, name: client.upsert_vectors(name, [{"id": 2, "vector": GOOD, "payload": {}} | parts], wait=True)


BAD: dict[str, tuple[Ask, type[IntegrationError], str]] = {
    "another dimension": (upserting(vector=[1.0, 2.0]), InvalidRequest, "expected dim: 4, got 2"),
    "NaN": (upserting(vector=[1.0, 2.0, math.nan, 0.0]), InvalidInput, r"points\[0\].vector holds NaN"),
    "NaN in an array": (upserting(vector=np.array([1, 2, math.nan, 0], dtype="float32")), InvalidInput, "holds NaN"),
    "an infinity": (upserting(vector=[1.0, 2.0, math.inf, 0.0]), InvalidInput, "an infinity"),
    "a vector that is text": (upserting(vector="abcd"), InvalidInput, "vector is a str"),
    "no vector": (upserting(vector=None), InvalidInput, "has no `vector`"),
    "an id such as chunk_0": (upserting(id="chunk_0"), InvalidInput, r"points\[0\].id: 'chunk_0' can't be the id of a point.*uuid5"),
    "an id below zero": (upserting(id=-1), InvalidInput, "-1 can't be the id"),
    "an id of more than 64 bits": (upserting(id=2**70), InvalidInput, "can't be the id"),
    "an integer of more than 64 bits": (upserting(payload={"n": 2**70}), InvalidInput, "the payload of point 2 can't be"),
    "NaN in a payload": (upserting(payload={"n": [{"deep": math.nan}]}), InvalidInput, "the payload of point 2 can't be .*NaN"),
    "a set in a payload": (upserting(payload={"n": {1, 2}}), InvalidInput, "set"),
    "a key that is no text": (upserting(payload={1: 2}), InvalidInput, "the payload of point 2 can't be"),
    "half a character": (upserting(payload={"a": "\ud800"}), InvalidInput, "surrogates not allowed"),
    "an unknown collection": (lambda c, _: c.upsert_vectors("nowhere", [{"id": 2, "vector": GOOD}]), NotFound, "`nowhere` doesn't exist"),
    "an unknown collection read": (lambda c, _: c.retrieve("nowhere", [1]), NotFound, "`nowhere` doesn't exist"),
    "an empty batch": (lambda c, name: c.upsert_vectors(name, []), InvalidInput, "points is empty"),
    "a search by another dimension": (lambda c, name: c.search_vectors(name, [1.0]), InvalidRequest, "expected dim: 4, got 1"),
    "a search by NaN": (lambda c, name: c.search_vectors(name, [math.nan, 0, 0, 0]), InvalidInput, "holds NaN"),
    "no result wanted": (lambda c, name: c.search_vectors(name, GOOD, limit=0), InvalidInput, "limit_is_positive"),
    "more results than can be said": (lambda c, name: c.search_vectors(name, GOOD, limit=2**70), InvalidInput, "query can't be"),
    "a threshold of NaN": (lambda c, name: c.search_vectors(name, GOOD, score_threshold=math.nan), InvalidInput, "NaN"),
    "a filter of more than 64 bits": (lambda c, name: c.count(name, filters={"a": 2**70}), InvalidInput, "count can't be"),
    "a list of such": (lambda c, name: c.count(name, filters={"a": [1, 2**70]}), InvalidInput, "count can't be"),
    "a filter that is an object": (lambda c, name: c.count(name, filters={"a": object()}), InvalidInput, "filters.a: object"),
    "an offset that is no id": (lambda c, name: c.scroll(name, offset="chunk_0"), InvalidInput, "offset: 'chunk_0'"),
    "a page of more than 64 bits": (lambda c, name: c.scroll(name, limit=2**70), InvalidInput, "scroll can't be"),
    "nothing to delete": (lambda c, name: c.delete(name), InvalidInput, "either `ids` or `filters`"),
    "a payload set to NaN": (lambda c, name: c.set_payload(name, {"n": math.nan}, ids=[1]), InvalidInput, "set_payload can't be .*NaN"),
}


@pytest.mark.parametrize("grpc", [False, True], ids=["rest", "grpc"])
@pytest.mark.parametrize("what", BAD)
def test_bad_input_has_its_error_and_costs_nothing(what: str, grpc: bool, server: QdrantServer) -> None:
    ask, kind, reason = BAD[what]

    async def run() -> list[Any]:
        client = Qdrant(base_url=server.url, credential="made-up-key", prefer_grpc=grpc, grpc_address=server.grpc_address)
        name = uuid4().hex
        await client.create_collection(name, vectors={"size": 4, "distance": "Cosine"})
        await client.upsert_vectors(name, [{"id": 1, "vector": GOOD, "payload": {"kept": True}}], wait=True)
        with pytest.raises(kind, match=reason) as told:
            await ask(client, name)
        assert type(told.value) is kind
        left = await client.retrieve(name, [1, 2])
        await client.aclose()
        return [(point.id, point.payload) for point in left]

    assert asyncio.run(run()) == [(1, {"kept": True})]


@pytest.mark.parametrize("grpc", [False, True], ids=["rest", "grpc"])
def test_a_filter_on_an_unknown_field_finds_nothing(grpc: bool, server: QdrantServer) -> None:
    async def run() -> tuple[int, list[Any]]:
        client = Qdrant(base_url=server.url, credential="made-up-key", prefer_grpc=grpc, grpc_address=server.grpc_address)
        name = uuid4().hex
        await client.create_collection(name, vectors={"size": 4, "distance": "Cosine"})
        await client.upsert_vectors(name, [{"id": 1, "vector": GOOD, "payload": {"kept": True}}], wait=True)
        found = await client.count(name, filters={"nobody": "x"}), list(await client.search_vectors(name, GOOD, filters={"nobody": "x"}))
        await client.aclose()
        return found

    assert asyncio.run(run()) == (0, [])


def test_what_is_none_in_a_payload_is_no_nan(server: QdrantServer) -> None:
    async def run() -> Any:
        client = Qdrant(base_url=server.url, credential="made-up-key")
        name = uuid4().hex
        await client.create_collection(name, vectors={"size": 4, "distance": "Cosine"})
        await client.upsert_vectors(name, [{"id": 1, "vector": GOOD, "payload": {"a": None, "b": [None, "null", 1.5]}}], wait=True)
        (point,) = await client.retrieve(name, [1])
        await client.aclose()
        return point.payload

    assert asyncio.run(run()) == {"a": None, "b": [None, "null", 1.5]}


def test_an_integer_of_more_than_64_bits_is_invalid_for_another_service_too() -> None:
    async def run() -> None:
        client = VoyageAI(base_url="http://127.0.0.1:9", credential="made-up-key")
        with pytest.raises(InvalidInput):
            await client.rerank("a", ["b"], top_k=2**70)

    asyncio.run(run())
