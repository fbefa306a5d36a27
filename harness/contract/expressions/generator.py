"""From the syntax tree of an expression to Python code, in two ways that have the same values.

The fast one takes the short way (``x["key"]``, ``and``), where Python agrees with CEL unless it raises. If
it does, the careful one decides: it absorbs errors as CEL's ``&&`` and ``||`` do, or it explains them.
"""

import ast
from collections.abc import Callable, Collection, Mapping
from typing import Any

from harness.contract.expressions import arithmetic, lists, values
from harness.contract.expressions import code as py
from harness.contract.expressions.code import SCOPE, STEPS, Code, Program
from harness.contract.expressions.errors import EvaluationError, ExpressionError
from harness.contract.expressions.library import FUNCTIONS, METHODS, NAMESPACES, Function
from harness.contract.expressions.macros import GLOBAL_MACROS, MACROS
from harness.contract.expressions.syntax import (
    Call,
    ListLiteral,
    Literal,
    MapLiteral,
    Name,
    Node,
    Operation,
    Select,
)
from harness.contract.expressions.text import pattern
from harness.contract.problems import nearest

Bound = Mapping[str, str]  # variables of the macros around: their names in Python


def _variable(scope: Mapping[str, object], name: str) -> object:
    try:
        return scope[name]
    except KeyError:
        raise EvaluationError(f"no value for `{name}`") from None


_COMPARISONS = {
    "<": (ast.Lt, "less"), "<=": (ast.LtE, "less_equal"),
    ">": (ast.Gt, "greater"), ">=": (ast.GtE, "greater_equal"),
}  # fmt: skip
_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}
_NUMERIC = frozenset({"int", "double"})
_SAME_IN_PYTHON = frozenset({"string", "bool", "bytes"})
_RUNTIME: dict[str, object] = {
    "variable": _variable, "len": len, "all": all, "any": any, "size": values.size, "select": values.select,
    "index": values.index, "has": values.has, "truth": values.truth, "equal": values.equal,
    "less": values.less, "less_equal": values.less_equal, "greater": values.greater,
    "greater_equal": values.greater_equal, "contains": values.contains, "make_map": values.make_map,
    "add": arithmetic.add, "subtract": arithmetic.subtract, "multiply": arithmetic.multiply,
    "divide": arithmetic.divide, "modulo": arithmetic.modulo, "negative": arithmetic.negative,
    "each": lists.each, "pairs": lists.pairs, "conjunction": lists.conjunction,
    "disjunction": lists.disjunction, "exactly_one": lists.exactly_one, "sort_by": lists.sort_by,
    "united": lists.united,
}  # fmt: skip


