"""No body, whatever it holds, makes the server stumble: it answers, or refuses in Qdrant's envelope."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.provider.qdrant_engine import QdrantServer

from .conftest import SQUARE, Ask, asking

VECTOR = [0.1, 0.2, 0.3, 0.4]
FILTER = {
    "must": [
        {"key": "a", "match": {"value": 1}},
        {"key": "a", "range": {"gte": 1, "lt": 2.5}},
        {"key": "t", "range": {"gte": "2024-01-01T00:00:00Z"}},
        {"key": "g", "geo_radius": {"center": {"lon": 1, "lat": 2}, "radius": 3}},
        {
            "key": "g",
            "geo_bounding_box": {"top_left": {"lon": 1, "lat": 2}, "bottom_right": {"lon": 2, "lat": 1}},
        },
        {"key": "a", "values_count": {"gt": 1}},
        {"nested": {"key": "n", "filter": {"must": [{"key": "b", "match": {"any": ["x"]}}]}}},
    ],
    "should": [{"has_id": [1, "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"]}, {"is_empty": {"key": "a"}}],
    "must_not": [{"is_null": {"key": "a"}}, {"key": "a", "match": {"except": [1, 2]}}],
    "min_should": {"conditions": [{"key": "a", "match": {"text": "x"}}], "min_count": 1},
}
QUERY = {
    "query": VECTOR,
    "prefetch": [{"query": VECTOR, "limit": 3, "filter": FILTER}],
    "filter": FILTER,
    "limit": 3,
    "offset": 1,
    "score_threshold": 0.1,
    "params": {"hnsw_ef": 10, "exact": True, "quantization": {"ignore": True, "oversampling": 1.5}},
    "with_payload": {"include": ["a"]},
    "with_vector": [""],
}
BODIES: list[tuple[str, str, Any]] = [
    (
        "PUT",
        "",
        SQUARE
        | {"hnsw_config": {"m": 4}, "optimizers_config": {"deleted_threshold": 0.5}, "shard_number": 1},
    ),
    ("PUT", "", {"vectors": {"a": {"size": 2, "distance": "Dot", "on_disk": True, "hnsw_config": {"m": 1}}}}),
    (
        "PUT",
        "",
        SQUARE
        | {"sparse_vectors": {"s": {"modifier": "idf"}}, "quantization_config": {"scalar": {"type": "int8"}}},
    ),
    ("PATCH", "", {"params": {"on_disk_payload": True}, "hnsw_config": {"m": 4}, "metadata": {"a": 1}}),
    (
        "PUT",
        "/index",
        {"field_name": "z", "field_schema": {"type": "text", "tokenizer": "word", "min_token_len": 2}},
    ),
    ("PUT", "/points", {"points": [{"id": 1, "vector": VECTOR, "payload": {"a": [1, {"b": None}]}}]}),
    ("PUT", "/points", {"batch": {"ids": [1, 2], "vectors": [VECTOR, VECTOR], "payloads": [None, {"a": 1}]}}),
    ("POST", "/points", {"ids": [1, 2], "with_payload": ["a"], "with_vector": True}),
    ("POST", "/points/delete", {"points": [1]}),
    ("POST", "/points/delete", {"filter": FILTER}),
    ("POST", "/points/payload", {"payload": {"a": 1}, "points": [1], "key": "b"}),
    ("POST", "/points/payload/delete", {"keys": ["a"], "filter": FILTER}),
    ("PUT", "/points/vectors", {"points": [{"id": 1, "vector": VECTOR}]}),
    ("POST", "/points/vectors/delete", {"points": [1], "vector": [""]}),
    (
        "POST",
        "/points/batch",
        {"operations": [{"upsert": {"points": [{"id": 1, "vector": VECTOR}]}}, {"delete": {"points": [1]}}]},
    ),
    ("POST", "/points/scroll", {"limit": 2, "offset": 1, "filter": FILTER, "with_vector": True}),
    ("POST", "/points/scroll", {"order_by": {"key": "a", "direction": "asc", "start_from": 1}}),
    ("POST", "/points/count", {"filter": FILTER, "exact": True}),
    ("POST", "/points/search", {"vector": {"name": "", "vector": VECTOR}, "limit": 2, "filter": FILTER}),
    ("POST", "/points/search/batch", {"searches": [{"vector": VECTOR, "limit": 2}]}),
    ("POST", "/points/query", QUERY),
    ("POST", "/points/query", {"query": {"fusion": "rrf"}, "prefetch": QUERY["prefetch"]}),
    ("POST", "/points/query", {"query": {"order_by": {"key": "a", "start_from": 1}}, "using": ""}),
    ("POST", "/points/query", {"query": {"rrf": {"k": 2, "weights": [1.0]}}, "prefetch": QUERY["prefetch"]}),
    ("POST", "/points/query/batch", {"searches": [QUERY]}),
    ("POST", "/facet", {"key": "a", "limit": 1, "filter": FILTER}),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def asked() -> Iterator[Ask]:
    """A server with a collection ``c`` that is indexed and holds a point."""
    server = QdrantServer()
    server.open()
    ask = asking(server)
    ask("PUT", "/collections/c", SQUARE)
    for field in ("a", "t"):
        ask("PUT", "/collections/c/index?wait=true", {"field_name": field, "field_schema": "integer"})
    yield ask
    server.stop()


def target(method: str, suffix: str) -> str:
    """The path for a body; one that creates a collection gets another name than the one in use."""
    name = "other" if (method, suffix) == ("PUT", "") else "c"
    return f"/collections/{name}{suffix}?wait=true"


def replaced(body: Any, value: Any, rng: random.Random) -> Any:
    """The body with one of its values, or all of it, replaced."""
    body = copy.deepcopy(body)
    holder, key, inner = None, None, body
    while isinstance(inner, dict | list) and inner and rng.random() < 0.9:
        holder, key = inner, rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))
        inner = holder[key]
    if holder is None:
        return value
    holder[key] = value
    return body


@settings(max_examples=300, deadline=None)
@given(which=st.sampled_from(BODIES), value=JSON, rng=st.randoms(use_true_random=False))
def test_a_body_with_anything_in_it_is_answered_or_refused(
    asked: Ask, which: tuple[str, str, Any], value: Any, rng: random.Random
) -> None:
    method, suffix, body = which
    response = asked(method, target(method, suffix), replaced(body, value, rng))
    envelope: Any = response.json()
    assert response.status in (200, 400, 404, 409, 422), envelope
    assert (envelope["status"] == "ok") == (response.status == 200)
    asked("DELETE", "/collections/other")


@pytest.mark.parametrize(("method", "suffix", "body"), BODIES)
def test_the_bodies_themselves_are_read(asked: Ask, method: str, suffix: str, body: Any) -> None:
    asked("PUT", "/collections/c/points?wait=true", {"points": [{"id": 1, "vector": VECTOR}]})
    response = asked(method, target(method, suffix), body)
    assert response.status == 200, response.body
    asked("DELETE", "/collections/other")
