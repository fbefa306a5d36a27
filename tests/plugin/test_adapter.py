"""--adapter: which client is under test."""

from collections.abc import Callable

import pytest

Run = Callable[..., pytest.RunResult]


def test_a_client_of_the_repository_is_found_by_its_dotted_path(run: Run) -> None:
    result = run("--contract", "greeter", "--adapter", "hello:Loud", "--suite", "conformance", "-k", "ada")
    result.stdout.fnmatch_lines(["*client hello:Loud*"])


def test_a_client_that_lies_fails_with_the_clause_and_its_place(run: Run) -> None:
    result = run("--contract", "greeter", "--adapter", "hello:Loud", "--suite", "conformance")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["contracts/greeter.yaml:*: operations.greet.bind.result is broken*"])


@pytest.mark.parametrize(
    ("adapter", "said"),
    [
        ("nowhere:Client", "*nowhere*install it*"),
        ("hello:Helo", "*has no `Helo`*Hello*"),
        ("hello", "*no client `hello`*package.module:Class*"),
        ("hello:CONSTANT", "*has no `CONSTANT`*"),
    ],
)
def test_a_client_that_is_not_there_says_what_to_do(run: Run, adapter: str, said: str) -> None:
    result = run("--contract", "greeter", "--adapter", adapter)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])
    assert "Traceback" not in result.stderr.str()


def test_a_client_that_needs_more_says_how_to_give_it(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(odd="class Odd:\n    def __init__(self, base_url, tenant):\n        pass\n")
    result = run("--contract", "greeter", "--adapter", "odd:Odd")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*odd:Odd needs tenant*contracts/clients/NAME.yaml*"])


def test_a_client_whose_module_fails_is_told(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(fails="raise RuntimeError('no configuration')")
    result = run("--contract", "greeter", "--adapter", "fails:Client")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*fails:Client*RuntimeError: no configuration*"])
