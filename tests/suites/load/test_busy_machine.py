"""A machine that is busy with something else is no breach of the provider's, and no pass; a slow provider stays one."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from harness.exchange import Request, Response
from harness.provider.stub import Stub
from harness.suites.load.suite import folder

pytestmark = pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="only Linux counts how long a process waited")
Build = Callable[..., Any]
Serve = Callable[[Callable[[Request], Response]], str]
MANY, FEW = 8, 2  # neighbours
STOPPED_S = 0.7
SMOKE = "{rate: 80/s, duration: 2s, mix: {embed: 1}}"
BURN = "while True: pass"
SERVE = """
import asyncio, sys
from pathlib import Path
from harness.contract.catalog import load
from harness.provider.stub import Stub
from harness.wire.server import Server, ThreadedServer

stub = Stub(load(Path(sys.argv[1])))

async def answer(request):
    await asyncio.sleep(float(sys.argv[2]))
    return stub.answer_now(request)

with ThreadedServer(Server(answer=answer)) as server:
    print(server.origin + "/v1", flush=True)
    sys.stdin.read()
"""


@contextmanager
def started(code: str, *arguments: str, processor: int) -> Iterator[subprocess.Popen[str]]:
    """A program beside us, on one processor."""
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        os.sched_setaffinity(process.pid, {processor})
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def beset(contract: Path, *, delay_s: float, neighbours: int) -> Iterator[str]:
    """The URL of a provider that has to share its processor with many others."""
    processor = min(os.sched_getaffinity(0))
    with ExitStack() as stack:
        provider = stack.enter_context(started(SERVE, str(contract), str(delay_s), processor=processor))
        assert provider.stdout is not None
        url = provider.stdout.readline().strip()
        for _ in range(neighbours):
            stack.enter_context(started(BURN, processor=processor))
        yield url


def test_an_honest_provider_among_busy_neighbours_breaks_nothing(agreed: Build, locust: Callable[..., Any]) -> None:
    agreement = agreed(smoke=SMOKE, sla="{response_time_p95: 10ms, availability: 99%}")
    with beset(agreement.path, delay_s=0.0, neighbours=MANY) as url:
        ran = locust("--provider", url)
    assert ran.missed() == set()
    assert ran.measured["load.provider_starved_s"] > 0
    assert (ran.status, ran.untold()) in ((3, {"sla.response_time_p95"}), (0, set()))


def test_a_slow_provider_among_busy_neighbours_is_slow(agreed: Build, locust: Callable[..., Any], told: Callable[[Callable[[], Any]], Any]) -> None:
    agreement = agreed(smoke=SMOKE, sla="{response_time_p95: 100ms, availability: 99%}")
    with beset(agreement.path, delay_s=1.0, neighbours=FEW) as url:
        ran = told(lambda: locust("--provider", url))
    assert (ran.status, ran.missed(), ran.untold()) == (3, {"sla.response_time_p95"}, set())


def test_a_sender_that_could_not_run_is_not_the_provider_being_slow(agreed: Build, serve: Serve, stub: Stub, tmp_path: Path) -> None:
    agreed(smoke=SMOKE, sla="{response_time_p95: 300ms, availability: 99%}")
    sender: list[subprocess.Popen[str]] = []
    asked: list[None] = []

    def stopping_the_sender(request: Request) -> Response:
        asked.append(None)
        if len(asked) == 40:
            sender[0].send_signal(signal.SIGSTOP)
            Timer(STOPPED_S, sender[0].send_signal, [signal.SIGCONT]).start()
        return stub.answer_now(request)

    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(folder()),
        "--headless",
        "--only-summary",
        "--provider",
        serve(stopping_the_sender),
    ]
    sender.append(
        subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    )
    try:
        said, _ = sender[0].communicate(timeout=300)
    finally:
        sender[0].kill()
    assert sender[0].returncode == 3
    assert "is missed" not in said
    assert "sla.response_time_p95 can't be told: expected ≤ 300 ms" in said
    assert "the machine was too busy to tell: the sender could not run for" in said
