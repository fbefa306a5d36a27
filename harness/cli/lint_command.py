"""``harness lint``: are the contracts readable, whole and coherent?"""

from pathlib import Path

import click

from harness.cli.telling import USAGE, style
from harness.contract.catalog import contracts_folder, find, load
from harness.contract.problems import ContractError


@click.command("lint")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def command(names: tuple[str, ...]) -> None:
    """Read contracts and say everything that is wrong with them: file:line:column, what is allowed, what to do.

    \b
    Examples:
      harness lint                all of them
      harness lint voyage_ai
      harness lint drafts/new_service.yaml
    """
    here, bad = Path.cwd(), False
    folder = contracts_folder(here)
    for entry in {entry.path: entry for name in names or ("all",) for entry in find(name, folder)}.values():
        try:
            agreement = load(entry.path, root=here)
        except ContractError as error:
            bad = True
            for problem in error.problems:
                click.echo(style(str(problem), "red"))
        else:
            click.echo(f"{agreement.document.file}: " + style(f"readable: {len(agreement.clauses)} clauses", "green"))
    if bad:
        raise click.exceptions.Exit(USAGE)
