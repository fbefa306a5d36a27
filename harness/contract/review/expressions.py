"""The expressions of a contract: each compiles, over the names that it may use."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.contract.agreement import (
    ERROR_NAMES,
    MADE_NAMES,
    QUESTION_NAMES,
    SCOPE_NAMES,
    SEQUENCE_NAMES,
    compile_operation,
    compile_sequence,
    compiled,
    constants_of,
)
from harness.contract.document import Steps
from harness.contract.expressions import ExpressionError, compile_scope
from harness.contract.review.gathered import Review

# These are evaluated over names of their own.
_OWN_NAMES: dict[Steps, frozenset[str]] = {
    ("bind", "returns"): frozenset({"result"}),
    ("bind", "split", "made"): MADE_NAMES,
    ("bind", "split", "report", "done"): ERROR_NAMES,
    ("bind", "split", "report", "failed"): ERROR_NAMES,
}


def check_expressions(review: Review) -> None:
    """Compile everything; what compiles whole goes into the review."""
    constants = constants_of(review.contract)
    for name, operation in review.contract.operations.items():
        before = len(review.problems)
        names = SCOPE_NAMES
        for at, source in _definitions(review.document.value, name):
            _compile(review, at, source, names)
            names |= _named(review, at, names)
        for at, source in _sources(review.document.value, name):
            _compile(review, at, source, _OWN_NAMES.get(at[2:], names))
        if len(review.problems) == before:
            review.operations[name] = compile_operation(name, operation, constants)
    for name, sequence in review.contract.sequences.items():
        before = len(review.problems)
        names = SEQUENCE_NAMES | frozenset(sequence.steps)
        for promise, source in sequence.promises.items():
            _compile(review, ("sequences", name, "promises", promise), source, names)
        if len(review.problems) == before:
            review.sequences[name] = compile_sequence(sequence)
    for name, source in review.contract.stateful.questions.items() if review.contract.stateful else ():
        _compile(review, ("stateful", "questions", name), source, QUESTION_NAMES)


def _compile(review: Review, at: Steps, source: str, names: frozenset[str]) -> None:
    try:
        compiled(source, names)
    except ExpressionError as error:
        review.uncompiled.add(at)
        place = review.document.place_within(at, source, error.column)
        hint = f"column {error.column} of the expression" + (f"; {error.hint}" if error.hint else "")
        review.problem(at, f"can't be parsed: {error.message}", hint=hint, place=place)


def _named(review: Review, at: Steps, names: frozenset[str]) -> frozenset[str]:
    """The name that a definition adds, if it can be one."""
    name = str(at[-1])
    try:
        compile_scope({name: "true"}, names=names)
    except ExpressionError as error:
        review.problem(at, error.message, hint=error.hint, at_key=True)
    return frozenset({name})


def _definitions(root: Mapping[str, Any], operation: str) -> Iterator[tuple[Steps, str]]:
    for name, source in root["operations"][operation].get("let", {}).items():
        yield ("operations", operation, "let", name), source


def _sources(root: Mapping[str, Any], operation: str) -> Iterator[tuple[Steps, str]]:
    """Every expression of an operation besides its definitions, with its place."""
    at: Steps = ("operations", operation)
    body = root["operations"][operation]
    for name, rule in body.get("request", {}).get("rules", {}).items():
        yield (*at, "request", "rules", name, "rule"), rule["rule"]
    for name, source in body.get("cost", {}).items():
        yield (*at, "cost", name), source
    for status, response in body.get("responses", {}).items():
        yield from _response_sources((*at, "responses", status), response)
    for name, relation in body.get("relations", {}).items():
        for part in ("given", "items", "results"):
            yield (*at, "relations", name, part), relation[part]
    bind = body.get("bind", {})
    for name, source in bind.get("arguments", {}).items():
        yield (*at, "bind", "arguments", name), source
    for name in ("result", "returns"):
        if name in bind:
            yield (*at, "bind", name), bind[name]
    for name in ("items", "made"):
        if name in bind.get("split", {}):
            yield (*at, "bind", "split", name), bind["split"][name]
    for name, source in bind.get("split", {}).get("report", {}).items():
        yield (*at, "bind", "split", "report", name), source


def _response_sources(at: Steps, response: Mapping[str, Any]) -> Iterator[tuple[Steps, str]]:
    for name, source in response.get("invariants", {}).items():
        yield (*at, "invariants", name), source
    stub = response.get("stub", {})
    if "body" in stub:
        yield (*at, "stub", "body"), stub["body"]
    for name, source in stub.get("headers", {}).items():
        yield (*at, "stub", "headers", name), source
