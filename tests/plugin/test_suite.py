"""--suite: which techniques are run."""

from collections.abc import Callable

import pytest

from harness.engine.core import SUITES

Run = Callable[..., pytest.RunResult]


def test_only_the_chosen_suite_is_run(run: Run) -> None:
    listed = run("--contract", "greeter", "--suite", "conformance", "--collect-only", "-q").outlines
    assert {line.split("::")[1] for line in listed if "::" in line} == {"conformance"}


def test_suites_may_be_listed_or_repeated(run: Run) -> None:
    both = run("--contract", "greeter", "--suite", "fault,conformance", "--collect-only", "-q").outlines
    twice = run("--contract", "greeter", "--suite", "fault", "--suite", "conformance", "--collect-only", "-q").outlines
    assert len(both) == len(twice) > 5


def test_an_unknown_suite_says_which_there_are(run: Run) -> None:
    result = run("--contract", "greeter", "--suite", "falt")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*no suite `falt`*{', '.join(SUITES)}*`fault`*"])


def test_a_part_need_not_check_every_clause(run: Run) -> None:
    result = run("--contract", "greeter", "--suite", "conformance")
    assert result.ret == pytest.ExitCode.OK
    assert "unchecked:" not in result.stdout.str()
