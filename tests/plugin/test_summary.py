"""The summary decides: a run is a pass only if every clause was looked at and kept."""

from collections.abc import Callable

import pytest

Run = Callable[..., pytest.RunResult]
Change = Callable[..., None]
ODD = ("  Greeting:", "  Never: {type: object, required: [x]}\n  Greeting:")
EXPIRED = "waivers:\n  - {clause: provider.timeout, because: it is late, until: 2026-01-31}\n"


@pytest.fixture
def few_suites(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were no suites but these: a whole run takes no time then."""
    monkeypatch.setattr("harness.engine.core.SUITES", ("static", "conformance"))
    monkeypatch.setattr("harness.plugin.session.SUITES", ("static", "conformance"))


def test_a_clause_that_nobody_checked_fails_a_whole_run(run: Run, few_suites: None) -> None:
    result = run("--contract", "greeter")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes().get("failed") is None  # no case failed: the run did
    result.stdout.fnmatch_lines(["unchecked:*", "*contracts/greeter.yaml:11:3: provider.timeout*", "*NOT PROVEN*"])


def test_a_waived_clause_is_listed_and_does_not_fail(run: Run, change: Change, few_suites: None) -> None:
    change(("schemas:\n", "waivers:\n  - {clause: provider.timeout, because: nobody waits, until: 2100-01-31}\n\nschemas:\n"))
    result = run("--contract", "greeter")
    assert "contracts/greeter.yaml:11:3: provider.timeout" not in result.stdout.str()
    result.stdout.fnmatch_lines(["waived: provider.timeout: nobody waits"])


def test_an_expired_waiver_fails(run: Run, change: Change) -> None:
    change(("schemas:\n", EXPIRED + "\nschemas:\n"))
    result = run("--contract", "greeter", "--suite", "static")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*provider.timeout is broken*", "*expired on 2026-01-31*"])


def test_no_case_is_not_a_pass(run: Run) -> None:
    assert run("--contract", "greeter", "--suite", "conformance", "-k", "nothing-like-this").ret != pytest.ExitCode.OK


def test_a_case_that_sees_nothing_is_not_a_pass(run: Run) -> None:
    result = run("--contract", "greeter", "--suite", "cassette")
    result.stdout.fnmatch_lines(["*nothing is proven*"])
    assert result.ret != pytest.ExitCode.OK


def test_a_run_that_was_cut_short_says_how_many_cases_are_missing(run: Run) -> None:
    result = run("--contract", "greeter", "--adapter", "hello:Loud", "--suite", "conformance", "--maxfail", "1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_no_key_is_shown_whatever_a_client_prints(run: Run) -> None:
    result = run("--contract", "greeter", "--adapter", "hello:Loud", "--suite", "conformance")
    result.stdout.fnmatch_lines(["*provider.auth.credential is broken*", "*my key is ?credential?*"])
    assert "hk-stub" not in result.stdout.str() + result.stderr.str()
