"""What an expression says when it can't be compiled or has no value, and what scopes of named ones do."""

import pytest

from harness.contract.expressions import EvaluationError, ExpressionError, compile_expression, compile_scope

SCOPE: dict[str, object] = {"a": {"b": 1, "s": "text", "n": None, "l": [3, 1, 2], "m": {"x": 1, "y": 2}}}


@pytest.mark.parametrize(
    ("source", "column", "message"),
    [
        ("respons.body", 1, "unknown name `respons`; did you mean `response`?"),
        ("1 +  zz", 6, "unknown name `zz`; known here: request, response"),
        ('request.starsWith("a")', 9, "unknown method `starsWith`; did you mean `startsWith`?"),
        ("1 + dimensoin(request)", 5, "unknown function `dimensoin`; did you mean `dimension`?"),
        ("math.abz(1)", 6, "unknown function `math.abz`; did you mean `math.abs`?"),
        ('startsWith(request, "a")', 1, "unknown function `startsWith`; write `x.startsWith(…)`"),
        ("request.norm()", 9, "unknown method `norm`; write `norm(…)`"),
        ("size + 1", 1, "unknown name `size`; it is a function"),
        ("size(request, 1)", 1, "`size` takes 1 argument, not 2"),
        ("request.split()", 9, "`split` takes 1 to 2 arguments, not 0"),
        ("math.least()", 6, "`math.least` takes 1 or more arguments, not 0"),
        ("request.all(x)", 9, "`all` takes 2 or 3 arguments, not 1"),
        ("request.all(x.y, true)", 15, "`all` expects the name of a variable here"),
        ("request.all(x, x, true)", 16, "`x` is here twice"),
        ("has(request)", 5, "`has` expects a field; write `has(x.field)`"),
        ("request = response", 9, "unexpected `=`; compare with `==`"),
        ("request and response", 9, "unexpected `and`; write `&&`"),
        ("not request", 5, "unexpected `request`; write `!`"),
        ("request +", 10, "the expression ends too early"),
        ("[1, (2]", 7, "`]` can't close `(`"),
        ("size(request", 5, "`(` is never closed"),
        ("1)", 2, "`)` closes nothing"),
        ("  'abc", 3, "the string is never closed"),
        ("'a' 'b'", 5, "unexpected `'`"),
        ("'a''b'", 4, "two values side by side; join strings with `+`"),
        ("'a\\qb'", 3, "no such escape; write `\\\\` for a backslash"),
        ("'a\\ud800'", 3, "`\\ud800` is no character"),
        ("12u", 1, "unsigned numbers are not known here; write `12`"),
        ("9223372036854775808", 1, "the number doesn't fit into 64 bits"),
        ("request.body{a: 1}", 1, "messages and absolute names have no meaning here"),
        ('{"a": 1, "a": 2}', 2, "the map has the key `a` twice"),
        ('"x".matches("(")', 13, "the pattern is no RE2 regular expression: missing ): ("),
        ("request\n  && zz", 14, "unknown name `zz`; known here: request, response"),
        ("", 1, "the expression is empty"),
    ],
)
def test_an_expression_that_cant_be_compiled_says_where_and_what_instead(source: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as problem:
        compile_expression(source, names=["request", "response"])

    assert (problem.value.column, str(problem.value)) == (column, f"column {column}: {message}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a.m.z", "column 5: no such key `z`"),
        ("a.m.xx.y", "column 5: no such key `xx`; did you mean `x`?"),
        ("size(a.l) == 3 && a.l.all(x, x.y == 1)", "column 32: can't take `y` of int"),
        ("a.l[7]", "column 5: no such index 7 in a list of 3"),
        ("1 + a.s", "column 3: can't add string to int"),
        ("1 < 2 && a.s < 3", "column 14: can't order string and int"),
        ("size(a.n)", "column 1: null_type has no size"),
        ("a.b.all(x, true)", "column 5: expected list or map, found int"),
        ("1 / (a.b - 1)", "column 3: division by zero"),
        ("a.s ? 1 : 2", "column 3: expected bool, found string"),
        ("missing", "column 1: no value for `missing`"),
        ("cel.bind(x, a.l, x.map(y, y.z))", "column 29: can't take `z` of int"),
    ],
)
def test_an_expression_without_a_value_says_where_and_why(source: str, message: str) -> None:
    with pytest.raises(EvaluationError) as problem:
        compile_expression(source, names=["a", "missing"]).evaluate(SCOPE)

    assert str(problem.value) == message


def test_an_error_shows_no_value() -> None:
    with pytest.raises(EvaluationError) as problem:
        compile_expression("int(key) + key.body", names=["key"]).evaluate({"key": "secret"})

    assert "secret" not in str(problem.value)


def test_definitions_use_earlier_ones_and_are_evaluated_once_and_only_when_used() -> None:
    reads = []

    class Watched(dict[str, object]):
        def __getitem__(self, key: str) -> object:
            reads.append(key)
            return super().__getitem__(key)

    scope = compile_scope({"texts": "body.input", "count": "size(texts)", "broken": "body.nothing"}, names=["body"])
    bound = scope.bind({"body": Watched(input=["a", "b"])})
    expression = compile_expression("count == 2 && size(texts) == count", names=scope.names)

    assert expression.evaluate(bound) is True
    assert expression.evaluate(bound) is True
    assert reads == ["input"]


def test_a_broken_definition_is_an_error_wherever_it_is_used_that_can_be_absorbed() -> None:
    scope = compile_scope({"broken": "body.nothing", "more": "broken + 1"}, names=["body"])
    bound = scope.bind({"body": {}})

    with pytest.raises(EvaluationError, match="column 6: in `more`, column 1: in `broken`, column 6: no such key"):
        compile_expression("1 == more", names=scope.names).evaluate(bound)
    assert compile_expression("more == 1 || true", names=scope.names).evaluate(bound) is True


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        ({"a": "b", "b": "1"}, "unknown name `b`"),
        ({"body": "1"}, "`body` already is a name here"),
        ({"a-b": "1"}, "`a-b` can't be a name"),
        ({"true": "1"}, "`true` can't be a name"),
    ],
)
def test_a_definition_that_cant_be_is_refused(definitions: dict[str, str], message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        compile_scope(definitions, names=["body"])
