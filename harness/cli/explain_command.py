"""``harness explain``: what a clause says, where, who keeps it, and what would break it."""

from pathlib import Path

import click

from harness.cli.choosing import agreement_named
from harness.cli.telling import Failure, style
from harness.contract.agreement import Agreement
from harness.contract.catalog import contracts_folder, entries, load
from harness.contract.clauses import Clause
from harness.contract.problems import ContractError, nearest
from harness.proof.unprovable import ways_to_break

LINES_SHOWN = 3


@click.command("explain")
@click.argument("clause")
@click.option("--contract", "name", help="Only in this contract (default: all of them).")
def command(clause: str, name: str | None) -> None:
    """Explain a clause by its id, or by any part of it that is unique.

    \b
    Examples:
      harness explain resilience.retry.attempts
      harness explain embed.responses.200.invariants.in_order --contract voyage_ai
    """
    agreements = [agreement_named(name)] if name else _readable()
    found = [(agreement, known) for agreement in agreements for known in _matching(agreement, clause)]
    exact = [(agreement, known) for agreement, known in found if known.id == clause]
    if not found:
        hint = nearest(clause, [known for agreement in agreements for known in agreement.clauses])
        raise Failure(f"no contract has a clause `{clause}`" + (f"; {hint}" if hint else ""))
    for agreement, known in exact or found[:10]:
        _explain(agreement, known)
    if not exact and len(found) > 10:
        click.echo(f"… and {len(found) - 10} more clauses match; give more of the id")


def _readable() -> list[Agreement]:
    here, found = Path.cwd(), []
    for entry in entries(contracts_folder(here)):
        try:
            found.append(load(entry.path, root=here))
        except ContractError:
            continue  # `harness lint` says what is wrong with it
    return found


def _matching(agreement: Agreement, text: str) -> list[Clause]:
    ends = [clause for clause in agreement.clauses.values() if clause.id == text or clause.id.endswith("." + text)]
    return ends or [clause for clause in agreement.clauses.values() if text in clause.id]


def _explain(agreement: Agreement, clause: Clause) -> None:
    click.echo(style(clause.id, "bold") + f"  ({agreement.name}, {clause.kind})")
    click.echo(f"  at       {clause.place}")
    click.echo(f"  kept by  {', '.join(sorted(clause.parties)) or 'the contract itself'}")
    for number, line in _excerpt(agreement.path, clause.place.line):
        click.echo(f"  {number:5} | {line}")
    click.echo("  broken by  " + "; ".join(ways_to_break(clause)))


def _excerpt(path: Path, line: int) -> list[tuple[int, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(number + 1, lines[number]) for number in range(line - 1, min(line - 1 + LINES_SHOWN, len(lines)))]
