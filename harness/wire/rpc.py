"""Calls over gRPC as those see them who stand between client and provider: what is asked for, what is said to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

MARK = "harness-injected"  # the trailing metadata that tells whoever listens which fault has answered
Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a client asks for: ``method`` as in ``/package.Service/Method``."""

    method: str
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)  # may carry a credential
    message: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The message of a call that succeeded; ``injected`` names the fault, if the provider itself did not say so."""

    message: bytes = field(repr=False)
    metadata: Metadata = ()
    injected: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A call that failed, by the number of gRPC's status."""

    code: int
    message: str = ""
    metadata: Metadata = ()
    injected: str | None = None


Said = Answer | Status


class Interposer(Protocol):
    """Has its say on each call."""

    def instead(self, asked: Asked) -> Said | None:
        """The answer without asking the provider; None to ask it."""
        ...

    def after(self, asked: Asked, said: Said) -> Said:
        """The answer in place of the provider's."""
        ...
