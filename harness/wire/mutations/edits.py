"""Changes to a JSON value: each makes a new value and leaves the old one as it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Step = str | int
Steps = tuple[Step, ...]


class Kind(StrEnum):
    """What is done to a response or a request, in the words that reports count by."""

    DROPPED = "dropped"
    RENAMED = "renamed"
    RETYPED = "retyped"
    NULLED = "nulled"
    ENUM = "enum"
    CONST = "const"
    BOUND = "bound"
    PATTERN = "pattern"
    FORMAT = "format"
    ADDED = "added"
    ALTERNATIVE = "alternative"
    EMPTIED = "emptied"
    SHORTER = "shorter"
    LONGER = "longer"
    REVERSED = "reversed"
    SWAPPED = "swapped"
    DUPLICATED = "duplicated"
    SHIFTED = "shifted"
    NUMBER = "number"
    TEXT = "text"
    FLIPPED = "flipped"
    FILLED = "filled"
    SCALED = "scaled"
    RESIZED = "resized"
    ENCODED = "encoded"
    NOT_A_NUMBER = "nan"
    MALFORMED = "malformed"
    MEDIA_TYPE = "media type"
    STATUS = "status"
    HEADER = "header"
    ERROR_SHAPE = "error shape"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A JSON value with one thing in it changed.

    ``steps`` is where, ``clause`` the promise that it is made to break (None: whatever it breaks), ``note``
    what was done.
    """

    kind: Kind
    steps: Steps
    note: str
    value: Any = field(repr=False)
    clause: str | None = None

    @property
    def name(self) -> str:
        """Tells it from the other edits of the same value."""
        return f"{self.kind} at {pointer(self.steps)}: {self.note}"


def pointer(steps: Steps) -> str:
    """RFC 6901 text of the steps; ``/`` alone for the whole value."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps) or "/"


def value_at(value: Any, steps: Steps) -> Any:
    """The part of a value that the steps lead to; LookupError when there is none."""
    for step in steps:
        value = value[step]
    return value


def replaced(value: Any, steps: Steps, new: Any) -> Any:
    """``value`` with another part at the steps; only the containers on the way there are copied."""
    if not steps:
        return new
    head, rest = steps[0], steps[1:]
    copied: Any = list(value) if isinstance(value, list) else dict(value)
    missing = isinstance(copied, dict) and head not in copied
    copied[head] = replaced(None if missing else copied[head], rest, new)
    return copied


def removed(value: Any, steps: Steps) -> Any:
    """``value`` without the property or item at the steps."""
    parent = value_at(value, steps[:-1])
    copied: Any = list(parent) if isinstance(parent, list) else dict(parent)
    del copied[steps[-1]]
    return replaced(value, steps[:-1], copied)


def renamed(value: Any, steps: Steps, name: str) -> Any:
    """``value`` with the property at the steps under another name, at the same place."""
    parent: Mapping[str, Any] = value_at(value, steps[:-1])
    copied = {name if key == steps[-1] else key: item for key, item in parent.items()}
    return replaced(value, steps[:-1], copied)
