"""A store under varied traffic: filled, searched and added to, and found out when it lies; and what a busy machine is not."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Request, Response
from harness.provider.qdrant_engine import QdrantServer

CONTRACT = Path(__file__).parents[3] / "contracts" / "qdrant" / "v1.16.yaml"
SMOKE = "{rate: 100/s, duration: 2s, mix: {query: 8, upsert: 1, retrieve: 1}, fill: 2}"
SLA = "{availability: 99.5%, response_time_p95: 500ms, throughput: 50/s, error_rate: 1%}"
Answer = Callable[[Request], Any]
Told = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def small(tmp_path: Path) -> Agreement:
    """The contract with vectors that are short enough for a test, objectives and a smoke profile of its own."""
    text = CONTRACT.read_text().replace("contexter_docs: {size: 2048,", "contexter_docs: {size: 32,")
    text = re.sub(r"(?m)^  smoke: .*$", f"  smoke: {SMOKE}", text)
    text = re.sub(r"(?m)^sla: .*$", f"sla: {SLA}", text)
    path = tmp_path / "contracts" / "qdrant" / "v1.16.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return load(path, root=tmp_path)


@pytest.fixture
def run(small: Agreement, serve: Callable[[Answer], str], locust: Callable[..., Any]) -> Callable[..., Any]:
    """Loads a provider that lies so about what the engine answers."""

    def run(lie: Callable[[Answer], Answer]) -> Any:
        engine = QdrantServer(grpc_port=None)
        engine.open()
        try:
            return locust("--contract", "qdrant", "--provider", serve(lie(engine.answer)).removesuffix("/v1"))
        finally:
            engine.stop()

    return run


def noting(seen: list[Request], answer: Answer) -> Answer:
    """Answers as it is, and keeps what was asked."""

    def note(request: Request) -> Any:
        seen.append(request)
        return answer(request)

    return note


def is_query(request: Request) -> bool:
    return request.path.endswith("/points/query")


def is_upsert(request: Request) -> bool:
    return request.method == "PUT" and request.path.endswith("/points")


def test_an_honest_store_is_filled_and_keeps_every_objective(run: Callable[..., Any], told: Told) -> None:
    seen: list[Request] = []

    def remembering(answer: Answer) -> Answer:
        seen.clear()
        return noting(seen, answer)

    ran = told(lambda: run(remembering))
    assert (ran.status, ran.missed(), ran.broken()) == (0, set(), set())
    assert "filling: 2 of 2 requests `upsert`" in ran.said
    bodies = [request.body for request in seen if is_query(request) or is_upsert(request)]
    assert len(set(bodies)) == len(bodies) == 182  # two fills, and of 200 requests 160 searches and 20 writes: no two alike
    assert [request.method for request in seen if request.path == "/collections/contexter_docs"] == ["PUT", "DELETE"]


def slowing(answer: Answer) -> Answer:
    """The more it was given to hold, the longer it takes."""
    held: list[Request] = []

    async def slow(request: Request) -> Response:
        held.extend([request] if is_upsert(request) else [])
        await asyncio.sleep(0.06 * max(0, len(held) - 4))  # the fill and the first few go well
        return answer(request)  # type: ignore[no-any-return]  # an engine answers at once

    return slow


def failing_every_fiftieth(answer: Answer) -> Answer:
    asked: list[None] = []

    def failing(request: Request) -> Any:
        asked.append(None)
        return Response(status=500, headers=(("content-type", "text/plain"),), body=b"no") if len(asked) % 50 == 0 else answer(request)

    return failing


def answering_an_old_search(answer: Answer) -> Answer:
    old: list[Response] = []

    def repeating(request: Request) -> Any:
        if not is_query(request):
            return answer(request)
        if b"library-" in request.body:
            old.append(answer(request))
        return old[0] if old else answer(request)

    return repeating


def test_a_store_that_slows_with_what_it_holds_is_too_slow(run: Callable[..., Any], told: Told) -> None:
    ran = told(lambda: run(slowing))
    assert ran.status == 3
    assert "sla.response_time_p95" in ran.missed() <= {"sla.response_time_p95", "sla.throughput"}
    assert ran.measured["load.query.p95_s"] > 0.5 > ran.measured["load.query.p50_s"] / 2


def test_an_error_for_every_fiftieth_is_an_error_rate(run: Callable[..., Any], told: Told) -> None:
    ran = told(lambda: run(failing_every_fiftieth))
    assert (ran.status, ran.missed()) == (3, {"sla.availability", "sla.error_rate"})


def test_an_answer_to_another_search_is_found_out_by_what_it_holds(run: Callable[..., Any], told: Told) -> None:
    ran = told(lambda: run(answering_an_old_search))
    assert (ran.status, ran.missed()) == (3, {"sla.error_rate"})
    assert ran.broken() == {"operations.query.responses.200.invariants.filter_matches"}


def test_what_is_there_already_is_neither_filled_nor_taken_away(run: Callable[..., Any]) -> None:
    seen: list[Request] = []

    def taken(answer: Answer) -> Answer:
        path = "/collections/contexter_docs"
        answer(
            Request(
                method="PUT",
                target=path,
                headers=(("content-type", "application/json"),),
                body=b'{"vectors": {"size": 4, "distance": "Cosine"}}',
            )
        )
        return noting(seen, answer)

    ran = run(taken)
    assert ran.status == 2
    assert "`create_collection` (PUT /collections/contexter_docs) was answered 409 instead of 200" in ran.logged
    assert "a load fills only what it makes itself: take away what is there, or give another provider" in ran.logged
    assert [request.method for request in seen] == ["PUT"]
