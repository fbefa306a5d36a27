"""No expression, whatever it says, reaches Python, goes on for long, or becomes large."""

import subprocess
import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from harness.contract.expressions import (
    BudgetError,
    EvaluationError,
    ExpressionError,
    compile_expression,
    compile_scope,
)
from harness.contract.expressions.code import assemble, call, constant, name
from harness.contract.expressions.source import MAX_BRACKETS, MAX_LENGTH
from harness.contract.expressions.syntax import MAX_DEPTH


def value(source: str, **scope: object) -> object:
    return compile_expression(source, names=scope).evaluate(scope)


class Treasure:
    secret = "found"

    def __getitem__(self, key: str) -> object:
        raise AssertionError("only a mapping is indexed with a string")


@pytest.mark.parametrize(
    "source",
    [
        "x.__class__", "x.__class__.__mro__", "x['__class__']", "x.keys", "x.a.__len__", "x.a.format",
        "x.f.real", "x.l.append", "x.n.__doc__", "type(x).name", "type(x).__class__",
        "x.all(k, k.__class__ == 1)", "x.o.secret", "has(x.o.secret)", "x.o == x.o ? x.o.secret : ''",
        "x.o + x.o", "[x.o].sort()", "x.o()[0]",
    ],
)  # fmt: skip
def test_no_python_attribute_can_be_reached(source: str) -> None:
    scope = {"x": {"a": "text", "f": 1.5, "l": [1], "n": None, "o": Treasure()}}

    with pytest.raises((EvaluationError, ExpressionError)):
        value(source, **scope)


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os')", "open('x')", "eval('1')", "S", "B", "v1", "[1].map(x, v1)", "k_size", "len([1])",
        "__builtins__", "globals()", "x.items()", "x.get('a')", "x.__class__()", "'{0.__class__}'.format(x)",
        "lambda: 1", "x := 1", "import os", "x if x else x", "[y for y in x]", "f'{x}'", "x; x", "x = 1",
        "del x", "`x`", "$x", "@x",
    ],
)  # fmt: skip
def test_no_python_name_function_or_syntax_is_known(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(source, names=["x"])


def test_a_variable_may_be_called_like_what_the_program_uses_inside() -> None:
    scope = {"S": 1, "B": 2, "v1": 3, "equal": 4, "len": 5, "k_size": 6}

    assert value("[S].map(x, x + S + B + v1 + equal + len + k_size + size([1]))", **scope) == [23]


def test_a_program_does_not_even_see_the_builtins_of_python() -> None:
    program = assemble(call("open", [constant("x", 0)], 0), {})

    with pytest.raises(NameError):
        program({}, [1])
    assert assemble(name("S", 0), {})({"a": 1}, [1]) == {"a": 1}


@pytest.mark.parametrize(
    "source",
    [
        "lists.range(1000000000000)",
        "lists.range(50001)",
        "lists.range(300).all(i, lists.range(300).all(j, true))",
        "lists.range(300).exists(i, lists.range(300).exists(j, 1 / 0 == 1))",
        "lists.range(50).map(i, lists.range(50).map(j, lists.range(50)))",
        "lists.range(100).map(i, text)",
        "lists.range(100).map(i, array)",
        "lists.range(100).map(i, text).join()",
        "lists.range(100).map(i, text + text)",
        "lists.range(2000).map(i, text.contains('z'))",
        "lists.range(1000).map(i, text.matches('z'))",
        "text.replace('', text)",
        "text.split('')" + ".map(x, x)" * 5,
        "lists.range(100).map(i, list + list)",
        "lists.range(100).map(i, i in list)",
        "lists.range(100).all(i, list == list)",
        "lists.range(100).all(i, close(list, list, 1))",
        "lists.range(100).all(i, norm(list) > 0.0)",
        "lists.range(100).all(i, list.sort() != null)",
        "lists.range(100).all(i, size(unit_vector(string(i), 65536)) > 0)",
        "lists.range(100).map(i, list).flatten()",
        "lists.range(400).map(i, [i]).distinct()",
        "lists.range(60000) == 1 || true",
    ],
)
def test_an_evaluation_that_takes_too_long_or_makes_too_much_is_refused(source: str) -> None:
    scope = {"text": "x" * 10_000, "list": [1.0] * 2_000, "array": np.ones(10_000)}
    expression = compile_expression(source, names=scope)

    with pytest.raises(BudgetError, match="takes too many steps"):
        expression.evaluate(scope, steps=50_000)


def test_a_usual_evaluation_stays_far_below_its_steps() -> None:
    scope = {"texts": ["text"] * 1_000, "data": [[0.03125] * 1_024] * 1_000}
    promise = "size(texts) == size(data) && data.all(d, dimension(d) == 1024 && close(norm(d), 1.0, 0.001))"
    answer = "texts.transformList(i, t, {'index': i, 'embedding': base64(unit_vector(t, 2048))})"

    for source in (promise, answer, "data"):
        compile_expression(source, names=scope).evaluate(scope, steps=2_000_000)


def test_what_is_never_looked_at_costs_nothing() -> None:
    assert value("true || lists.range(6000000) == 1") is True


def test_an_evaluation_has_five_million_steps() -> None:
    for steps, source in (
        (5_000_000, "size(lists.range(5000000))"),
        (5_000_001, "size(lists.range(5000001))"),
    ):
        try:
            assert value(source) == steps
        except BudgetError:
            assert steps == 5_000_001


def test_shared_parts_of_a_result_count_as_often_as_they_appear() -> None:
    bombs = {"a": "lists.range(100)", "b": "a.map(x, a)", "c": "a.map(x, b)", "d": "a.map(x, c)"}
    scope = compile_scope(bombs, names=[])

    assert compile_expression("size(c)", names=scope.names).evaluate(scope.bind({})) == 100
    with pytest.raises(BudgetError, match="in `d`"):
        compile_expression("d", names=scope.names).evaluate(scope.bind({}))
    with pytest.raises(BudgetError):
        value("cel.bind(a, lists.range(999), cel.bind(b, a.map(x, a), b.map(x, b)))")


@pytest.mark.parametrize(
    "source",
    [
        "(" * (MAX_BRACKETS + 1) + "x" + ")" * (MAX_BRACKETS + 1),
        "x" + "[0" * 3_000,
        "x" + ".a" * (MAX_DEPTH + 1),
        "!" * 500 + "x",
        "-" * 500 + "x",
        "1" + " + 1" * 500,
        "x ? 1 : " * 200 + "1",
        "x && " * 200 + "x",
        "[x].map(x, " * 60 + "x" + ")" * 60,
        "x" * (MAX_LENGTH + 1),
        '"' + "\\n" * 1_000,
        "'''" + "\\'" * 1_000,
        '"' + "\\x4" * 100 + '"',
        "0x" + "f" * 5_000,
        "9" * 5_000,
        "1e999",
    ],
)
def test_what_is_too_long_or_too_deep_is_refused_before_it_runs(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(source, names=["x"])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("(" * MAX_BRACKETS + "x" + ")" * MAX_BRACKETS, 1),
        ("1" + " + x" * (MAX_DEPTH - 1), MAX_DEPTH),
        ("x > 0 && " * (MAX_DEPTH - 1) + "x > 0", True),
        ("x == 2 ? 1 : " * (MAX_DEPTH - 1) + "2", 2),
        ("!" * (MAX_DEPTH - 1) + "(x == 1)", False),
        ("[x].map(x, " * 40 + "x" + ")" * 40 + "[0]" * 40, None),
        ("/" * 2 + "c" * 9_000 + "\nx", 1),
        ("'" + "y" * 9_000 + "'.size()", 9_000),
        ("0" * 9_000 + "1", 1),
    ],
)
def test_what_is_just_within_the_bounds_works(source: str, expected: object) -> None:
    if expected is None:  # the indices count too
        source, expected = source[: -3 * 40], value("x", x=1)
        for _ in range(40):
            expected = [expected]
    assert value(source, x=1) == expected