class Generator:
    """Generates the code of one expression; ``used`` are the variables of the scope that it reads."""

    def __init__(self, names: Collection[str], *, careful: bool) -> None:
        self.names = frozenset(names)
        self.careful = careful
        self.used: set[str] = set()
        self._runtime = dict(_RUNTIME)
        self._locals = 0

    def program(self, tree: Node) -> Program:
        return py.assemble(self.code(tree, {}).python, self._runtime)

    def code(self, node: Node, bound: Bound) -> Code:
        return _NODES[type(node)](self, node, bound)

    def test(self, node: Node, bound: Bound) -> ast.expr:
        """Code whose value is True or False; anything else is an error."""
        code = self.code(node, bound)
        return code.python if code.kind == "bool" else py.call("truth", [code.python], node.at)

    def local(self) -> str:
        self._locals += 1
        return f"v{self._locals}"

    def _held(self, key: str, value: object) -> str:
        """A name under which the code finds the value."""
        self._runtime[f"k_{key}"] = value
        return f"k_{key}"

    def literal(self, node: Literal, bound: Bound) -> Code:
        return Code(py.constant(node.value, node.at), values.NAMES[type(node.value)])

    def name(self, node: Name, bound: Bound) -> Code:
        if node.name in bound:
            return Code(py.name(bound[node.name], node.at))
        if node.name in self.names:
            self.used.add(node.name)
            if self.careful:
                scope = [py.name(SCOPE, node.at), py.constant(node.name, node.at)]
                return Code(py.call("variable", scope, node.at))
            return Code(py.subscript(py.name(SCOPE, node.at), node.name, node.at))
        if kind := values.TYPES.get(node.name):
            return Code(py.name(self._held(node.name + "_type", kind), node.at), "type")
        known = sorted({*bound, *self.names})
        hint = nearest(node.name, known) or f"known here: {', '.join(known) or 'no names'}"
        if node.name in FUNCTIONS or node.name in NAMESPACES:
            hint = "it is a function" if node.name in FUNCTIONS else "it only comes before a function"
        raise ExpressionError(f"unknown name `{node.name}`", column=node.at + 1, hint=hint)

    def select(self, node: Select, bound: Bound) -> Code:
        operand = self.code(node.operand, bound).python
        # Python warns of a literal that it sees indexed by a string.
        if self.careful or not isinstance(operand, ast.Subscript | ast.Name | ast.Call):
            return Code(py.call("select", [operand, py.constant(node.field, node.at)], node.at))
        return Code(py.subscript(operand, node.field, node.at))

    def listing(self, node: ListLiteral, bound: Bound) -> Code:
        items = [self.code(item, bound).python for item in node.items]
        return Code(py.placed(ast.List(items, ast.Load()), node.at), "list")

    def mapping(self, node: MapLiteral, bound: Bound) -> Code:
        parts = [self.code(part, bound).python for entry in node.entries for part in entry]
        fixed = [key for key, _ in node.entries if isinstance(key, Literal) and type(key.value) is str]
        names = [str(key.value) for key in fixed]
        for key, name in zip(fixed, names, strict=True):
            if names.count(name) > 1:
                raise ExpressionError(f"the map has the key `{name}` twice", column=key.at + 1)
        if len(fixed) == len(node.entries):
            return Code(py.placed(ast.Dict(list(parts[::2]), parts[1::2]), node.at), "map")
        return Code(py.call("make_map", parts, node.at), "map")

    def operation(self, node: Operation, bound: Bound) -> Code:
        if rule := _OPERATIONS.get(node.operator):
            return rule(self, node, bound)
        left, right = (self.code(operand, bound) for operand in node.operands)
        both = {left.kind, right.kind}
        if node.operator in _COMPARISONS:
            operator, function = _COMPARISONS[node.operator]
            if both <= _NUMERIC or (len(both) == 1 and both <= _SAME_IN_PYTHON):
                return Code(py.compare(left.python, operator(), right.python, node.at), "bool")
            return Code(py.call(function, [left.python, right.python], node.at), "bool")
        function, arguments = _ARITHMETIC[node.operator], [left.python, right.python]
        if function == "add":
            arguments.insert(0, py.name(STEPS, node.at))
        kind = left.kind if len(both) == 1 and both <= _NUMERIC | {"string", "list", "bytes"} else ""
        return Code(py.call(function, arguments, node.at), kind)

    def logic(self, node: Operation, bound: Bound) -> Code:
        tests = [self.test(operand, bound) for operand in node.operands]
        both = node.operator == "&&"
        if not self.careful:
            return Code(py.placed(ast.BoolOp(ast.And() if both else ast.Or(), tests), node.at), "bool")
        thunks = py.placed(ast.Tuple([py.function([], test, node.at) for test in tests], ast.Load()), node.at)
        return Code(py.call("conjunction" if both else "disjunction", [thunks], node.at), "bool")

    def inverted(self, node: Operation, bound: Bound) -> Code:
        return Code(py.invert(self.test(node.operands[0], bound), node.at), "bool")

    def negated(self, node: Operation, bound: Bound) -> Code:
        operand = self.code(node.operands[0], bound)
        kind = operand.kind if operand.kind in _NUMERIC else ""
        return Code(py.call("negative", [operand.python], node.at), kind)

    def conditional(self, node: Operation, bound: Bound) -> Code:
        condition, then, other = node.operands
        chosen, else_ = self.code(then, bound), self.code(other, bound)
        choice = ast.IfExp(self.test(condition, bound), chosen.python, else_.python)
        return Code(py.placed(choice, node.at), chosen.kind if chosen.kind == else_.kind else "")

    def equality(self, node: Operation, bound: Bound) -> Code:
        left, right = (self.code(operand, bound) for operand in node.operands)
        both, negative = {left.kind, right.kind}, node.operator == "!="
        literal = all(isinstance(operand, Literal) for operand in node.operands)
        if ("null_type" in both and not literal) or both == {"type"}:  # each of these is one object
            operator: ast.cmpop = ast.IsNot() if negative else ast.Is()
            return Code(py.compare(left.python, operator, right.python, node.at), "bool")
        if both <= _NUMERIC or (len(both) == 1 and both <= _SAME_IN_PYTHON):
            operator = ast.NotEq() if negative else ast.Eq()
            return Code(py.compare(left.python, operator, right.python, node.at), "bool")
        found = py.call("equal", [py.name(STEPS, node.at), left.python, right.python], node.at)
        return Code(py.invert(found, node.at) if negative else found, "bool")

    def membership(self, node: Operation, bound: Bound) -> Code:
        operands = [self.code(operand, bound).python for operand in node.operands]
        return Code(py.call("contains", [py.name(STEPS, node.at), *operands], node.at), "bool")

    def index(self, node: Operation, bound: Bound) -> Code:
        operand, key = node.operands
        if isinstance(key, Literal) and type(key.value) is str:
            return self.select(Select(key.at, operand, key.value), bound)
        return Code(py.call("index", [self.code(part, bound).python for part in node.operands], node.at))

    def call(self, node: Call, bound: Bound) -> Code:
        target = node.target
        if target is None:
            if macro := GLOBAL_MACROS.get(node.function):
                return macro(self, node, bound)
            return self._called(FUNCTIONS.get(node.function), node.function, (), node, bound)
        if isinstance(target, Name) and target.name in NAMESPACES - {*bound, *self.names}:
            full = f"{target.name}.{node.function}"
            if macro := GLOBAL_MACROS.get(full):
                return macro(self, node, bound)
            return self._called(FUNCTIONS.get(full), full, (), node, bound)
        if macro := MACROS.get(node.function):
            return macro(self, node, bound)
        return self._called(METHODS.get(node.function), node.function, (target,), node, bound)

    def _called(self, found: Function | None, name: str, subject: tuple[Node, ...], node: Call, bound: Bound) -> Code:
        if found is None:
            raise _unknown(name, node, method=bool(subject))
        count = len(node.arguments)
        if not found.least <= count + len(subject) <= found.most:
            wanted = found.arity(len(subject))
            raise ExpressionError(f"`{name}` takes {wanted}, not {count}", column=node.at + 1)
        if name == "matches":
            _check_pattern(node.arguments[0])
        arguments = [self.code(part, bound).python for part in (*subject, *node.arguments)]
        if name == "size":
            return Code(py.call("size" if self.careful else "len", arguments, node.at), "int")
        if found.metered:
            arguments.insert(0, py.name(STEPS, node.at))
        key = ("m_" if subject else "f_") + name.replace(".", "_")
        return Code(py.call(self._held(key, found.load()), arguments, node.at), found.kind)


