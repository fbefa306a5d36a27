"""Compiled expressions and scopes of named ones."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache

from harness.contract.expressions.code import Program, column_of
from harness.contract.expressions.errors import BudgetError, EvaluationError, ExpressionError
from harness.contract.expressions.generator import Generator
from harness.contract.expressions.syntax import Name, Node, Select, parse
from harness.contract.expressions.values import BUDGET, weigh


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; ``names`` are the variables that it reads."""

    source: str
    names: frozenset[str]
    _fast: Program = field(repr=False, compare=False)
    _careful: Callable[[], Program] = field(repr=False, compare=False)
    _makes: bool = field(repr=False, compare=False, default=True)  # a value of its own, not only a part of a variable's

    def evaluate(self, scope: Mapping[str, object], *, steps: int = BUDGET) -> object:
        """The value for these variables; EvaluationError, and nothing else, if there is none in the steps."""
        try:
            return self._run(self._fast, scope, steps)
        except BudgetError as problem:
            raise _located(problem) from None
        except Exception:  # noqa: BLE001  whatever it was, the careful program absorbs or explains it
            return self._explained(scope, steps)

    def _explained(self, scope: Mapping[str, object], steps: int) -> object:
        try:
            return self._run(self._careful(), scope, steps)
        except Exception as problem:  # noqa: BLE001  the caller hears of one kind of error only
            raise _located(problem) from None

    def _run(self, program: Program, scope: Mapping[str, object], steps: int) -> object:
        left = [steps]
        value = program(scope, left)
        if self._makes and (type(value) is dict or type(value) is list):
            weigh(left, value)
        return value


def _located(problem: Exception) -> EvaluationError:
    column = column_of(problem.__traceback__)
    if isinstance(problem, EvaluationError):
        return problem.at(column)
    if isinstance(problem, RecursionError):
        return EvaluationError("the value is nested too deeply", column=column)
    return EvaluationError(f"can't be computed ({type(problem).__name__})", column=column)


def compile_expression(source: str, *, names: Collection[str]) -> Expression:
    """Compile an expression over the variables ``names``; ExpressionError when it can't be."""
    generator = Generator(names, careful=False)
    try:
        tree = parse(source)
        fast = generator.program(tree)
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply", column=1) from None
    careful = cache(lambda: Generator(names, careful=True).program(tree))
    return Expression(source, frozenset(generator.used), fast, careful, not _is_part(tree))


def _is_part(tree: Node) -> bool:
    """Whether an expression only selects: it can't make a value larger than there was one."""
    while isinstance(tree, Select):
        tree = tree.operand
    return isinstance(tree, Name)


class Scope:
    """Named expressions, each of which may use those before it; ``names`` is what others may use."""

    def __init__(self, definitions: Mapping[str, Expression], *, names: Collection[str]) -> None:
        self.definitions = dict(definitions)
        self.names = frozenset(names) | frozenset(definitions)

    def bind(self, values: Mapping[str, object]) -> Mapping[str, object]:
        """The scope for ``Expression.evaluate``: each definition is evaluated once, when first used."""
        return _Bound(self.definitions, values)


class _Bound(dict[str, object]):
    """The variables, and the values of those definitions that were asked for."""

    __slots__ = ("_definitions", "_failures")

    def __init__(self, definitions: Mapping[str, Expression], values: Mapping[str, object]) -> None:
        super().__init__(values)
        self._definitions = definitions
        self._failures: dict[str, EvaluationError] = {}

    def __missing__(self, name: str) -> object:
        definition = self._definitions.get(name)
        if definition is None:
            raise KeyError(name)
        if name not in self._failures:
            try:
                self[name] = value = definition.evaluate(self)
                return value
            except EvaluationError as problem:
                self._failures[name] = problem.within(name)
        raise self._failures[name].at(0)


_NAME = re.compile(r"(?!(?:true|false|null|in)$)[A-Za-z_][A-Za-z0-9_]*")


def compile_scope(definitions: Mapping[str, str], *, names: Collection[str]) -> Scope:
    """Compile definitions that may use ``names`` and those before; ExpressionError at the first wrong one."""
    known, compiled = set(names), dict[str, Expression]()
    for name, source in definitions.items():
        if not _NAME.fullmatch(name):
            raise ExpressionError(f"`{name}` can't be a name", column=1, hint="use letters, digits and `_`")
        if name in known:
            raise ExpressionError(f"`{name}` already is a name here", column=1)
        compiled[name] = compile_expression(source, names=known)
        known.add(name)
    return Scope(compiled, names=names)
