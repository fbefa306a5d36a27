"""The logical requests of a call: the same request sent again is another attempt at the same thing."""

from dataclasses import dataclass

from harness.checks.breaches import read_response
from harness.checks.sight import UNREADABLE, Seen
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

    def runs(self, auth_header: str) -> tuple[tuple[Seen, ...], ...]:
        """The attempts, apart for each credential: whoever has a new one may begin anew."""
        found: list[list[Seen]] = []
        for seen in self.attempts:
            if found and _credential(found[-1][-1], auth_header) == _credential(seen, auth_header):
                found[-1].append(seen)
            else:
                found.append([seen])
        return tuple(map(tuple, found))


def _credential(seen: Seen, auth_header: str) -> str | None:
    return seen.exchange.request.header(auth_header) if auth_header else None


def is_good(seen: Seen) -> bool:
    """Whether an exchange ended with a success that keeps the contract."""
    response = seen.exchange.response
    return response is not None and response.status < 300 and read_response(seen).seems_whole


def group(call: Call, sent: tuple[Seen, ...]) -> tuple[Group, ...]:
    """The logical requests of a call, in the order in which they were first sent."""
    found: dict[tuple[str, str, bytes], list[Seen]] = {}
    for seen in sent:
        request = seen.exchange.request
        found.setdefault((request.method, request.target, request.body), []).append(seen)
    merged = list(found.values()) if len(found) < 2 else _merged(list(found.values()))
    return tuple(Group(call, tuple(sorted(attempts, key=lambda seen: seen.exchange.started_s))) for attempts in merged)


def _merged(groups: list[list[Seen]]) -> list[list[Seen]]:
    """Groups that mean the same, whatever the order of names and the white space in their JSON."""
    found: list[list[Seen]] = []
    for attempts in groups:
        same = next((known for known in found if _means_the_same(known[0], attempts[0])), None)
        if same is None:
            found.append(attempts)
        else:
            same += attempts
    return found


def _means_the_same(one: Seen, other: Seen) -> bool:
    first, second = one.exchange.request, other.exchange.request
    if (first.method, first.target) != (second.method, second.target) or one.request_body is UNREADABLE:
        return False
    return one.request_body == other.request_body


def names_of(error: object) -> frozenset[str]:
    """The class names that a raised error goes by."""
    kind, bases = getattr(error, "type", ""), getattr(error, "bases", ())
    return frozenset((kind, *bases))
