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
