"""Taking a contract apart: each promise in it is a clause with an id, a kind and a place in the file.

The id of a clause is its path in the file, joined with dots; items of a list of words or numbers go by
their value (``resilience.retry.on.429``), other items by their position.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from harness.contract.document import Document, Steps, value_at
from harness.contract.problems import Place
from harness.contract.schemas import ASSERTIONS, reference, subschemas


class Kind(StrEnum):
    """What sort of promise a clause is; checks and mutants are chosen by it."""

    TIMEOUT = "timeout"
    AUTH = "auth"
    SECRECY = "secrecy"
    PROBE = "probe"
    ENDPOINT = "endpoint"
    IDEMPOTENCE = "idempotence"
    RULE = "rule"
    DEFAULT = "default"
    SCHEMA = "schema"
    STATUS = "status"
    MEDIA_TYPE = "media type"
    ERROR_SHAPE = "error shape"
    RAISES = "raises"
    HEADER = "header"
    INVARIANT = "invariant"
    RELATION = "relation"
    SEQUENCE = "sequence"
    STATEFUL = "stateful"
    ARGUMENT = "argument"
    RESULT = "result"
    REPORT = "report"
    EXAMPLE = "example"
    BATCH = "batch"
    RATE = "rate"
    PATTERN = "pattern"
    POLICY = "policy"
    RETRY = "retry"
    BREAKER = "breaker"
    CACHE = "cache"
    BUDGET = "budget"
    FAILURE = "failure"
    SLA = "sla"
    MONITORING = "monitoring"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One promise: ``value`` is what the file says there; ``parties`` who keeps it (consumer, provider)."""

    id: str
    kind: Kind
    place: Place
    value: Any
    operation: str | None = None
    parties: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.id} ({self.place})"


# Where promises stand: a path pattern (`*` is any one step), its kind, and who keeps it.
_CONSUMER, _PROVIDER, _BOTH = frozenset({"consumer"}), frozenset({"provider"}), frozenset({"consumer", "provider"})
_PROMISES: tuple[tuple[str, Kind, frozenset[str]], ...] = (
    ("provider.timeout", Kind.TIMEOUT, _CONSUMER),
    ("provider.auth.scheme", Kind.AUTH, _BOTH),
    ("provider.auth.header", Kind.AUTH, _CONSUMER),
    ("provider.auth.credential", Kind.SECRECY, _CONSUMER),
    ("provider.probe", Kind.PROBE, _BOTH),
    ("operations.*.method", Kind.ENDPOINT, _CONSUMER),
    ("operations.*.path", Kind.ENDPOINT, _CONSUMER),
    ("operations.*.idempotent", Kind.IDEMPOTENCE, _CONSUMER),
    ("operations.*.cached", Kind.CACHE, _CONSUMER),
    ("operations.*.request.media_type", Kind.MEDIA_TYPE, _CONSUMER),
    ("operations.*.request.rules.*", Kind.RULE, _BOTH),
    ("operations.*.request.defaults.*", Kind.DEFAULT, _CONSUMER),
    ("operations.*.request.query.*.required", Kind.SCHEMA, _CONSUMER),
    ("operations.*.request.headers.*", Kind.HEADER, _CONSUMER),
    ("operations.*.responses.*", Kind.STATUS, _PROVIDER),
    ("operations.*.responses.*.media_type", Kind.MEDIA_TYPE, _PROVIDER),
    ("operations.*.responses.*.error", Kind.ERROR_SHAPE, _PROVIDER),
    ("operations.*.responses.*.raises", Kind.RAISES, _CONSUMER),
    ("operations.*.responses.*.headers.*", Kind.HEADER, _PROVIDER),
    ("operations.*.responses.*.invariants.*", Kind.INVARIANT, _PROVIDER),
    ("operations.*.relations.*", Kind.RELATION, _PROVIDER),
    ("operations.*.bind.arguments.*", Kind.ARGUMENT, _CONSUMER),
    ("operations.*.bind.result", Kind.RESULT, _CONSUMER),
    ("operations.*.bind.split.report.done", Kind.REPORT, _CONSUMER),
    ("operations.*.bind.split.report.failed", Kind.REPORT, _CONSUMER),
    ("operations.*.examples.*", Kind.EXAMPLE, _BOTH),
    ("sequences.*.promises.*", Kind.SEQUENCE, _PROVIDER),
    ("stateful.operations.*", Kind.STATEFUL, _PROVIDER),
    ("errors.*.media_type", Kind.MEDIA_TYPE, _PROVIDER),
    ("limits.batch.*", Kind.BATCH, _CONSUMER),
    ("limits.rate.*.requests", Kind.RATE, _CONSUMER),
    ("limits.rate.*.tokens", Kind.RATE, _CONSUMER),
    ("resilience.patterns.*", Kind.PATTERN, _CONSUMER),
    ("resilience.policies.*", Kind.POLICY, _CONSUMER),
    ("resilience.retry.attempts", Kind.RETRY, _CONSUMER),
    ("resilience.retry.on.*", Kind.RETRY, _CONSUMER),
    ("resilience.retry.never.*", Kind.RETRY, _CONSUMER),
    ("resilience.retry.wait.*", Kind.RETRY, _CONSUMER),
    ("resilience.retry.retry_after.on.*", Kind.RETRY, _CONSUMER),
    ("resilience.retry.retry_after.added", Kind.RETRY, _CONSUMER),
    ("resilience.circuit_breaker.*", Kind.BREAKER, _CONSUMER),
    ("resilience.cache.*", Kind.CACHE, _CONSUMER),
    ("resilience.budget", Kind.BUDGET, _CONSUMER),
    ("failures.*.raises", Kind.FAILURE, _CONSUMER),
    ("sla.*", Kind.SLA, _PROVIDER),
    ("monitoring.*", Kind.MONITORING, _CONSUMER),
    ("evidence.*.differs.*", Kind.DIFFERENCE, frozenset()),
)
_BY_LENGTH: dict[int, list[tuple[tuple[str, ...], Kind, frozenset[str]]]] = {}
for _pattern, _kind, _parties in _PROMISES:
    _steps = tuple(_pattern.split("."))
    _BY_LENGTH.setdefault(len(_steps), []).append((_steps, _kind, _parties))

