"""The logical requests of a call: the same request sent again is another attempt at the same thing."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.checks.breaches import read_response
from harness.checks.sight import Seen
from harness.exchange import Call


@dataclass(frozen=True, eq=False)
class Group:
    """All attempts at one logical request, in order."""

    call: Call
    attempts: tuple[Seen, ...]

    @property
    def last(self) -> Seen:
        return self.attempts[-1]

    @property
    def succeeded(self) -> bool:
        """Whether the last attempt was answered with a response that keeps the contract."""
        return self.last.trouble is None and is_good(self.last)


def is_good(seen: Seen) -> bool:
    """Whether an exchange ended with a success that keeps the contract."""
    response = seen.exchange.response
    return response is not None and response.status < 300 and not read_response(seen).breaches


def group(call: Call, sent: tuple[Seen, ...]) -> tuple[Group, ...]:
    """The logical requests of a call, in the order in which they were first sent."""
    found: dict[object, list[Seen]] = {}
    for seen in sent:
        request = seen.exchange.request
        found.setdefault((request.method, request.target, request.body), []).append(seen)
    return tuple(Group(call, tuple(attempts)) for attempts in found.values())


def names_of(error: object) -> frozenset[str]:
    """The class names that a raised error goes by."""
    kind, bases = getattr(error, "type", ""), getattr(error, "bases", ())
    return frozenset((kind, *bases))


def declared(raises: Mapping[str, object], name: str) -> str | None:
    """The error class that the contract declares for a failure, or None."""
    entry = raises.get(name)
    return str(getattr(entry, "raises", "")) or None