def _check_pattern(argument: Node) -> None:
    if isinstance(argument, Literal) and isinstance(argument.value, str):
        try:
            pattern(argument.value)
        except EvaluationError as problem:
            raise ExpressionError(problem.message, column=argument.at + 1) from None


def _unknown(name: str, node: Call, *, method: bool) -> ExpressionError:
    methods, functions = [*METHODS, *MACROS], [*FUNCTIONS, *GLOBAL_MACROS]
    if not method and name in methods:
        hint = f"write `x.{name}(…)`"
    elif method and name in functions:
        hint = f"write `{name}(…)`"
    else:
        hint = nearest(name, methods if method else functions)
    what = "method" if method else "function"
    return ExpressionError(f"unknown {what} `{name}`", column=node.at + 1, hint=hint)


_NODES: dict[type[Node], Callable[[Generator, Any, Bound], Code]] = {
    Literal: Generator.literal, Name: Generator.name, Select: Generator.select, Call: Generator.call,
    Operation: Generator.operation, ListLiteral: Generator.listing, MapLiteral: Generator.mapping,
}  # fmt: skip
_OPERATIONS: dict[str, Callable[[Generator, Operation, Bound], Code]] = {
    "&&": Generator.logic, "||": Generator.logic, "!": Generator.inverted, "-_": Generator.negated,
    "?:": Generator.conditional, "==": Generator.equality, "!=": Generator.equality,
    "in": Generator.membership, "[]": Generator.index,
}  # fmt: skip
