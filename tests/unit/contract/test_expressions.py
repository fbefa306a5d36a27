"""What an expression means: CEL as two other evaluators have it, or as its description has it."""

import json
from collections.abc import Callable
from typing import Any

import cel
import celpy
import pytest
from celpy.adapter import json_to_cel

from harness.contract.expressions import EvaluationError, compile_expression
from harness.contract.expressions.generator import Generator
from harness.contract.expressions.syntax import parse
from harness.contract.expressions.values import BUDGET

ERROR = object()
SCOPE: dict[str, object] = {"a": {"b": 1, "f": 1.5, "s": "text", "n": None, "l": [3, 1, 2], "m": {"x": 1, "y": 2}, "t": True}}

# Each has this value here, in cel-python and in common-expression-language.
AGREED: list[tuple[str, object]] = [
    ("1 + 2 * 3", 7),
    ("5 - 3 - 1", 1),
    ("2 * 3 % 4", 2),
    ("10 / 3 * 3", 9),
    ("-7 / 2", -3),
    ("7 % -2", 1),
    ("-7 % 2", -1),
    ("7.0 / 2.0", 3.5),
    ("1.0 / 0.0", float("inf")),
    ("1e308 * 10.0", float("inf")),
    ("0.1 + 0.2", 0.1 + 0.2),
    ("-a.f", -1.5),
    ("--1", 1),
    ("-2 * -3", 6),
    ("-a.b - -1", 0),
    ("0x10 - -0x10", 32),
    (".5 + 1e3", 1000.5),
    ("1 / 0", ERROR),
    ("9223372036854775807 + 1", ERROR),
    ("-9223372036854775808 - 1", ERROR),
    ("2147483648 * 4294967296", ERROR),
    ("-a.s", ERROR),
    ('"a" + "b"', "ab"),
    ("[1] + [2]", [1, 2]),
    ('b"a" + b"b"', b"ab"),
    ('"a" + 1', ERROR),
    ('"\\u00e9\\x41\\101\\n"', "éAA\n"),
    ('r"\\n"', "\\n"),
    ('b"\\xff\\101é"', b"\xffA\xc3\xa9"),
    ("'''a\"b'''", 'a"b'),
    ("null == null", True),
    ("1 != 2", True),
    ('"a" < "b"', True),
    ('"é" < "z"', False),
    ("false < true", True),
    ('b"a" < b"b"', True),
    ("[1] < [2]", ERROR),
    ('"a" < 1', ERROR),
    ("a == a", True),
    ('"x" in a.m', True),
    ('"z" in a.m', False),
    ("2 in a.l && !(5 in a.l)", True),
    ("a.b", 1),
    ("a . b", 1),
    ("a.z", ERROR),
    ("a.z.y", ERROR),
    ("a.s.b", ERROR),
    ("a.l[0]", 3),
    ("a.l[3]", ERROR),
    ('a.l["0"]', ERROR),
    ('a["b"]', 1),
    ('a["z"]', ERROR),
    ('{1: "x"}[1]', "x"),
    ('{true: "x"}[true]', "x"),
    ("has(a.b)", True),
    ("has(a.n)", True),
    ("has(a.z)", False),
    ("a.t ? 1 : 2", 1),
    ("false ? 1/0 : 2", 2),
    ("a.b ? 1 : 2", ERROR),
    ('1 + 2 == 3 && "a" in ["a"] ? "y" : "n"', "y"),
    ("1 > 0 == true", True),
    ("!true", False),
    ("!!true", True),
    ("!1", ERROR),
    ("true && false", False),
    ("false && 1/0 == 1", False),
    ("1/0 == 1 && false", False),
    ("1/0 == 1 && true", ERROR),
    ("1 && false", False),
    ("1/0 == 1 || true", True),
    ("true || 1/0 == 1", True),
    ("false || 1/0 == 1", ERROR),
    ("a.z == 1 || (a.z == 2 || a.b == 1)", True),
    ("[1, 1/0][0]", ERROR),
    ("size([1,2]) + size({'a':1}) + size('abc')", 6),
    ("size(1)", ERROR),
    ("'abc'.size() + [1,2].size()", 5),
    ("[1,2,3].all(x, x > 0)", True),
    ("[1,0].all(x, 1/x == 5)", False),
    ("[0,1].all(x, 1/x == 1)", ERROR),
    ("[1,2].all(x, x)", ERROR),
    ("[].all(x, false)", True),
    ("[].exists(x, true)", False),
    ("[0,1].exists(x, 1/x == 5)", ERROR),
    ("[1,2,3].exists_one(x, x > 2)", True),
    ("[1,2,3].exists_one(x, x > 1)", False),
    ("[0,1].exists_one(x, 1/x == 1)", ERROR),
    ("[1,2,3].map(x, x * 2)", [2, 4, 6]),
    ("[1,2,3].filter(x, x > 1)", [2, 3]),
    ('{"a":1,"b":2}.all(k, k != "c")', True),
    ('{"a":1,"b":2}.filter(k, k == "a")', ["a"]),
    ("[[1,2],[3]].map(x, x.map(y, y + size(x)))", [[3, 4], [4]]),
    ("[1,2].map(x, [3].map(x, x)[0] + x)", [4, 5]),
    ("a.l.map(x, x * a.b)", [3, 1, 2]),
    ('{"k": a.s}', {"k": "text"}),
    ("{a.s: 1}", {"text": 1}),
    ('"hello".contains("ell") && "hello".startsWith("he") && "hello".endsWith("lo")', True),
    ('"hello".matches("l+")', True),
    ('"hello".matches("^l")', False),
    ('int("-12") + int(1.9) + int(-1.9)', -12),
    ('int("1.5")', ERROR),
    ("int(1e30)", ERROR),
    ('double("1.5") + double(1)', 2.5),
    ('double("1e3")', 1000.0),
    ('double("x")', ERROR),
    ("string(1) + string(1.5) + string('a') + string(b'abc')", "11.5aabc"),
    ('bool("x")', ERROR),
    ('bytes("é")', b"\xc3\xa9"),
    ("type(1) == int && type(1.0) == double && type('') == string && type(true) == bool", True),
    ("type([]) == list && type({}) == map && type(null) == null_type && type(b'') == bytes", True),
    ("type(type(1)) == type && type(1) != type(1.0)", True),
    ("1 == 1 // a comment with ' and )", True),
]

