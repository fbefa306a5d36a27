"""Qdrant's own quick-start for Python, as its documentation has it, against a started ``harness serve qdrant``."""

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

pytest.importorskip("qdrant_edge")
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException
from qdrant_client.http.models import PayloadSchemaType
from qdrant_client.models import (
    Distance,
    FieldCondition,
    Filter,
    FilterSelector,
    MatchAny,
    MatchValue,
    PointIdsList,
    PointStruct,
    Range,
    VectorParams,
)  # fmt: skip

ROOT = Path(__file__).parents[3]
Served = tuple[subprocess.Popen[str], int, int]


def serve(*arguments: str) -> Served:
    """The command as a user gives it, and the ports on which it says that it answers."""
    command = [sys.executable, "-X", "faulthandler", "-c", "from harness.cli import main; main()", "serve", "qdrant", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert " at http://127.0.0.1:" in line, line
    rest, _, grpc = line.strip().rpartition(":")
    return process, int(rest.partition("http://127.0.0.1:")[2].partition(",")[0]), int(grpc)


def stop(process: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> None:
    process.send_signal(how)
    try:
        process.communicate(timeout=60)  # its files are synced, on a disk that may be busy with an image
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # has it tell where each of its threads is
        said, _ = process.communicate(timeout=60)
        raise AssertionError(f"it did not end on {how.name}:\n{said}") from None


def connect(served: Served, *, prefer_grpc: bool) -> QdrantClient:
    _, port, grpc_port = served
    return QdrantClient(host="127.0.0.1", port=port, grpc_port=grpc_port, prefer_grpc=prefer_grpc, check_compatibility=False, timeout=60)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    found = serve()
    yield found
    stop(found[0])


@pytest.fixture(params=[False, True], ids=["rest", "grpc"])
def client(served: Served, request: pytest.FixtureRequest) -> Iterator[QdrantClient]:
    made = connect(served, prefer_grpc=request.param)
    yield made
    made.delete_collection("test_collection")
    made.close()


def started(client: QdrantClient) -> None:
    """The first half of the quick-start."""
    client.create_collection(
        collection_name="test_collection",
        vectors_config=VectorParams(size=4, distance=Distance.DOT),
    )
    operation_info = client.upsert(
        collection_name="test_collection",
        wait=True,
        points=[
            PointStruct(id=1, vector=[0.05, 0.61, 0.76, 0.74], payload={"city": "Berlin"}),
            PointStruct(id=2, vector=[0.19, 0.81, 0.75, 0.11], payload={"city": "London"}),
            PointStruct(id=3, vector=[0.36, 0.55, 0.47, 0.94], payload={"city": "Moscow"}),
            PointStruct(id=4, vector=[0.18, 0.01, 0.85, 0.80], payload={"city": "New York"}),
            PointStruct(id=5, vector=[0.24, 0.18, 0.22, 0.44], payload={"city": "Beijing"}),
            PointStruct(id=6, vector=[0.35, 0.08, 0.11, 0.44], payload={"city": "Mumbai"}),
        ],
    )
    assert operation_info.status == "completed"


def test_the_quick_start_runs_unchanged(client: QdrantClient) -> None:
    started(client)
    search_result = client.query_points(
        collection_name="test_collection", query=[0.2, 0.1, 0.9, 0.7], with_payload=False, limit=3
    ).points
    assert [(point.id, round(point.score, 3)) for point in search_result] == [(4, 1.362), (1, 1.273), (3, 1.208)]
    search_result = client.query_points(
        collection_name="test_collection",
        query=[0.2, 0.1, 0.9, 0.7],
        query_filter=Filter(must=[FieldCondition(key="city", match=MatchValue(value="London"))]),
        with_payload=True,
        limit=3,
    ).points
    assert [(point.id, round(point.score, 3), point.payload) for point in search_result] == [(2, 0.871, {"city": "London"})]


def test_collections_are_found_shown_and_indexed(client: QdrantClient) -> None:
    assert not client.collection_exists("test_collection")
    started(client)
    assert client.collection_exists("test_collection")
    assert "test_collection" in [each.name for each in client.get_collections().collections]
    client.create_payload_index("test_collection", field_name="city", field_schema=PayloadSchemaType.KEYWORD, wait=True)
    info = client.get_collection("test_collection")
    assert info.points_count == 6 and info.payload_schema["city"].data_type == PayloadSchemaType.KEYWORD
    assert client.delete_collection("test_collection")
    assert not client.collection_exists("test_collection")


def test_points_are_read_counted_changed_and_removed(client: QdrantClient) -> None:
    started(client)
    everywhere, offset = [], None
    while True:
        page, offset = client.scroll("test_collection", limit=4, offset=offset, with_payload=True, with_vectors=True)
        everywhere += page
        if offset is None:
            break
    assert [point.id for point in everywhere] == [1, 2, 3, 4, 5, 6]
    (berlin,) = client.retrieve("test_collection", ids=[1], with_vectors=True)
    assert berlin.payload == {"city": "Berlin"} and berlin.vector == pytest.approx([0.05, 0.61, 0.76, 0.74])
    client.set_payload("test_collection", payload={"people": 3_700_000}, points=[1], wait=True)
    assert client.retrieve("test_collection", ids=[1])[0].payload == {"city": "Berlin", "people": 3_700_000}
    big = Filter(must=[FieldCondition(key="people", range=Range(gt=1_000_000))])
    either = Filter(must=[FieldCondition(key="city", match=MatchAny(any=["Berlin", "London"]))])
    assert client.count("test_collection", count_filter=big, exact=True).count == 1
    assert client.count("test_collection", count_filter=either).count == 2
    client.delete("test_collection", points_selector=PointIdsList(points=[6]), wait=True)
    client.delete("test_collection", points_selector=FilterSelector(filter=either), wait=True)
    assert client.count("test_collection").count == 3
    name = UUID(int=7)
    client.upsert("test_collection", points=[PointStruct(id=str(name), vector=[1.0, 0.0, 0.0, 0.0])], wait=True)
    assert [point.id for point in client.retrieve("test_collection", ids=[str(name)])] == [str(name)]


def until_killed(client: QdrantClient, first: int, acknowledged: list[int], refused: threading.Event) -> None:
    """Upsert one batch after the other, and note which were acknowledged."""
    for number in range(first, first + 4000, 4):
        points = [PointStruct(id=number + i, vector=[1.0 + number, i, 0.0, 1.0], payload={"batch": number}) for i in range(4)]
        try:
            client.upsert("kept", points=points, wait=True)
        except Exception:
            refused.set()
            return
        acknowledged.append(number)


def killed_at_random(served: Served, first: int, rng: random.Random) -> list[int]:
    """The batches acknowledged over REST and gRPC at once, before the server was killed in the midst of them."""
    process, *_ = served
    lists: list[list[int]] = [[], []]
    refused = threading.Event()
    clients = [connect(served, prefer_grpc=prefer) for prefer in (False, True)]
    threads = [
        threading.Thread(target=until_killed, args=(each, first + 4000 * side, lists[side], refused)) for side, each in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    enough = rng.randint(1, 60)
    while sum(map(len, lists)) < enough and not refused.is_set():
        refused.wait(rng.random() / 100)
    stop(process, signal.SIGKILL)
    for thread in threads:
        thread.join(60)
    for each in clients:
        each.close()
    return [*lists[0], *lists[1]]


def test_what_was_acknowledged_is_there_after_each_kill(tmp_path: Path) -> None:
    rng = random.Random()
    seen: set[int] = set()
    for turn in range(3):
        served = serve("--path", str(tmp_path / "storage"))
        if turn == 0:
            client = connect(served, prefer_grpc=False)
            client.create_collection("kept", vectors_config=VectorParams(size=4, distance=Distance.COSINE))
            client.create_payload_index("kept", field_name="batch", field_schema=PayloadSchemaType.INTEGER, wait=True)
            client.close()
        seen.update(killed_at_random(served, 100_000 * turn, rng))
    assert seen
    served = serve("--path", str(tmp_path / "storage"))
    client = connect(served, prefer_grpc=True)
    wanted = [number + i for number in seen for i in range(4)]
    found = {point.id: point.payload for point in client.retrieve("kept", ids=wanted)}
    assert found == {number + i: {"batch": number} for number in seen for i in range(4)}
    for number in rng.sample(sorted(seen), min(5, len(seen))):
        matching = Filter(must=[FieldCondition(key="batch", match=MatchValue(value=number))])
        assert client.count("kept", count_filter=matching, exact=True).count == 4
    assert client.get_collection("kept").payload_schema["batch"].data_type == PayloadSchemaType.INTEGER
    client.close()
    stop(served[0])


def refusal(*arguments: str) -> tuple[int, str]:
    """How the command ends when it can't start, and what it says."""
    command = [sys.executable, "-c", "from harness.cli import main; main()", "serve", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in ended.stderr + ended.stdout
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("option", ["--port", "--grpc-port"])
def test_a_taken_port_is_told_and_nothing_is_left_running(served: Served, option: str) -> None:
    taken = served[1] if option == "--port" else served[2]
    status, said = refusal("qdrant", option, str(taken))
    assert status == 2
    assert said.startswith("error: ") and str(taken) in said and "choose another" in said


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path in (file, file / "below", Path("/proc/no/such")):
        status, said = refusal("qdrant", "--path", str(path))
        assert status == 2 and str(path) in said and said.startswith("error: ")


def test_a_folder_that_another_server_has_is_told(tmp_path: Path) -> None:
    first = serve("--path", str(tmp_path))
    try:
        status, said = refusal("qdrant", "--path", str(tmp_path))
        assert status == 2 and str(tmp_path) in said and said.startswith("error: ")
    finally:
        stop(first[0])


Bad = Callable[[QdrantClient], Any]
BAD: dict[str, tuple[Bad, str]] = {
    "another dimension": (lambda c: c.upsert("test_collection", [PointStruct(id=9, vector=[1.0, 2.0])], wait=True), "dim"),
    "an unknown collection": (lambda c: c.count("nowhere"), "`nowhere` doesn.+t exist"),
    "a collection twice": (
        lambda c: c.create_collection("test_collection", vectors_config=VectorParams(size=4, distance=Distance.DOT)), "already exists",
    ),
    "an id such as chunk_0": (lambda c: c.retrieve("test_collection", ids=["chunk_0"]), "chunk_0"),
    "nothing to find": (lambda c: c.query_points("test_collection", query=[0.2, 0.1, 0.9, 0.7], limit=0), "limit|0"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_refused_with_a_reason_and_nothing_is_lost(what: str, client: QdrantClient) -> None:
    started(client)
    ask, reason = BAD[what]
    with pytest.raises(Exception, match=reason) as told:
        ask(client)
    assert not isinstance(told.value, ResponseHandlingException) and "panick" not in str(told.value).lower()
    assert client.count("test_collection").count == 6


def test_a_filter_on_an_unknown_field_matches_nothing(client: QdrantClient) -> None:
    started(client)
    unknown = Filter(must=[FieldCondition(key="nobody", match=MatchValue(value="x"))])
    assert client.count("test_collection", count_filter=unknown).count == 0
    assert client.query_points("test_collection", query=[0.2, 0.1, 0.9, 0.7], query_filter=unknown).points == []
