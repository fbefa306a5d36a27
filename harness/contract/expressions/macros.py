"""The macros: calls whose arguments name a variable and say what to do with each of its values."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.contract.expressions import code as py
from harness.contract.expressions.code import STEPS, Code
from harness.contract.expressions.errors import ExpressionError
from harness.contract.expressions.syntax import Call, Name, Node, Select


class Generator(Protocol):
    """What a macro asks of the generator that calls it."""

    careful: bool

    def code(self, node: Node, bound: Mapping[str, str]) -> Code: ...
    def test(self, node: Node, bound: Mapping[str, str]) -> ast.expr: ...
    def local(self) -> str: ...


Macro = Callable[[Generator, Call, Mapping[str, str]], Code]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loop:
    """The Python loop of a macro: its variables, what they run over, and who sees them."""

    variables: list[str]
    source: ast.expr
    bound: Mapping[str, str]
    at: int

    def over(self, *conditions: ast.expr) -> ast.comprehension:
        return py.loop(self.variables, self.source, list(conditions), self.at)


def _variables(generator: Generator, arguments: tuple[Node, ...], macro: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for argument in arguments:
        if not isinstance(argument, Name):
            raise ExpressionError(f"`{macro}` expects the name of a variable here", column=argument.at + 1)
        if argument.name in made:
            raise ExpressionError(f"`{argument.name}` is here twice", column=argument.at + 1)
        made[argument.name] = generator.local()
    return made


def _arity(call: Call, allowed: tuple[int, ...]) -> int:
    count = len(call.arguments)
    if count not in allowed:
        wanted = f"{' or '.join(map(str, allowed))} argument{'s' * (allowed != (1,))}"
        raise ExpressionError(f"`{call.function}` takes {wanted}, not {count}", column=call.at + 1)
    return count


def _loop(generator: Generator, call: Call, bound: Mapping[str, str], variables: int) -> _Loop:
    assert call.target is not None  # these macros are methods
    made = _variables(generator, call.arguments[:variables], call.function)
    values = [py.name(STEPS, call.at), generator.code(call.target, bound).python]
    source = py.call("each" if variables == 1 else "pairs", values, call.at)
    return _Loop(variables=list(made.values()), source=source, bound={**bound, **made}, at=call.at)


def _quantified(fast: str, careful: str) -> Macro:
    def macro(generator: Generator, call: Call, bound: Mapping[str, str]) -> Code:
        loop = _loop(generator, call, bound, _arity(call, (2, 3)) - 1)
        test = generator.test(call.arguments[-1], loop.bound)
        element = py.function([], test, call.at) if generator.careful else test
        tests = py.generated(element, loop.over(), call.at)
        return Code(py.call(careful if generator.careful else fast, [tests], call.at), "bool")

    return macro


def _exists_one(generator: Generator, call: Call, bound: Mapping[str, str]) -> Code:
    loop = _loop(generator, call, bound, _arity(call, (2, 3)) - 1)
    test = generator.test(call.arguments[-1], loop.bound)
    found = py.generated(py.constant(None, call.at), loop.over(test), call.at)
    return Code(py.call("exactly_one", [found], call.at), "bool")


def _filter(generator: Generator, call: Call, bound: Mapping[str, str]) -> Code:
    _arity(call, (2,))
    loop = _loop(generator, call, bound, 1)
    test = generator.test(call.arguments[1], loop.bound)
    kept = py.name(loop.variables[0], call.at)
    return Code(py.placed(ast.ListComp(kept, [loop.over(test)]), call.at), "list")


def _listed(variables: int) -> Macro:
    """``map`` and ``transformList``: a value for each item, of those that pass the test if there is one."""

    def macro(generator: Generator, call: Call, bound: Mapping[str, str]) -> Code:
        _arity(call, (variables + 1, variables + 2))
        loop = _loop(generator, call, bound, variables)
        tests = [generator.test(test, loop.bound) for test in call.arguments[variables:-1]]
        element = generator.code(call.arguments[-1], loop.bound).python
        return Code(py.placed(ast.ListComp(element, [loop.over(*tests)]), call.at), "list")

    return macro


def _transform_map(generator: Generator, call: Call, bound: Mapping[str, str]) -> Code:
    _arity(call, (3, 4))
    loop = _loop(generator, call, bound, 2)
    tests = [generator.test(test, loop.bound) for test in call.arguments[2:-1]]
    key, value = py.name(loop.variables[0], call.at), generator.code(call.arguments[-1], loop.bound).python
    return Code(py.placed(ast.DictComp(key, value, [loop.over(*tests)]), call.at), "map")


def _transform_map_entry(generator: Generator, call: Call, bound: Mapping[str, str]) -> Code:
    """``transformMapEntry``: the entries of a map for each item, all in one map."""
    _arity(call, (3, 4))
    loop = _loop(generator, call, bound, 2)
    tests = [generator.test(test, loop.bound) for test in call.arguments[2:-1]]
    entries = generator.code(call.arguments[-1], loop.bound).python
    listed = py.placed(ast.ListComp(entries, [loop.over(*tests)]), call.at)
    return Code(py.call("united", [py.name(STEPS, call.at), listed], call.at), "map")


def _sort_by(generator: Generator, call: Call, bound: Mapping[str, str]) -> Code:
    _arity(call, (2,))
    assert call.target is not None  # this macro is a method
    made = _variables(generator, call.arguments[:1], call.function)
    key = generator.code(call.arguments[1], {**bound, **made}).python
    values = [py.name(STEPS, call.at), generator.code(call.target, bound).python]
    values.append(py.function(list(made.values()), key, call.at))
    return Code(py.call("sort_by", values, call.at), "list")


def _has(generator: Generator, call: Call, bound: Mapping[str, str]) -> Code:
    _arity(call, (1,))
    field = call.arguments[0]
    if not isinstance(field, Select):
        raise ExpressionError("`has` expects a field", column=field.at + 1, hint="write `has(x.field)`")
    operand = generator.code(field.operand, bound).python
    return Code(py.call("has", [operand, py.constant(field.field, field.at)], field.at), "bool")


def _bind(generator: Generator, call: Call, bound: Mapping[str, str]) -> Code:
    _arity(call, (3,))
    made = _variables(generator, call.arguments[:1], "cel.bind")
    value = generator.code(call.arguments[1], bound).python
    body = generator.code(call.arguments[2], {**bound, **made})
    return Code(py.call(py.function(list(made.values()), body.python, call.at), [value], call.at), body.kind)


MACROS: dict[str, Macro] = {
    "all": _quantified("all", "conjunction"),
    "exists": _quantified("any", "disjunction"),
    "exists_one": _exists_one,
    "existsOne": _exists_one,
    "filter": _filter,
    "map": _listed(1),
    "transformList": _listed(2),
    "transformMap": _transform_map,
    "transformMapEntry": _transform_map_entry,
    "sortBy": _sort_by,
}
GLOBAL_MACROS: dict[str, Macro] = {"has": _has, "cel.bind": _bind}