# Here and in common-expression-language; cel-python is stricter, or wrong, about these.
AGREED_WITHOUT_CELPY: list[tuple[str, object]] = [
    ("1 == 1.0", True),
    ("1 != 1.0", False),
    ("1 < 1.5 && 2 >= 2.0", True),
    ("1 == true", False),
    ('"1" == 1', False),
    ("null == 0", False),
    ("[1] == [1.0]", True),
    ("[1] == [true]", False),
    ('{"a": 1} == {"a": 1.0}', True),
    ('a.m == {"y": 2, "x": 1.0}', True),
    ("1 in [1.0]", True),
    ("true in [1]", False),
    ("1 in a.m", False),
    ("dyn(1) == 1.0", True),
    ("a.l[-1]", ERROR),
    ("has(a.z.y)", ERROR),
    ("true && 1", ERROR),
    ("true + true", ERROR),
    ("int(true)", ERROR),
    ('{true: "x"}[1]', ERROR),
    ('"a" in "abc"', ERROR),
    ("string([1])", ERROR),
    ("[1,2,3].map(x, x > 1, x * 2)", [4, 6]),
    ("[1, 2, 3,].size()", 3),
    ('"""a\nb"""', "a\nb"),
]

# Here and in cel-python; the other counts bytes, stops at the first error, or knows no `bool`.
AGREED_WITHOUT_CEL: list[tuple[str, object]] = [
    ('size("héé")', 3),
    ('"\\U0001F600".size()', 1),
    ("[0,1].all(x, 1/x == 5)", False),
    ("[0,1].exists(x, 1/x == 1)", True),
    ("-(-9223372036854775808)", ERROR),
    ('bool("true") && bool("1") && bool(true)', True),
    ('{1: "a", 1: "b"}', ERROR),
]

