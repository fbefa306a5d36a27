"""On a disk that is full an update is refused, and what is there stays; without that the system would kill the process."""

from pathlib import Path

import pytest

pytest.importorskip("qdrant_edge")
import grpc
from qdrant_client import models

from harness.provider.qdrant_engine import CannotServe, QdrantServer, room

from .conftest import SQUARE, asking, connect

POINT = {"points": [{"id": 1, "vector": [1, 0, 0, 0]}]}
ONE_MORE = {"points": [{"id": 2, "vector": [0, 1, 0, 0]}]}


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes are free, as far as the engine knows."""
    found = [2**40]
    monkeypatch.setattr(room, "free_bytes", lambda root: found[0])
    return found


@pytest.mark.parametrize(("version", "status"), [("1.16.0", 507), ("1.8.0", 500)])
def test_an_update_that_may_not_fit_is_refused_and_nothing_is_lost(version: str, status: int, free: list[int], tmp_path: Path) -> None:
    server = QdrantServer(path=tmp_path, version=version)
    server.open()
    ask = asking(server)
    assert ask("PUT", "/collections/c", SQUARE).status == 200
    assert ask("PUT", "/collections/c/points?wait=true", POINT).status == 200
    free[0] = room.lacking_bytes(tmp_path) + room.AHEAD - 1
    for refused in (ask("PUT", "/collections/c/points?wait=true", ONE_MORE), ask("PUT", "/collections/d", SQUARE)):
        assert refused.status == status
        assert f"MiB are free in {tmp_path}" in refused.json()["status"]["error"]
    assert ask("POST", "/collections/c/points/count", {}).json()["result"] == {"count": 1}
    free[0] += 1
    assert ask("PUT", "/collections/c/points?wait=true", ONE_MORE).status == 200
    assert ask("PUT", "/collections/d", SQUARE).status == status  # a whole collection takes more
    free[0] = 0
    assert ask("DELETE", "/collections/c").status == 200  # which makes room
    server.stop()


def test_over_grpc_it_is_told_too(free: list[int], tmp_path: Path) -> None:
    with QdrantServer(path=tmp_path) as server:
        client = connect(server, prefer_grpc=True)
        client.create_collection("c", models.VectorParams(size=4, distance=models.Distance.DOT))
        free[0] = 0
        with pytest.raises(grpc.RpcError) as told:
            client.upsert("c", [models.PointStruct(id=1, vector=[1, 0, 0, 0])])
        assert told.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "Insufficient storage: 0 MiB are free" in told.value.details()
        client.close()


def test_a_server_whose_files_do_not_fit_does_not_start_and_lets_go(free: list[int], tmp_path: Path) -> None:
    server = QdrantServer(path=tmp_path)
    server.open()
    asking(server)("PUT", "/collections/c", SQUARE)
    server.stop()
    free[0] = room.lacking_bytes(tmp_path) - 1
    with pytest.raises(CannotServe, match="no room for the collections: .*make room there, or choose another --path"):
        QdrantServer(path=tmp_path).open()
    free[0] += 1
    server.open()
    assert asking(server)("GET", "/collections/c").status == 200
    server.stop()


def test_files_are_looked_at_only_where_it_may_be_close(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(room, "lacking_bytes", lambda root: looked.append(root) or 0)
    room.assure(tmp_path, collections=3, more=0, free=lambda root: 4 * room.BEGUN)
    assert looked == []
    room.assure(tmp_path, collections=3, more=0, free=lambda root: 4 * room.BEGUN - 1)
    assert looked == [tmp_path]


def test_a_file_lacks_what_it_is_longer_than_full(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with (tmp_path / "inner" / "mapped").open("wb") as file:
        file.truncate(10 * room.MIB)
    (tmp_path / "full").write_bytes(b"x" * room.MIB)
    assert 9 * room.MIB < room.lacking_bytes(tmp_path) <= 10 * room.MIB
