"""``harness report``: the status of a run that was written down, and no status of one that was cut short."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from harness.events import CaseFinished, ClauseListed, Event, RunFinished, RunStarted
from harness.exchange import Level
from harness.reporting.stream import write_stream
from harness.verdict import Finding, Outcome, Verdict

Harness = Callable[..., Result]


def run(*, broken: str | None = None, outcome: Outcome | None = None, checked: bool = True) -> list[Event]:
    """The events of a run over two clauses."""
    clauses = (
        ClauseListed(id="sla.throughput", kind="sla", place="c.yaml:9:1"),
        ClauseListed(id="operations.a.method", kind="endpoint", place="c.yaml:3:1"),
    )
    findings = (Finding(clause=broken, place="c.yaml:3:1", check="x", expected="this", actual="that"),) if broken else ()
    kept = tuple(clause.id for clause in clauses if clause.id != broken) if checked else ()
    verdict = Verdict(
        case="s::c", suite="s", outcome=outcome or (Outcome.FAILED if broken else Outcome.PASSED), kept=kept, findings=findings
    )
    started = RunStarted(
        contract="shop", title="A shop", file="c.yaml", client="C", provider="stub", level=Level.STUB, seed=0, clauses=clauses
    )
    return [started, CaseFinished(contract="shop", verdict=verdict), RunFinished(contract="shop", cases=1)]


@pytest.mark.parametrize(
    ("events", "status"),
    [
        (run(), 0),
        (run(broken="operations.a.method"), 1),
        (run(broken="sla.throughput"), 3),
        (run(checked=False), 1),
        (run(outcome=Outcome.ERROR), 1),
        (run(outcome=Outcome.INCONCLUSIVE), 1),
    ],
    ids=["kept", "broken", "sla missed", "unchecked", "error", "inconclusive"],
)
def test_the_exit_status_is_that_of_the_run(harness: Harness, repository: Path, events: list[Event], status: int) -> None:
    path = repository / "build" / "reports" / "contract.jsonl"
    write_stream(path, events)
    result = harness("report")
    assert result.exit_code == status, result.stdout + result.stderr
    assert "shop" in result.stdout


def test_a_missed_sla_beside_a_broken_clause_is_a_broken_contract(harness: Harness, repository: Path) -> None:
    path = repository / "run.jsonl"
    started, *_ = run()
    both = [event for name in ("sla.throughput", "operations.a.method") for event in run(broken=name)[1:2]]
    write_stream(path, [started, *both, RunFinished(contract="shop", cases=2)])
    assert harness("report", str(path)).exit_code == 1


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_stream_that_was_cut_short_is_refused(harness: Harness, repository: Path, cut: int) -> None:
    path = repository / "run.jsonl"
    write_stream(path, run())
    path.write_bytes(path.read_bytes()[:-cut])
    result = harness("report", str(path))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "run.jsonl" in result.stderr


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"nonsense\n", b"\xff\n", b'{"event": "run_finished"}\n', b"[]\n", b"null\n"])
def test_what_is_no_stream_is_refused(harness: Harness, repository: Path, content: bytes) -> None:
    path = repository / "run.jsonl"
    path.write_bytes(content)
    result = harness("report", str(path))
    assert result.exit_code == 2


def test_a_stream_without_its_last_event_is_refused(harness: Harness, repository: Path) -> None:
    path = repository / "run.jsonl"
    write_stream(path, run()[:-1])
    assert harness("report", str(path)).exit_code == 2