# What a client promises about an operation, which it only does if it has a method for it.
_OF_BOUND = frozenset({Kind.ENDPOINT, Kind.IDEMPOTENCE, Kind.RAISES})

NON_ASSERTING = {"additionalProperties": True, "unevaluatedProperties": True, "unevaluatedItems": True}


@lru_cache(maxsize=16_384)
def clause_id(steps: Steps) -> str:
    """The id of the clause at a place in the file."""
    return ".".join(map(str, steps))


def derive_clauses(document: Document) -> dict[str, Clause]:
    """Every clause of a contract by id, in the order of the file."""
    found = [*_listed(document), *_schema_clauses(document)]
    found.sort(key=lambda clause: (clause.place.line, clause.place.column))
    return {clause.id: clause for clause in found}


def _listed(document: Document) -> Iterator[Clause]:
    for steps in _promise_steps(document.value, ()):
        kind_parties = _promise(steps)
        value = value_at(document.value, steps)
        if kind_parties is None or value == "*/*" or _allows_anything(document.value, steps, value):
            continue  # any media type at all is no promise, nor is any body at all
        if kind_parties[0] in _OF_BOUND and steps[0] == "operations" and not _is_bound(document.value, steps):
            continue
        named = _by_value(document.value, steps)
        yield Clause(
            id=clause_id(named),
            kind=kind_parties[0],
            place=document.key_place(steps),
            value=value,
            operation=str(steps[1]) if steps[0] == "operations" else None,
            parties=kind_parties[1],
        )


def _allows_anything(root: Any, steps: Steps, value: Any) -> bool:
    """Whether an error shape is named that any answer has."""
    if steps[0] != "operations" or steps[-1] != "error" or len(steps) != 5:
        return False
    shape = root.get("errors", {}).get(value, {})
    return isinstance(shape, Mapping) and shape.get("media_type") == "*/*" and not shape.get("body")


