"""The ``harness`` command: its subcommands are imported when they are asked for."""

import importlib

import click

from harness.cli.telling import Failure, listed
from harness.contract.problems import nearest

COMMANDS = ("list", "lint", "explain", "stub", "serve", "openapi", "report", "prove")


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

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = nearest(args[0], COMMANDS)
            raise click.UsageError(
                f"there is no command `{args[0]}`; there are: {', '.join(COMMANDS)}" + (f"; {hint}" if hint else ""), ctx
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.exceptions.Exit:
            raise
        except (click.ClickException, click.Abort):
            raise
        except Exception as error:  # known errors are told in a line; anything else is a defect and shows itself
            known = listed(error)
            if known is None:
                raise
            raise Failure(known) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="contract-harness", prog_name="harness")
def main() -> None:
    """Prove every integration before it ships: contracts, their stubs, and the proof that each clause can fail.

    \b
    Examples:
      harness list                       the contracts in ./contracts
      harness lint                       read them all, every problem at once
      harness stub voyage_ai --port 8000 a provider made from the contract
      harness explain embed.responses.429
      harness prove voyage_ai            break every clause, see every check fail
      pytest --contract voyage_ai        run the suites

    \b
    Exit status: 0 kept, 1 broken, 2 usage or unreadable contract, 3 SLA missed.
    """
