"""Properties of expressions: arithmetic, logic and comparison against oracles, and any text at all."""

import math
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.contract.expressions import EvaluationError, ExpressionError, compile_expression
from harness.contract.expressions.generator import Generator
from harness.contract.expressions.syntax import parse
from harness.contract.expressions.values import BUDGET


@dataclass(frozen=True)
class Sample:
    """An expression and what an oracle says of it; None where it has no value."""

    source: str
    value: object


def value(source: str, **scope: object) -> object:
    """The value, or None where there is none."""
    try:
        return compile_expression(source, names=scope).evaluate(scope)
    except EvaluationError:
        return None


def fits(number: int) -> int | None:
    return number if -(2**63) <= number < 2**63 else None


def truncated(a: int, b: int) -> int | None:
    return None if b == 0 else fits(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))


def rest(a: int, b: int) -> int | None:
    return None if b == 0 else int(math.copysign(1, a)) * (abs(a) % abs(b))


def computed(operator: str, a: Any, b: Any) -> int | None:
    if a is None or b is None:
        return None
    results = {
        "+": lambda: fits(a + b),
        "-": lambda: fits(a - b),
        "*": lambda: fits(a * b),
        "/": lambda: truncated(a, b),
        "%": lambda: rest(a, b),
    }
    return results[operator]()


numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5)
arithmetic = st.recursive(
    numbers.map(lambda number: Sample(str(number), number)),
    lambda inner: st.builds(
        lambda operator, a, b: Sample(f"({a.source} {operator} {b.source})", computed(operator, a.value, b.value)),
        st.sampled_from("+-*/%"),
        inner,
        inner,
    ),
    max_leaves=8,
)


@given(arithmetic)
def test_arithmetic_is_exact_in_64_bits_or_an_error(sample: Sample) -> None:
    assert value(sample.source) == sample.value


def conjunction(a: object, b: object) -> object:
    return False if a is False or b is False else None if None in (a, b) else True


def decided(condition: object, then: object, other: object) -> object:
    return None if condition is None else then if condition else other


logic = st.recursive(
    st.sampled_from([Sample("true", True), Sample("false", False), Sample("(1 / 0 == 1)", None), Sample("x.no", None)]),
    lambda inner: (
        st.builds(lambda a, b: Sample(f"({a.source} && {b.source})", conjunction(a.value, b.value)), inner, inner)
        | st.builds(
            lambda a, b: Sample(f"({a.source} || {b.source})", inverted(conjunction(*map(inverted, (a.value, b.value))))),
            inner,
            inner,
        )
        | st.builds(lambda a: Sample(f"!{a.source}", inverted(a.value)), inner)
        | st.builds(
            lambda a, b, c: Sample(f"({a.source} ? {b.source} : {c.source})", decided(a.value, b.value, c.value)),
            inner,
            inner,
            inner,
        )
    ),
    max_leaves=10,
)


def inverted(a: object) -> object:
    return None if a is None else not a


@given(logic)
def test_logic_has_three_values_true_false_and_error(sample: Sample) -> None:
    assert value(sample.source, x={}) is sample.value


@given(st.lists(st.sampled_from([True, False, None]), max_size=6))
def test_all_and_exists_are_the_conjunction_and_disjunction_of_their_items(items: list[bool | None]) -> None:
    every: object = True
    some: object = False
    for item in items:
        every = conjunction(every, item)
        some = inverted(conjunction(inverted(some), inverted(item)))

    assert value("items.all(x, x)", items=items) is every
    assert value("items.exists(x, x)", items=items) is some
    assert value("items.all(i, x, x && i >= 0)", items=items) is every


scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab", max_size=2)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def tagged(document: object) -> object:
    """The document with each scalar's type beside it, so that Python compares as CEL does."""
    if isinstance(document, list):
        return [tagged(item) for item in document]
    if isinstance(document, dict):
        return {key: tagged(item) for key, item in document.items()}
    return ("number" if type(document) in (int, float) else type(document), document)


