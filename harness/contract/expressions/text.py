"""Functions on strings; those of CEL's strings extension count in code points, as Python does."""

import hashlib
from functools import lru_cache
from typing import Any

from harness.contract.expressions.errors import EvaluationError
from harness.contract.expressions.values import Steps, charge, kind, plain, typed

_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_ASCII_UPPER = {lower: upper for upper, lower in _ASCII_LOWER.items()}


def _read(steps: Steps, text: Any) -> str:
    """The text, for a function that reads all of it."""
    subject = str(typed(text, str))
    charge(steps, len(subject) >> 8)
    return subject


def contains_text(steps: Steps, text: Any, part: Any) -> bool:
    return typed(part, str) in _read(steps, text)


def starts_with(text: Any, part: Any) -> bool:
    return bool(typed(text, str).startswith(typed(part, str)))


def ends_with(text: Any, part: Any) -> bool:
    return bool(typed(text, str).endswith(typed(part, str)))


@lru_cache(maxsize=256)
def pattern(text: str) -> Any:
    """A compiled RE2 pattern, which matches in linear time; EvaluationError when it is none."""
    import re2  # type: ignore[import-untyped]  # it has no types; imported only where a pattern is used

    options = re2.Options()
    options.log_errors = False  # it would write to standard error
    try:
        return re2.compile(text, options)
    except re2.error as problem:
        reason = problem.args[0] if problem.args else "unknown"
        shown = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise EvaluationError(f"the pattern is no RE2 regular expression: {shown}") from None


def matches(steps: Steps, text: Any, regex: Any) -> bool:
    subject = typed(text, str)
    charge(steps, len(subject) >> 4)
    return pattern(typed(regex, str)).search(subject) is not None


def lower_ascii(steps: Steps, text: Any) -> str:
    subject = _read(steps, text)
    return subject.lower() if subject.isascii() else subject.translate(_ASCII_LOWER)


def upper_ascii(steps: Steps, text: Any) -> str:
    subject = _read(steps, text)
    return subject.upper() if subject.isascii() else subject.translate(_ASCII_UPPER)


def trim(steps: Steps, text: Any) -> str:
    return _read(steps, text).strip()


def split(steps: Steps, text: Any, separator: Any, limit: Any = -1) -> list[str]:
    """At most ``limit`` parts, or all when it is negative; an empty separator parts characters."""
    subject, mark, most = typed(text, str), typed(separator, str), typed(limit, int)
    charge(steps, len(subject))
    if most == 0:
        return []
    if mark:
        return list(subject.split(mark, most - 1 if most > 0 else -1))
    if most < 0 or most >= len(subject):
        return list(subject)
    return [*subject[: most - 1], subject[most - 1 :]]


def join(steps: Steps, values: Any, separator: Any = "") -> str:
    parts, mark = [typed(part, str) for part in typed(values, list)], typed(separator, str)
    charge(steps, sum(map(len, parts)) + len(parts) * (1 + len(mark)))
    return str(mark.join(parts))


def replace(steps: Steps, text: Any, old: Any, new: Any, limit: Any = -1) -> str:
    subject, before, after, most = typed(text, str), typed(old, str), typed(new, str), typed(limit, int)
    found = subject.count(before)
    charge(steps, len(subject) + found * len(after))
    return str(subject.replace(before, after, most))


def substring(steps: Steps, text: Any, start: Any, end: Any = None) -> str:
    subject, first = _read(steps, text), typed(start, int)
    last = len(subject) if end is None else typed(end, int)
    if not 0 <= first <= last <= len(subject):
        raise EvaluationError(f"no characters {first} to {last} in a string of {len(subject)}")
    return subject[first:last]


def char_at(text: Any, at: Any) -> str:
    subject, place = typed(text, str), typed(at, int)
    if not 0 <= place <= len(subject):
        raise EvaluationError(f"no character {place} in a string of {len(subject)}")
    return str(subject[place : place + 1])


def index_of(steps: Steps, text: Any, part: Any, start: Any = 0) -> int:
    subject, first = _read(steps, text), typed(start, int)
    if not 0 <= first <= len(subject):
        raise EvaluationError(f"no character {first} in a string of {len(subject)}")
    return subject.find(typed(part, str), first)


def last_index_of(steps: Steps, text: Any, part: Any) -> int:
    return _read(steps, text).rfind(typed(part, str))


def fraction(steps: Steps, text: Any) -> float:
    """A double in [0, 1) that depends on nothing but the text."""
    digest = hashlib.blake2b(encoded(_read(steps, text)), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def tokens(steps: Steps, text: Any) -> int:
    """An estimate of a text's tokens, a quarter of its characters and at least 1; of a list, their sum."""
    if type(text) is not str:
        text = plain(text)
        if type(text) is list:
            charge(steps, len(text))
            return sum(tokens(steps, item) for item in text)
        if type(text) is not str:
            raise EvaluationError(f"expected string or list, found {kind(text)}")
    return (len(text) + 3) >> 2


def encoded(text: str) -> bytes:
    """A text's UTF-8; JSON can carry half a surrogate pair, which must not stop a stub."""
    return text.encode("utf-8", "surrogatepass")
