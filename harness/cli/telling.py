"""How the command line speaks: colour only on a terminal, errors as lines, progress on long work."""

import os
import sys

import click

from harness.client.binding import UnknownClient
from harness.contract.catalog import UnknownContract
from harness.contract.problems import ContractError
from harness.engine.core import UnknownSuite
from harness.events import StreamError
from harness.provider.choice import UnknownProvider
from harness.provider.had import ProviderUnavailable
from harness.wire.server import PortUnavailable

KEPT, BROKEN, USAGE, MISSED = 0, 1, 2, 3
_KNOWN = (UnknownContract, UnknownClient, UnknownProvider, UnknownSuite, ProviderUnavailable, StreamError, PortUnavailable)


class Failure(click.ClickException):
    """Something that the user can put right; told without a traceback."""

    exit_code = USAGE

    def show(self, file: object = None) -> None:
        click.echo(style(f"error: {self.message}", "red", err=True), err=True)


def listed(error: Exception) -> str | None:
    """What to tell about an error that is not a defect of ours; None for one that is."""
    if isinstance(error, ContractError):
        return f"the contract can't be read ({len(error.problems)} problems):\n{error}"
    if isinstance(error, _KNOWN):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")
    return None


def coloured(*, err: bool = False) -> bool:
    """Colour on a terminal only, and never under NO_COLOR."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR")


def style(text: str, how: str, *, err: bool = False) -> str:
    """``text`` in a style ("", "bold", "dim" or a colour), where there is colour."""
    if not how or not coloured(err=err):
        return text
    return click.style(text, **({how: True} if how in ("bold", "dim") else {"fg": how}))


def progress(stage: str, done: int, total: int) -> None:
    """One line on the terminal that is written over; at every tenth a line of its own elsewhere."""
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        click.echo(f"\r{stage}: {done} of {total}{end}", nl=False, err=True)
    elif done == total or (total >= 10 and done % (total // 10 or 1) == 0):
        click.echo(f"{stage}: {done} of {total}", err=True)
