"""--contract: which contracts are run, and what their cases are to pytest."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

QUICK = ("--suite", "conformance")


def test_a_contract_that_is_kept_passes(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", *QUICK)
    result.assert_outcomes(passed=7)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*contract greeter*", "*greeter: kept*"])


def test_each_case_is_an_item_with_a_speaking_id(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", *QUICK, "--collect-only", "-q")
    result.stdout.fnmatch_lines(
        ["contracts/greeter.yaml::conformance::greet::provider-ada", "contracts/greeter.yaml::conformance::greet::ada"]
    )
    assert "contract greeter" not in result.stdout.str()  # nothing was run, so there is nothing to sum up


def test_ids_are_unique(run: Callable[..., pytest.RunResult]) -> None:
    listed = [line for line in run("--contract", "greeter", "--collect-only", "-q").outlines if "::" in line]
    assert len(listed) == len(set(listed)) > 80


def test_a_case_can_be_run_by_its_id(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", "contracts/greeter.yaml::conformance::greet::ada")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*kept as far as the chosen cases go*"])


def test_cases_can_be_chosen_by_keyword(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", *QUICK, "-k", "provider-ada or given-401")
    result.assert_outcomes(passed=2, deselected=5)


def test_x_stops_at_the_first_failure(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greeter", "--adapter", "hello:Loud", *QUICK, "-x")
    result.assert_outcomes(passed=6, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_the_last_failures_can_be_run_again(run: Callable[..., pytest.RunResult]) -> None:
    run("--contract", "greeter", "--adapter", "hello:Loud", *QUICK).assert_outcomes(passed=6, failed=1)
    again = run("--contract", "greeter", "--adapter", "hello:Loud", *QUICK, "--lf")
    again.assert_outcomes(failed=1)


def test_the_cases_are_in_the_junit_file(run: Callable[..., pytest.RunResult], tmp_path: Path) -> None:
    run("--contract", "greeter", "--adapter", "hello:Loud", *QUICK, f"--junitxml={tmp_path / 'junit.xml'}")
    cases = ElementTree.parse(tmp_path / "junit.xml").getroot().findall(".//testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    assert len(cases) == 7
    assert [case.get("name") for case in failed] == ["ada"]
    assert "operations.greet.bind.result is broken" in (failed[0].find("failure").text or "")
    assert {each.get("value") for each in failed[0].iter("property") if each.get("name") == "contract.broken"} >= {
        "operations.greet.bind.result"
    }


def test_several_contracts_can_be_run(run: Callable[..., pytest.RunResult], contracts: Path) -> None:
    (contracts / "other.yaml").write_text((contracts / "greeter.yaml").read_text().replace("service: greeter", "service: other"))
    result = run("--contract", "greeter", "--contract", "other", *QUICK)
    result.assert_outcomes(passed=14)
    result.stdout.fnmatch_lines(["*contract greeter*", "*contract other*"])


def test_all_means_every_contract_there_is(run: Callable[..., pytest.RunResult], contracts: Path) -> None:
    (contracts / "other.yaml").write_text((contracts / "greeter.yaml").read_text().replace("service: greeter", "service: other"))
    run("--contract", "all", *QUICK).assert_outcomes(passed=14)


def test_a_contract_can_be_named_by_its_path(run: Callable[..., pytest.RunResult]) -> None:
    run("--contract", "contracts/greeter.yaml", *QUICK).assert_outcomes(passed=7)


def test_an_unknown_name_says_which_there_are(run: Callable[..., pytest.RunResult]) -> None:
    result = run("--contract", "greter")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no contract `greter`*greeter*"])
    assert "Traceback" not in result.stderr.str()


def test_a_broken_contract_is_told_with_every_place_and_without_a_traceback(
    run: Callable[..., pytest.RunResult], change: Callable[..., None]
) -> None:
    change(("timeout: 5s", "timeout: 5 parsecs"), ("method: POST", "metod: POST"))
    result = run("--contract", "greeter")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*contracts/greeter.yaml:11:*", "*contracts/greeter.yaml:18:*"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_tests_can_be_run_beside_a_contract(run: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own="def test_own():\n    assert True\n")
    run("--contract", "greeter", *QUICK, "test_own.py").assert_outcomes(passed=8)


def test_without_the_option_nothing_is_collected_from_contracts(run: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own="def test_own():\n    assert True\n")
    result = run()
    result.assert_outcomes(passed=1)
    assert "greeter" not in result.stdout.str()
