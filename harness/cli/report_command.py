"""``harness report``: read a run's event stream back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.telling import BROKEN, KEPT, MISSED, style

if TYPE_CHECKING:
    from harness.reporting.summary import Summary


@click.command("report")
@click.argument("file", type=click.Path(path_type=Path), default=Path("build/reports/contract.jsonl"))
@click.option("--verbose", "-v", is_flag=True, help="List every clause.")
def command(file: Path, verbose: bool) -> None:
    """Sum up a run from its JSON event stream (FILE, by default build/reports/contract.jsonl).

    A stream that was cut short is refused: it can't be told from one that would have ended badly.

    \b
    Examples:
      harness report
      harness report build/reports/contract.jsonl --verbose

    \b
    Exit status: 0 kept, 1 broken, 2 unreadable or cut short, 3 nothing but the SLA was missed.
    """
    from harness.reporting.stream import read_stream
    from harness.reporting.summary import summarise
    from harness.reporting.text import lines

    summaries = summarise(read_stream(file))
    for summary in summaries:
        for text, how in lines(summary, verbose=verbose):
            click.echo(style(text, how))
    raise click.exceptions.Exit(status_of(summaries))


def status_of(summaries: Sequence[Summary]) -> int:
    """The exit status that runs come to together."""
    from harness.contract.clauses import Kind
    from harness.reporting.summary import State
    from harness.verdict import Outcome

    failing = [summary for summary in summaries if not summary.kept]
    if not failing:
        return KEPT
    broken = [clause for summary in failing for clause in summary.in_state(State.BROKEN)]
    unsure = any(
        summary.vacuous
        or summary.outcomes[Outcome.ERROR]
        or summary.outcomes[Outcome.INCONCLUSIVE]
        or (summary.in_state(State.UNCHECKED) and not summary.started.partial)
        for summary in failing
    )
    return MISSED if broken and not unsure and all(clause.kind == Kind.SLA for clause in broken) else BROKEN
