"""``harness explain``: what a clause says, where, who keeps it, who judges it, and what would break it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import click

from harness.cli.telling import Failure, style
from harness.contract.catalog import UnknownContract, contracts_folder, entries, find
from harness.contract.clauses import Clause
from harness.contract.coherence import Outline, read_outline
from harness.contract.problems import ContractError, nearest

MOST_LISTED = 12


@click.command("explain")
@click.argument("clause")
@click.option("--contract", "name", metavar="NAME", help="Look in this contract only (default: in all of them).")
@click.option("--cases", is_flag=True, help="List the cases that are there for the clause (makes all cases, which takes a moment).")
def command(clause: str, name: str | None, cases: bool) -> None:
    """Explain a CLAUSE by its id, or by as much of the end of its id as is unique in its contract.

    \b
    Examples:
      harness explain resilience.retry.attempts
      harness explain retry.attempts --contract voyage_ai --cases
      harness explain embed.responses.200.invariants.in_order
    """
    outlines = dict(_outlines(name))
    found = {title: meant for title, outline in outlines.items() if (meant := _meant(clause, outline))}
    if not found:
        raise Failure(_unknown(clause, outlines))
    unsure = [f"{title}: {known.id}" for title, meant in found.items() if len(meant) > 1 for known in meant]
    if unsure:
        shown = "\n  ".join(unsure[:MOST_LISTED])
        more = f"\n  and {len(unsure) - MOST_LISTED} more" if len(unsure) > MOST_LISTED else ""
        raise Failure(f"`{clause}` may mean any of these; give more of the id:\n  {shown}{more}")
    for title, (known, *_) in found.items():
        _explain(title, outlines[title], known)
        if cases:
            _list_cases(title, known)


def _outlines(name: str | None) -> Iterator[tuple[str, Outline]]:
    """The contracts to look in; one that can't be read is an error only if it was named."""
    here = Path.cwd()
    folder = contracts_folder(here)
    known = find(name, folder)[:1] if name else entries(folder)
    if not known:
        raise UnknownContract(f"there is no contract in {folder}; put SERVICE.yaml into it")
    for entry in known:
        shown = str(entry.path.relative_to(here)) if entry.path.is_relative_to(here) else str(entry.path)
        try:
            yield entry.name, read_outline(entry.path, shown_as=shown)
        except ContractError:
            if name:
                raise
            click.echo(style(f"{entry.name} is left out: it can't be read (harness lint {entry.name})", "yellow", err=True), err=True)


def _meant(text: str, outline: Outline) -> list[Clause]:
    """The clause of that id, or else those whose id ends so."""
    if text in outline.clauses:
        return [outline.clauses[text]]
    return [clause for clause in outline.clauses.values() if clause.id.endswith(f".{text}")]


def _unknown(text: str, outlines: Mapping[str, Outline]) -> str:
    known = [clause for outline in outlines.values() for clause in outline.clauses]
    parts = dict.fromkeys(".".join(clause.split(".")[-text.count(".") - 1 :]) for clause in known)
    within = [clause for clause in dict.fromkeys(known) if text in clause]
    where = f"the contract {next(iter(outlines))} has" if len(outlines) == 1 else "no contract has"
    message = f"{where} no clause `{text}`" if len(outlines) == 1 else f"{where} a clause `{text}`"
    hint = nearest(text, known) or nearest(text, parts)
    if text and within:
        hint = "there are: " + ", ".join(within[:MOST_LISTED]) + (", …" if len(within) > MOST_LISTED else "")
    return f"{message}; {hint}" if hint else message


def _explain(title: str, outline: Outline, clause: Clause) -> None:
    from harness.checks.kinds import JUDGED_BY
    from harness.proof.unprovable import ways_to_break

    click.echo(f"{style(clause.id, 'bold')}  ({title})")
    click.echo(f"  {clause.kind}, at {clause.place}")
    for number, line in outline.document.excerpt(_steps(outline, clause), most=MOST_LISTED):
        click.echo(style(f"  {number:5} | ", "dim") + line)
    click.echo(f"  kept by    {', '.join(sorted(clause.parties)) or 'the contract itself'}")
    click.echo(f"  judged by  {', '.join(JUDGED_BY.get(clause.kind, ())) or 'whatever check sees it'}")
    click.echo(f"  broken by  {'; '.join(ways_to_break(clause))}")


def _steps(outline: Outline, clause: Clause) -> tuple[str | int, ...]:
    """Where in the document a clause stands; ids say words where the file has a place in a list."""
    document = outline.document
    keys = [steps for steps, place in document.keys.items() if place == clause.place]
    return keys[0] if keys else max((steps for steps, place in document.places.items() if place == clause.place), key=len)


def _list_cases(title: str, clause: Clause) -> None:
    """How many cases of each suite are there for a clause, and their names."""
    from harness.cli.choosing import agreement_named, setting_for
    from harness.engine import all_cases, find_suites

    setting = setting_for(agreement_named(title), provider="stub", adapter=None, seed=0)
    found = [case for case in all_cases(setting, find_suites(())) if any(fnmatchcase(clause.id, aim) for aim in case.aims)]
    counted = Counter(case.suite for case in found)
    click.echo(f"  tried by   {', '.join(f'{suite} ({count})' for suite, count in counted.items()) or 'no case of its own'}")
    for case in found:
        click.echo(f"    {case.id}")
