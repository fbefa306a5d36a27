"""--contract-report: where the event stream goes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.events import RunFinished, RunStarted
from harness.reporting.stream import read_stream
from harness.reporting.summary import summarise

Run = Callable[..., pytest.RunResult]


def test_the_stream_says_what_the_summary_says(run: Run, tmp_path: Path) -> None:
    run("--contract", "greeter", "--suite", "conformance", "--contract-report", str(tmp_path / "run.jsonl"))
    events = read_stream(tmp_path / "run.jsonl")
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert [summary.kept for summary in summarise(events)] == [True]


def test_it_goes_to_the_build_folder_otherwise(run: Run, pytester: pytest.Pytester) -> None:
    result = run("--contract", "greeter", "--suite", "static")
    result.stdout.fnmatch_lines(["*event stream: *build/reports/contract.jsonl"])
    assert read_stream(pytester.path / "build" / "reports" / "contract.jsonl")


def test_a_place_that_can_not_be_written_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("--contract", "greeter", "--suite", "conformance", "--contract-report", str(tmp_path / "file" / "run.jsonl"))
    result.stdout.fnmatch_lines(["*could not be written*"])


def test_the_report_of_the_run_before_changes_nothing(run: Run, tmp_path: Path) -> None:
    """pytest takes an existing file, given to an option it does not know yet, for a test path, and its folder for the root."""
    report = tmp_path / "run.jsonl"
    for _ in range(2):
        result = run("--contract", "greeter", "--suite", "static", "--contract-report", str(report))
        result.stdout.fnmatch_lines([f"*event stream: {report}"])
