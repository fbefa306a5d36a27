"""What was looked at for lies before, so that nothing is made of the same answer twice."""

from collections.abc import Callable

from harness.exchange import Exchange, Request, Response
from harness.proof.lie import Lie

Key = tuple[str, str]  # clause and kind


class Offers:
    """The lies that are chosen, and those that each answer has to offer, whether or not they were chosen.

    One clause is broken in one way by one lie; an answer that was met before is worth another look only where
    it offers what is still ``wanted``.
    """

    def __init__(self) -> None:
        self._chosen: set[Key] = set()
        self._offers: dict[tuple[Request, Response | None, str | None], set[Key]] = {}
        self.wanted: Callable[[str], bool] = lambda clause: True

    def choose(self, lie: Lie) -> bool:
        """Whether this is the first such lie of a wanted clause."""
        key = (lie.clause, lie.kind)
        if key in self._chosen or not self.wanted(lie.clause):
            return False
        self._chosen.add(key)
        return True

    def is_worth_it(self, exchange: Exchange) -> bool:
        """Whether an answer may offer a lie that is wanted and not chosen yet."""
        offered = self._offers.get(_sign(exchange))
        return offered is None or any(key not in self._chosen and self.wanted(key[0]) for key in offered)

    def note(self, exchange: Exchange, lies: list[Lie]) -> None:
        """Remember what an answer has to offer."""
        self._offers[_sign(exchange)] = {(lie.clause, lie.kind) for lie in lies}


def _sign(exchange: Exchange) -> tuple[Request, Response | None, str | None]:
    return exchange.request, exchange.response, exchange.given
