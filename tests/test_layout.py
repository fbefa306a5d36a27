"""What is installed is what is tested, and holds what it needs."""

import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

import adapters
import harness
from harness.contract.catalog import entries

ROOT = Path(__file__).parents[1]
ENGINES = {
    "aiohttp", "celpy", "docker", "grpc", "hypothesis", "locust", "pact", "qdrant_client", "qdrant_edge", "respx",
    "schemathesis", "testcontainers", "vcr", "yaml",
}  # fmt: skip


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _printed(command: str) -> str:
    _, marker, rest = (ROOT / "README.md").read_text().partition(f"<!-- command: {command} -->\n")
    assert marker, f"README.md has no marker of the command `{command}`"
    block = rest.split("```")[1]
    return block.removeprefix("sh\n").strip()


def test_importing_the_plugin_imports_no_engine() -> None:
    said = _run(sys.executable, "-c", "import sys, harness.plugin; print(*{name.partition('.')[0] for name in sys.modules})")
    assert not ENGINES & set(said.split())


def test_the_plugin_is_registered_once() -> None:
    points = [point for point in distribution("contract-harness").entry_points if point.group == "pytest11"]
    assert [point.value for point in points] == ["harness.plugin"]


def test_what_is_tested_is_what_is_installed() -> None:
    installed = distribution("contract-harness")
    if '"editable": true' in (installed.read_text("direct_url.json") or ""):
        pytest.skip("the installation is editable: both are the same")
    for package in (harness, adapters):
        assert Path(str(package.__file__)) == Path(str(installed.locate_file(f"{package.__name__}/__init__.py")))


@pytest.mark.parametrize("command", ["run", "tests"])
def test_the_readme_prints_each_command_on_one_line(command: str) -> None:
    line = _printed(command)
    assert "\n" not in line
    assert line.startswith("python3 -m venv .venv && .venv/bin/pip install")


def test_the_readme_runs_a_contract_and_the_tests() -> None:
    assert _printed("run").endswith("pytest --contract voyage_ai")
    assert ".venv/bin/pytest tests" in _printed("tests")


def test_the_wheel_holds_contracts_and_load_tests_and_nothing_else_beside_the_packages(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the build backend is not installed here")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"adapters/contracts/voyage_ai.yaml", "harness/_load/locustfile.py", "harness/py.typed", "adapters/py.typed"} <= set(names)
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"harness", "adapters"}
    assert not [name for name in names if "cache" in name.lower().partition(".py")[0] and name.endswith((".db", ".json", ".pyc"))]


def test_the_workflow_gates_on_every_contract() -> None:
    line = next(line for line in (ROOT / ".github/workflows/contract.yml").read_text().splitlines() if line.strip().startswith("contract: ["))
    gated = line.partition("[")[2].rstrip("]").split(", ")
    assert gated == sorted(entry.name for entry in entries(ROOT / "contracts"))
