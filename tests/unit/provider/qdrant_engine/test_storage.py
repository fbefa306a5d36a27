"""A server with a path: what it keeps, what it clears, and where it can't start."""

import fcntl
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.provider.qdrant_engine import CannotServe, QdrantServer, storage

from .conftest import SQUARE, Ask, asking, result_of

POINT = {"id": 1, "vector": [1, 2, 3, 4], "payload": {"a": 1}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def opened(path: Path) -> Iterator[QdrantServer]:
    server = QdrantServer(path=path)
    server.open()
    yield server
    server.stop()


def filled(server: QdrantServer, name: str = "c") -> Ask:
    ask = asking(server)
    assert ask("PUT", f"/collections/{name}", SQUARE).status == 200
    assert ask("PUT", f"/collections/{name}/points?wait=true", {"points": [POINT]}).status == 200
    return ask


def test_collections_points_and_indexes_are_there_after_a_restart(path: Path) -> None:
    for number in range(2):
        server = QdrantServer(path=path)
        server.open()
        ask = asking(server)
        if number == 0:
            filled(server, "c%20d")
            filled(server, "é")
            ask("PUT", "/collections/é/index?wait=true", {"field_name": "a", "field_schema": "integer"})
            ask("PATCH", "/collections/é", {"hnsw_config": {"m": 9}})
            ask("PUT", "/collections/gone", SQUARE)
            ask("DELETE", "/collections/gone")
        else:
            listed = result_of(ask("GET", "/collections"))["collections"]
            assert [collection["name"] for collection in listed] == ["c d", "é"]
            info = result_of(ask("GET", "/collections/é"))
            assert info["config"]["hnsw_config"]["m"] == 9
            assert info["payload_schema"]["a"]["data_type"] == "integer"
            assert result_of(ask("GET", "/collections/é/points/1")) == POINT | {"vector": [1, 2, 3, 4]}
        server.stop()


def test_a_deleted_collection_leaves_no_file(path: Path, opened: QdrantServer) -> None:
    ask = filled(opened)
    assert list((path / "qdrant-engine").iterdir())
    ask("DELETE", "/collections/c")
    assert list((path / "qdrant-engine").iterdir()) == []


def test_what_a_kill_left_of_an_unfinished_creation_is_cleared(path: Path) -> None:
    leftover = path / "qdrant-engine" / ("0123456789abcdef" * 2) / "shard"
    leftover.mkdir(parents=True)
    (leftover.parent / "collection.json.new").write_text('{"name": "half')
    server = QdrantServer(path=path)
    server.open()
    assert result_of(asking(server)("GET", "/collections")) == {"collections": []}
    assert not leftover.parent.exists()
    server.stop()


def test_what_others_keep_in_the_folder_is_left_alone(path: Path) -> None:
    kept = [path / "collections" / "docs" / "config.json", path / "qdrant-engine" / "notes" / "read.me"]
    for file in kept:
        file.parent.mkdir(parents=True)
        file.touch()
    server = QdrantServer(path=path)
    server.open()
    filled(server)
    server.stop()
    assert all(file.exists() for file in kept)


def test_without_a_path_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A place of its own: other tests, in other processes, have engines without a path too.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(storage, "_MEMORY", tmp_path)
    server = QdrantServer()
    server.open()
    filled(server)
    assert list(tmp_path.glob("qdrant-engine-*"))
    server.stop()
    assert not list(tmp_path.glob("qdrant-engine-*"))


def test_what_a_killed_server_left_in_memory_is_cleared_by_the_next_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_MEMORY", tmp_path / "no memory")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    running, young, unlocked = (tmp_path / f"qdrant-engine-{name}" for name in ("running", "young", "unlocked"))
    left = tmp_path / "qdrant-engine-left"
    for folder in (left, running, young, unlocked):
        (folder / "qdrant-engine").mkdir(parents=True)
        if folder is not unlocked:
            (folder / ".lock").touch()
        if folder is not young:
            os.utime(folder, (0, 0))
    with (running / ".lock").open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        server = QdrantServer()
        server.open()
        server.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"qdrant-engine-{name}" for name in ("running", "unlocked", "young")]


def test_a_path_in_use_is_refused_until_its_server_has_stopped(path: Path, opened: QdrantServer) -> None:
    with pytest.raises(
        CannotServe, match="in use by another running server: stop it, or choose another --path"
    ):
        QdrantServer(path=path).start()
    opened.stop()
    with QdrantServer(path=path) as server:
        assert server.url


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/qdrant"])
def test_a_path_that_can_not_be_written_is_refused_with_advice(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotServe, match="choose another --path, or make that folder writable"):
        QdrantServer(path=tmp_path / place).open()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused_with_advice(path: Path) -> None:
    path.mkdir(mode=0o500)
    with pytest.raises(CannotServe, match="Permission denied"):
        QdrantServer(path=path).open()


@pytest.mark.parametrize("which", ["port", "grpc_port"])
def test_a_taken_port_is_refused_with_advice_and_everything_is_let_go(path: Path, which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(CannotServe, match=rf"127.0.0.1:{number}.*choose another"):
            QdrantServer(path=path, **{which: number}).start()
    with QdrantServer(path=path, **{which: number}) as server:
        assert str(number) in (server.url if which == "port" else str(server.grpc_address))


def test_a_server_on_every_address_names_one_that_can_be_connected_to() -> None:
    with QdrantServer(host="0.0.0.0") as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert str(server.grpc_address).startswith("127.0.0.1:")


def test_grpc_can_be_left_out() -> None:
    with QdrantServer(grpc_port=None) as server:
        assert server.grpc_address is None


def test_a_collection_that_can_not_be_read_is_named_and_nothing_is_removed(path: Path) -> None:
    server = QdrantServer(path=path)
    server.open()
    filled(server)
    server.stop()
    (home,) = (path / "qdrant-engine").iterdir()
    config = home / "shard" / "edge_config.json"
    config.write_text("{")
    for _ in range(2):  # the second time too: the first has let go of the folder
        with pytest.raises(CannotServe, match=f"{home}.*restore it from a copy"):
            QdrantServer(path=path).open()
    assert json.loads((home / "collection.json").read_text())["name"] == "c"


def test_a_stopped_server_can_be_started_again(path: Path) -> None:
    server = QdrantServer(path=path)
    for _ in range(2):
        server.start()
        assert asking(server)("GET", "/collections").status == 200
        server.stop()
    with pytest.raises(RuntimeError, match="start it first"):
        asking(server)("GET", "/collections")


def test_the_vector_index_can_be_built_and_finds_the_same(opened: QdrantServer) -> None:
    ask = filled(opened)
    points = [{"id": number, "vector": [number, 1, 1, 1]} for number in range(2, 200)]
    ask("PUT", "/collections/c/points?wait=true", {"points": points})
    query = {"query": [1, 0, 0, 0], "limit": 5}
    before = result_of(ask("POST", "/collections/c/points/query", query))["points"]
    opened.engine.optimize("c")
    after = result_of(ask("POST", "/collections/c/points/query", query))["points"]
    assert [(point["id"], point["score"]) for point in after] == [
        (point["id"], point["score"]) for point in before
    ]