def test_deep_data_is_an_error_and_no_crash() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(EvaluationError, match="nested too deeply"):
        value("x == y", x=deep, y=[deep][0:1])
    assert value("size(x)", x=deep) == 1


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", "a{1,1000}b"])
def test_a_pattern_takes_linear_time(pattern: str) -> None:
    assert value(f"x.matches('{pattern}')", x="a" * 50_000 + "!") is False


def test_a_pattern_that_is_only_known_later_is_checked_then() -> None:
    with pytest.raises(EvaluationError, match="no RE2 regular expression"):
        value("x.matches(y)", x="a", y="(")


def failing(error: BaseException) -> Callable[..., object]:
    def fail(*_: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize("error", [KeyError("k"), TypeError("t"), MemoryError(), ZeroDivisionError(), StopIteration()])
def test_whatever_a_value_raises_is_an_evaluation_error(error: Exception) -> None:
    class Broken(dict[str, object]):
        __getitem__ = failing(error)

    for source in ("x.y", "x.y == 1 || false", "[1].map(i, x.y)"):
        with pytest.raises(EvaluationError):
            value(source, x=Broken(y=1))


def test_python_warns_of_no_program() -> None:
    sources = [
        "true.a", "'a'.b", "1 == null", "null != 'a'", "[1].a", "{'a': 1}.a", "[1]['a']", "'a'[0]", "1[0]",
        "null.a", "('a').all(x, true)", "[1].map(x, x)['a']", "1 ? 2 : 3", "'a' == 'b'", "1 == 1",
        "null == null", "b'a' == null",
    ]  # fmt: skip

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for source in sources:
            expression = compile_expression(source, names=[])
            try:
                expression.evaluate({})
            except EvaluationError:
                continue


def test_the_engines_are_imported_only_by_who_needs_them() -> None:
    script = (
        "import sys; from harness.contract.expressions import compile_expression\n"
        "assert not {'celpy', 'lark', 'numpy', 're2'} & set(sys.modules)\n"
        "expression = compile_expression('x.y == 1', names=['x'])\n"
        "assert expression.evaluate({'x': {'y': 1}}) is True\n"
        "assert 'numpy' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": ":".join(filter(None, sys.path))})