@given(documents, documents)
def test_equality_compares_numbers_as_numbers_and_all_else_with_its_type(a: object, b: object) -> None:
    assert value("a == b", a=a, b=b) is (tagged(a) == tagged(b))
    assert value("a != b", a=a, b=b) is (tagged(a) != tagged(b))
    assert value("a == a", a=a) is True
    assert value("a in [b]", a=a, b=b) is (tagged(a) == tagged(b))


@given(scalars, scalars)
def test_only_values_of_one_kind_have_an_order(a: Any, b: Any) -> None:
    numeric = type(a) in (int, float) and type(b) in (int, float)
    ordered = a is not None and (numeric or type(a) is type(b))

    assert value("a < b", a=a, b=b) is ((a < b) if ordered else None)
    assert value("a >= b", a=a, b=b) is ((a >= b) if ordered else None)
    assert value("a > b || a <= b", a=a, b=b) is (True if ordered else None)


@given(st.lists(st.integers(-9, 9) | st.floats(-9, 9)))
def test_lists_are_sorted_and_freed_of_repetitions(items: list[float]) -> None:
    assert value("x.sort()", x=items) == sorted(items)
    assert value("x.sortBy(v, -v).reverse() == x.sort()", x=items) is True
    assert value("x.distinct()", x=items) == list(dict.fromkeys(items))
    assert value("x.reverse().reverse() == x", x=items) is True


def quoted(text: str) -> str:
    escaped = "".join(f"\\U{ord(letter):08x}" if letter in '\\"\r\n' else letter for letter in text)
    return f'"{escaped}"'


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_can_be_written_as_a_literal(text: str) -> None:
    assert value(quoted(text)) == text
    assert value(f"{quoted(text)} + x == x + {quoted(text)}", x=text) is True
    if '"""' not in text and not text.endswith('"'):
        assert value(f'r"""{text}"""') == text


@given(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_can_be_written_as_a_literal(whole: int, double: float) -> None:
    assert value(str(whole)) == whole
    assert value(f"int(string({whole}))") == whole
    assert value(repr(double)) == double
    assert value(f"double(string({double!r}))") == double


pieces = st.sampled_from(
    ["a", "b", "x", "1", "2.5", "'s'", '"', "'", "\\", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "&&",
     "||", "!", "-", "+", "*", "/", "%", "==", "<", "in", "true", "null", "size(", ".all(x,", ".map(x,",
     "has(", "//", "\n"]
)  # fmt: skip


@given(st.lists(pieces, max_size=12).map(" ".join) | st.lists(pieces, max_size=12).map("".join) | st.text())
def test_any_text_is_an_expression_or_an_expression_error_with_a_place_in_it(text: str) -> None:
    column = 1
    try:
        expression = compile_expression(text, names=["a", "b"])
        expression.evaluate({"a": [1, "s", {"b": None}], "b": {"a": 2.5}})
    except (ExpressionError, EvaluationError) as problem:
        column = problem.column
    assert 1 <= column <= len(text) + 1


operators = st.sampled_from(["+", "-", "*", "==", "<", "&&", "||", "in"])
mixed = st.recursive(
    st.sampled_from(["a", "a.n", "a.s", "a.l", "a.no", "1", "2.5", "'s'", "true", "null", "[1]", "{'k': 1}"]),
    lambda inner: (
        st.builds(lambda operator, x, y: f"({x} {operator} {y})", operators, inner, inner)
        | st.builds(lambda x, y: f"({x}).all(v, {y} == v)", inner, inner)
        | st.builds(lambda x, y: f"({x}).map(v, [v, {y}])", inner, inner)
        | st.builds(lambda x, y, z: f"({x} ? {y} : {z})", inner, inner, inner)
    ),
    max_leaves=6,
)


@given(mixed)
def test_the_careful_program_agrees_with_the_fast_one_whenever_that_has_a_value(source: str) -> None:
    scope = {"a": {"n": 1, "s": "s", "l": [1, 2.5, "s"]}}
    fast = Generator(scope, careful=False).program(parse(source))
    careful = Generator(scope, careful=True).program(parse(source))
    try:
        expected = fast(scope, [BUDGET])
    except Exception:
        return

    assert repr(careful(scope, [BUDGET])) == repr(expected)
