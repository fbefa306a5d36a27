"""Which lies are still to be made: one for each clause and kind, of clauses that the case at hand bears on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Offers:
    """The lies that are chosen, and what else is wanted; what is not need not be made at all."""

    def __init__(self) -> None:
        self._chosen: set[tuple[str, str]] = set()
        self._barren: set[tuple[int, str, str]] = set()
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

    @contextmanager
    def made_from(self, message: object) -> Iterator[Callable[[str, str], bool]]:
        """``wants`` while everything is made of one message: what it did not yield then is not wanted from its like again."""
        sign, asked = hash(message), set()

        def wants(clause: str, kind: str) -> bool:
            key = (sign, clause, kind)
            wanted = key not in self._barren and self.wants(clause, kind)
            if wanted:
                asked.add(key)
            return wanted

        yield wants
        self._barren |= asked
