"""The ``harness`` command: its subcommands are imported when they are asked for."""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from harness.cli.telling import KEPT, USAGE, Failure, listed, style

# A command is a module `harness/cli/NAME_command.py` with a click command called `command`.
COMMANDS = {
    "list": "The contracts that there are.",
    "lint": "Say everything that is wrong with contracts, at once.",
    "explain": "What a clause says, where, and who judges it.",
    "stub": "Serve a provider made from a contract.",
    "serve": "Serve a provider's real engine.",
    "openapi": "Print a contract as OpenAPI 3.1.",
    "report": "Sum up a run from its event stream.",
    "prove": "Break every clause, and see every check fail.",
}
INTERRUPTED, HUNG_UP = 130, 141  # as shells count SIGINT and SIGPIPE


class Commands(click.Group):
    """Subcommands by name, one module each, so that help costs no engine."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = importlib.import_module(f"harness.cli.{cmd_name}_command").command
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from harness.contract.problems import nearest

            hint = nearest(args[0], COMMANDS)
            known = f"there is no command `{args[0]}`; there are: {', '.join(COMMANDS)}"
            raise click.UsageError(f"{known}; {hint}" if hint else known, ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise
        except Exception as error:  # known errors are told in a line; anything else is a defect of ours
            known = listed(error)
            if known is None:
                raise
            raise Failure(known) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "-C",
    "--directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Run as if started there; contracts are looked for there and above.",
)
@click.version_option(package_name="contract-harness", prog_name="harness")
def commands(directory: Path | None) -> None:
    """Prove every integration before it ships: contracts, their stubs, and the proof that each clause can fail.

    \b
    Examples:
      harness list                         the contracts in ./contracts
      harness lint                         read them all, every problem at once
      harness stub voyage_ai --port 8000   a provider made from the contract
      harness explain embed.responses.429  what a clause says and who judges it
      harness prove voyage_ai              break every clause, see every check fail
      pytest --contract voyage_ai          run the suites

    \b
    Exit status: 0 kept, 1 broken, 2 usage or unreadable contract, 3 SLA missed.
    """
    if directory is not None:
        os.chdir(directory)
    if str(Path.cwd()) not in sys.path:  # for clients that live beside their contracts; what is installed comes first
        sys.path.append(str(Path.cwd()))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; no ending of it means that a contract is broken unless one is."""
    try:
        status = commands.main(arguments, prog_name="harness", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        status = INTERRUPTED
    except BrokenPipeError:  # whoever read this has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = HUNG_UP
    except Exception as error:  # noqa: BLE001 - a defect is told with all that is known, and is no verdict on a contract
        traceback.print_exception(error)
        click.echo(style("error: this is a defect of the harness itself, and no verdict on a contract", "red", err=True), err=True)
        status = USAGE
    sys.exit(status if isinstance(status, int) else KEPT)