def _promise_steps(value: Any, steps: Steps) -> Iterator[Steps]:
    yield steps
    if len(steps) > 6 or steps[:1] in (("schemas",), ("facts",)):
        return
    children = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield from _promise_steps(child, (*steps, step))


def _promise(steps: Steps) -> tuple[Kind, frozenset[str]] | None:
    for pattern, kind, parties in _BY_LENGTH.get(len(steps), ()):
        if all(want in ("*", step) for want, step in zip(pattern, steps, strict=True)):
            return kind, parties
    return None


def _is_bound(root: Any, steps: Steps) -> bool:
    """Whether the client has a method for the operation."""
    return "bind" in root["operations"][steps[1]]


def _by_value(root: Any, steps: Steps) -> Steps:
    """``steps`` with the index of a word or number replaced by the word or number itself."""
    if steps and isinstance(steps[-1], int):
        value = value_at(root, steps)
        if isinstance(value, str | int | float):
            return (*steps[:-1], str(value))
    return steps


def _schema_clauses(document: Document) -> Iterator[Clause]:
    for at, schema, operation, parties in _judged_schemas(document.value):
        for keyword, value in schema.items():
            if keyword in ASSERTIONS and value is not NON_ASSERTING.get(keyword) and not _is_schema(keyword, value):
                steps = (*at, keyword)
                yield Clause(
                    id=clause_id(steps),
                    kind=Kind.SCHEMA,
                    place=document.key_place(steps),
                    value=value,
                    operation=operation,
                    parties=parties,
                )


def _is_schema(keyword: str, value: Any) -> bool:
    """Whether it only says where another schema holds: what is promised stands in there."""
    return keyword in NON_ASSERTING and isinstance(value, Mapping)


def schema_roots(root: Mapping[str, Any]) -> Iterator[tuple[Steps, frozenset[str]]]:
    """Where a contract judges bodies and headers by schema, and who sends what is judged there."""
    for name, operation in root.get("operations", {}).items():
        request = operation.get("request", {})
        if "body" in request:
            yield ("operations", name, "request", "body"), _CONSUMER
        for part in ("query", "path", "headers"):
            for parameter in request.get(part, {}):
                yield ("operations", name, "request", part, parameter, "schema"), _CONSUMER
        for status, response in operation.get("responses", {}).items():
            if "body" in response:
                yield ("operations", name, "responses", status, "body"), _PROVIDER
            for header, declared in response.get("headers", {}).items():
                if "schema" in declared:
                    yield ("operations", name, "responses", status, "headers", header, "schema"), _PROVIDER
    for name in root.get("errors", {}):
        yield ("errors", name, "body"), _PROVIDER


def _judged_schemas(root: Mapping[str, Any]) -> Iterator[tuple[Steps, Mapping[str, Any], str | None, frozenset[str]]]:
    """Every schema that some exchange is judged by, outside of alternatives.

    What stands inside ``anyOf``, ``oneOf`` or ``not`` is not a promise of its own: the alternative as a
    whole is.
    """
    parties: dict[Steps, frozenset[str]] = {}
    waiting = list(schema_roots(root))
    schemas: dict[Steps, Mapping[str, Any]] = {}
    while waiting:
        at, who = waiting.pop()
        if who <= parties.get(at, frozenset()):
            continue
        for inner_at, schema in subschemas(value_at(root, at), at):
            if _in_alternative(inner_at[len(at) :]):
                target = None
            else:
                parties[inner_at] = parties.get(inner_at, frozenset()) | who
                schemas[inner_at] = schema
                target = reference(schema)
            if target is not None and who - parties.get(target, frozenset()):
                waiting.append((target, who))
    for at, schema in schemas.items():
        yield at, schema, (str(at[1]) if at[0] == "operations" else None), parties[at]


def _in_alternative(steps: Steps) -> bool:
    return any(step in ("anyOf", "oneOf", "not", "if", "then", "else", "contains") for step in steps)
