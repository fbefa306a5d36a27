"""Stand-ins for what can't be read in a contract, so that everything else in it is still looked at.

A misspelled key is taken as the key that was meant; a wrong or missing value gets one that the format's own
JSON Schema allows. Nothing of this is ever used but to find more problems.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.contract.document import Document, Steps
from harness.contract.format import describe
from harness.contract.problems import Place, Problem
from harness.contract.review.gathered import value_at
from harness.contract.validation import existing_steps, model_problems

MOST_ROUNDS = 4

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A document whose form is right now, the problems that it had, and where the stand-ins are."""

    document: Document
    problems: list[Problem]
    repaired: frozenset[Steps]


def repair(document: Document, model: type[BaseModel], error: ValidationError) -> Mended | None:
    """The document with stand-ins; None when it can't be mended."""
    if not isinstance(document.value, dict):
        return None
    work = _Repair(replace(document, value=deepcopy(document.value)), _format(model))
    problems: list[Problem] = []
    for _ in range(MOST_ROUNDS):
        problems += model_problems(error, work.document, model)
        work.mend(error)
        try:
            model.model_validate(work.document.value)
        except ValidationError as another:
            error = another
        else:
            return Mended(document=work.document, problems=problems, repaired=frozenset(work.repaired))
    return None


@cache
def _format(model: type[BaseModel]) -> Json:
    return describe(model, title="")


class _Repair:
    """Mends a document in place, one error after the other."""

    def __init__(self, document: Document, schema: Json) -> None:
        self.document = document
        self.repaired: set[Steps] = set()
        self._schema = schema

    def mend(self, error: ValidationError) -> None:
        details = error.errors(include_url=False, include_input=False)
        for detail in details:
            if detail["type"] == "extra_forbidden":
                self._rename(existing_steps(self.document.value, detail["loc"]))
        for detail in details:
            if detail["type"] == "missing":
                self._supply(existing_steps(self.document.value, detail["loc"][:-1]), str(detail["loc"][-1]))
                continue
            steps = existing_steps(self.document.value, detail["loc"])
            if "[key]" in detail["loc"]:
                self._name(steps)
            elif detail["type"] != "extra_forbidden":
                self._stand_in(steps)

    def _rename(self, steps: Steps) -> None:
        """Take an unknown key as the known one that is nearest, or leave it out."""
        parent = value_at(self.document.value, steps[:-1])
        name = str(steps[-1])
        if not isinstance(parent, dict) or name not in parent:
            return
        known = [key for key in self._schema_at(steps[:-1]).get("properties", {}) if key not in parent]
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.6) if len(name) < 100 else []
        value = parent.pop(name)
        if near:
            parent[near[0]] = value
            self._move(steps, (*steps[:-1], near[0]))

    def _move(self, old: Steps, new: Steps) -> None:
        def moved(places: Mapping[Steps, Place]) -> dict[Steps, Place]:
            size = len(old)
            return {(new + steps[size:] if steps[:size] == old else steps): place for steps, place in places.items()}

        self.document = replace(self.document, places=moved(self.document.places), keys=moved(self.document.keys))

    def _name(self, steps: Steps) -> None:
        """Call a part by a name that may stand there."""
        parent = value_at(self.document.value, steps[:-1])
        schema = self._schema_at(steps[:-1])
        if not isinstance(parent, dict) or steps[-1] not in parent:
            return
        candidates = [*schema.get("properties", {}), *(f"name{number}" for number in range(len(parent) + 1))]
        fitting = (name for name in candidates if name not in parent and _schema_of_child(schema, name))
        value, name = parent.pop(str(steps[-1])), next(fitting, None)
        if name is not None:
            parent[name] = value
            self._move(steps, (*steps[:-1], name))

    def _supply(self, steps: Steps, name: str) -> None:
        if name not in value_at(self.document.value, steps):  # else a misspelled key has just become it
            self._stand_in((*steps, name))

    def _stand_in(self, steps: Steps) -> None:
        parent = value_at(self.document.value, steps[:-1]) if steps else None
        stand_in = example_of(self._schema_at(steps), self._schema)
        if isinstance(parent, dict):
            parent[str(steps[-1])] = stand_in
        elif isinstance(parent, list):
            parent[int(steps[-1])] = stand_in
        self.repaired.add(steps)

    def _schema_at(self, steps: Steps) -> Json:
        schema: Json = _resolved(self._schema, self._schema)
        for step in steps:
            schema = _resolved(_schema_of_child(schema, str(step)), self._schema)
        return schema


def _schema_of_child(schema: Json, step: str) -> Json:
    if step in schema.get("properties", {}):
        return dict(schema["properties"][step])
    for pattern, child in schema.get("patternProperties", {}).items():
        if re.search(pattern, step):
            return dict(child)
    child = schema.get("items") if step.isdecimal() else schema.get("additionalProperties")
    return child if isinstance(child, Mapping) else {}


def _resolved(schema: Json, root: Json) -> Json:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def example_of(schema: Json, root: Json) -> Any:
    """The smallest value that a schema of ours allows."""
    schema = _resolved(schema, root)
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    if schema.get("examples") or schema.get("enum"):
        return (schema.get("examples") or schema["enum"])[0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], root)
    kind = schema.get("type")
    if kind == "object":
        return _example_object(schema, root)
    if kind == "array":
        return [example_of(schema.get("items", {}), root) for _ in range(schema.get("minItems", 0))]
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return {"string": "text", "boolean": True}.get(str(kind))


def _example_object(schema: Json, root: Json) -> dict[str, Any]:
    found = {name: example_of(schema["properties"][name], root) for name in schema.get("required", ())}
    if not found and schema.get("minProperties"):
        name = next(iter(schema.get("properties", {})), "name")
        found[name] = example_of(_schema_of_child(schema, name), root)
    return found
