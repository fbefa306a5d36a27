"""What a lying provider says: one clause broken in one way, as often as it is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from harness.contract.agreement import Agreement
from harness.exchange import Request, Response
from harness.provider.had import Provider
from harness.provider.lying import Change, Instead, LyingProvider


@dataclass(frozen=True, kw_only=True)
class Lie:
    """One way for a provider to break one clause, found in one case.

    ``tell`` makes a liar of a provider, a new one for each try, because some of them count. ``names`` are other
    clauses (or patterns) that tell of this lie as well, where one promise is made in several places. ``idle``
    says why it breaks nothing after all, if it is known not to. One ``over_grpc`` is told there and nowhere else.
    """

    clause: str
    kind: str
    what: str
    case: str
    tell: Callable[[Provider], LyingProvider] = field(repr=False)
    names: tuple[str, ...] = ()
    idle: str = ""
    over_grpc: bool = False

    def told_by(self, honest: Provider) -> LyingProvider:
        """The liar that it makes of a provider."""
        liar = self.tell(honest)
        return liar.over_grpc() if self.over_grpc else liar

    def named_in(self, found: Mapping[str, str]) -> str | None:
        """The clause among those found broken that tells of this lie."""
        if self.clause in found:
            return self.clause
        return next((clause for clause in found if any(fnmatchcase(clause, name) for name in self.names)), None)


Sayable = Callable[[Request, Response, Response], bool]  # whether the last can be told where the other one is the honest answer


def anything(request: Request, honest: Response, lie: Response) -> bool:
    """Over REST everything can be said."""
    return True


def changing(change: Change) -> Callable[[Provider], LyingProvider]:
    """A liar that changes answers, and remembers nothing of it."""
    return lambda honest: LyingProvider(honest, change)


def counting(make: Callable[[], Change]) -> Callable[[Provider], LyingProvider]:
    """A liar whose change is made anew for each try."""
    return lambda honest: LyingProvider(honest, make())


def pretending(instead: Instead) -> Callable[[Provider], LyingProvider]:
    """A liar that answers without doing what was asked."""
    return lambda honest: LyingProvider(honest, lambda request, response: response, instead=instead)


def applies(agreement: Agreement, operation: str, status: int, request: Request, response: Response) -> bool:
    """Whether an answer is one of this operation with this status."""
    found = agreement.operation_of(request.method, request.path)
    return found is not None and found[0].name == operation and response.status == status


def is_same(one: Request, other: Request) -> bool:
    """Whether two requests ask for the same in the same words."""
    return (one.method, one.target, one.body) == (other.method, other.target, other.body)
