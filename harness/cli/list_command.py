"""``harness list``: the contracts that there are."""

from pathlib import Path

import click

from harness.cli.telling import USAGE, style
from harness.contract.catalog import contracts_folder, entries
from harness.contract.coherence import read_outline
from harness.contract.problems import ContractError

HEADINGS = ("NAME", "VERSION", "OPERATIONS", "CLAUSES", "ADAPTER", "TITLE")


@click.command("list")
def command() -> None:
    """The contracts in ./contracts (or the nearest folder above).

    Shows for each its version, how many operations and clauses it has, the client that it is tried with unless
    another is named, and its title. A contract that can't be read is listed too, and makes the exit status 2.

    \b
    Examples:
      harness list
      harness -C ../other-repository list
    """
    here = Path.cwd()
    folder = contracts_folder(here)
    rows: list[tuple[str, ...]] = []
    unreadable = dict[str, int]()
    for entry in entries(folder):
        try:
            outline = read_outline(entry.path)
        except ContractError as error:
            unreadable[entry.name] = len(error.problems)
            continue
        contract = outline.contract
        counts = str(len(contract.operations)), str(len(outline.clauses))
        rows.append((entry.name, contract.version, *counts, contract.adapter, contract.title))
    for line in _table(rows):
        click.echo(line)
    for name, count in unreadable.items():
        click.echo(style(f"{name}: unreadable, {count} problems: harness lint {name}", "red", err=True), err=True)
    if not rows and not unreadable:
        click.echo(f"there is no contract in {folder}; put SERVICE.yaml into it", err=True)
    if unreadable:
        raise click.exceptions.Exit(USAGE)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows in columns, numbers to the right; the first column stands out."""
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    lines = []
    for row in (HEADINGS, *rows):
        sized = enumerate(zip(row, widths, strict=True))
        cells = [cell.rjust(width) if number in (2, 3) else cell.ljust(width) for number, (cell, width) in sized]
        how = "dim" if row is HEADINGS else ""
        first = style(cells[0], "dim" if how else "bold")
        lines.append(f"{first}  {style('  '.join(cells[1:]).rstrip(), how)}")
    return lines
