"""YAML in, plain values with their places out: the only module that knows YAML.

The scalars are those of YAML 1.2's core schema (so ``on`` is a word, not a truth value). Tags construct
nothing, aliases are expanded under a bound, and the input is walked event by event, so that neither depth
nor size of hostile input can exhaust the process.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import yaml

from harness.contract.document import Document, Step, Steps
from harness.contract.problems import ContractError, Place, Problem

__all__ = ["Document", "Step", "Steps", "parse_document", "read_document"]

MAX_BYTES = 1_048_576
MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_PROBLEMS = 1000
MAX_DIGITS = 40

# What YAML 1.2 calls unprintable; a file that holds such is not meant for people.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as the parser counts lines
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, object] = MappingProxyType(
    {"": None, "~": None}
    | dict.fromkeys(("null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | {sign + word: math.inf for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
    | dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)
)
_TEXT_TAG = "tag:yaml.org,2002:str"
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1  # what every JSON library can carry

# What the parser's complaints usually mean.
_HINTS = {
    "found character that cannot start any token": "indent with spaces, and put text that begins with a sign between quotes",
    "mapping values are not allowed in this context": "put text that holds `: ` between quotes",
    "did not find expected key": "look at the indentation, and put text that holds `: ` between quotes",
    "did not find expected ',' or '}'": "a `{` is not closed, or text that holds a sign needs quotes",
    "did not find expected ',' or ']'": "a `[` is not closed, or text that holds a sign needs quotes",
    "found unexpected end of stream": "a quote is not closed",
    "did not find expected <document start>": "one document a file",
}


def read_document(path: Path, *, shown_as: str | None = None) -> Document:
    """Read one YAML file; ContractError with every problem when it can't be read."""
    file = shown_as or str(path)
    try:
        if path.exists() and not path.is_file():  # a pipe or a device may never end
            raise ContractError([Problem(Place(file), "is no file", "a file in YAML")])
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ContractError([Problem(Place(file), f"can't be read: {reason}")]) from None
    return parse_document(data, file=file)


def parse_document(data: bytes, *, file: str) -> Document:
    """Parse the bytes of one YAML file; ContractError with every problem."""
    if len(data) > MAX_BYTES:
        raise ContractError([Problem(Place(file), "is too long", f"at most {MAX_BYTES} bytes")])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ContractError([Problem(Place(file, line), "is not UTF-8 text", "UTF-8")]) from None
    composer = _Composer(file)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            composer.take(event)
    except _Unreadable as error:
        composer.problems.append(error.problem)
    except yaml.YAMLError as error:
        composer.problems.append(_syntax_problem(error, text, file))
    if composer.problems:
        raise ContractError(composer.problems)
    lines = tuple(_LINE_END.split(text))
    return Document(file=file, value=composer.value, places=composer.places, keys=composer.keys, lines=lines)


