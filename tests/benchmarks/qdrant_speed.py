"""The Qdrant client beside qdrant-client on one embedded server, and that server beside its own engine."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.measure import Finding, Measure, Missing, Options
from tests.benchmarks.processes import HARNESS, free_port, running

SIZE = 2048
BATCH = 500
TOGETHER = 100  # searches in a request: as many as our client sends, by its contract
TURNS = {"upsert": 1000, "searches": 100, "searches in batches": 400}  # how many of them before it is the other's turn
NUDGE = np.float32(0.01)  # what is searched for is near what was written, and not the same
Matrix = NDArray[np.float32]
Work = Callable[[slice], Coroutine[Any, Any, None]]


def findings(options: Options) -> Iterator[Finding]:
    """Over REST and over gRPC, then the server alone."""
    try:
        import qdrant_client  # noqa: F401
        import qdrant_edge  # noqa: F401
    except ImportError as error:
        yield Missing(what="qdrant", remedy=f"{error}: pip install 'contract-harness[qdrant]'")
        return
    count = 2_000 if options.quick else 10_000
    vectors = np.random.default_rng(1).standard_normal((count, SIZE), dtype=np.float32)
    for grpc in (False, True):
        with _served() as (url, grpc_port):
            yield from asyncio.run(_beside(url, grpc_port, vectors, grpc=grpc))
    with _served() as (url, grpc_port):
        yield _alone(url, grpc_port, vectors, searches=500 if options.quick else 2_000)


@contextmanager
def _served() -> Iterator[tuple[str, int]]:
    port, grpc_port = free_port(), free_port()
    with running([*HARNESS, "serve", "qdrant", "--port", str(port), "--grpc-port", str(grpc_port)], port=grpc_port):
        yield f"http://127.0.0.1:{port}", grpc_port


async def _beside(url: str, grpc_port: int, vectors: Matrix, *, grpc: bool) -> list[Finding]:
    """Both clients at the same work, turn by turn: points written, searches one by one, searches in batches of one size."""
    from qdrant_client import AsyncQdrantClient, models

    from adapters.qdrant import Qdrant

    port = int(url.rpartition(":")[2])
    official = AsyncQdrantClient(host="127.0.0.1", port=port, grpc_port=grpc_port, prefer_grpc=grpc, timeout=60, check_compatibility=False)
    for name in ("ours", "theirs"):
        await official.create_collection(name, vectors_config=models.VectorParams(size=SIZE, distance=models.Distance.COSINE))
    taken: dict[str, list[float]] = {}
    async with Qdrant(base_url=url, credential="", prefer_grpc=grpc, grpc_address=f"127.0.0.1:{grpc_port}") as client:
        ours, theirs = _ours(client, vectors), _theirs(official, vectors)
        for work, turn in TURNS.items():
            taken[work] = [0.0, 0.0]
            for at in range(0, len(vectors), turn):
                taken[work][1] += await _seconds(theirs[work](slice(at, at + turn)))
                taken[work][0] += await _seconds(ours[work](slice(at, at + turn)))
    await official.close()
    return [_compared(taken, search, len(vectors), grpc=grpc) for search in ("searches", "searches in batches")]


def _ours(client: Any, vectors: Matrix) -> dict[str, Work]:
    async def upsert(part: slice) -> None:
        await client.upsert_vectors("ours", ids=_ids(vectors)[part], vectors=vectors[part], payloads=_payloads(vectors)[part])

    async def one_by_one(part: slice) -> None:
        for query in vectors[part] + NUDGE:
            await client.search_vectors("ours", query, limit=10)

    async def in_batches(part: slice) -> None:
        await client.search_many("ours", vectors[part] + NUDGE, limit=10)

    return {"upsert": upsert, "searches": one_by_one, "searches in batches": in_batches}


def _theirs(client: Any, vectors: Matrix) -> dict[str, Work]:
    from qdrant_client import models

    async def upsert(part: slice) -> None:
        ids, payloads, written = _ids(vectors)[part], _payloads(vectors)[part], vectors[part]
        for at in range(0, len(ids), BATCH):
            each = slice(at, at + BATCH)
            await client.upsert("theirs", models.Batch(ids=ids[each], vectors=written[each].tolist(), payloads=payloads[each]), wait=True)

    async def one_by_one(part: slice) -> None:
        for query in vectors[part] + NUDGE:
            await client.query_points("theirs", query=query, limit=10, with_payload=True)

    async def in_batches(part: slice) -> None:
        rows = vectors[part] + NUDGE
        for at in range(0, len(rows), TOGETHER):
            asked = [models.QueryRequest(query=row.tolist(), limit=10, with_payload=True) for row in rows[at : at + TOGETHER]]
            await client.query_batch_points("theirs", asked)

    return {"upsert": upsert, "searches": one_by_one, "searches in batches": in_batches}


def _ids(vectors: Matrix) -> list[int]:
    return list(range(len(vectors)))


def _payloads(vectors: Matrix) -> list[dict[str, Any]]:
    return [{"library_id": f"library {each % 50}", "chunk_index": each} for each in _ids(vectors)]


def _compared(taken: dict[str, list[float]], search: str, count: int, *, grpc: bool) -> Finding:
    """The upsert and one kind of searches as a whole, and each of them in the note."""
    parts = [taken["upsert"], taken[search]]
    ours, theirs = (" + ".join(f"{part[who]:.2f} s" for part in parts) for who in (0, 1))
    upsert, searches = (part[0] / part[1] for part in parts)
    return Measure(
        what=f"qdrant, {count} upserted + {search}, {'gRPC' if grpc else 'REST'}, against qdrant-client",
        ours=ours,
        peer=theirs,
        figure=sum(part[0] for part in parts) / sum(part[1] for part in parts),
        target=0.7,
        note=f"upsert {upsert:.2f}, {search} {searches:.2f}",
    )


async def _seconds(work: Coroutine[Any, Any, object]) -> float:
    started_s = time.perf_counter()
    await work
    return time.perf_counter() - started_s


def _alone(url: str, grpc_port: int, vectors: Matrix, *, searches: int) -> Finding:
    """The 95th percentile of a search over gRPC, and of the engine in this process, turn by turn."""
    from qdrant_client import QdrantClient, models

    client = QdrantClient(host="127.0.0.1", port=int(url.rpartition(":")[2]), grpc_port=grpc_port, prefer_grpc=True, timeout=60, check_compatibility=False)
    client.create_collection("alone", vectors_config=models.VectorParams(size=SIZE, distance=models.Distance.COSINE))
    client.upload_collection("alone", vectors=vectors, ids=range(len(vectors)), batch_size=BATCH, wait=True)
    folder = tempfile.mkdtemp()
    try:
        ways = {"server": _asked(client), "engine": _engine(Path(folder), vectors)}
        taken_s: dict[str, list[float]] = {name: [] for name in ways}
        for query in np.random.default_rng(2).standard_normal((searches, SIZE), dtype=np.float32):
            for name, search in ways.items():
                started_s = time.perf_counter()
                search(query)
                taken_s[name].append(time.perf_counter() - started_s)
    finally:
        client.close()
        shutil.rmtree(folder, ignore_errors=True)
    server_s, engine_s = (float(np.percentile(taken_s[name], 95)) for name in ("server", "engine"))
    return Measure(
        what=f"embedded Qdrant, p95 of a search among {len(vectors)} over gRPC, against the engine in process",
        ours=f"{server_s * 1e3:.2f} ms",
        peer=f"{engine_s * 1e3:.2f} ms",
        figure=server_s / engine_s,
        target=2.0,
    )


def _asked(client: Any) -> Callable[[Matrix], object]:
    """A search by the generated stubs, so that no client of anybody's is measured."""
    from qdrant_client import grpc

    points = client.grpc_points

    def search(query: Matrix) -> object:
        return points.Query(
            grpc.QueryPoints(
                collection_name="alone",
                query=grpc.Query(nearest=grpc.VectorInput(dense=grpc.DenseVector(data=query.tolist()))),
                limit=10,
                with_payload=grpc.WithPayloadSelector(enable=True),
            )
        )

    return search


def _engine(folder: Path, vectors: Matrix) -> Callable[[Matrix], object]:
    import qdrant_edge as edge

    shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors={"": edge.EdgeVectorParams(size=SIZE, distance=edge.Distance.Cosine)}))
    for at in range(0, len(vectors), BATCH):
        points = [edge.Point(at + number, vector.tolist(), {}) for number, vector in enumerate(vectors[at : at + BATCH])]
        shard.update(edge.UpdateOperation.upsert_points(points))

    def search(query: Matrix) -> object:
        return shard.query(edge.QueryRequest(limit=10, query=edge.Query.Nearest(query.tolist()), with_payload=True))

    return search
