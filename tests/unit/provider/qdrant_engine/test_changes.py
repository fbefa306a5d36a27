"""The engine tells whether anything may have been changed, so that a state that is reached already is not reached again."""

from collections.abc import Iterator

import pytest

from harness.provider.qdrant_engine import QdrantServer

from .conftest import SQUARE, Ask, asking

POINT = {"points": [{"id": 1, "vector": [1, 0, 0, 1]}]}
CHANGING = [
    ("PUT", "/collections/other", SQUARE),
    ("DELETE", "/collections/c", None),
    ("PATCH", "/collections/c", {"hnsw_config": {"m": 8}}),
    ("PUT", "/collections/c/index", {"field_name": "number", "field_schema": "integer"}),
    ("DELETE", "/collections/c/index/number", None),
    ("PUT", "/collections/c/points", POINT),
    ("POST", "/collections/c/points/delete", {"points": [1]}),
    ("POST", "/collections/c/points/payload", {"payload": {"a": 1}, "points": [1]}),
    ("PUT", "/collections/c/points/payload", {"payload": {"a": 1}, "points": [1]}),
    ("POST", "/collections/c/points/payload/delete", {"keys": ["a"], "points": [1]}),
    ("POST", "/collections/c/points/payload/clear", {"points": [1]}),
    ("PUT", "/collections/c/points/vectors", POINT),
    ("POST", "/collections/c/points/batch", {"operations": [{"upsert": POINT}]}),
]
READING = [
    ("GET", "/collections", None),
    ("GET", "/collections/c", None),
    ("GET", "/collections/c/exists", None),
    ("DELETE", "/collections/none", None),
    ("PUT", "/collections/c", SQUARE),
    ("PUT", "/collections/none/points", POINT),
    ("POST", "/collections/c/points", {"ids": [1]}),
    ("GET", "/collections/c/points/1", None),
    ("POST", "/collections/c/points/scroll", {}),
    ("POST", "/collections/c/points/count", {}),
    ("POST", "/collections/c/points/search", {"vector": [1, 0, 0, 1], "limit": 1}),
    ("POST", "/collections/c/points/query", {"query": [1, 0, 0, 1]}),
    ("GET", "/metrics", None),
]


@pytest.fixture
def server() -> Iterator[QdrantServer]:
    made = QdrantServer()
    made.open()
    ask = asking(made)
    ask("PUT", "/collections/c", SQUARE)
    ask("PUT", "/collections/c/points?wait=true", POINT)
    yield made
    made.stop()


@pytest.mark.parametrize(("method", "target", "body"), CHANGING)
@pytest.mark.parametrize("wait", ["", "?wait=true"])
def test_what_may_change_anything_is_counted(method: str, target: str, body: object, wait: str, server: QdrantServer) -> None:
    ask: Ask = asking(server)
    before = server.changes
    assert ask(method, target + (wait if "points" in target or "index" in target else ""), body).status == 200
    assert server.changes > before


@pytest.mark.parametrize(("method", "target", "body"), READING)
def test_what_can_change_nothing_is_not(method: str, target: str, body: object, server: QdrantServer) -> None:
    ask: Ask = asking(server)
    before = server.changes
    ask(method, target, body)
    assert server.changes == before


def test_an_update_that_is_refused_counts_for_it_may_have_been_made_in_part(server: QdrantServer) -> None:
    before = server.changes
    body = {"operations": [{"upsert": POINT}, {"upsert": {"points": [{"id": 2, "vector": [1]}]}}]}
    assert asking(server)("POST", "/collections/c/points/batch?wait=true", body).status == 400
    assert server.changes > before
