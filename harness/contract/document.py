"""A file that has been read: its value, and where each part of it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.contract.problems import Place

Step = str | int
Steps = tuple[Step, ...]

_QUOTES = "\"'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A read file: its value as plain dicts, lists and scalars, and where each part of it stands."""

    file: str
    value: Any
    places: Mapping[Steps, Place] = field(repr=False)
    keys: Mapping[Steps, Place] = field(repr=False)
    lines: tuple[str, ...] = field(default=(), repr=False)

    def place(self, steps: Steps) -> Place:
        """Where the value at ``steps`` stands, or the nearest part around it that does."""
        while steps not in self.places and steps:
            steps = steps[:-1]
        return self.places.get(steps, Place(self.file))

    def key_place(self, steps: Steps) -> Place:
        """Where the key of the value at ``steps`` stands."""
        return self.keys.get(steps) or self.place(steps)

    def place_within(self, steps: Steps, text: str, column: int) -> Place:
        """Where the character ``column`` (from 1) of the text at ``steps`` stands, however YAML folded it.

        Folding moves blanks only, so the other characters are counted; where quotes hide more than
        that, it is the place of the text.
        """
        start = self.places.get(steps)
        if start is None:
            return self.place(steps)
        found = start
        wanted = sum(not character.isspace() for character in text[: column - 1]) + 1
        seen = [character for character in text if not character.isspace()]
        for count, (place, character) in enumerate(self._characters(start), 1):
            if count > len(seen) or character != seen[count - 1]:
                break
            found = place
            if count == wanted:
                return found
        return Place(found.file, found.line, found.column + 1) if wanted > len(seen) and found != start else start

    def _characters(self, start: Place) -> "list[tuple[Place, str]]":
        """The characters from a place on that are not blank, without the signs that open a YAML text."""
        line, column = start.line - 1, start.column - 1
        if line >= len(self.lines):
            return []
        first = self.lines[line][column:]
        if first[:1] in ("|", ">"):
            line, column = line + 1, 0
        elif first[:1] in _QUOTES:
            column += 1
        found = []
        for number in range(line, min(line + 200, len(self.lines))):
            text = self.lines[number]
            begin = column if number == line else 0
            found += [(Place(self.file, number + 1, at + 1), text[at]) for at in range(begin, len(text)) if not text[at].isspace()]
        return found

    def excerpt(self, steps: Steps, *, most: int = 12) -> tuple[tuple[int, str], ...]:
        """The lines in which the part at ``steps`` stands, with their numbers."""
        first = self.key_place(steps).line
        inside = [place.line for at, place in self.places.items() if at[: len(steps)] == steps]
        last = max([first, *inside])
        last = self._end_of_text(steps, last)
        return tuple((number, self.lines[number - 1]) for number in range(first, min(last, first + most - 1, len(self.lines)) + 1))

    def _end_of_text(self, steps: Steps, last: int) -> int:
        """A text may go on over more deeply indented lines."""
        own = self.lines[self.key_place(steps).line - 1] if self.lines else ""
        depth = len(own) - len(own.lstrip())
        while last < len(self.lines):
            text = self.lines[last]
            if text.strip() and len(text) - len(text.lstrip()) <= depth:
                break
            last += 1
        while last > 1 and not self.lines[last - 1].strip():
            last -= 1
        return last


def value_at(root: Any, steps: Steps) -> Any:
    """What stands at ``steps``; None where nothing does."""
    for step in steps:
        if isinstance(root, list) and str(step).isdecimal() and int(step) < len(root):
            root = root[int(step)]
        elif isinstance(root, Mapping) and step in root:
            root = root[str(step)]
        else:
            return None
    return root
