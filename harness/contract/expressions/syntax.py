"""From the text of an expression to its syntax tree, by the grammar of cel-python; all that imports celpy."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.contract.expressions.errors import ExpressionError
from harness.contract.expressions.source import Scan, scan

MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression; ``at`` is the offset that an error about it points to."""

    at: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A value that is written out."""

    value: str | bytes | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name, to be looked up."""

    name: str


@dataclass(frozen=True, slots=True)
class Select(Node):
    """A field of something: ``operand.field``."""

    operand: Node
    field: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function, or with a ``target`` a method."""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Operation(Node):
    """An operator: ``+``, ``&&``, ``!``, ``-_``, ``?:``, ``[]`` and so on."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """A list that is written out."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapLiteral(Node):
    """A map that is written out."""

    entries: tuple[tuple[Node, Node], ...]


@lru_cache(maxsize=4096)  # operations that are alike promise the same, in the same words
def parse(source: str) -> Node:
    """The syntax tree of an expression; ExpressionError when it isn't CEL or goes too deep."""
    from celpy.celparser import CELParseError, CELParser  # heavy: only who has expressions pays for it

    scanned = scan(source)
    if not scanned.masked.strip():
        raise ExpressionError("the expression is empty", column=1)
    try:
        tree = CELParser().parse(scanned.masked)
    except CELParseError as failure:
        raise _unexpected(source, failure) from None
    return _fold(tree, _Builder(scanned))


_HINTS = {
    "=": "compare with `==`",
    "&": "write `&&`",
    "|": "write `||`",
    "and": "write `&&`",
    "or": "write `||`",
    "not": "write `!`",
    "is": "write `==`",
    "if": "write `condition ? this : that`",
    "for": "write `list.map(x, …)`",
}


def _unexpected(source: str, failure: Any) -> ExpressionError:
    token = getattr(failure.__context__, "token", None)
    if token is not None and token.type == "$END":
        return ExpressionError("the expression ends too early", column=len(source.rstrip()) + 1)
    column = failure.column or 1
    found = re.compile(r"\w+|\S").match(source, column - 1)
    before = re.search(r"(\w+|\S)\s*$", source[: column - 1])
    words = [match[0].strip() for match in (found, before) if match]
    hint = next((_HINTS[word] for word in words if word in _HINTS), "")
    shown = words[0] if found else source[column - 1]
    return ExpressionError(f"unexpected `{shown}`", column=column, hint=hint)


def _fold(tree: Any, builder: "_Builder") -> Node:
    """Build from the leaves up, without recursion: the parser's tree has some ten levels for each of ours."""
    order, pending = [], [tree]
    while pending:
        order.append(pending.pop())
        pending.extend(child for child in order[-1].children if hasattr(child, "children"))
    built: dict[int, tuple[Any, int]] = {}
    for part in reversed(order):
        parts = [built.pop(id(child), (child, 0)) for child in part.children]
        deeper = len(parts) > 1 or part.data in ("list_lit", "map_lit")
        depth = max((depth for _, depth in parts), default=0) + deeper
        if depth > MAX_DEPTH:
            raise ExpressionError(
                f"operations are nested more than {MAX_DEPTH} deep",
                column=part.meta.start_pos + 1,
                hint="name parts of it under `let:`",
            )
        built[id(part)] = builder.build(part, [node for node, _ in parts]), depth
    root: Node = built[id(tree)][0]
    return root


@dataclass(frozen=True, slots=True)
class _Half:
    """An operator with what stands before it."""

    at: int
    operator: str
    left: Node | None = None


_OPERATORS = {
    "relation_lt": "<", "relation_le": "<=", "relation_gt": ">", "relation_ge": ">=", "relation_eq": "==",
    "relation_ne": "!=", "relation_in": "in", "addition_add": "+", "addition_sub": "-",
    "multiplication_mul": "*", "multiplication_div": "/", "multiplication_mod": "%",
}  # fmt: skip


