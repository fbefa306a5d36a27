"""``harness report``: read a run's event stream back."""

from pathlib import Path

import click

from harness.cli.telling import BROKEN, style
from harness.reporting.stream import read_stream
from harness.reporting.summary import summarise
from harness.reporting.text import lines


@click.command("report")
@click.argument("file", type=click.Path(path_type=Path), default=Path("build/reports/contract.jsonl"))
@click.option("--verbose", "-v", is_flag=True, help="List every clause.")
def command(file: Path, verbose: bool) -> None:
    """Sum up a run from its JSON event stream; one that was cut short is refused.

    \b
    Examples:
      harness report
      harness report build/reports/contract.jsonl --verbose
    """
    summaries = summarise(read_stream(file))
    for summary in summaries:
        for text, how in lines(summary, verbose=verbose):
            click.echo(style(text, how))
    if not all(summary.kept for summary in summaries):
        raise click.exceptions.Exit(BROKEN)