# Neither of the two knows these; the values are those of CEL's own description of its extensions.
EXTENSIONS: list[tuple[str, object]] = [
    ("[1,2,3].all(i, v, v == i + 1)", True),
    ("[1,2,3].exists(i, v, v == i)", False),
    ("[1,2,3].existsOne(i, v, v == 2)", True),
    ("[0,1].all(i, v, 1/v == 5)", False),
    ("[5,6].transformList(i, v, i + v)", [5, 7]),
    ("[5,6].transformList(i, v, i > 0, i + v)", [7]),
    ('{"a":1,"b":2}.transformList(k, v, k)', ["a", "b"]),
    ('{"a":1,"b":2}.transformMap(k, v, v > 1, v + 1)', {"b": 3}),
    ('["a"].transformMap(i, v, v)', {0: "a"}),
    ("cel.bind(x, [1,2], x.map(y, y + size(x)))", [3, 4]),
    ('[{"s":2,"n":"b"},{"s":1,"n":"a"}].sortBy(x, x.s).map(x, x.n)', ["a", "b"]),
    ('"HÉllo".lowerAscii() + "héllo".upperAscii()', "hÉlloHéLLO"),
    ('"a,b,c".split(",")', ["a", "b", "c"]),
    ('"a,b,c".split(",", 2)', ["a", "b,c"]),
    ('"a,b,c".split(",", 1)', ["a,b,c"]),
    ('"a,b,c".split(",", 0)', []),
    ('"abc".split("")', ["a", "b", "c"]),
    ('"abc".split("", 2)', ["a", "bc"]),
    ('["a","b"].join() + ["a","b"].join("-")', "aba-b"),
    ('["a",1].join()', ERROR),
    ('" a\t".trim()', "a"),
    ('"aXbX".replace("X", "--")', "a--b--"),
    ('"aXbX".replace("X", "-", 1)', "a-bX"),
    ('"abc".replace("", "-")', "-a-b-c-"),
    ('"hello".substring(1) + "hello".substring(1, 3)', "elloel"),
    ('"hello".substring(3, 1)', ERROR),
    ('"hello".substring(9)', ERROR),
    ('"hello".charAt(1) + "hello".charAt(5)', "e"),
    ('"hello".charAt(6)', ERROR),
    ('["hello".indexOf("l"), "hello".indexOf("l", 3), "hello".indexOf("z")]', [2, 3, -1]),
    ('"hello".lastIndexOf("l")', 3),
    ("lists.range(3)", [0, 1, 2]),
    ("[1,2,3,4].slice(1,3)", [2, 3]),
    ("[1,2].slice(1,3)", ERROR),
    ("[3,1,2.5].sort()", [1, 2.5, 3]),
    ('[1,"a"].sort()', ERROR),
    ("[1,1.0,true,'1',[1],[1.0],true].distinct()", [1, True, "1", [1]]),
    ("[[1],[2,[3]]].flatten()", [1, 2, [3]]),
    ("[[1],[2,[3]]].flatten(2)", [1, 2, 3]),
    ("[1,2,3].reverse()", [3, 2, 1]),
    ('"abc".reverse()', "cba"),
    ("[1,2,3].sum()", 6),
    ("[math.abs(-3), math.least(3,1,2), math.least([3,1,2]), math.greatest(3,1,2)]", [3, 1, 1, 3]),
    ("[math.ceil(1.2), math.floor(-1.2), math.trunc(-1.7)]", [2.0, -2.0, -1.0]),
    ("[math.round(1.5), math.round(-2.5), math.sqrt(4.0)]", [2.0, -3.0, 2.0]),
    ("math.isNaN(0.0/0.0) && math.isInf(1.0/0.0) && math.isFinite(1.0) && math.sign(-3) == -1", True),
    ("math.least([])", ERROR),
    ("string(1.0) + string(true)", "1true"),
    ("string(null)", ERROR),
    ('string(b"\\xff")', ERROR),
    ('{"a": 1,}', {"a": 1}),
    ('{1: "x"}[1.0]', "x"),
    ("[1,2][1.0]", 2),
    ("{1.5: 1}", ERROR),
    # Ours: the numbers come from JSON, where 1 and 1.0 are one number.
    ("1 + 1.0", 2.0),
    ("3 * 0.5", 1.5),
    ("1 / 2.0", 0.5),
]

