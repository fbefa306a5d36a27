"""Vectors in expressions: decoded, compared, quantized, and made up alike on every machine."""

import base64
import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract.expressions import EvaluationError, compile_expression

VECTOR = [0.6, -0.8, 0.0]
FLOAT32 = base64.b64encode(np.array(VECTOR, "<f4").tobytes()).decode()
INT8 = base64.b64encode(np.array([1, -2, 127], "i1").tobytes()).decode()
UINT8 = base64.b64encode(np.array([1, 254, 127], "u1").tobytes()).decode()
# What the texts made up when these functions were written, on Linux and x86-64.
HELLO = "7d66a43d87cf943ec97a9a3e37436b3e42acdbbe4446223f4368353ba1d6d8be"
FRACTION = 0.6551350150274586
SIMILARITY = 0.4591780797624541
SHAPES = [
    VECTOR,
    tuple(VECTOR),
    np.array(VECTOR),
    np.array(VECTOR, "f4"),
    FLOAT32,
    [np.float64(x) for x in VECTOR],
]


def value(source: str, **scope: object) -> object:
    return compile_expression(source, names=scope).evaluate(scope)


@pytest.mark.parametrize("x", SHAPES)
def test_a_vector_is_the_same_in_every_form(x: object) -> None:
    decoded = value("vector(x)", x=x)

    assert isinstance(decoded, np.ndarray)
    assert decoded == pytest.approx(VECTOR)
    assert value("dimension(x)", x=x) == 3
    assert value("norm(x)", x=x) == pytest.approx(1)
    assert value("dot(x, [1, 1, 5])", x=x) == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("text", "dtype", "expected"),
    [
        (INT8, "int8", [1, -2, 127]),
        (INT8, "binary", [1, -2, 127]),
        (UINT8, "uint8", [1, 254, 127]),
        (UINT8, "ubinary", [1, 254, 127]),
        (FLOAT32, "float", VECTOR),
    ],
)
def test_base64_holds_numbers_of_the_named_type(text: str, dtype: str, expected: list[float]) -> None:
    assert value("vector(x, dtype)", x=text, dtype=dtype) == pytest.approx(expected)
    assert value("dimension(x, dtype)", x=text, dtype=dtype) == 3


@pytest.mark.parametrize(
    "x",
    [
        None, 1, True, "???", FLOAT32[:-2], FLOAT32 + "\n", "AAA=", {}, [1.0, None], [1.0, True], ["1"],
        [[1.0]], np.ones((2, 2)), np.array(["a"]), np.array([True]), [2**2000],
    ],
)  # fmt: skip
def test_what_is_no_vector_is_an_error(x: object) -> None:
    for source in ("vector(x)", "norm(x)", "dot(x, x)"):
        with pytest.raises(EvaluationError):
            value(source, x=x)


@pytest.mark.parametrize("x", [None, 1, "???", "AAA=", {}])
def test_what_is_no_vector_has_no_dimension(x: object) -> None:
    with pytest.raises(EvaluationError):
        value("dimension(x)", x=x)


def test_not_a_number_stays_what_it_is() -> None:
    decoded = value("vector(x)", x=[math.nan, math.inf])

    assert isinstance(decoded, np.ndarray)
    assert np.isnan(decoded[0])
    assert np.isinf(decoded[1])
    assert value("close(x, x, 1.0)", x=[math.nan]) is False


def test_vectors_of_different_dimensions_have_no_product() -> None:
    with pytest.raises(EvaluationError, match="vectors of 3 and 2 dimensions"):
        value("dot(x, [1, 2])", x=VECTOR)


