"""Which functions and methods an expression may call, and with how many arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.contract.expressions import arithmetic, lists, text
from harness.contract.expressions.values import TYPES, kind, size


@dataclass(frozen=True, slots=True)
class Function:
    """``load`` gives what is called, the steps first if it is ``metered``; a method's subject is counted."""

    load: Callable[[], Callable[..., Any]]
    least: int
    most: int
    kind: str = ""  # the CEL type of every result, where there is one
    metered: bool = False

    def arity(self, subjects: int) -> str:
        """How many arguments it takes beside its subject, in words."""
        least, most = self.least - subjects, self.most - subjects
        wanted = f"{least}" if least == most else f"{least} to {most}" if most < MANY else f"{least} or more"
        return f"{wanted} argument{'s' * (wanted != '1')}"


MANY = 1_000


def _plain(call: Callable[..., Any], least: int, most: int = 0, kind: str = "", metered: bool = False) -> Function:
    return Function(lambda: call, least, most or least, kind, metered)


_metered = partial(_plain, metered=True)


def _from_vectors(name: str) -> Callable[..., Any]:
    from harness.contract.expressions import vectors  # it imports numpy, which many expressions do without

    found: Callable[..., Any] = getattr(vectors, name)
    return found


def _vector(name: str, least: int, most: int = 0, kind: str = "", metered: bool = True) -> Function:
    return Function(partial(_from_vectors, name), least, most or least, kind, metered)


FUNCTIONS = {
    "size": _plain(size, 1, kind="int"),
    "type": _plain(lambda value: TYPES[kind(value)], 1, kind="type"),
    "dyn": _plain(lambda value: value, 1),
    "int": _plain(arithmetic.to_int, 1, kind="int"),
    "double": _plain(arithmetic.to_double, 1, kind="double"),
    "string": _metered(arithmetic.to_string, 1, kind="string"),
    "bool": _plain(arithmetic.to_bool, 1, kind="bool"),
    "bytes": _plain(arithmetic.to_bytes, 1, kind="bytes"),
    "lists.range": _metered(lists.numbers_below, 1),
    "math.abs": _plain(arithmetic.absolute, 1),
    "math.sign": _plain(arithmetic.sign, 1),
    "math.least": _metered(arithmetic.least, 1, MANY),
    "math.greatest": _metered(arithmetic.greatest, 1, MANY),
    "math.ceil": _plain(arithmetic.ceil, 1, kind="double"),
    "math.floor": _plain(arithmetic.floor, 1, kind="double"),
    "math.round": _plain(arithmetic.round_half_away, 1, kind="double"),
    "math.trunc": _plain(arithmetic.trunc, 1, kind="double"),
    "math.sqrt": _plain(arithmetic.square_root, 1, kind="double"),
    "math.isNaN": _plain(arithmetic.is_nan, 1, kind="bool"),
    "math.isInf": _plain(arithmetic.is_infinite, 1, kind="bool"),
    "math.isFinite": _plain(arithmetic.is_finite, 1, kind="bool"),
    "fraction": _metered(text.fraction, 1, kind="double"),
    "tokens": _metered(text.tokens, 1, kind="int"),
    "vector": _vector("vector", 1, 2),
    "dimension": _vector("dimension", 1, 2, kind="int", metered=False),
    "norm": _vector("norm", 1, kind="double"),
    "dot": _vector("dot", 2, kind="double"),
    "close": _vector("close", 3, kind="bool"),
    "whole": _vector("whole", 3, kind="bool"),
    "unit_vector": _vector("unit_vector", 2),
    "quantize": _vector("quantize", 2),
    "base64": _vector("base64", 1, kind="string"),
    "similarity": _vector("similarity", 2, kind="double"),
}

METHODS = {
    "size": _plain(size, 1, kind="int"),
    "contains": _metered(text.contains_text, 2, kind="bool"),
    "startsWith": _plain(text.starts_with, 2, kind="bool"),
    "endsWith": _plain(text.ends_with, 2, kind="bool"),
    "matches": _metered(text.matches, 2, kind="bool"),
    "lowerAscii": _metered(text.lower_ascii, 1, kind="string"),
    "upperAscii": _metered(text.upper_ascii, 1, kind="string"),
    "trim": _metered(text.trim, 1, kind="string"),
    "split": _metered(text.split, 2, 3),
    "join": _metered(text.join, 1, 2, kind="string"),
    "replace": _metered(text.replace, 3, 4, kind="string"),
    "substring": _metered(text.substring, 2, 3, kind="string"),
    "charAt": _plain(text.char_at, 2, kind="string"),
    "indexOf": _metered(text.index_of, 2, 3, kind="int"),
    "lastIndexOf": _metered(text.last_index_of, 2, kind="int"),
    "slice": _metered(lists.slice_, 3),
    "sort": _metered(lists.sort, 1),
    "distinct": _metered(lists.distinct, 1),
    "flatten": _metered(lists.flatten, 1, 2),
    "reverse": _metered(lists.reverse, 1),
    "sum": _metered(arithmetic.total, 1),
}

NAMESPACES = frozenset(name.split(".")[0] for name in FUNCTIONS if "." in name) | {"cel"}
