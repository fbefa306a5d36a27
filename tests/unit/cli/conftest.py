"""A repository with contracts, and the command line in it: in process, and as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import commands

PROGRAM = (sys.executable, "-c", "from harness.cli import main; main()")


@pytest.fixture
def repository(tmp_path: Path, contract: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two contracts; the test runs in it."""
    folder = tmp_path / "contracts"
    (folder / "store").mkdir(parents=True)
    (folder / "shop.yaml").write_text(contract)
    for version in ("v1", "v2"):
        store = contract.replace("service: shop", "service: store").replace("version: v1", f"version: {version}")
        (folder / "store" / f"{version}.yaml").write_text(store)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def harness(repository: Path) -> Callable[..., Result]:
    """Runs a command in process; what it raises and is not told is raised."""

    def harness(*arguments: str) -> Result:
        result = CliRunner().invoke(commands, list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return harness


@pytest.fixture
def environment() -> dict[str, str]:
    """What a child process is given: no colour is forced, nothing is hidden."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]))
    return {**kept, "PYTHONPATH": path} if "PYTHONPATH" in os.environ else kept


@pytest.fixture
def program(repository: Path, environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command as a process of its own."""

    def program(*arguments: str, cwd: Path = repository) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, timeout=120, check=False)

    return program
