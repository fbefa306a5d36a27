"""Reading a contract as a whole: its parts have to agree with one another.

All problems are gathered and raised at once, each with its place in the file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.contract.agreement import (
    SCOPE_NAMES,
    SEQUENCE_NAMES,
    Agreement,
    OperationTerms,
    SequenceTerms,
    compile_operation,
    compile_sequence,
    constants_of,
    schema_steps,
)
from harness.contract.clauses import derive_clauses, schema_roots
from harness.contract.expressions import EvaluationError, ExpressionError, compile_expression
from harness.contract.model import Contract, Example, Waiver
from harness.contract.problems import ContractError, Problem, nearest
from harness.contract.reader import Document, Steps, read_document
from harness.contract.schemas import KEYWORDS, SchemaSet, json_pointer, metaschema_errors, reference, subschemas
from harness.contract.validation import model_problems

PATTERN_SECTIONS = {
    "circuit_breaker": ("resilience", "circuit_breaker"),
    "retry_with_backoff": ("resilience", "retry"),
    "batch_processing": ("limits", "batch"),
    "rate_limited": ("limits", "rate"),
    "cached": ("resilience", "cache"),
}


def read_agreement(path: Path, *, shown_as: str | None = None) -> Agreement:
    """Read and check the contract at ``path``; ContractError with every problem that it has."""
    return agree(read_document(path, shown_as=shown_as), path=path)


def agree(document: Document, *, path: Path) -> Agreement:
    """Check a read document and compile it; ContractError with every problem."""
    try:
        contract = Contract.model_validate(document.value)
    except ValidationError as error:
        raise ContractError(model_problems(error, document, Contract)) from None
    review = _Review(document, contract, SchemaSet(document.value))
    review.all()
    if review.problems:
        raise ContractError(review.problems)
    clauses = derive_clauses(document)
    review.waivers(clauses)
    if review.problems:
        raise ContractError(review.problems)
    return Agreement(
        contract=contract,
        document=document,
        clauses=clauses,
        schemas=review.schemas,
        operations=review.operations,
        sequences=review.sequences,
        path=path,
    )


@dataclass
class _Review:
    """Gathers the problems of one contract."""

    document: Document
    contract: Contract
    schemas: SchemaSet
    problems: list[Problem] = field(default_factory=list)
    operations: dict[str, OperationTerms] = field(default_factory=dict)
    sequences: dict[str, SequenceTerms] = field(default_factory=dict)

    def all(self) -> None:
        self.judged_schemas()
        if not self.problems:  # nothing can be judged by a schema that is itself broken
            self.references()
            self.expressions()
            self.error_examples()
        for name, terms in self.operations.items():
            for example_name, example in terms.model.examples.items():
                self.example(terms, ("operations", name, "examples", example_name), example)

    def _problem(self, steps: Steps, message: str, allowed: str = "", hint: str = "", *, at_key: bool = False) -> None:
        place = self.document.key_place(steps) if at_key else self.document.place(steps)
        self.problems.append(Problem(place, message, allowed, hint))

    # Schemas

    def judged_schemas(self) -> None:
        root = self.document.value
        used: set[Steps] = set()
        roots = [at for at, _ in schema_roots(root)] + [("schemas", name) for name in root.get("schemas", {})]
        for at in roots:
            schema = _value_at(root, at)
            for steps, message in metaschema_errors(schema):
                self._problem((*at, *steps), f"is not JSON Schema: {message}")
            for inner, part in subschemas(schema, at):
                self._keywords(inner, part)
                self._reference(inner, part, used)
        for name in root.get("schemas", {}):
            if ("schemas", name) not in used:
                self._problem(("schemas", name), f"the schema `{name}` is used nowhere", hint="remove it or refer to it", at_key=True)

    def _keywords(self, at: Steps, schema: Mapping[str, Any]) -> None:
        for keyword in schema:
            if keyword not in KEYWORDS and not keyword.startswith("x-"):
                hint = nearest(keyword, KEYWORDS)
                self._problem((*at, keyword), f"`{keyword}` is no keyword of JSON Schema", "JSON Schema 2020-12", hint, at_key=True)

    def _reference(self, at: Steps, schema: Mapping[str, Any], used: set[Steps]) -> None:
        if "$ref" not in schema:
            return
        target = reference(schema)
        names = self.document.value.get("schemas", {})
        if target is None:
            text = schema["$ref"]
            self._problem((*at, "$ref"), f"`{text}` leaves the contract", "`#/schemas/NAME`", "nothing is fetched: copy the schema in")
        elif _value_at(self.document.value, target) is None:
            hint = nearest(str(target[-1]), names)
            self._problem((*at, "$ref"), f"`{schema['$ref']}` points at nothing", ", ".join(sorted(names)), hint)
        else:
            used.add(target)

    # Words that refer to other parts

    def references(self) -> None:
        contract = self.contract
        for name, operation in contract.operations.items():
            for status, response in operation.responses.items():
                at = ("operations", name, "responses", str(status))
                self._error_shape(at, response.error, status)
                if response.error is None and response.body is None and response.stub is not None:
                    self._problem((*at, "stub"), "makes a body that the response does not declare", hint="add `body:`")
            for field_name in operation.request.defaults:
                self._default(name, field_name)
        self._known_example(("provider", "probe"), contract.provider.probe)
        self._states()
        for index, pattern in enumerate(contract.resilience.patterns):
            section = PATTERN_SECTIONS[pattern]
            if not _value_at(self.document.value, section):
                self._problem(("resilience", "patterns", index), f"`{pattern}` needs `{'.'.join(section)}`")
        for name, profile in contract.load.items():
            for operation_name in profile.mix:
                self._known_operation(("load", name, "mix", operation_name), operation_name)

    def _error_shape(self, at: Steps, shape: str | None, status: int) -> None:
        if shape is not None and shape not in self.contract.errors:
            known = ", ".join(sorted(self.contract.errors)) or "none: declare it under `errors:`"
            self._problem((*at, "error"), f"there is no error shape `{shape}`", known, nearest(shape, self.contract.errors))

    def _default(self, operation: str, name: str) -> None:
        body = self.contract.operations[operation].request.body or {}
        target = reference(body)
        schema = _value_at(self.document.value, target) if target else body
        known = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
        if known and name not in known:
            at = ("operations", operation, "request", "defaults", name)
            self._problem(at, f"the request has no field `{name}`", ", ".join(sorted(known)), nearest(name, known), at_key=True)

    def _states(self) -> None:
        contract = self.contract
        for state, examples in contract.states.items():
            for index, example in enumerate(examples):
                self._known_example(("states", state, index), example)
        for name, sequence in contract.sequences.items():
            self._known_state(("sequences", name, "given"), sequence.given)
            for step, example in sequence.steps.items():
                self._known_example(("sequences", name, "steps", step), example)
        for name, operation in contract.operations.items():
            for example_name, shown in operation.examples.items():
                self._known_state(("operations", name, "examples", example_name, "given"), shown.given)

    def _known_state(self, at: Steps, state: str | None) -> None:
        if state is not None and state not in self.contract.states:
            known = ", ".join(self.contract.states) or "none: declare it under `states:`"
            self._problem(at, f"there is no state `{state}`", known, nearest(state, self.contract.states))

    def _known_example(self, at: Steps, name: str) -> None:
        operation, _, example = name.partition("/")
        if self._known_operation(at, operation) and example not in self.contract.operations[operation].examples:
            known = self.contract.operations[operation].examples
            self._problem(at, f"`{operation}` has no example `{example}`", ", ".join(known), nearest(example, known))

    def _known_operation(self, at: Steps, name: str) -> bool:
        if name in self.contract.operations:
            return True
        known = ", ".join(self.contract.operations)
        self._problem(at, f"there is no operation `{name}`", known, nearest(name, self.contract.operations))
        return False

    def waivers(self, clauses: Mapping[str, object]) -> None:
        for at, waiver in _waivers(self.contract):
            if not any(fnmatchcase(clause, waiver.clause) for clause in clauses):
                hint = nearest(waiver.clause, clauses)
                self._problem((*at, "clause"), f"the waiver `{waiver.clause}` matches no clause", "a clause id, `*` for any text", hint)

    # Expressions

    def expressions(self) -> None:
        constants = constants_of(self.contract)
        for name, operation in self.contract.operations.items():
            before = len(self.problems)
            names = set(SCOPE_NAMES)
            for at, source in _let_sources(self.document.value, name):
                self._compile(at, source, names)
                names.add(str(at[-1]))
            for at, source in _sources(self.document.value, name):
                self._compile(at, source, {"result"} if at[-1] == "returns" else names)
            if len(self.problems) == before:
                self.operations[name] = compile_operation(name, operation, constants)
        for name, sequence in self.contract.sequences.items():
            before = len(self.problems)
            for promise, source in sequence.promises.items():
                self._compile(("sequences", name, "promises", promise), source, set(SEQUENCE_NAMES | set(sequence.steps)))
            if len(self.problems) == before:
                self.sequences[name] = compile_sequence(sequence)

    def _compile(self, at: Steps, source: str, names: set[str]) -> None:
        try:
            compile_expression(source, names=names)
        except ExpressionError as error:
            hint = f"column {error.column} of the expression" + (f"; {error.hint}" if error.hint else "")
            self._problem(at, f"can't be parsed: {error.message}", hint=hint)

    # Examples

    def error_examples(self) -> None:
        for name, shape in self.contract.errors.items():
            self._by_schema(("errors", name, "body"), shape.example, ("errors", name, "example"))

    def _by_schema(self, schema: Steps, value: object, at: Steps) -> None:
        for violation in self.schemas.violations(schema, value):
            steps = (*at, *_pointer_steps(violation.pointer))
            place = self.document.place(tuple(map(str, violation.keyword)))
            self._problem(steps, f"breaks its schema: {violation.message}", hint=f"the schema says so in line {place.line}")

    def example(self, terms: OperationTerms, at: Steps, example: Example) -> None:
        before = len(self.problems)
        request = example.request
        if terms.model.request.body is not None:
            self._by_schema(schema_steps("operations", terms.name, "request", "body"), request.body, (*at, "request", "body"))
        parts = {"body": request.body, "query": request.query, "path": request.path, "headers": request.headers}
        for part in ("path", "query", "headers"):
            self._parameters(terms, at, part, parts[part] or {})
        if len(self.problems) == before:
            self._holds(terms, "rules", terms.rules, (*at, "request"), request=parts)
        if example.response is not None and len(self.problems) == before:
            self._example_response(terms, at, example, parts)

    def _parameters(self, terms: OperationTerms, at: Steps, part: str, given: object) -> None:
        declared = getattr(terms.model.request, part)
        assert isinstance(given, dict)
        for name, parameter in declared.items():
            if name in given:
                self._by_schema(
                    schema_steps("operations", terms.name, "request", part, name, "schema"), given[name], (*at, "request", part, name)
                )
            elif parameter.required or part == "path":
                self._problem((*at, "request"), f"lacks the {part} parameter `{name}`")
        for name in given:
            if name not in declared:
                self._problem((*at, "request", part, name), f"the operation declares no {part} parameter `{name}`", ", ".join(declared))

    def _example_response(self, terms: OperationTerms, at: Steps, example: Example, request: Mapping[str, object]) -> None:
        assert example.response is not None
        status, shape = example.response.status, terms.response_for(example.response.status)
        where = (*at, "response")
        if shape is None:
            self._problem((*where, "status"), f"the operation declares no status {status}", ", ".join(map(str, terms.model.responses)))
            return
        schema = (
            ("errors", shape.error, "body") if shape.error else schema_steps("operations", terms.name, "responses", status, "body")
        )
        before = len(self.problems)
        if shape.error or shape.body is not None:
            self._by_schema(schema, example.response.body, (*where, "body"))
        response = {"status": status, "body": example.response.body, "headers": example.response.headers}
        if len(self.problems) == before:
            self._holds(terms, "invariants", terms.invariants[status], where, request=request, response=response)

    def _holds(
        self, terms: OperationTerms, what: str, promises: Mapping[str, Any], at: Steps, *, request: object, response: object = None
    ) -> None:
        for name, promise in promises.items():
            try:
                value = terms.evaluate(promise, request=request, response=response)
            except EvaluationError as error:
                self._problem(at, f"`{what}.{name}` can't be judged by this example: {error}")
                continue
            if value is not True:
                self._problem(at, f"falsifies `{what}.{name}`: {' '.join(promise.source.split())}")


def _waivers(contract: Contract) -> Iterator[tuple[Steps, Waiver]]:
    for index, waiver in enumerate(contract.waivers):
        yield ("waivers", index), waiver
    for index, waiver in enumerate(contract.proof.waivers):
        yield ("proof", "waivers", index), waiver


def _let_sources(root: Mapping[str, Any], operation: str) -> Iterator[tuple[Steps, str]]:
    for name, source in root["operations"][operation].get("let", {}).items():
        yield ("operations", operation, "let", name), source


def _sources(root: Mapping[str, Any], operation: str) -> Iterator[tuple[Steps, str]]:
    """Every expression of an operation besides ``let``, with its place."""
    at: Steps = ("operations", operation)
    body = root["operations"][operation]
    for name, rule in body.get("request", {}).get("rules", {}).items():
        yield (*at, "request", "rules", name, "rule"), rule["rule"]
    for name, source in body.get("cost", {}).items():
        yield (*at, "cost", name), source
    for status, response in body.get("responses", {}).items():
        for name, source in response.get("invariants", {}).items():
            yield (*at, "responses", status, "invariants", name), source
        stub = response.get("stub", {})
        if "body" in stub:
            yield (*at, "responses", status, "stub", "body"), stub["body"]
        for name, source in stub.get("headers", {}).items():
            yield (*at, "responses", status, "stub", "headers", name), source
    for name, relation in body.get("relations", {}).items():
        for part in ("given", "items", "results"):
            yield (*at, "relations", name, part), relation[part]
    bind = body.get("bind", {})
    for name, source in bind.get("arguments", {}).items():
        yield (*at, "bind", "arguments", name), source
    for name in ("result", "returns"):
        if name in bind:
            yield (*at, "bind", name), bind[name]
    if "split" in bind:
        yield (*at, "bind", "split", "items"), bind["split"]["items"]


def _value_at(root: Any, steps: Steps) -> Any:
    for step in steps:
        if isinstance(root, list) and str(step).isdigit() and int(step) < len(root):
            root = root[int(step)]
        elif isinstance(root, Mapping) and step in root:
            root = root[step]
        else:
            return None
    return root


def _pointer_steps(pointer: str) -> Steps:
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return tuple(int(step) if step.isdigit() else step for step in steps)


__all__ = ["agree", "json_pointer", "read_agreement"]