class _Builder:
    """Makes one node of one rule of the grammar, given what its parts became."""

    def __init__(self, scanned: Scan) -> None:
        self.scanned = scanned

    def build(self, tree: Any, parts: list[Any]) -> Any:
        at = tree.meta.start_pos if hasattr(tree.meta, "start_pos") else 0
        rule = str(tree.data)
        if operator := _OPERATORS.get(rule):
            return _Half(tree.meta.end_pos - len(operator), operator, parts[0])
        if rule in _RULES:
            return _RULES[rule](self, at, parts)
        return parts[0]

    def expr(self, at: int, parts: list[Any]) -> Node:
        return parts[0] if len(parts) == 1 else Operation(at, "?:", tuple(parts))

    def either(self, at: int, parts: list[Any]) -> Node:
        return parts[0] if len(parts) == 1 else Operation(at, "||", tuple(parts))

    def both(self, at: int, parts: list[Any]) -> Node:
        return parts[0] if len(parts) == 1 else Operation(at, "&&", tuple(parts))

    def binary(self, at: int, parts: list[Any]) -> Node:
        if len(parts) == 1:
            return parts[0]  # type: ignore[no-any-return]  # the parser's tree is untyped
        half, right = parts
        return Operation(half.at, half.operator, (half.left, right) if half.left else (right,))

    def invert(self, at: int, parts: list[Any]) -> _Half:
        return _Half(at, "!")

    def negate(self, at: int, parts: list[Any]) -> _Half:
        return _Half(at, "-_")

    def select(self, at: int, parts: list[Any]) -> Node:
        return Select(parts[1].start_pos, parts[0], str(parts[1]))

    def method(self, at: int, parts: list[Any]) -> Node:
        return Call(parts[1].start_pos, str(parts[1]), parts[0], parts[2] if len(parts) > 2 else ())

    def index(self, at: int, parts: list[Any]) -> Node:
        return Operation(parts[1].at, "[]", tuple(parts))

    def function(self, at: int, parts: list[Any]) -> Node:
        return Call(at, str(parts[0]), None, parts[1] if len(parts) > 1 else ())

    def name(self, at: int, parts: list[Any]) -> Node:
        return Name(at, str(parts[0]))

    def listing(self, at: int, parts: list[Any]) -> Node:
        return ListLiteral(at, parts[0] if parts else ())

    def mapping(self, at: int, parts: list[Any]) -> Node:
        entries = parts[0] if parts else ()
        return MapLiteral(at, tuple(zip(entries[::2], entries[1::2], strict=True)))

    def several(self, at: int, parts: list[Any]) -> tuple[Node, ...]:
        return tuple(parts)

    def refuse(self, at: int, parts: list[Any]) -> Node:
        raise ExpressionError("messages and absolute names have no meaning here", column=at + 1)

    def literal(self, at: int, parts: list[Any]) -> Node:
        text = str(parts[0])
        match parts[0].type:
            case "NULL_LIT":
                return Literal(at, None)
            case "INT_LIT":
                return Literal(at, _integer(text, at))
            case "FLOAT_LIT":
                return Literal(at, _double(text, at))
            case "UINT_LIT":
                raise ExpressionError("unsigned numbers are not known here", column=at + 1, hint=f"write `{text[:-1]}`")
        return Literal(at, self.scanned.strings[at])


_RULES: dict[str, Callable[[_Builder, int, list[Any]], Any]] = {
    "expr": _Builder.expr, "conditionalor": _Builder.either, "conditionaland": _Builder.both,
    "relation": _Builder.binary, "addition": _Builder.binary, "multiplication": _Builder.binary,
    "unary": _Builder.binary, "unary_not": _Builder.invert, "unary_neg": _Builder.negate,
    "member_dot": _Builder.select, "member_dot_arg": _Builder.method, "member_index": _Builder.index,
    "member_object": _Builder.refuse, "dot_ident_arg": _Builder.refuse, "dot_ident": _Builder.refuse,
    "ident_arg": _Builder.function, "ident": _Builder.name, "list_lit": _Builder.listing,
    "map_lit": _Builder.mapping, "exprlist": _Builder.several, "mapinits": _Builder.several,
    "fieldinits": _Builder.several, "literal": _Builder.literal,
}  # fmt: skip


def _integer(text: str, at: int) -> int:
    digits = text.lstrip("-0x") or "0"
    # Twenty digits hold every int64; int() is slow on thousands of them and then refuses.
    size = int(digits, 16 if "x" in text else 10) if len(digits) <= 20 else 2**64
    number = -size if text.startswith("-") else size
    if not -(2**63) <= number < 2**63:
        raise ExpressionError("the number doesn't fit into 64 bits", column=at + 1)
    return number


def _double(text: str, at: int) -> float:
    number = float(text)
    if math.isinf(number):
        raise ExpressionError("the number is too large for a double", column=at + 1)
    return number
