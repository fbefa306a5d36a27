"""``harness list``: the contracts that there are."""

from pathlib import Path

import click

from harness.cli.telling import USAGE, style
from harness.contract.catalog import contracts_folder, entries, load
from harness.contract.problems import ContractError


@click.command("list")
def command() -> None:
    """The contracts in ./contracts (or the nearest folder above): version, title, operations, clauses.

    \b
    Example:
      harness list
    """
    here, unreadable = Path.cwd(), False
    for entry in entries(contracts_folder(here)):
        try:
            agreement = load(entry.path, root=here)
        except ContractError as error:
            unreadable = True
            click.echo(f"{entry.name:22} " + style(f"unreadable: {len(error.problems)} problems (harness lint {entry.name})", "red"))
            continue
        contract = agreement.contract
        amounts = f"{len(agreement.operations):3} operations {len(agreement.clauses):5} clauses"
        click.echo(f"{style(f'{entry.name:22}', 'bold')} {contract.version:8} {amounts}  {contract.title}")
    if unreadable:
        raise click.exceptions.Exit(USAGE)
