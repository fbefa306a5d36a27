"""--contract-seed: what is random is repeatable, and told."""

from collections.abc import Callable

import pytest


def test_the_seed_is_told(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", "--suite", "conformance", "--contract-seed", "7")
    result.stdout.fnmatch_lines(["*seed 7*"])


def test_a_seed_is_a_number(run: Callable[..., pytest.RunResult]) -> None:
    assert run("--contract", "greeter", "--contract-seed", "seven").ret == pytest.ExitCode.USAGE_ERROR
