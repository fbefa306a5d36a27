"""A contract that has been read: the model, its places, clauses, validators and compiled expressions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from harness.contract.clauses import Clause, clause_id
from harness.contract.expressions import Expression, Scope, compile_expression, compile_scope
from harness.contract.model import Bind, Contract, Operation, Parameter, ResponseShape, Sequence
from harness.contract.parameters import typed_parameter
from harness.contract.problems import Place
from harness.contract.reader import Document, Steps
from harness.contract.schemas import SchemaSet

SCOPE_NAMES = frozenset({"request", "response", "facts", "settings", "seed"})


@lru_cache(maxsize=4096)
def compiled(source: str, names: frozenset[str]) -> Expression:
    """The expression, compiled once for as many places as it stands in; ExpressionError when it can't be."""
    return compile_expression(source, names=names)


@dataclass(frozen=True, kw_only=True)
class BoundExpressions:
    """The compiled expressions of a binding."""

    arguments: Mapping[str, Expression]
    result: Expression | None
    returns: Expression
    split_items: Expression | None
    split_made: Expression | None = None
    names: Expression | None = None
    report: Mapping[str, Expression] = field(default_factory=dict)


ERROR_NAMES = frozenset({"error"})
MADE_NAMES = frozenset({"number", "text"})
QUESTION_NAMES = frozenset({"items", "facts", "settings"})


def compile_bind(bind: Bind, names: frozenset[str]) -> BoundExpressions:
    """Compile a binding; ``names`` are those of the operation's scope."""
    report = bind.split.report if bind.split else None
    return BoundExpressions(
        arguments={name: compiled(source, names) for name, source in bind.arguments.items()},
        result=compiled(bind.result, names) if bind.result else None,
        returns=compiled(bind.returns, frozenset({"result"})),
        split_items=compiled(bind.split.items, names) if bind.split else None,
        split_made=compiled(bind.split.made, MADE_NAMES) if bind.split and bind.split.made else None,
        names=compiled(report.names, names) if report else None,
        report={"done": compiled(report.done, ERROR_NAMES), "failed": compiled(report.failed, ERROR_NAMES)} if report else {},
    )


@dataclass(frozen=True, kw_only=True)
class RelationTerms:
    """The compiled expressions of a relation."""

    given: Expression
    items: Expression
    results: Expression
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class SequenceTerms:
    """The compiled promises of a sequence; ``steps`` are operation (or task) and example by name."""

    given: str | None
    steps: Mapping[str, tuple[str, str]]
    promises: Mapping[str, Expression]


@dataclass(frozen=True, kw_only=True)
class OperationTerms:
    """One operation with its expressions compiled."""

    name: str
    model: Operation
    scope: Scope
    rules: Mapping[str, Expression]
    invariants: Mapping[int, Mapping[str, Expression]]
    stub_bodies: Mapping[int, Expression]
    stub_headers: Mapping[int, Mapping[str, Expression]]
    cost: Mapping[str, Expression]
    relations: Mapping[str, RelationTerms]
    bind: BoundExpressions | None
    path_pattern: re.Pattern[str]
    constants: Mapping[str, object] = field(repr=False)

    def evaluate(self, expression: Expression, *, request: object, response: object = None) -> object:
        """The value of one of this operation's expressions for a request (and a response) by parts."""
        return expression.evaluate(self.terms(request=request, response=response))

    def terms(self, *, request: object, response: object = None) -> Mapping[str, object]:
        """The names that this operation's expressions see; ``let`` is evaluated when first used."""
        declared = self.model.request
        if (declared.query or declared.path) and isinstance(request, Mapping):
            request = {**request, "query": _typed(request.get("query"), declared.query), "path": _typed(request.get("path"), declared.path)}
        return self.scope.bind({"request": request, "response": response, **self.constants})

    @property
    def success(self) -> tuple[int, ResponseShape]:
        """The first declared status below 300 and its shape."""
        status = min(self.model.responses)
        return status, self.model.responses[status]

    def response_for(self, status: int) -> ResponseShape | None:
        return self.model.responses.get(status)


def _typed(sent: object, declared: Mapping[str, Parameter]) -> object:
    """Parameters as an expression is written for them: a number where the schema has a number, also when it was read from a URL."""
    if not isinstance(sent, Mapping):
        return sent
    return {
        name: typed_parameter(value, declared[name].value_schema) if isinstance(value, str) and name in declared else value
        for name, value in sent.items()
    }


