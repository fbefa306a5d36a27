"""Having a client in another language, or saying how to get it."""

from collections.abc import Mapping, Sequence

from harness.client.binding import Binding, UnknownClient
from harness.client.command import CommandFailed, Foreign, OwnTime, Process
from harness.exchange import Exchange, Failure


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


def assure_judgeable(client: object, exchanges: Sequence[Exchange], now_s: float) -> None:
    """OwnTime when a play ended because a client over there said nothing, and nothing here kept it waiting."""
    kept_waiting = any(each.failure is Failure.TIMEOUT and each.ended_s >= now_s for each in exchanges)
    if isinstance(client, Foreign) and client.is_silent and not kept_waiting:
        raise OwnTime(
            "the client neither answered nor said that it waits: if it waits in its own time, that is not seen here, and what it "
            'does then can\'t be judged; let it say {"sleep": …} instead'
        )


def assure_understood(client: object) -> None:
    """CommandFailed when a client over there did not keep the protocol: what was seen of it means nothing then."""
    if isinstance(client, Foreign) and client.misunderstood:
        raise CommandFailed(f"{client.misunderstood}; its output is for messages alone: whatever else it has to say belongs on stderr")


def _unavailable(binding: Binding, error: CommandFailed) -> UnknownClient:
    return UnknownClient(f"{binding.title}: {error}" + (f"; install it: {binding.install}" if binding.install else ""))
