"""How a provider is had, behind one protocol: whatever is behind it, it answers requests."""

from collections.abc import Callable
from typing import Protocol

from harness.exchange import Level
from harness.wire.clock import VirtualClock
from harness.wire.wire import Upstream


class ProviderUnavailable(Exception):
    """The provider can't be had here; the message says why and what to do."""


class PartMissing(ProviderUnavailable):
    """A library that the provider needs is not installed; the message says how to get it."""


class NotNamed(ProviderUnavailable):
    """The contract says nothing of such a provider; the message says how else it can be had."""


class Provider(Protocol):
    """A provider under test. Nothing is started before it is needed; ``close`` ends whatever was."""

    @property
    def name(self) -> str:
        """As given on the command line: ``stub``, ``embedded``, ``container``, a URL."""
        ...

    @property
    def level(self) -> Level: ...

    @property
    def credential(self) -> str:
        """The credential that it takes."""
        ...

    @property
    def takes_states(self) -> bool:
        """Whether it can be put into the contract's provider states."""
        ...

    @property
    def remembers(self) -> bool:
        """Whether what one request does is seen by the next."""
        ...

    def upstream(self, clock: Callable[[], float] | VirtualClock) -> Upstream:
        """A provider for one case, in the same process or reached from it; it forgets nothing of another case
        unless it is a fresh one, as the stub's is."""
        ...

    def origin(self) -> str:
        """The scheme and authority of a port on which it answers, for tools that speak to a port only."""
        ...

    def enter(self, given: str | None) -> None:
        """Put what answers at ``origin`` into a provider state; None is the normal one."""
        ...

    def close(self) -> None: ...
