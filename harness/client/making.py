"""Whether a client can be made at all: asked once, before each of a thousand cases says it."""

from collections.abc import Callable

from harness.client.binding import Binding, UnknownClient
from harness.client.bound import without
from harness.client.driver import Trial, play
from harness.wire.clock import VirtualClock
from harness.wire.wire import Upstream

REAL_LIMIT_S = 20.0


def assure_makes(binding: Binding, *, upstream: Callable[[VirtualClock], Upstream], credential: str) -> None:
    """Make a client and close it, with ``upstream`` as its provider; UnknownClient, with what was tried, when that fails."""
    binding.assure_installed()
    trial = Trial(binding=binding, upstream=upstream, credential=credential, real_limit_s=REAL_LIMIT_S)
    try:
        seen = play(trial, ())
    except UnknownClient as error:
        raise UnknownClient(without(credential, str(error))) from None
    except Exception as error:  # noqa: BLE001 - the client is the user's, and may fail in any way
        told = f"{binding.title} can't be made and closed again: {type(error).__name__}: {error}"
        raise UnknownClient(without(credential, told)) from None
    if seen.hung:
        raise UnknownClient(f"{binding.title} can't be made and closed again: {seen.hung}")