Evaluator = Callable[[str], object]


def ours(source: str) -> object:
    return compile_expression(source, names=SCOPE).evaluate(SCOPE)


def celpy_value(source: str) -> object:
    environment = celpy.Environment()
    program = environment.program(environment.compile(source))
    scope: Any = json_to_cel(SCOPE)
    return plain(program.evaluate(scope))


def cel_value(source: str) -> object:
    return cel.evaluate(source, SCOPE)


def plain(value: object) -> object:
    """A value of celpy as plain Python."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, celpy.celtypes.BoolType):
        return bool(value)
    exact: tuple[Callable[[Any], object], ...] = (int, float, str, bytes)
    return next((kind(value) for kind in exact if isinstance(value, kind)), value)  # type: ignore[arg-type]  # types


def disagreements(evaluate: Evaluator, cases: list[tuple[str, object]]) -> list[str]:
    """The expressions whose value, down to its types, is another one; any exception is an error."""
    found = []
    for source, expected in cases:
        try:
            value = evaluate(source)
        except Exception:
            value = ERROR
        if repr(value) != repr(expected):
            found.append(f"{source} is {value!r}, not {expected!r}")
    return found


@pytest.mark.parametrize("cases", [AGREED, AGREED_WITHOUT_CELPY, AGREED_WITHOUT_CEL, EXTENSIONS])
def test_expressions_mean_what_cel_says(cases: list[tuple[str, object]]) -> None:
    assert disagreements(ours, cases) == []


@pytest.mark.parametrize("cases", [AGREED, AGREED_WITHOUT_CEL])
def test_cel_python_says_the_same(cases: list[tuple[str, object]]) -> None:
    assert disagreements(celpy_value, cases) == []


@pytest.mark.parametrize("cases", [AGREED, AGREED_WITHOUT_CELPY])
def test_common_expression_language_says_the_same(cases: list[tuple[str, object]]) -> None:
    assert disagreements(cel_value, cases) == []


def test_an_evaluator_that_reads_the_expression_as_python_is_noticed() -> None:
    def as_python(source: str) -> object:
        return eval(source, {"true": True, "false": False, "null": None}, SCOPE)

    wrong = " ".join(disagreements(as_python, AGREED + AGREED_WITHOUT_CELPY))

    assert all(source in wrong for source in ("-7 / 2", "7 % -2", "1 == true", "true + true"))


@pytest.mark.parametrize("cases", [AGREED, AGREED_WITHOUT_CELPY, AGREED_WITHOUT_CEL, EXTENSIONS])
def test_the_careful_program_has_the_same_values(cases: list[tuple[str, object]]) -> None:
    def careful(source: str) -> object:
        return Generator(SCOPE, careful=True).program(parse(source))(SCOPE, [BUDGET])

    assert disagreements(careful, cases) == []


@pytest.mark.parametrize("source", [case[0] for case in AGREED + EXTENSIONS if case[1] is ERROR])
def test_whatever_goes_wrong_in_an_evaluation_is_an_evaluation_error(source: str) -> None:
    with pytest.raises(EvaluationError):
        ours(source)


def test_the_names_that_an_expression_reads_are_known() -> None:
    expression = compile_expression("a.all(x, x in b && x != int)", names=["a", "b", "c"])

    assert expression.names == {"a", "b"}
    assert compile_expression("a", names=["a"]) == compile_expression("a", names=["a", "b"])


def test_a_variable_may_have_the_name_of_a_type_or_a_namespace() -> None:
    assert compile_expression("string + math.abs", names=["string", "math"]).evaluate({"string": "a", "math": {"abs": "b"}}) == "ab"


def test_a_result_is_what_was_put_in_not_a_copy() -> None:
    body = {"input": [1.0] * 3}

    assert compile_expression("body.input", names=["body"]).evaluate({"body": body}) is body["input"]
    assert json.dumps(ours('{"a": a.m, "b": [a.n, a.t]}')) == '{"a": {"x": 1, "y": 2}, "b": [null, true]}'
