"""How long the suites take, and how long the proof."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.measure import Finding, Measure, Options
from tests.benchmarks.processes import HARNESS, ROOT, children_cpu_s

BUT_LOAD = "static,conformance,pact,fuzz,stateful,cassette,fault"
LIMIT_S = 300


def findings(options: Options) -> Iterator[Finding]:
    """Every suite but load, on two processes."""
    yield from _suites("voyage_ai", "stub", target_s=10.0, cases=250)
    yield from _suites("qdrant", "embedded", target_s=25.0, cases=100)


def _suites(contract: str, provider: str, *, target_s: float, cases: int) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        options = ["--contract", contract, "--provider", provider, "--suite", BUT_LOAD, "--contract-report", str(Path(folder) / "events.jsonl")]
        said, seconds, cpu_s = timed([sys.executable, "-m", "pytest", "-n", "2", "-q", *options])
    last = said.strip().splitlines()[-1]  # pytest's own count
    passed, failed = (int(found[1]) if (found := re.search(rf"(\d+) {word}", last)) else 0 for word in ("passed", "failed"))
    what = f"all suites but load, {contract} on {provider}"
    note = f"{failed} failed" if failed else ""
    yield Measure(what=what, ours=f"{seconds:.1f} s, CPU {cpu_s:.1f} s", figure=seconds, target=target_s, unit="s", note=note)
    yield Measure(what=f"cases of {contract}", ours=f"{passed} passed", figure=passed, target=cases, at_least=True, unit="cases")


def timed(command: Sequence[str]) -> tuple[str, float, float]:
    """What a program said, its seconds, and its CPU seconds with those of the programs it started."""
    started_s, before_s = time.perf_counter(), children_cpu_s()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S, env={**os.environ, "NO_COLOR": "1"})
    if not done.stdout.strip():
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-500:]}")
    return done.stdout, time.perf_counter() - started_s, children_cpu_s() - before_s


def prove(contract: str) -> tuple[str, float, float]:
    """As ``timed``, of a proof."""
    return timed([*HARNESS, "prove", contract])
