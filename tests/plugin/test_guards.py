"""A run that did nothing is no pass: each way to do nothing turns it red and says why; a part chosen by hand does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]
Change = Callable[..., None]
QUICK = ("--contract", "greeter", "--suite", "conformance")
STATES = "states:\n  a visitor: [greet/ada]\n\nschemas:\n"
IDLE = "\n\nclass Idle(Hello):\n    async def greet(self, name):\n        return f'Hello, {name}!'\n"
DROPPING = "def pytest_collection_modifyitems(items):\n    del items[-1]\n"


@pytest.fixture
def few_suites(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were no suites but these: a whole run takes no time then."""
    monkeypatch.setattr("harness.engine.core.SUITES", ("static", "conformance"))
    monkeypatch.setattr("harness.plugin.session.SUITES", ("static", "conformance"))


# No case


def test_no_case_is_red(run: Run) -> None:
    result = run(*QUICK, "-k", "nothing-like-this")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["*nothing is proven: no case was run*"])


def test_a_suite_that_makes_no_case_is_red(run: Run) -> None:
    result = run("--contract", "greeter", "--suite", "stateful")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["*nothing is proven: no case was run*"])


def test_cases_that_something_else_left_out_are_red(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(DROPPING)
    result = run(*QUICK)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes().get("failed") is None  # no case failed: the run did
    result.stdout.fnmatch_lines(["*nothing is proven: 1 cases were not run, such as conformance::greet::*"])


# A part that was chosen


@pytest.mark.parametrize("chosen", [("-k", "ada"), ("--deselect", "contracts/greeter.yaml::conformance::greet::ada"), ("-m", "not slow")])
def test_cases_that_were_left_out_by_hand_are_not(run: Run, chosen: tuple[str, ...]) -> None:
    assert run(*QUICK, *chosen).ret == pytest.ExitCode.OK


def test_a_contract_of_which_no_case_was_chosen_is_not_spoken_of(run: Run, change: Change, contracts: Path) -> None:
    other = (contracts / "greeter.yaml").read_text().replace("service: greeter", "service: waver").replace(" ada:", " bob:").replace("/ada", "/bob")
    (contracts / "waver.yaml").write_text(other)
    result = run("--contract", "all", "--suite", "conformance", "-k", "bob")
    assert result.ret == pytest.ExitCode.OK
    assert "contract greeter" not in result.stdout.str()


def test_the_failures_of_the_last_run_are_a_part(run: Run) -> None:
    assert run(*QUICK, "--adapter", "hello:Loud").ret == pytest.ExitCode.TESTS_FAILED
    result = run(*QUICK, "--lf")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*kept as far as the chosen cases go*"])


def test_several_processes_leave_nothing_out(pytester: pytest.Pytester, contracts: Path) -> None:
    pytest.importorskip("xdist")
    idle = [part for name in ("schemathesis", "locust", "langsmith", "pact") for part in ("-p", f"no:{name}")]
    assert pytester.runpytest_subprocess(*idle, *QUICK, "-n", "2").ret == pytest.ExitCode.OK


# No exchange


def test_a_client_that_never_calls_is_red(run: Run, pytester: pytest.Pytester, contracts: Path) -> None:
    hello = pytester.path / "hello.py"
    hello.write_text(hello.read_text() + IDLE)
    result = run(*QUICK, "--adapter", "hello:Idle")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*it was not asked for this*"])


def test_a_suite_without_a_request_is_red(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the reason: here the cases are judged, but nobody counts a request."""
    monkeypatch.setattr("harness.engine.core.len", lambda value: 0, raising=False)
    result = run(*QUICK)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*nothing is proven: * cases of the suite `conformance` passed without a single request*"])


# Unused


def test_an_example_that_nobody_used_is_red(run: Run, change: Change, few_suites: None, monkeypatch: pytest.MonkeyPatch) -> None:
    change(("      ada: {request: {body: {name: Ada}}}\n", "      ada: {request: {body: {name: Ada}}}\n      bob: {request: {body: {name: Bob}}}\n"))
    from harness.suites.conformance import Conformance

    cases = Conformance.cases
    monkeypatch.setattr(Conformance, "cases", lambda self, setting: [case for case in cases(self, setting) if "bob" not in case.id])
    result = run("--contract", "greeter")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["unchecked:*", "*operations.greet.examples.bob*"])


def test_a_state_that_is_never_entered_is_red(run: Run, change: Change, few_suites: None) -> None:
    change(("schemas:\n", STATES))
    result = run("--contract", "greeter")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*the state `a visitor` was never entered: nothing in the contract starts in it*"])


def test_a_state_that_an_example_starts_in_is_entered(run: Run, change: Change, few_suites: None) -> None:
    change(("schemas:\n", STATES), ("ada: {request", "bob: {given: a visitor, request: {body: {name: Bob}}}\n      ada: {request"))
    assert "never entered" not in run("--contract", "greeter").stdout.str()


# Waivers


def test_a_waiver_that_matches_nothing_is_red(run: Run, change: Change) -> None:
    change(("schemas:\n", "waivers:\n  - {clause: provider.timeoutt, because: nobody waits, until: 2100-01-31}\n\nschemas:\n"))
    result = run(*QUICK)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*the waiver `provider.timeoutt` matches no clause*"])


def test_an_expired_waiver_waives_nothing(run: Run, change: Change, few_suites: None) -> None:
    change(("schemas:\n", "waivers:\n  - {clause: provider.timeout, because: it is late, until: 2026-01-31}\n\nschemas:\n"))
    result = run("--contract", "greeter")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*provider.timeout is broken*", "*expired on 2026-01-31*"])


# No client

SDK = """\
client: 1
contract: greeter
title: an SDK
target: no_such_sdk:Client
install: pip install no-such-sdk
operations: {greet: {call: greet, arguments: {name: request.body.name}}}
"""


@pytest.fixture
def sdk(contracts: Path) -> None:
    """A second contract, whose client is an SDK that is not installed."""
    (contracts / "clients").mkdir()
    (contracts / "clients" / "sdk.yaml").write_text(SDK)
    text = (contracts / "greeter.yaml").read_text()
    (contracts / "waver.yaml").write_text(text.replace("service: greeter", "service: waver").replace("hello:Hello", "sdk"))


def test_of_all_contracts_one_whose_client_is_not_installed_is_left_out_and_told(run: Run, sdk: None) -> None:
    result = run("--contract", "all", "--suite", "conformance")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["waver: left out: no_such_sdk is not installed: pip install no-such-sdk", "*greeter: kept*"])


def test_asked_for_by_name_it_is_an_error_that_says_how_to_get_it(run: Run, sdk: None) -> None:
    result = run("--contract", "waver", "--suite", "conformance")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no_such_sdk is not installed: pip install no-such-sdk*"])


def test_all_contracts_left_out_is_red(run: Run, sdk: None, contracts: Path) -> None:
    (contracts / "greeter.yaml").unlink()
    assert run("--contract", "all", "--suite", "conformance").ret != pytest.ExitCode.OK
