"""Requests varied along the schema: every clause broken from each side, and every edge reached without."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.checks.examples import example_parts
from harness.checks.parameters import typed_parameter
from harness.contract.agreement import Agreement, OperationTerms, query_text, schema_steps
from harness.contract.clauses import clause_id
from harness.contract.model import Parameter
from harness.contract.reader import Steps
from harness.suites.fuzz.rules import broken_rules
from harness.wire.mutations import Edit, Kind, breaking, confirmed, keeping

MOST_FOR_ONE_CLAUSE = 8
GROUPS: Mapping[Kind, str] = {
    Kind.ENUM: "listed-values",
    Kind.RETYPED: "types",
    Kind.NULLED: "types",
    Kind.BOUND: "bounds",
    Kind.SHORTER: "bounds",
    Kind.ADDED: "optional",
    Kind.DROPPED: "optional",
}
PARTS = ("query", "path", "headers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request by its parts, what is special about it, and the state that the provider has to be in."""

    parts: Mapping[str, Any]
    note: str = ""
    state: str | None = None


@dataclass(frozen=True)
class Bodies:
    """The examples of one operation and what can be made of them."""

    agreement: Agreement
    terms: OperationTerms

    @cached_property
    def examples(self) -> dict[str, Ask]:
        """The operation's examples by name."""
        return {
            name: Ask(parts=example_parts(example), note=name, state=example.given)
            for name, example in self.terms.model.examples.items()
        }

    @cached_property
    def good(self) -> Ask:
        """The first example: a request that is known to be good."""
        return next(iter(self.examples.values()))

    @property
    def _at(self) -> Steps:
        return schema_steps("operations", self.terms.name, "request", "body")

    # Against the schema

    @cached_property
    def breaking(self) -> Mapping[str, list[Ask]]:
        """Clause → requests that break it, by way of different examples where these differ."""
        found: dict[str, dict[str, Ask]] = {}
        for example in self.examples.values():
            for edit in breaking(self.agreement, self._at, example.parts["body"]):
                known = found.setdefault(edit.clause or "", {})
                if (
                    edit.name not in known
                    and (len(known) < MOST_FOR_ONE_CLAUSE or edit.kind is Kind.DROPPED)
                    and any(confirmed(self.agreement, self._at, iter([edit])))
                ):
                    known[edit.name] = self._with(example, edit)
        return {clause: list(asks.values()) for clause, asks in found.items()}

    def _with(self, example: Ask, edit: Edit) -> Ask:
        return Ask(parts={**example.parts, "body": edit.value}, note=edit.name, state=example.state)

    # Within the schema

    def keeping(self, group: str) -> list[Ask]:
        """Good requests at the edges of what the schema allows."""
        return list(self._keeping.get(group, {}).values())

    @cached_property
    def _keeping(self) -> Mapping[str, dict[str, Ask]]:
        found: dict[str, dict[str, Ask]] = {}
        for example in self.examples.values():
            for edit in keeping(self.agreement, self._at, example.parts["body"]):
                known = found.setdefault(GROUPS.get(edit.kind, ""), {})
                ask = self._with(example, edit)
                if edit.kind in GROUPS and edit.name not in known and self.is_good(ask.parts):
                    known[edit.name] = ask
        return found

    def fullest(self, name: str) -> list[Ask]:
        """An example with as many items as the schema allows, for each list that it bounds."""
        example = self.examples[name]
        edits = (edit for edit in keeping(self.agreement, self._at, example.parts["body"]) if edit.kind is Kind.LONGER)
        return [ask for ask in (self._with(example, edit) for edit in edits) if self.is_good(ask.parts)]

    def is_good(self, parts: Mapping[str, Any]) -> bool:
        """Whether a request keeps the schema and every rule."""
        return self.agreement.schemas.is_valid(self._at, parts["body"]) and not broken_rules(self.terms, parts)

    # Parameters

    def parameters(self) -> Iterator[tuple[str, str, Parameter]]:
        """Each parameter: its part, its name, what is declared of it."""
        declared = self.terms.model.request
        for part in PARTS:
            for name, parameter in getattr(declared, part).items():
                yield part, name, parameter

    def without(self, part: str, name: str) -> Ask:
        """The first example that has a parameter, without it."""
        example = self._example_with(part, name)
        others = {key: value for key, value in example.parts[part].items() if key != name}
        return Ask(parts={**example.parts, part: others}, note=f"without {name}", state=example.state)

    def misspelt(self, part: str, name: str, clause: str) -> list[Ask]:
        """Requests whose parameter breaks a clause of its schema; as text, since that is all that a URL can carry."""
        example, at = self._example_with(part, name), schema_steps("operations", self.terms.name, "request", part, name, "schema")
        schema, found = getattr(self.terms.model.request, part)[name].value_schema, {}
        for edit in breaking(self.agreement, at, example.parts[part].get(name)):
            text = None if isinstance(edit.value, dict | list | None) else query_text(edit.value)
            if edit.clause != clause or text is None or (part == "path" and text in ("", ".", "..")):
                continue
            typed = typed_parameter(text, schema)
            if clause in {clause_id(violation.keyword) for violation in self.agreement.schemas.violations(at, typed)}:
                found[text] = Ask(parts={**example.parts, part: {**example.parts[part], name: text}}, note=edit.name, state=example.state)
        return list(found.values())

    def _example_with(self, part: str, name: str) -> Ask:
        return next((ask for ask in self.examples.values() if name in ask.parts[part]), self.good)
