"""What is wrong with a contract: every problem with its place, what is allowed and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, at ``place``; ``allowed`` and ``hint`` may be empty."""

    place: Place
    message: str
    allowed: str = ""
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        if self.hint:
            text += f"; {self.hint}"
        return text


class ContractError(Exception):
    """A contract (or a file that belongs to it) can't be read; carries all its problems at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def nearest(word: str, allowed: Iterable[str]) -> str:
    """A hint that names the nearest right spelling, or an empty string when none is near."""
    close = get_close_matches(word, list(allowed), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""
