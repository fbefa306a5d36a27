"""What a client is put through: steps as plain values, so that any driver can take any client through them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """Call the client's method for an operation.

    ``parts`` is the request that is meant (body, query, path, headers); ``arguments`` override what follows
    from it. ``spoil`` overwrites what was returned, once it was looked at, as its owner may.
    """

    operation: str
    parts: Mapping[str, object] = field(repr=False)
    arguments: Mapping[str, object] = field(default_factory=dict, repr=False)
    leave_out: frozenset[str] = frozenset()
    needs: str | None = None  # the state that the provider has to be in
    step: str | None = None  # `sequence/step`, when it is one of a sequence
    spoil: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Calls at the same time."""

    calls: tuple[Invoke, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Let virtual time pass."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Put the provider into a declared state of failure; None is the normal one."""

    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCredential:
    """The credential in the environment changes, and the provider takes only the new one."""

    to: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Let the client's monitor run for so many seconds."""

    seconds: float


Step = Invoke | Together | Pass | Given | ChangeCredential | Watch
Scenario = tuple[Step, ...]
