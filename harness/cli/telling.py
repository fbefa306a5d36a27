"""How the command line speaks: colour only on a terminal, errors as lines, progress on long work."""

import os
import sys

import click

from harness.extras import installed_by

KEPT, BROKEN, USAGE, MISSED = 0, 1, 2, 3

# What a user can put right, by name: to be imported here, each would cost more than most commands do.
_KNOWN = frozenset(
    {
        "harness.client.bound.UnknownClient",
        "harness.contract.catalog.UnknownContract",
        "harness.engine.core.UnknownSuite",
        "harness.events.StreamError",
        "harness.provider.choice.UnknownProvider",
        "harness.provider.had.ProviderUnavailable",
        "harness.wire.server.PortUnavailable",
    }
)
_UNREADABLE = "harness.contract.problems.ContractError"


class Failure(click.ClickException):
    """Something that the user can put right; told without a traceback."""

    exit_code = USAGE

    def show(self, file: object = None) -> None:
        click.echo(style(f"error: {self.message}", "red", err=True), err=True)


def listed(error: Exception) -> str | None:
    """What to tell about an error that is not a defect of ours; None for one that is."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if _UNREADABLE in names:
        count = len(getattr(error, "problems", ()))
        return f"the contract can't be read ({count} {'problem' if count == 1 else 'problems'}):\n{error}"
    if names & _KNOWN:
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")
    if isinstance(error, ModuleNotFoundError):
        return f"{error}: {installed_by(error.name)}"
    return None


def coloured(*, err: bool = False) -> bool:
    """Colour on a terminal only, and never under NO_COLOR."""
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


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