def test_an_unknown_dtype_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(EvaluationError, match="no dtype `int4`: expected one of float, int8, uint8, binary, ubin"):
        value("vector(x, 'int4')", x=FLOAT32)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, 1.05, True),
        (1, 1.2, False),
        (math.inf, math.inf, True),
        ([1.0] * 20, [1.05] * 20, True),
        ([1.0] * 20, [1.0] * 19 + [1.2], False),
        ([1.0] * 20, [1.0] * 21, False),
        (np.ones(3), [1.05] * 3, True),
        (np.ones((2, 3)), [np.ones(3), [1.05] * 3], True),
        (np.ones((2, 3)), [np.ones(3), [1.2] * 3], False),
        ({"a": [1, {"b": 2.0}], "c": "x"}, {"a": [1.01, {"b": 2}], "c": "x"}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1, "c": "x"}, {"a": 1, "c": "y"}, False),
        ([1], {"a": 1}, False),
        (1, "1", False),
        (1, True, False),
        (None, None, True),
    ],
)
def test_numbers_are_close_within_the_tolerance_at_any_depth(a: object, b: object, expected: bool) -> None:
    assert value("close(a, b, 0.1)", a=a, b=b) is expected
    assert value("close(b, a, 0.1)", a=a, b=b) is expected


def test_a_tolerance_is_a_number_that_is_not_negative() -> None:
    for tolerance in (-1, math.nan, "1", True):
        with pytest.raises(EvaluationError):
            value("close(1, 1, t)", t=tolerance)


def test_numpy_arrays_are_lists_of_plain_numbers() -> None:
    x = np.array([3, 1, 2], "f4")

    assert value("size(x) == 3 && x[0] == 3 && x.all(v, v > 0) && 2 in x && x == [3, 1, 2.0]", x=x) is True
    assert value("x.map(v, v * 2)", x=x) == [6.0, 2.0, 4.0]
    assert type(value("x[0]", x=x)) is float
    assert value("x.sort()", x=x) == [1.0, 2.0, 3.0]
    assert value("x.slice(1, 3)[1]", x=x) == 2.0
    assert value("x.sum()", x=x) == 6.0
    assert value("m.all(row, size(row) == 2) && size(m) == 3 && m[1][1] == 1", m=np.ones((3, 2))) is True
    assert value("x + 1.5", x=np.float32(1)) == 2.5
    assert value("x.z", x={"z": 1}) == 1


def test_an_array_answers_neither_to_attributes_nor_to_negative_indices() -> None:
    for source in ("x.shape", "x.T", "x['T']", "x[-1]", "x[7]", "x.dtype.name", "has(x.T)"):
        with pytest.raises(EvaluationError):
            value(source, x=np.ones(3))


def test_the_text_of_an_enumeration_is_a_string() -> None:
    class Kind(StrEnum):
        QUERY = "query"

    assert value("x == 'query' && type(x) == string && x.size() == 5", x=Kind.QUERY) is True


def test_a_made_up_vector_is_the_same_on_every_machine() -> None:
    made = value("unit_vector('hello', 8)")

    assert isinstance(made, np.ndarray)
    assert made.astype("<f4").tobytes().hex() == HELLO
    assert value("fraction('hello')") == FRACTION
    assert value("similarity('hello', 'world')") == SIMILARITY


@given(st.text(), st.integers(1, 300))
def test_a_made_up_vector_has_length_1_and_is_made_up_from_the_text_alone(text: str, dimension: int) -> None:
    source = compile_expression("unit_vector(text, n)", names=["text", "n"])
    made, again, other = (source.evaluate({"text": subject, "n": dimension}) for subject in (text, text, text + "!"))

    assert isinstance(made, np.ndarray)
    assert made.dtype == np.float32
    assert made.shape == (dimension,)
    assert float(np.linalg.norm(made.astype("f8"))) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(made, np.asarray(again))
    assert dimension < 16 or not np.array_equal(made, np.asarray(other))


def test_a_made_up_vector_is_shared_and_can_not_be_changed() -> None:
    made = value("unit_vector('x', 4)")

    assert isinstance(made, np.ndarray)
    with pytest.raises(ValueError, match="read-only"):
        made[0] = 1
    assert value("unit_vector('x', 4)") is made


def test_texts_beyond_unicode_are_texts_too() -> None:
    assert value("norm(unit_vector(x, 64))", x="\ud800") == pytest.approx(1)
    assert value("fraction(x) < 1.0", x="\ud800") is True


@pytest.mark.parametrize("dimension", [0, -1, 65_537, 1.5, "8", None])
def test_a_made_up_vector_has_a_dimension_within_bounds(dimension: object) -> None:
    with pytest.raises(EvaluationError):
        value("unit_vector('x', n)", n=dimension)


