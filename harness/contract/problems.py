"""What is wrong with a contract: every problem with its place, what is allowed and what to do."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

MOST_PROBLEMS = 200
MOST_SHOWN = 60
MOST_COMPARED = 100
ALLOWED = "; allowed: "

_SECRET = re.compile(
    r"(?:\b(?:sk|pk|rk|pa|hf|ghp|gho|ghs|glpat|xox[abpr]|github_pat|hvs|npm|pypi)[-_](?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}"
    r"|\b(?:AKIA|ASIA|AIza)(?=[A-Z]*[0-9])[A-Za-z0-9_-]{12,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----)"
)


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

    @property
    def told(self) -> str:
        """Everything but its place."""
        return self.message + (ALLOWED + self.allowed if self.allowed else "") + (f"; {self.hint}" if self.hint else "")

    def __str__(self) -> str:
        return f"{self.place}: {self.told}"


class ContractError(Exception):
    """A contract (or a file that belongs to it) can't be read; carries all its problems at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        lines = list(map(str, self.problems[:MOST_PROBLEMS]))
        if len(self.problems) > MOST_PROBLEMS:
            lines.append(f"{self.problems[0].place.file}: and {len(self.problems) - MOST_PROBLEMS} more problems")
        super().__init__("\n".join(lines))


def nearest(word: str, allowed: Iterable[str]) -> str:
    """A hint that names the nearest right spelling, or an empty string when none is near."""
    if len(word) > MOST_COMPARED:
        return ""
    known = {name.lower(): name for name in allowed if len(name) <= 2 * MOST_COMPARED}
    close = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean `{known[close[0]]}`?" if close else ""


def looks_secret(text: str) -> bool:
    """Whether a text has the shape of a key or token that somebody issues."""
    return _SECRET.search(text) is not None


def shown(value: object) -> str:
    """A value in a message: scalars unless they are long, for what is in the wrong place may be a secret or a body."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        hidden = len(value) > MOST_SHOWN or looks_secret(value)
        return f"a text of {len(value)} characters" if hidden else f"`{value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{value}`"
    return {"dict": "a mapping", "list": "a list"}.get(type(value).__name__, type(value).__name__)
