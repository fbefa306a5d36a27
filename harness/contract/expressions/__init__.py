"""CEL expressions of a contract, compiled once to Python that works on plain values without converting them.

The language is CEL (https://cel.dev) with its macros, also those of two variables, and its extensions for
strings, lists (also ``sum``), ``math`` and ``cel.bind``. Where JSON asks for it, it differs: int and double
add up to a double; there are no unsigned numbers, messages, timestamps and durations. Numpy arrays are lists.

These functions are ours; they are pure, and what they make up from a text is the same on every machine:

======================  =====================================================================================
vector(x[, dtype])      floats of a list of numbers, an array, or the base64 of an array's bytes; dtype is
                        "float" (float32), "int8", "uint8", "binary" (int8) or "ubinary" (uint8)
dimension(x[, dtype])   the number of its components, without decoding them
norm(x), dot(a, b)      the Euclidean length, the scalar product
close(a, b, tolerance)  numbers within the tolerance, also in lists, maps and vectors; all else equal
unit_vector(text, n)    a float32 vector of length 1, made up from the text
whole(x, least, most)   whether every component is a whole number within these bounds
quantize(x, dtype)      int8 and uint8 by scale; binary and ubinary by sign, eight components to a number
base64(x)               of bytes, of int8 or uint8 components, or else of float32 components
similarity(a, b)        how near two texts are, in [0, 1], made up; 1 when they are the same
fraction(text)          a double in [0, 1), made up from the text
tokens(text)            a quarter of its characters, rounded up; of a list the sum
======================  =====================================================================================

An evaluation has a budget of steps; nothing in an expression reaches a Python attribute, name or import.
"""

from harness.contract.expressions.errors import BudgetError, EvaluationError, ExpressionError
from harness.contract.expressions.expression import Expression, Scope, compile_expression, compile_scope

__all__ = [
    "BudgetError",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Scope",
    "compile_expression",
    "compile_scope",
]
