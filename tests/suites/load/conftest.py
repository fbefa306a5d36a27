"""Locust as it is run from the command line, and providers that lie to it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.provider.stub import Stub
from harness.suites.load.suite import folder
from harness.wire.connection import Answerer
from harness.wire.server import Server, ThreadedServer

CONTRACTS = Path(__file__).parents[3] / "contracts"
CONTRACT = CONTRACTS / "voyage_ai.yaml"
TIMES = 3

Build = Callable[..., Agreement]
Serve = Callable[[Answerer], str]
RunLocust = Callable[..., "Ran"]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A run that has ended: its exit status, what it printed and what it logged, its result if it left one."""

    status: int
    said: str
    logged: str
    measured: dict[str, float]

    def missed(self) -> set[str]:
        """The clauses under `sla:` that it names as missed."""
        return set(re.findall(r"^contracts/\S+\.yaml:\d+:\d+: (sla\.\w+) is missed", self.said, re.MULTILINE))

    def untold(self) -> set[str]:
        """The clauses under `sla:` of which it says that the machine was too busy to tell."""
        return set(re.findall(r"^(sla\.\w+) can't be told", self.said, re.MULTILINE))

    def broken(self) -> set[str]:
        """The other clauses that it names as broken."""
        return set(re.findall(r"^\S+: (\S+) is broken", self.said, re.MULTILINE))


@pytest.fixture
def told() -> Callable[[Callable[[], Ran]], Ran]:
    """A run that tells something: what a busy machine disturbed is done again, as the suite does; one that stays so can't tell."""

    def until_told(run: Callable[[], Ran]) -> Ran:
        for _ in range(TIMES):
            ran = run()
            if not ran.untold():
                return ran
        if (load := os.getloadavg()[0]) > (os.cpu_count() or 1):
            pytest.skip(f"this machine has too much to do to measure anything: {load:.0f} programs want to run at a time")
        return ran

    return until_told


@pytest.fixture
def agreed(tmp_path: Path) -> Build:
    """The contract with a smoke profile, objectives and a timeout of its own, in a repository of its own."""

    def build(*, smoke: str = "{rate: 80/s, duration: 1500ms}", sla: str | None = None, timeout: str = "60s") -> Agreement:
        text = CONTRACT.read_text()
        text = re.sub(r"(?m)^  smoke: .*$", f"  smoke: {smoke}", text)
        text = re.sub(r"(?m)^  timeout: 60s$", f"  timeout: {timeout}", text)
        if sla is not None:
            text = re.sub(r"(?m)^sla: .*$", f"sla: {sla}", text)
        path = tmp_path / "contracts" / "voyage_ai.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return load(path, root=tmp_path)

    return build


@pytest.fixture
def serve() -> Iterator[Serve]:
    """The base URL of a provider that answers so."""
    with ExitStack() as stack:

        def start(answer: Answerer) -> str:
            return stack.enter_context(ThreadedServer(Server(answer=answer), grace_s=0.05)).origin + "/v1"

        yield start


@pytest.fixture
def stub(agreed: Build) -> Stub:
    """What a liar answers when it does not lie."""
    return Stub(agreed())


@pytest.fixture
def locust(tmp_path: Path) -> RunLocust:
    """Run locust in the repository that ``agreed`` made, and wait for its end."""

    def run(*arguments: str) -> Ran:
        command = [sys.executable, "-m", "locust", "-f", str(folder()), "--headless", "--only-summary", *arguments]
        done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
        return Ran(status=done.returncode, said=done.stdout, logged=done.stderr, measured=measured(tmp_path))

    return run


def measured(root: Path) -> dict[str, float]:
    for path in (root / "build" / "load").glob("*-smoke.json"):
        return dict(json.loads(path.read_text())["measured"])
    return {}
