"""Installed and not used, the plugin costs nothing worth the name."""

import subprocess
import sys

import pytest

ENGINES = ("pact", "schemathesis", "vcr", "locust", "qdrant_client", "qdrant_edge", "grpc", "respx", "hypothesis", "numpy", "yaml")


def test_importing_the_plugin_imports_no_engine_and_no_other_part_of_the_harness() -> None:
    script = "import sys, harness.plugin; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {name.partition(".")[0] for name in loaded} & set(ENGINES)
    assert {name for name in loaded if name.startswith("harness")} == {"harness", "harness.plugin"}


def test_a_run_without_a_contract_imports_nothing_but_the_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_loaded():
            assert {name for name in sys.modules if name.startswith("harness")} <= {"harness", "harness.plugin"}
        """
    )
    others = [part for name in ("schemathesis", "locust", "langsmith", "randomly") for part in ("-p", f"no:{name}")]
    result = pytester.runpytest_subprocess(*others)
    result.assert_outcomes(passed=1)


def test_the_options_are_in_the_help(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--help")
    result.stdout.fnmatch_lines(
        ["*prove an integration by its contract*", "*--contract=NAME*", "*--suite=SUITE*", "*--provider=HOW*", "*--adapter=CLIENT*"]
    )
