"""The command line as a whole: help, errors as lines, exit status, colour, and how little it imports."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from harness.cli.group import COMMANDS

Harness = Callable[..., Result]
Program = Callable[..., subprocess.CompletedProcess[str]]
HEAVY = {"pact", "schemathesis", "hypothesis", "vcr", "locust", "gevent", "grpc", "qdrant_client", "qdrant_edge", "testcontainers", "respx"}


def test_help_names_every_command_and_the_exit_status(harness: Harness) -> None:
    result = harness("--help")
    assert result.exit_code == 0
    for name, text in COMMANDS.items():
        assert f"{name} " in result.output
        assert text.split()[0] in result.output
    assert "0 kept, 1 broken, 2 usage or unreadable contract, 3 SLA missed" in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_each_command_shows_examples(harness: Harness, name: str) -> None:
    result = harness(name, "--help")
    assert result.exit_code == 0
    assert f"\n    harness {name}" in result.output or f"\n  harness {name}" in result.output


@pytest.mark.parametrize(
    "arguments", [("lst",), ("list", "--nonsense"), ("openapi",), ("stub", "shop", "--port", "x"), ("-C", "nowhere", "list")]
)
def test_wrong_usage_is_status_2(harness: Harness, arguments: tuple[str, ...]) -> None:
    result = harness(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.output


def test_an_unknown_command_is_told_the_nearest(harness: Harness) -> None:
    assert "did you mean `openapi`?" in harness("openap").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("openapi", "shpo"), "error: there is no contract `shpo`"),
        (("openapi", "shpo"), "did you mean `shop`?"),
        (("lint", "shpo"), "error: there is no contract `shpo`"),
        (("stub", "nothing"), "error: there is no contract `nothing`"),
        (("explain", "sla.throughput", "--contract", "shpo"), "did you mean `shop`?"),
        (("report", "none.jsonl"), "none.jsonl: can't be read"),
        (("report", "contracts"), "contracts: can't be read"),
        (("serve", "shop"), "names no embedded engine"),
        (("openapi", "none.yaml"), "there is no contract file none.yaml"),
        (("openapi", "contracts"), "there is no contract `contracts`"),
    ],
)
def test_what_the_user_can_put_right_is_a_line_and_status_2(harness: Harness, arguments: tuple[str, ...], said: str) -> None:
    result = harness(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [("openapi", "shop"), ("stub", "shop"), ("explain", "sla.throughput", "--contract", "shop")])
def test_an_unreadable_contract_is_told_with_all_its_problems(harness: Harness, repository: Path, arguments: tuple[str, ...]) -> None:
    path = repository / "contracts" / "shop.yaml"
    path.write_text(path.read_text().replace("attempts: 3", "attempts: x").replace("title:", "titel:"))
    result = harness(*arguments)
    assert result.exit_code == 2
    assert "the contract can't be read (3 problems):" in result.stderr
    assert "contracts/shop.yaml:4:1: `titel` is unknown here" in result.stderr
    assert "in `resilience.retry.attempts`" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [("list",), ("lint",), ("openapi", "shop"), ("explain", "sla.throughput")])
def test_a_folder_without_contracts_says_what_to_do(
    harness: Harness, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    result = harness(*arguments)
    assert result.exit_code == 2
    assert "there is no `contracts` folder in" in result.stderr
    assert "make one and put SERVICE.yaml into it" in result.stderr


def test_errors_of_a_real_process_are_lines_too(program: Program) -> None:
    result = program("openapi", "shpo")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: there is no contract `shpo`")
    assert "Traceback" not in result.stderr


def test_a_command_may_be_run_from_elsewhere(program: Program, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    result = program("-C", str(repository), "list", cwd=tmp_path_factory.mktemp("elsewhere"))
    assert "shop" in result.stdout


def test_a_client_beside_its_contracts_can_be_imported(program: Program, repository: Path) -> None:
    (repository / "mine.py").write_text("class Client: ...\n")
    result = program("prove", "shop", "--adapter", "mine:Cleint")
    assert "did you mean `Client`?" in result.stderr


def test_a_defect_of_ours_is_no_verdict_on_a_contract(program: Program, repository: Path) -> None:
    script = "import harness.contract.catalog as c\ndef f(*a): raise KeyError('ours')\nc.entries = f\nfrom harness.cli import main\nmain(['list'])"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=repository, env=dict(os.environ), check=False
    )
    assert result.returncode == 2
    assert "KeyError: 'ours'" in result.stderr
    assert "this is a defect of the harness itself" in result.stderr


def test_a_reader_that_has_seen_enough_is_no_error(repository: Path, environment: dict[str, str]) -> None:
    script = "from harness.cli import main; main(['openapi', 'shop'])"
    command = f'{sys.executable} -c "{script}" | head -c 1 >/dev/null'
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=repository, env=environment, check=False)
    assert result.stderr == ""


def on_terminal(arguments: list[str], cwd: Path, environment: dict[str, str]) -> str:
    """What a command prints on a terminal."""
    primary, secondary = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-c", "from harness.cli import main; main()", *arguments],
        stdout=secondary,
        stderr=secondary,
        cwd=cwd,
        env=environment,
    )
    os.close(secondary)
    output = b""
    while True:
        try:
            chunk = os.read(primary, 65536)
        except OSError:  # Linux says so when the other side has gone
            break
        if not chunk:
            break
        output += chunk
    child.wait(timeout=60)
    os.close(primary)
    return output.decode()


def test_colour_is_for_terminals(repository: Path, environment: dict[str, str], program: Program) -> None:
    assert "\x1b[" in on_terminal(["lint"], repository, {**environment, "TERM": "xterm"})
    assert "\x1b[" not in program("lint").stdout


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_colour_is_left_out_where_it_is_not_wanted(repository: Path, environment: dict[str, str], setting: dict[str, str]) -> None:
    output = on_terminal(["lint"], repository, {**environment, **setting})
    assert "readable" in output
    assert "\x1b[" not in output


def imported_by(code: str, environment: dict[str, str], cwd: Path) -> set[str]:
    script = f"import sys\nsys.argv = ['harness']\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, cwd=cwd, check=False)
    return set(result.stderr.split())


def test_help_imports_no_contract_and_no_engine(environment: dict[str, str], repository: Path) -> None:
    code = "from harness.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    modules = imported_by(code, environment, repository)
    assert "click" in modules
    assert not {"harness.contract.model", "pydantic", "numpy", "celpy"} & modules
    assert not HEAVY & modules


@pytest.mark.parametrize("arguments", [["list"], ["lint"], ["openapi", "shop"], ["explain", "sla.throughput"]])
def test_what_only_reads_contracts_imports_no_engine(environment: dict[str, str], repository: Path, arguments: list[str]) -> None:
    code = f"from harness.cli import main\ntry: main({arguments!r})\nexcept SystemExit: pass"
    modules = imported_by(code, environment, repository)
    assert "harness.contract.model" in modules
    assert not HEAVY & modules
    assert not any(name.startswith(("adapters", "harness.suites", "harness.plugin")) for name in modules)
