"""The server answers as the official client's own local mode does, over REST and gRPC."""

import random
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient, models

from harness.provider.qdrant_engine import QdrantServer

from .conftest import connect

NAME = "congruent"
VECTOR = [0.3, -0.2, 0.5, 0.1, 0.9, -0.4, 0.2, 0.7]
INDEXES = {"n": "integer", "f": "float", "at": "datetime", "word": "keyword"}
Ask = Callable[[Any], Any]


def plain(value: Any) -> Any:
    """An answer without what the two may rightly differ in: numbers of operations, an empty payload."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        left_out = ("version", "operation_id")
        return {
            key: plain(entry)
            for key, entry in value.items()
            if key not in left_out and (key, entry) != ("payload", {})
        }
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def congruent(ours: Any, theirs: Any) -> bool:
    """Equal, where numbers may differ by 1e-5."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(congruent(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(congruent, ours, theirs))
    if isinstance(ours, float) or isinstance(theirs, float):
        return bool(ours == pytest.approx(theirs, abs=1e-5, rel=1e-5))
    return bool(ours == theirs)


def points(count: int, seed: int) -> list[models.PointStruct]:
    rng = random.Random(seed)
    return [
        models.PointStruct(
            id=number if number % 4 else str(UUID(int=number + 1)),
            vector=[rng.gauss(0, 1) for _ in VECTOR],
            payload={
                "n": number % 7,
                "f": number / 10,
                "word": rng.choice(["a", "b", "c d"]),
                "tags": rng.sample(["x", "y", "z"], rng.randint(0, 3)),
                "on": bool(number % 2),
                "at": f"2024-01-{number % 28 + 1:02d}T10:00:00Z",
                "deep": {"k": number % 3, "items": [{"a": number % 4, "b": number % 5}, {"a": 1, "b": 2}]},
                "gap": None if number % 3 else 5,
                "text": rng.choice(["quick brown fox", "lazy dog", "fox and dog"]),
                "where": {"lon": rng.uniform(10, 14), "lat": rng.uniform(50, 54)},
            }
            | ({"rare": 1} if number % 5 == 0 else {}),
        )
        for number in range(count)
    ]


def created(client: Any, name: str, **config: Any) -> None:
    """An empty collection, whatever was there before."""
    client.delete_collection(name)
    client.create_collection(name, **config)


def filled(client: Any) -> Any:
    created(client, NAME, vectors_config=models.VectorParams(size=8, distance=models.Distance.COSINE))
    client.upsert(NAME, points(60, seed=1), wait=True)
    return client


@pytest.fixture(scope="module")
def local() -> Any:
    return filled(QdrantClient(":memory:"))


