"""`--contract all`: what can't be had with what is installed is left out, and said; asked for by name it is an error."""

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]

ENGINE = '''
class Engine:
    """Nothing of it is installed."""

    libraries = ("qdrant_edge_of_tomorrow", "grpc")

    def __init__(self, **kwargs):
        raise AssertionError("it was made all the same")
'''
BROKEN = '''
class Engine:
    """Has all that it needs, and does not run."""

    def __init__(self, **kwargs):
        pass

    def open(self):
        raise OSError("no space left")
'''


@pytest.fixture
def other(contracts: Path, pytester: pytest.Pytester) -> str:
    """A second contract, whose provider is an engine."""
    text = (contracts / "greeter.yaml").read_text().replace("service: greeter", "service: other")
    (contracts / "other.yaml").write_text(text.replace("  default: stub\n", "  default: embedded\n  embedded: engines:Engine\n"))
    pytester.makepyfile(engines=ENGINE)
    return "other"


def test_of_all_contracts_the_others_run(run: Run, other: str) -> None:
    result = run("--contract", "all", "--suite", "conformance")
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=7)
    result.stdout.fnmatch_lines([f"{other}: left out: the embedded provider needs `qdrant_edge_of_tomorrow`: install it*"])


def test_asked_for_by_name_it_is_an_error(run: Run, other: str) -> None:
    result = run("--contract", "greeter", "--contract", other, "--suite", "conformance")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *needs `qdrant_edge_of_tomorrow`: install it*"])
    assert "Traceback" not in result.stderr.str()


def test_a_suite_that_asks_no_provider_runs_without_its_engine(run: Run, other: str) -> None:
    result = run("--contract", other, "--suite", "static")
    assert "needs" not in result.stderr.str() + result.stdout.str()


def test_when_nothing_is_left_that_is_an_error(run: Run, other: str, contracts: Path) -> None:
    (contracts / "greeter.yaml").unlink()
    result = run("--contract", "all", "--suite", "conformance")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no contract is left to run:", f"{other}: left out: *"])


def test_a_contract_that_names_no_such_provider_is_left_out_of_all(run: Run, other: str, pytester: pytest.Pytester) -> None:
    result = run("--contract", "all", "--provider", "embedded", "--suite", "static")
    result.stdout.fnmatch_lines(
        ["greeter: left out: the contract `greeter` names no embedded provider; it can be had as*", "*contract other*"]
    )


@pytest.mark.usefixtures("other")
def test_an_engine_that_does_not_run_is_told_once(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(engines=BROKEN)
    result = run("--contract", "other", "--suite", "conformance")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*the embedded provider can't run here: no space left*"])
