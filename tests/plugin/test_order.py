"""The order of the cases, and the process in which they run, do not matter."""

from collections.abc import Callable

import pytest

Run = Callable[..., pytest.RunResult]
REVERSED = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"


def test_cases_may_be_run_in_any_order(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(REVERSED)
    run("--contract", "greeter", "--suite", "conformance").assert_outcomes(passed=7)


def test_cases_may_be_run_in_several_processes(pytester: pytest.Pytester, contracts: object) -> None:
    pytest.importorskip("xdist")
    idle = [part for name in ("schemathesis", "locust", "langsmith", "pact") for part in ("-p", f"no:{name}")]
    result = pytester.runpytest_subprocess(*idle, "--contract", "greeter", "--adapter", "hello:Loud", "--suite", "conformance", "-n", "2")
    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["*contract greeter*", "*conformance*6 passed, 1 failed*", "*greeter: BROKEN*"])