@pytest.fixture(scope="module", params=["rest", "grpc"])
def embedded(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A server of its own: these tests write."""
    with QdrantServer() as server:
        client = connect(server, prefer_grpc=request.param == "grpc")
        yield filled(client)
        client.close()


def where(**clauses: Any) -> models.Filter:
    return models.Filter(**clauses)


def field(key: str, **condition: Any) -> models.FieldCondition:
    return models.FieldCondition(key=key, **condition)


def value(key: str, wanted: Any) -> models.FieldCondition:
    return field(key, match=models.MatchValue(value=wanted))


FILTERS = {
    "nothing": where(),
    "an integer": where(must=[value("n", 3)]),
    "a boolean": where(must=[value("on", True)]),
    "a word": where(must=[value("word", "c d")]),
    "one of a list's values": where(must=[value("tags", "x")]),
    "any of words": where(must=[field("tags", match=models.MatchAny(any=["x", "y"]))]),
    "any of integers": where(must=[field("n", match=models.MatchAny(any=[1, 2]))]),
    "any of nothing": where(must=[field("n", match=models.MatchAny(any=[]))]),
    "all but integers": where(must=[field("n", match=models.MatchExcept(**{"except": [1, 2]}))]),
    "all but words": where(must=[field("word", match=models.MatchExcept(**{"except": ["a"]}))]),
    "a word of a text": where(must=[field("text", match=models.MatchText(text="fox"))]),
    "a range": where(must=[field("f", range=models.Range(gte=1, lt=3.5))]),
    "a range of moments": where(
        must=[field("at", range=models.DatetimeRange(gte="2024-01-05T00:00:00Z", lt="2024-01-10T00:00:00Z"))]
    ),
    "several fields": where(must=[value("on", True), value("word", "a")]),
    "one of several": where(should=[value("n", 3), value("on", False)]),
    "none of several": where(must_not=[value("n", 3), value("word", "a")]),
    "two of three": where(
        min_should=models.MinShould(
            conditions=[value("n", 3), value("on", True), value("word", "a")], min_count=2
        )
    ),
    "ids": where(must=[models.HasIdCondition(has_id=[1, 2, str(UUID(int=1)), 9999])]),
    "an absent field": where(must=[models.IsEmptyCondition(is_empty=models.PayloadField(key="rare"))]),
    "an empty list": where(must=[models.IsEmptyCondition(is_empty=models.PayloadField(key="tags"))]),
    "a null": where(must=[models.IsNullCondition(is_null=models.PayloadField(key="gap"))]),
    "an element of a list": where(
        must=[
            models.NestedCondition(
                nested=models.Nested(key="deep.items", filter=where(must=[value("a", 2), value("b", 1)]))
            )
        ]
    ),
    "a path": where(must=[value("deep.k", 1)]),
    "a path through a list": where(must=[value("deep.items[].a", 3)]),
    "a count of values": where(must=[field("tags", values_count=models.ValuesCount(gt=1))]),
    "a circle": where(
        must=[
            field(
                "where", geo_radius=models.GeoRadius(center=models.GeoPoint(lon=12, lat=52), radius=100_000)
            )
        ]
    ),
    "a box": where(
        must=[
            field(
                "where",
                geo_bounding_box=models.GeoBoundingBox(
                    top_left=models.GeoPoint(lon=11, lat=53), bottom_right=models.GeoPoint(lon=13, lat=51)
                ),
            )
        ]
    ),
    "an unknown field": where(must=[value("nope", 1)]),
    "filters in a filter": where(
        must=[where(should=[value("n", 1), value("n", 2)]), where(must_not=[value("on", True)])]
    ),
}


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS.keys())
def test_a_filter_selects_the_same_points(local: Any, embedded: Any, wanted: models.Filter) -> None:
    for ask in (
        lambda client: client.scroll(NAME, scroll_filter=wanted, limit=100),
        lambda client: client.count(NAME, count_filter=wanted),
        lambda client: client.query_points(NAME, query=VECTOR, query_filter=wanted, limit=20).points,
    ):
        assert congruent(plain(ask(embedded)), plain(ask(local)))


READS: dict[str, Ask] = {
    "points by id": lambda client: client.retrieve(NAME, [1, 2, 3, 999, str(UUID(int=1))], with_vectors=True),
    "a limit": lambda client: client.query_points(NAME, query=VECTOR, limit=5).points,
    "an offset": lambda client: client.query_points(NAME, query=VECTOR, limit=5, offset=3).points,
    "a threshold": lambda client: (
        client.query_points(NAME, query=VECTOR, limit=60, score_threshold=0.3).points
    ),
    "fields left out": lambda client: (
        client.query_points(
            NAME, query=VECTOR, with_payload=models.PayloadSelectorExclude(exclude=["where", "deep.k"])
        ).points
    ),
    "fields picked": lambda client: (
        client.query_points(NAME, query=VECTOR, with_payload=["deep.items[].a", "n"]).points
    ),
    "vectors": lambda client: (
        client.query_points(NAME, query=VECTOR, with_payload=False, with_vectors=True).points
    ),
    "a point": lambda client: client.query_points(NAME, query=5, limit=5).points,
    "a point with a uuid": lambda client: client.query_points(NAME, query=str(UUID(int=1)), limit=5).points,
    "no query": lambda client: client.query_points(NAME, limit=5).points,
    "a batch": lambda client: [
        answer.points
        for answer in client.query_batch_points(
            NAME, [models.QueryRequest(query=VECTOR, limit=2), models.QueryRequest(query=3, limit=3)]
        )
    ],
    "a second look": lambda client: (
        client.query_points(NAME, prefetch=models.Prefetch(query=VECTOR, limit=10), query=3, limit=5).points
    ),
    "fused scores": lambda client: (
        client.query_points(
            NAME,
            prefetch=[models.Prefetch(query=VECTOR, limit=10), models.Prefetch(query=3, limit=10)],
            query=models.FusionQuery(fusion=models.Fusion.DBSF),
            limit=5,
        ).points
    ),
    "a page": lambda client: client.scroll(NAME, limit=7, offset=20),
}


@pytest.mark.parametrize("ask", READS.values(), ids=READS.keys())
def test_a_read_gives_the_same(local: Any, embedded: Any, ask: Ask) -> None:
    assert congruent(plain(ask(embedded)), plain(ask(local)))


@pytest.mark.parametrize("distance", models.Distance)
def test_every_distance_scores_and_sorts_the_same(
    local: Any, embedded: Any, distance: models.Distance
) -> None:
    def ask(client: Any) -> Any:
        name = f"named-{distance}"
        created(
            client,
            name,
            vectors_config={"dense": models.VectorParams(size=4, distance=distance)},
            sparse_vectors_config={"words": models.SparseVectorParams()},
        )
        rng = random.Random(7)
        client.upsert(
            name,
            [
                models.PointStruct(
                    id=number,
                    vector={
                        "dense": [rng.gauss(0, 1) for _ in range(4)],
                        "words": models.SparseVector(indices=[1, number + 2], values=[rng.random(), 0.5]),
                    },
                )
                for number in range(20)
            ],
            wait=True,
        )
        query = [0.1, 0.2, -0.3, 0.4]
        words = models.SparseVector(indices=[1, 4], values=[1.0, 2.0])
        return [
            client.query_points(name, query=query, using="dense", limit=20, with_vectors=["dense"]).points,
            client.query_points(name, query=query, using="dense", score_threshold=0.5, limit=20).points,
            client.query_points(name, query=3, using="dense", limit=5).points,
            client.query_points(name, query=words, using="words", limit=5).points,
        ]

    assert congruent(plain(ask(embedded)), plain(ask(local)))


def test_an_order_by_an_indexed_field_is_the_same(local: Any, embedded: Any) -> None:
    for key, kind in INDEXES.items():
        embedded.create_payload_index(NAME, key, kind, wait=True)
    for order in (
        models.OrderBy(key="f"),
        models.OrderBy(key="f", direction=models.Direction.DESC, start_from=3.0),
    ):
        found = [client.scroll(NAME, limit=10, order_by=order)[0] for client in (embedded, local)]
        assert congruent(plain(found[0]), plain(found[1]))


Step = Callable[[Any], Any]
NUMBERS = st.integers(0, 11)
WORDS = st.sampled_from(["a", "b", "c"])


def upserted(number: int, n: int) -> Step:
    vector = [float(number + 1), float(n), 1.0, 2.0]
    point = models.PointStruct(id=number, vector=vector, payload={"n": n, "keep": {"me": n}})
    return lambda client: client.upsert("steps", [point], wait=True)


def payload_set(n: int, word: str) -> Step:
    chosen = where(must=[value("n", n)])
    return lambda client: client.set_payload("steps", {"word": word}, points=chosen, wait=True)


def payload_deleted(word: str) -> Step:
    chosen = where(must=[value("word", word)])
    return lambda client: client.delete_payload("steps", ["keep.me"], points=chosen, wait=True)


def deleted(numbers: list[int]) -> Step:
    return lambda client: client.delete("steps", points_selector=numbers, wait=True)


def deleted_where(n: int) -> Step:
    selector = models.FilterSelector(filter=where(must=[value("n", n)]))
    return lambda client: client.delete("steps", points_selector=selector, wait=True)


STEPS = st.lists(
    st.one_of(
        st.builds(upserted, NUMBERS, st.integers(0, 3)),
        st.builds(payload_set, st.integers(0, 3), WORDS),
        st.builds(payload_deleted, WORDS),
        st.builds(deleted, st.lists(NUMBERS, min_size=1, max_size=3)),
        st.builds(deleted_where, st.integers(0, 3)),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_any_sequence_of_updates_leaves_the_same_points(local: Any, embedded: Any, steps: list[Step]) -> None:
    left = []
    for client in (embedded, local):
        created(client, "steps", vectors_config=models.VectorParams(size=4, distance=models.Distance.DOT))
        for step in steps:
            step(client)
        left.append(plain(client.scroll("steps", limit=100, with_vectors=True)))
    assert congruent(left[0], left[1])


@pytest.mark.parametrize(
    "lie",
    [
        lambda answer: answer[:-1],
        lambda answer: answer[::-1],
        lambda answer: [*answer[:-1], answer[-1] | {"score": answer[-1]["score"] + 1e-4}],
        lambda answer: [*answer[:-1], answer[-1] | {"payload": {}}],
        lambda answer: [*answer[:-1], {key: entry for key, entry in answer[-1].items() if key != "payload"}],
    ],
    ids=["a point dropped", "another order", "another score", "an empty payload", "no payload"],
)
def test_a_difference_between_two_answers_is_seen(local: Any, lie: Callable[[Any], Any]) -> None:
    answer = plain(local.query_points(NAME, query=VECTOR, limit=5).points)
    assert congruent(answer, answer)
    assert not congruent(lie(answer), answer)
