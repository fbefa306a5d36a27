"""Which versions can be spoken as, and what differs between them on the wire."""

import pytest

from harness.provider.qdrant_engine import QdrantServer
from harness.provider.qdrant_engine.versions import profile

from .conftest import SQUARE, Ask, asking, result_of


def speaking(version: str) -> tuple[QdrantServer, Ask]:
    server = QdrantServer(version=version)
    server.open()
    ask = asking(server)
    assert ask("PUT", "/collections/c", SQUARE).status == 200
    ask("PUT", "/collections/c/points?wait=true", {"points": [{"id": 1, "vector": [1, 2, 3, 4]}]})
    return server, ask


@pytest.mark.parametrize(
    ("written", "version"),
    [("1.16.0", "1.16.0"), ("v1.8.4", "1.8.4"), ("1.8", "1.8.0"), ("1.20.1", "1.20.1")],
)
def test_a_version_may_be_written_with_a_v_and_without_its_last_part(written: str, version: str) -> None:
    assert profile(written).version == version


@pytest.mark.parametrize("version", ["", "latest", "1", "1.7.4", "2.0.0", "1.16.0-dev"])
def test_a_version_that_cannot_be_spoken_as_is_refused_with_a_reason(version: str) -> None:
    with pytest.raises(ValueError, match=r"1\.16\.0|1\.8"):
        QdrantServer(version=version)


def test_the_version_is_told_at_the_root() -> None:
    server, ask = speaking("1.8.0")
    assert ask("GET", "/").json() == {"title": "qdrant - vector search engine", "version": "1.8.0"}
    server.stop()


@pytest.mark.parametrize(
    ("version", "status"), [("1.8.0", 404), ("1.9.7", 404), ("1.10.0", 200), ("1.16.0", 200)]
)
def test_points_query_exists_since_1_10(version: str, status: int) -> None:
    server, ask = speaking(version)
    assert ask("POST", "/collections/c/points/query", {"query": [1, 2, 3, 4]}).status == status
    server.stop()


@pytest.mark.parametrize("version", ["1.8.0", "1.16.0", "1.19.0"])
def test_the_older_search_is_answered_by_every_version(version: str) -> None:
    server, ask = speaking(version)
    found = result_of(ask("POST", "/collections/c/points/search", {"vector": [1, 2, 3, 4], "limit": 1}))
    assert [(point["id"], point["score"]) for point in found] == [(1, 30.0)]
    server.stop()


@pytest.mark.parametrize(("version", "there"), [("1.12.6", False), ("1.13.0", True), ("1.16.0", True)])
def test_the_envelope_carries_usage_since_1_13(version: str, there: bool) -> None:
    server, ask = speaking(version)
    envelope = ask("GET", "/collections").json()
    assert isinstance(envelope, dict)
    assert ("usage" in envelope) is there
    server.stop()


def test_the_collection_counts_vectors_until_1_15() -> None:
    for version, there in [("1.8.0", True), ("1.15.5", True), ("1.16.0", False)]:
        server, ask = speaking(version)
        assert ("vectors_count" in result_of(ask("GET", "/collections/c"))) is there
        server.stop()


def test_what_was_not_asked_for_is_null_in_1_8_and_left_out_later() -> None:
    server, ask = speaking("1.8.0")
    found = result_of(ask("POST", "/collections/c/points/search", {"vector": [1, 2, 3, 4], "limit": 1}))
    assert (found[0]["payload"], found[0]["vector"]) == (None, None)
    server.stop()
    server, ask = speaking("1.16.0")
    found = result_of(ask("POST", "/collections/c/points/search", {"vector": [1, 2, 3, 4], "limit": 1}))
    assert set(found[0]) == {"id", "version", "score"}
    server.stop()


def test_few_vectors_to_vacuum_are_refused_since_1_16() -> None:
    body = SQUARE | {"optimizers_config": {"vacuum_min_vector_number": 50}}
    for version, status in [("1.15.0", 200), ("1.16.0", 422)]:
        server, ask = speaking(version)
        assert ask("PUT", "/collections/other", body).status == status
        server.stop()
