"""What a caller gives wrongly is told as what it is, over REST and gRPC alike, and nothing is stored or lost."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

pytest.importorskip("qdrant_edge")
from adapters.errors import IntegrationError, InvalidInput, InvalidRequest, NotFound
from adapters.qdrant import Qdrant, Range
from adapters.qdrant.filters import conditions
from adapters.sayable import as_json
from adapters.voyage_ai import VoyageAI
from harness.provider.qdrant_engine import QdrantServer

GOOD = [1.0, 0.0, 0.0, 0.0]
ENDLESS: dict[str, Any] = {}
ENDLESS["again"] = ENDLESS
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
    "a filter of more than 64 bits": (lambda c, name: c.count(name, filters={"a": 2**70}), InvalidInput, "at most 64 bits"),
    "a list of such": (lambda c, name: c.count(name, filters={"a": [1, 2**70]}), InvalidInput, "at most 64 bits"),
    "a filter that is an object": (lambda c, name: c.count(name, filters={"a": object()}), InvalidInput, "filters.a: object"),
    "an offset that is no id": (lambda c, name: c.scroll(name, offset="chunk_0"), InvalidInput, "offset: 'chunk_0'"),
    "a page of more than 64 bits": (lambda c, name: c.scroll(name, limit=2**70), InvalidInput, "scroll can't be"),
    "numbers that 32 bits can't hold": (upserting(vector=[1e300, 0.0, 0.0, 0.0]), InvalidInput, "an infinity"),
    "such in an array": (upserting(vector=np.array([1e300, 0, 0, 0])), InvalidInput, "an infinity"),
    "an integer beyond all floats": (upserting(vector=[10**400, 0, 0, 0]), InvalidInput, "an infinity"),
    "a truth value in a vector": (upserting(vector=[1.0, True, 0.0, 0.0]), InvalidInput, "there is a bool in it"),
    "text in a vector": (upserting(vector=["1", "0", "0", "0"]), InvalidInput, "there is a str in it"),
    "a decimal in a vector": (upserting(vector=[Decimal(1), 0, 0, 0]), InvalidInput, "there is a Decimal in it"),
    "an array of texts": (upserting(vector=np.array(["a", "b", "c", "d"])), InvalidInput, "an array of <U1"),
    "an array of complex numbers": (upserting(vector=np.array([1j, 0, 0, 0])), InvalidInput, "an array of complex128"),
    "an array of moments": (upserting(vector=np.array(["2026-01-01"] * 4, dtype="M8[s]")), InvalidInput, "an array of datetime64"),
    "NaN in an array in a payload": (upserting(payload={"n": np.array([math.nan])}), InvalidInput, "NaN"),
    "NaN of 32 bits in a payload": (upserting(payload={"n": [np.float32(math.nan)]}), InvalidInput, "NaN"),
    "a payload within itself": (upserting(payload=ENDLESS), InvalidInput, "the payload of point 2 can't be"),
    "ids that are a number": (lambda c, name: c.upsert_vectors(name, ids=5, vectors=[GOOD]), InvalidInput, "ids is a int"),
    "vectors that come one by one": (
        lambda c, name: c.upsert_vectors(name, ids=[2], vectors=iter([GOOD])),
        InvalidInput,
        "vectors is a list_iterator",
    ),
    "payloads by their ids": (
        lambda c, name: c.upsert_vectors(name, ids=[2], vectors=[GOOD], payloads={2: {}}),
        InvalidInput,
        "payloads is a dict",
    ),
    "points given twice": (
        lambda c, name: c.upsert_vectors(name, [{"id": 2, "vector": GOOD}], ids=[3], vectors=[GOOD]),
        InvalidInput,
        "given twice",
    ),
    "a wait that is no truth value": (
        lambda c, name: c.upsert_vectors(name, [{"id": 2, "vector": GOOD}], wait="yes"),
        InvalidInput,
        "upsert.wait",
    ),
    "a collection that is a list": (lambda c, _: c.upsert_vectors(["a"], [{"id": 2, "vector": GOOD}]), InvalidInput, "upsert.collection"),
    "a collection of half a character": (lambda c, _: c.count("\ud800"), InvalidInput, "count.collection can't be written"),
    "the collection above": (
        lambda c, _: c.upsert_vectors("..", [{"id": 2, "vector": GOOD}]),
        InvalidInput,
        r"`\.\.` can't stand in a path",
    ),
    "the collection beside": (lambda c, _: c.delete_collection("."), InvalidInput, r"`\.` can't stand in a path"),
    "a limit of numpy's": (
        lambda c, name: c.search_vectors(name, GOOD, limit=np.int64(2)),
        InvalidInput,
        "query can't be written as JSON.*int64",
    ),
    "a search by no vector at all": (lambda c, name: c.search_vectors(name, {}), InvalidInput, "vector is a dict"),
    "a bound that is a moment": (
        lambda c, name: c.count(name, filters={"t": Range(gt=datetime(2026, 1, 1))}),
        InvalidInput,
        "datetime is no bound",
    ),
    "a bound of each kind": (
        lambda c, name: c.count(name, filters={"t": Range(gt=1, lt="2026-01-01T00:00:00Z")}),
        InvalidInput,
        "not of both",
    ),
    "a filter of 64 bits and a sign": (lambda c, name: c.count(name, filters={"a": 2**63}), InvalidInput, "at most 64 bits"),
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


@dataclass
class Mark:
    score: float


@pytest.mark.parametrize("grpc", [False, True], ids=["rest", "grpc"])
def test_a_payload_is_kept_as_json_says_it(grpc: bool, server: QdrantServer) -> None:
    given = {
        "i": np.int64(3),
        "row": np.array([1, 2]),
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "by": UUID(int=7),
        "mark": Mark(0.5),
        "two": (1, 2),
    }

    async def run() -> Any:
        client = Qdrant(base_url=server.url, credential="made-up-key", prefer_grpc=grpc, grpc_address=server.grpc_address)
        name = uuid4().hex
        await client.create_collection(name, vectors={"size": 4, "distance": "Cosine"})
        await client.upsert_vectors(name, [{"id": 1, "vector": GOOD, "payload": given}], wait=True)
        await client.set_payload(name, {"again": np.float32(0.5)}, ids=[1])
        (point,) = await client.retrieve(name, [1])
        await client.aclose()
        return point.payload

    assert asyncio.run(run()) == {
        "i": 3, "row": [1, 2], "at": "2026-01-01T00:00:00+00:00", "by": str(UUID(int=7)), "mark": {"score": 0.5}, "two": [1, 2], "again": 0.5
    }  # fmt: skip


def test_a_number_that_is_no_number_hides_nowhere_in_a_payload() -> None:
    for hidden in (Mark(math.nan), [Mark(math.inf)], {"a": np.float64(math.nan)}):
        with pytest.raises(InvalidInput, match="NaN"):
            as_json({"a": hidden}, "it")


@pytest.mark.parametrize("depth", [200, 40])
def test_over_grpc_a_payload_has_a_depth(depth: int, server: QdrantServer) -> None:
    payload: dict[str, Any] = {}
    for _ in range(depth):
        payload = {"a": payload}

    async def run() -> None:
        client = Qdrant(base_url=server.url, credential="made-up-key", prefer_grpc=True, grpc_address=server.grpc_address)
        with pytest.raises(InvalidInput, match="nested too deeply"):
            await client.upsert_vectors("any", [{"id": 1, "vector": GOOD, "payload": payload}])
        await client.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("grpc", [False, True], ids=["rest", "grpc"])
def test_a_payload_as_deep_as_may_be_is_written_and_read(grpc: bool, server: QdrantServer) -> None:
    payload: dict[str, Any] = {"a": 1}
    for _ in range(31):
        payload = {"a": payload}

    async def run() -> Any:
        client = Qdrant(base_url=server.url, credential="made-up-key", prefer_grpc=grpc, grpc_address=server.grpc_address)
        name = uuid4().hex
        await client.create_collection(name, vectors={"size": 4, "distance": "Cosine"})
        await client.upsert_vectors(name, [{"id": 1, "vector": GOOD, "payload": payload}], wait=True)
        (point,) = await client.retrieve(name, [1])
        await client.aclose()
        return point.payload

    assert asyncio.run(run()) == payload


KINDS = {"word": "keyword", "number": "integer", "share": "float", "at": "datetime", "yes": "bool"}
MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "a number for a word": ({"word": 5}, "5 is no value of an index of kind keyword: give texts"),
    "a truth value for a word": ({"word": ["a", True]}, "give texts"),
    "a word for a number": ({"number": "a"}, "give integers"),
    "a truth value for a number": ({"number": True}, "give integers"),
    "a number for a truth value": ({"yes": 1}, "give truth values"),
    "a moment by itself": ({"at": "2026-01-01T00:00:00Z"}, "give a Range of moments"),
    "numbers between words": ({"word": Range(gt=1)}, "give texts"),
    "a moment among numbers": ({"number": Range(gt="2026-01-01T00:00:00Z")}, "give numbers"),
    "a number among moments": ({"at": Range(gt=1)}, "give a Range of moments"),
}


@pytest.mark.parametrize("what", MISFITS)
def test_what_no_field_of_its_kind_can_match_is_refused(what: str) -> None:
    filters, reason = MISFITS[what]
    with pytest.raises(InvalidInput, match=reason):
        conditions(filters, known=KINDS)


def test_what_a_field_of_its_kind_can_match_is_asked_for() -> None:
    filters = {"word": ["a"], "number": 5, "share": Range(gt=0.5, lt=1), "at": Range(gt="2026-01-01T00:00:00Z"), "yes": False}
    assert conditions(filters, known=KINDS) is not None
    assert conditions({"share": 1, "another": Range(lt=3)}, known={**KINDS, "another": "geo"}) is not None


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