def compile_operation(name: str, model: Operation, constants: Mapping[str, object]) -> OperationTerms:
    """Compile every expression of an operation; ExpressionError from the first that is wrong."""
    scope = compile_scope(model.let, names=SCOPE_NAMES)
    names = SCOPE_NAMES | frozenset(model.let)

    def each(sources: Mapping[str, str]) -> dict[str, Expression]:
        return {key: compiled(source, names) for key, source in sources.items()}

    stubs = {status: shape.stub for status, shape in model.responses.items() if shape.stub}
    return OperationTerms(
        name=name,
        model=model,
        scope=scope,
        rules=each({key: rule.rule for key, rule in model.request.rules.items()}),
        invariants={status: each(shape.invariants) for status, shape in model.responses.items()},
        stub_bodies={status: compiled(stub.body, names) for status, stub in stubs.items()},
        stub_headers={status: each(stub.headers) for status, stub in stubs.items()},
        cost=each(dict(model.cost.items())),
        relations={
            key: RelationTerms(
                given=compiled(relation.given, names),
                items=compiled(relation.items, names),
                results=compiled(relation.results, names),
                tolerance=relation.tolerance,
            )
            for key, relation in model.relations.items()
        },
        bind=compile_bind(model.bind, names) if model.bind else None,
        path_pattern=path_pattern(model.path),
        constants=constants,
    )


def path_pattern(path: str) -> re.Pattern[str]:
    """What matches a path with its parameters; one that stands twice is found out by whoever reviews the contract."""
    names = list[str]()

    def group(found: re.Match[str]) -> str:
        names.append(found[1])
        return f"(?P<{found[1]}>[^/]+)" if names.count(found[1]) == 1 else "[^/]+"

    return re.compile(re.sub(r"\\\{(\w+)\\\}", group, re.escape(path)) + r"\Z")


SEQUENCE_NAMES = frozenset({"facts", "settings"})


def compile_sequence(model: Sequence) -> SequenceTerms:
    """Compile the promises of a sequence over the names of its steps; ExpressionError from the first that is wrong."""
    names = SEQUENCE_NAMES | frozenset(model.steps)
    return SequenceTerms(
        given=model.given,
        steps={name: (example.partition("/")[0], example.partition("/")[2]) for name, example in model.steps.items()},
        promises={name: compiled(source, names) for name, source in model.promises.items()},
    )


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A contract, ready for use."""

    contract: Contract = field(repr=False)
    document: Document = field(repr=False)
    clauses: Mapping[str, Clause] = field(repr=False)
    schemas: SchemaSet = field(repr=False)
    operations: Mapping[str, OperationTerms] = field(repr=False)
    sequences: Mapping[str, SequenceTerms] = field(repr=False)
    path: Path

    @property
    def name(self) -> str:
        """``service`` or ``service@version`` when the service has several versions."""
        nested = self.path.parent.name == self.contract.service
        return f"{self.contract.service}@{self.contract.version}" if nested else self.contract.service

    def tasks_of(self, sequence: SequenceTerms) -> dict[str, str]:
        """The steps of a sequence that the client does by a task, each with the task."""
        return {step: name for step, (name, _) in sequence.steps.items() if name in self.contract.tasks}

    def place(self, clause: str) -> Place:
        """Where a clause stands in the file."""
        known = self.clauses.get(clause)
        return known.place if known else self.document.place(tuple(clause.split(".")))

    @cached_property
    def base_path(self) -> str:
        """The path part of the provider's base URL, without a trailing slash."""
        return urlsplit(self.contract.provider.base_url).path.rstrip("/")

    def operation_of(self, method: str, path: str) -> tuple[OperationTerms, dict[str, str]] | None:
        """The operation that a method and path belong to, with its path parameters."""
        if not path.startswith(self.base_path):
            return None
        rest = path[len(self.base_path) :] or "/"
        best: tuple[OperationTerms, dict[str, str]] | None = None
        for terms in self._by_method.get(method, ()):
            found = terms.path_pattern.match(rest)
            if found and (best is None or len(found.groupdict()) < len(best[1])):
                best = terms, {name: unquote(value) for name, value in found.groupdict().items()}
        return best

    @cached_property
    def _by_method(self) -> dict[str, tuple[OperationTerms, ...]]:
        methods = {terms.model.method for terms in self.operations.values()}
        return {method: tuple(t for t in self.operations.values() if t.model.method == method) for method in methods}

    def target(self, operation: str, path: Mapping[str, object], query: Mapping[str, object]) -> str:
        """The request target of an operation: base path, path with its parameters, query."""
        route = self.operations[operation].model.path
        for name, value in path.items():
            route = route.replace("{" + name + "}", quote(str(value), safe=""))
        text = "&".join(f"{quote(key)}={quote(query_text(value))}" for key, value in query.items())
        return self.base_path + route + (f"?{text}" if text else "")


def query_text(value: object) -> str:
    """A query parameter's value as it stands in a URL."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def schema_steps(*steps: str | int) -> Steps:
    """The steps to a schema, as the document spells them (statuses are text there)."""
    return tuple(str(step) for step in steps)


def response_clause(operation: str, status: int, *more: str) -> str:
    """The id of a clause of a response."""
    return clause_id(("operations", operation, "responses", status, *more))


def constants_of(contract: Contract) -> dict[str, Any]:
    """What every expression of a contract may refer to besides request and response."""
    return {"facts": contract.facts, "settings": contract.settings, "seed": ""}
