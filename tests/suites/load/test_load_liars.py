"""A provider under load is found out by the clause that it breaks, whatever the way it breaks it in."""

import asyncio
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from harness.exchange import Request, Response
from harness.provider.stub import Stub
from harness.wire.faults import RandomData, Reply, ResetPeer, Timeout

Build = Callable[..., object]
Serve = Callable[[object], str]
RunLocust = Callable[..., Any]
Told = Callable[[Callable[[], Any]], Any]
STALL_S = 0.9
JSON = (("content-type", "application/json"),)


def stalling_once(stub: Stub) -> Callable[[Request], object]:
    """Answers at once, but for one pause in which everybody waits."""
    first_s: list[float] = []

    async def answer(request: Request) -> Response:
        first_s.append(time.monotonic())
        now_s = first_s[-1] - first_s[0]
        if 0.4 < now_s < 0.4 + STALL_S:
            await asyncio.sleep(0.4 + STALL_S - now_s)
        return stub.answer_now(request)

    return answer


def test_a_pause_is_charged_for_everybody_who_would_have_asked_meanwhile(
    agreed: Build, serve: Serve, stub: Stub, locust: RunLocust, told: Told
) -> None:
    agreed(sla="{response_time_p50: 500ms, response_time_p95: 500ms, availability: 99.9%, error_rate: 1%}")
    ran = told(lambda: locust("--provider", serve(stalling_once(stub))))
    assert (ran.status, ran.missed()) == (3, {"sla.response_time_p95"})
    closed_model_p95_s = 0.5  # a user who waits for each answer sees one slow request in hundreds
    assert ran.measured["load.p95_s"] > closed_model_p95_s > ran.measured["load.p50_s"]
    assert ran.measured["load.fate.verified"] + ran.measured["load.fate.unverified"] == 120


def test_slow_failing_and_wrong_answers_are_told_apart_by_operation(
    agreed: Build, serve: Serve, stub: Stub, locust: RunLocust, told: Told
) -> None:
    async def lie(request: Request) -> Response:
        answer = stub.answer_now(request)
        if request.path.endswith("/rerank"):
            return Response(status=503, headers=(("content-type", "text/plain"),), body=b"down")
        if request.path.endswith("/contextualizedembeddings"):
            body = orjson.loads(answer.body)
            return Response(status=200, headers=JSON, body=orjson.dumps({**body, "model": "another"}))
        await asyncio.sleep(0.12)
        return answer

    agreed(
        smoke="{rate: 60/s, duration: 1s, mix: {embed: 1, rerank: 1, embed_contextualized: 1}}",
        sla="{availability: 99.9%, response_time_p50: 100ms, throughput: 5/s, error_rate: 10%}",
    )
    ran = told(lambda: locust("--provider", serve(lie)))
    assert ran.status == 3
    assert ran.missed() == {"sla.availability", "sla.error_rate", "sla.response_time_p50"}
    assert "sla.response_time_p50 is missed for `embed`" in ran.said
    assert "sla.error_rate is missed for `rerank`" in ran.said
    assert "sla.error_rate is missed for `embed_contextualized`" in ran.said
    assert "sla.error_rate is missed for `embed`" not in ran.said
    wrong = re.search(r"^\S+: (\S+) is broken", ran.said, re.MULTILINE)
    assert wrong is not None and wrong[1] == "operations.embed_contextualized.responses.200.invariants.same_model"


def test_silence_resets_and_garbage_are_errors_and_no_flood(agreed: Build, serve: Serve, locust: RunLocust, told: Told) -> None:
    def lie(request: Request) -> Reply:
        if request.path.endswith("/rerank"):
            return ResetPeer()
        return RandomData() if request.path.endswith("/embeddings") else Timeout()

    agreed(
        smoke="{rate: 60/s, duration: 1s, mix: {embed: 1, rerank: 1, embed_contextualized: 1}}",
        sla="{availability: 99%, response_time_p95: 2s, throughput: 10/s}",
        timeout="1s",
    )
    ran = told(lambda: locust("--provider", serve(lie)))
    assert (ran.status, ran.missed()) == (3, {"sla.availability", "sla.throughput", "sla.response_time_p95"})
    assert (ran.measured["load.fate.lost"], ran.measured["load.fate.late"]) == (40, 20)
    assert 1 <= ran.measured["load.embed_contextualized.p95_s"] < 2  # as long as it was waited for
    assert "sla.response_time_p95 is missed for `embed`: expected ≤ 2 s, actual no sample" in ran.said
    assert "Traceback" not in ran.said + ran.logged


def test_nobody_there_is_no_availability_and_no_response_time(agreed: Build, locust: RunLocust, tmp_path: Path) -> None:
    agreed(smoke="{rate: 50/s, duration: 400ms}")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # taken, and nobody listens
        ran = locust("--provider", f"http://127.0.0.1:{bound.getsockname()[1]}/v1")
    assert ran.status == 3
    assert ran.missed() == {"sla.availability", "sla.response_time_p95", "sla.throughput", "sla.error_rate"}
    assert "sla.response_time_p95 is missed: expected ≤ 2 s, actual no sample" in ran.said
    assert "Traceback" not in ran.said + ran.logged
