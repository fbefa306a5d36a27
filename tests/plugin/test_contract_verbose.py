"""--contract-verbose: every clause, with its state and its place."""

from collections.abc import Callable

import pytest


def test_every_clause_is_listed_with_its_place(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", "--suite", "conformance", "--contract-verbose")
    result.stdout.fnmatch_lines(["*kept*operations.greet.method (contracts/greeter.yaml:18:5) ?stub? by conformance*"])


def test_otherwise_they_are_counted(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", "--suite", "conformance")
    result.stdout.fnmatch_lines(["clauses: * kept*"])
    assert "operations.greet.method" not in result.stdout.str()
