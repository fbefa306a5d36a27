"""Pieces of Python code, built as a syntax tree: no text of an expression ever becomes Python source.

Every piece carries the offset it came from as its column, so that a traceback points into the expression.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from types import FunctionType, TracebackType
from typing import Any, TypeVar

FILENAME = "<expression>"
SCOPE, STEPS = "S", "B"

Program = Callable[[Mapping[str, object], list[int]], Any]
Piece = TypeVar("Piece", bound=ast.expr | ast.arg)


@dataclass(frozen=True, slots=True)
class Code:
    """Python for a part of an expression, and the CEL type of its value where that is certain."""

    python: ast.expr
    kind: str = ""


def placed(piece: Piece, at: int) -> Piece:
    piece.lineno = piece.end_lineno = 1
    piece.col_offset, piece.end_col_offset = at, at + 1
    return piece


def constant(value: Any, at: int) -> ast.expr:
    return placed(ast.Constant(value), at)


def name(identifier: str, at: int) -> ast.expr:
    return placed(ast.Name(identifier, ast.Load()), at)


def subscript(value: ast.expr, key: str, at: int) -> ast.expr:
    return placed(ast.Subscript(value, constant(key, at), ast.Load()), at)


def call(function: str | ast.expr, arguments: list[ast.expr], at: int) -> ast.expr:
    called = name(function, at) if isinstance(function, str) else function
    return placed(ast.Call(called, arguments, []), at)


def compare(left: ast.expr, operator: ast.cmpop, right: ast.expr, at: int) -> ast.expr:
    return placed(ast.Compare(left, [operator], [right]), at)


def invert(value: ast.expr, at: int) -> ast.expr:
    return placed(ast.UnaryOp(ast.Not(), value), at)


def function(parameters: list[str], body: ast.expr, at: int) -> ast.expr:
    arguments = ast.arguments(
        posonlyargs=[],
        args=[placed(ast.arg(parameter), at) for parameter in parameters],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    return placed(ast.Lambda(arguments, body), at)


def loop(variables: list[str], source: ast.expr, conditions: list[ast.expr], at: int) -> ast.comprehension:
    targets: list[ast.expr] = [placed(ast.Name(variable, ast.Store()), at) for variable in variables]
    target = targets[0] if len(targets) == 1 else placed(ast.Tuple(targets, ast.Store()), at)
    return ast.comprehension(target, source, conditions, 0)


def generated(element: ast.expr, source: ast.comprehension, at: int) -> ast.expr:
    return placed(ast.GeneratorExp(element, [source]), at)


def assemble(body: ast.expr, names: Mapping[str, object]) -> Program:
    """The function of a scope and its steps; it sees nothing but ``names``, not even Python's builtins."""
    program = ast.Expression(function([SCOPE, STEPS], body, 0))
    code = compile(program, FILENAME, "eval")
    return FunctionType(code, {"__builtins__": {}, **names})()  # type: ignore[no-any-return]  # code is untyped


def column_of(traceback: TracebackType | None) -> int:
    """The column of the innermost piece of an expression in a traceback, from 1; 0 if there is none."""
    column = 0
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == FILENAME:
            positions = next(islice(code.co_positions(), traceback.tb_lasti // 2, None))
            column = column if positions[2] is None else positions[2] + 1
        traceback = traceback.tb_next
    return column
