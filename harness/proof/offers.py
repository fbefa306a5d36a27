"""Which lies are still to be made: one for each clause and kind, of clauses that the case at hand bears on."""

from collections.abc import Callable


class Offers:
    """The lies that are chosen, and what else is wanted; what is not need not be made at all."""

    def __init__(self) -> None:
        self._chosen: set[tuple[str, str]] = set()
        self.bears_on: Callable[[str], bool] = lambda clause: True

    def wants(self, clause: str, kind: str) -> bool:
        """Whether there is no such lie yet, and the case would see it."""
        return (clause, kind) not in self._chosen and self.bears_on(clause)

    def choose(self, clause: str, kind: str) -> bool:
        """Take a lie if it is wanted."""
        wanted = self.wants(clause, kind)
        if wanted:
            self._chosen.add((clause, kind))
        return wanted