def test_quantized_vectors_are_those_of_the_provider() -> None:
    x = [0.5, -0.25, 0.0, 0.125, -0.5, 0.25, 0.25, -0.125]  # the signs are 1 0 0 1 0 1 1 0

    assert value("quantize(x, 'int8').map(v, v)", x=x) == [127, -64, 0, 32, -127, 64, 64, -32]
    assert value("quantize(x, 'uint8').map(v, v)", x=x) == [255, 64, 128, 160, 1, 192, 192, 96]
    assert value("quantize(x, 'ubinary').map(v, v)", x=x) == [0b10010110]
    assert value("quantize(x, 'binary').map(v, v)", x=x) == [0b10010110 - 128]
    assert value("quantize(x, 'float') == x", x=x) is True
    assert value("quantize([0, 0], 'int8').map(v, v)") == [0, 0]


@pytest.mark.parametrize(("x", "dtype"), [([1.0] * 7, "binary"), ([1.0], "int4"), ([math.nan], "int8"), ("x", "int8")])
def test_what_can_not_be_quantized_is_an_error(x: object, dtype: str) -> None:
    with pytest.raises(EvaluationError):
        value("quantize(x, dtype)", x=x, dtype=dtype)


@given(st.lists(st.tuples(*[st.floats(-1, 1, width=32)] * 8), min_size=1, max_size=4))
def test_what_is_encoded_is_decoded_again(rows: list[tuple[float, ...]]) -> None:
    x = [component for row in rows for component in row]

    assert value("vector(base64(x)) == x", x=x) is True
    for dtype in ("int8", "uint8", "binary", "ubinary"):
        assert value("vector(base64(quantize(x, t)), t) == quantize(x, t)", x=x, t=dtype) is True
        assert value("dimension(base64(quantize(x, t)), t) == size(quantize(x, t))", x=x, t=dtype) is True


def test_base64_is_of_float32_numbers_in_little_endian_order_or_of_bytes() -> None:
    assert value("base64(x)", x=np.array(VECTOR, ">f8")) == FLOAT32
    assert value("base64(x)", x=VECTOR) == FLOAT32
    assert value("base64(x)", x=np.array([1, -2, 127], "i1")) == INT8
    assert value("base64(x)", x=np.arange(6, dtype="u1")[::2]) == base64.b64encode(bytes([0, 2, 4])).decode()
    assert value("base64(b'abc')") == "YWJj"


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), (["a", ["abcde"]], 3)])
def test_tokens_are_a_quarter_of_the_characters_rounded_up(text: object, expected: int) -> None:
    assert value("tokens(x)", x=text) == expected


def test_only_texts_have_tokens() -> None:
    wrong: list[object] = [None, 1, {}, [1]]
    for x in wrong:
        with pytest.raises(EvaluationError):
            value("tokens(x)", x=x)


@given(st.text(), st.text())
def test_similarity_and_fractions_lie_between_0_and_1(a: str, b: str) -> None:
    near = compile_expression("similarity(a, b)", names=["a", "b"])
    share = compile_expression("fraction(a)", names=["a"]).evaluate({"a": a})
    found = near.evaluate({"a": a, "b": b})

    assert isinstance(found, float)
    assert isinstance(share, float)
    assert 0 <= found <= 1
    assert 0 <= share < 1
    assert found == near.evaluate({"a": b, "b": a})
    assert near.evaluate({"a": a, "b": a}) == 1


@pytest.mark.parametrize(
    ("rule", "liar"),
    [
        ("dimension(x) == 3", lambda x: x[:2]),
        ("close(norm(x), 1.0, 0.001)", lambda x: x * 1.01),
        ("close(norm(x), 1.0, 0.001)", lambda x: x * math.nan),
        ("x.all(v, math.isFinite(v))", lambda x: [*x[:2], math.inf]),
        ("close(x, vector('mpkZP83MTL8AAAAA'), 0.001)", lambda x: list(reversed(x))),
    ],
)
def test_a_rule_about_vectors_notices_a_liar(rule: str, liar: Callable[[Any], object]) -> None:
    assert value(rule, x=VECTOR) is True
    assert value(rule, x=liar(np.array(VECTOR))) is False
