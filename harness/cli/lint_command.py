"""``harness lint``: are the contracts readable, whole and coherent?"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from harness.cli.telling import BROKEN, USAGE, style
from harness.contract.advice import advice
from harness.contract.catalog import CLIENTS, UnknownContract, contracts_folder, find, load
from harness.contract.problems import ContractError, Problem
from harness.contract.reader import read_document

Reading = Callable[[Path, Path], str]  # of a file, shown relative to a folder: what it is


@click.command("lint")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--write-schema", is_flag=True, help="Write the format's JSON Schema beside the contracts, for editors, and do nothing else.")
def command(names: tuple[str, ...], write_schema: bool) -> None:
    """Read contracts and say everything that is wrong with them: file:line:column, what is allowed, what to do.

    Without a NAME, all contracts and the clients' bindings are read. NAME is a service, service@version or a file.

    \b
    Examples:
      harness lint                  all of them
      harness lint voyage_ai
      harness lint drafts/new_service.yaml
      harness lint --write-schema   contract.schema.json, for yaml-language-server

    A warning says what is no mistake and yet may not be what is meant; it changes no exit status.

    \b
    Exit status: 0 all are readable, 1 a published schema is stale, 2 a contract can't be read.
    """
    here = Path.cwd()
    folder = contracts_folder(here)
    if write_schema:
        _write_schemas(folder, here)
        return
    chosen = {entry.path for name in names or ("all",) for entry in find(name, folder)}
    readings: dict[Path, Reading] = dict.fromkeys(sorted(chosen), _contract)
    if not names:
        readings |= {path: partial(_client, folder=folder) for path in sorted((folder / CLIENTS).glob("*.yaml"))}
    readable = [_readable(reading, path, here) for path, reading in readings.items()]
    stale = [] if names else _stale(folder)
    for path in stale:
        click.echo(style(f"{_shown(path, here)}: is not what the format says now: run `harness lint --write-schema`", "red"))
    if not all(readable):
        raise click.exceptions.Exit(USAGE)
    if stale:
        raise click.exceptions.Exit(BROKEN)


def _contract(path: Path, here: Path) -> str:
    agreement = load(path, root=here)
    for each in advice(agreement):
        click.echo(style(f"{each.place}: warning: {each.told}", "yellow"))
    return f"{len(agreement.operations)} operations, {len(agreement.clauses)} clauses"


def _client(path: Path, here: Path, *, folder: Path) -> str:
    """Read a client's binding against its contract."""
    from harness.client.binding import bind

    document = read_document(path, shown_as=_shown(path, here))
    name = document.value.get("contract") if isinstance(document.value, dict) else None
    if not isinstance(name, str):
        raise ContractError([Problem(document.place(()), "`contract` is missing here", "the name of a contract")])
    binding = bind(load(find(name, folder)[0].path, root=here), _shown(path, here))
    return f"a client of {binding.agreement.name}, {len(binding.methods)} operations"


def _readable(reading: Reading, path: Path, here: Path) -> bool:
    """Read a file and say what it is, or everything that is wrong with it."""
    try:
        found = reading(path, here)
    except ContractError as error:
        click.echo(style(str(error), "red"))
        return False
    except UnknownContract as error:
        click.echo(style(f"{_shown(path, here)}: {error}", "red"))
        return False
    click.echo(f"{_shown(path, here)}: {style('readable', 'green')}: {found}")
    return True


def _stale(folder: Path) -> list[Path]:
    """The published schemas that are not what the models say; one that was never published can't be stale."""
    return [path for path, text in _schemas(folder).items() if path.exists() and path.read_text(encoding="utf-8") != text]


def _write_schemas(folder: Path, here: Path) -> None:
    for path, text in _schemas(folder).items():
        if path.parent.is_dir():
            path.write_text(text, encoding="utf-8")
            click.echo(f"{_shown(path, here)}: written")


def _schemas(folder: Path) -> dict[Path, str]:
    from harness.client.binding import ClientFile
    from harness.contract.format import published

    return published(folder, client=ClientFile)


def _shown(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