class _Unreadable(Exception):
    """What follows in the file can't be understood after this."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        reason = str(error.problem or error.context)
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        return Problem(place, f"is not YAML: {reason}", hint=_HINTS.get(reason, ""))
    found = _CONTROL.search(text)  # the parser does not say where
    if found is None:
        return Problem(Place(file), f"is not YAML: {str(error).splitlines()[0]}")
    before = text[: found.start()]
    place = Place(file, before.count("\n") + 1, found.start() - before.rfind("\n"))
    return Problem(place, f"is not YAML: the control character {ord(found[0]):#04x}", "printable text")


@dataclass(slots=True)
class _Open:
    """A collection that is being read; ``key`` is the key that waits for its value."""

    value: dict[str, Any] | list[Any]
    steps: Steps
    anchor: str | None
    key: str | None = None
    height: int = 1  # levels of nesting from here on, through aliases too


class _Composer:
    """Builds the value from parser events, iteratively, so that depth is a number and not a stack."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.value: Any = None
        self.places: dict[Steps, Place] = {}
        self.keys: dict[Steps, Place] = {}
        self.problems: list[Problem] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}  # each value with its height
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._problem(event, "holds a second document", "one document a file")
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            closed = self._stack.pop()
            self._rise(closed.height)
            if closed.anchor:
                self._anchors[closed.anchor] = closed.value, closed.height
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)

    def _place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _problem(self, event: Any, message: str, allowed: str = "", hint: str = "") -> None:
        self.problems.append(Problem(self._place(event), message, allowed, hint))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Unreadable(Problem(self._place(event), "there are too many problems to go on"))

    def _stop(self, event: Any, message: str, allowed: str) -> NoReturn:
        raise _Unreadable(Problem(self._place(event), message, allowed))

    def _count(self, event: Any, nodes: int = 1) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._stop(event, "grows too large", f"at most {MAX_NODES} values, aliases expanded")

    def _check_tag(self, event: Any) -> None:
        if event.tag and event.tag not in ("!", _TEXT_TAG):
            self._problem(event, f"has the tag `{event.tag}`", "plain values", "a contract constructs nothing: remove the tag")

    def _open(self, event: Any) -> None:
        self._count(event)
        self._check_tag(event)
        self._deepen(event, 1)
        if self._wants_key():
            self._stop(event, "a key is a list or a mapping", "text")
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        steps = self._put(value, self._place(event))
        self._stack.append(_Open(value, steps, event.anchor))

    def _deepen(self, event: Any, levels: int) -> None:
        if len(self._stack) + levels > MAX_DEPTH:
            self._stop(event, "is nested too deeply", f"at most {MAX_DEPTH} levels, aliases expanded")

    def _rise(self, height: int) -> None:
        """What is now inside the open collection makes it at least one higher."""
        if self._stack:
            self._stack[-1].height = max(self._stack[-1].height, height + 1)

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _scalar(self, event: Any) -> None:
        self._count(event)
        self._check_tag(event)
        if self._wants_key():
            self._key(event)
            return
        value = event.value if event.style or event.tag == _TEXT_TAG else _plain(event.value)
        if isinstance(value, int | float) and not (_SMALLEST <= value <= _LARGEST or (isinstance(value, float) and math.isfinite(value))):
            self._problem(event, "is a number that JSON can't carry", "64 bits, finite", "put it between quotes if it is text")
        if event.anchor:
            self._anchors[event.anchor] = value, 0
        self._put(value, self._place(event))

    def _key(self, event: Any) -> None:
        here = self._stack[-1]
        assert isinstance(here.value, dict)
        steps = (*here.steps, event.value)
        if event.value == "<<":
            self._problem(event, "merges another mapping", hint="write the keys out: a contract is read as it stands")
        elif event.value in here.value:
            first = self.keys.get(steps)
            self._problem(event, f"the key `{event.value}` stands twice", hint=f"first in line {first.line}" if first else "")
        else:
            self.keys[steps] = self._place(event)
        here.key = event.value

    def _alias(self, event: Any) -> None:
        if self._wants_key():
            self._stop(event, "a key is an alias", "text")
        if event.anchor not in self._anchors:
            self._problem(event, f"the alias `*{event.anchor}` names nothing before it", hint="an alias can't contain itself")
        value, height = self._anchors.get(event.anchor, (None, 0))
        self._count(event, _size(value))
        self._deepen(event, height)
        self._rise(height)
        self._put(value, self._place(event))

    def _put(self, value: Any, place: Place) -> Steps:
        if not self._stack:
            self.value = value
            self.places[()] = place
            return ()
        here = self._stack[-1]
        if isinstance(here.value, dict):
            step: Step = here.key if here.key is not None else ""
            here.key = None
            here.value.setdefault(str(step), value)
        else:
            step = len(here.value)
            here.value.append(value)
        steps = (*here.steps, step)
        self.places.setdefault(steps, place)
        return steps


def _size(value: Any) -> int:
    """How many values an alias stands for; iterative for the same reason as the composer."""
    waiting, seen = [value], 0
    while waiting and seen <= MAX_NODES:
        item = waiting.pop()
        seen += 1
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return seen


def _plain(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:  # int() is slow for long ones and refuses the longest
            return math.inf
        return int(text, 0) if text.lstrip("+-")[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
