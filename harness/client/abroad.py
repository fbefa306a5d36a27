"""Having a client in another language, or saying how to get it."""

from collections.abc import Mapping

from harness.client.binding import Binding, UnknownClient
from harness.client.command import CommandFailed, Foreign, Process


def process_of(binding: Binding) -> Process | None:
    """The process in which a client lives; to be started before time is the harness's own."""
    if binding.command is None:
        return None
    try:
        return Process.of(binding.command, binding.folder)
    except CommandFailed as error:
        raise _unavailable(binding, error) from error


async def made_there(client: Foreign, binding: Binding, names: Mapping[str, object], environment: Mapping[str, str]) -> None:
    """Have a new client made; UnknownClient when it can't be."""
    try:
        await client.make(binding.made_with(names), environment)
    except CommandFailed as error:
        await client.aclose()
        raise _unavailable(binding, error) from error


def _unavailable(binding: Binding, error: CommandFailed) -> UnknownClient:
    return UnknownClient(f"{binding.title}: {error}" + (f"; install it: {binding.install}" if binding.install else ""))
