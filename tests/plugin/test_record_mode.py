"""--record-mode: of cassettes."""

from collections.abc import Callable

import pytest


def test_an_unknown_mode_says_which_there_are(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", "--record-mode", "some")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no record mode `some`*none, new_episodes, once, all*"])


def test_without_cassettes_the_suite_is_skipped_and_says_how_to_get_one(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", "--suite", "cassette")
    result.stdout.fnmatch_lines(["*--record-mode=once*"])


def test_what_was_just_recorded_is_not_missed_in_the_same_run(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", "--suite", "cassette", "--record-mode", "once")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*cases were not run*")
    result.stdout.fnmatch_lines(["note: *recorded against stub*", "greeter: kept as far as the chosen cases go*"])
    again = run("--contract", "greeter", "--suite", "cassette")
    assert again.ret == pytest.ExitCode.OK
