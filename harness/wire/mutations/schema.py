"""Edits of a value along its schema: each breaks one keyword, or goes to the edge of one and keeps it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.contract.agreement import Agreement
from harness.contract.clauses import clause_id
from harness.contract.reader import Steps
from harness.contract.schemas import reference
from harness.wire.mutations.edits import Edit, Kind, Step, removed, renamed, replaced
from harness.wire.mutations.edits import Steps as ValueSteps
from harness.wire.mutations.keywords import BREAKING, KEEPING, Changes, judges, types_of
from harness.wire.mutations.sample import sample

UNKNOWN = "unexpected_property"
MOST_INSERTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """A part of the value and the schema that judges it; ``put`` makes the whole value with another part."""

    at: Steps
    steps: ValueSteps
    value: Any
    put: Callable[[Any], Any]
    inserted: tuple[Steps, ...] = ()
    clause: str | None = None


def breaking(agreement: Agreement, at: Steps, value: Any) -> Iterator[Edit]:
    """Edits that each break the clause they name: the keyword of the schema ``at`` a place that judges ``value``.

    Where an alternative or a vague pattern lets the edit pass after all, it breaks nothing: ``confirmed`` tells.
    """
    return _Walk(agreement, BREAKING).edits(at, value)


def keeping(agreement: Agreement, at: Steps, value: Any) -> Iterator[Edit]:
    """Edits that keep the schema: to each bound, to each listed value, without and with what is optional."""
    return _Walk(agreement, KEEPING).edits(at, value)


def confirmed(agreement: Agreement, at: Steps, found: Iterator[Edit]) -> Iterator[Edit]:
    """Those edits that really break the keyword that they name."""
    for edit in found:
        broken = {clause_id(violation.keyword) for violation in agreement.schemas.violations(at, edit.value)}
        if edit.clause in broken:
            yield edit


class _Walk:
    """One walk through a schema and a value beside it."""

    def __init__(self, agreement: Agreement, table: Mapping[str, Changes]) -> None:
        self._schemas, self._root, self._table = agreement.schemas, agreement.document.value, table

    def edits(self, at: Steps, value: Any) -> Iterator[Edit]:
        return self._spot(_Spot(at=at, steps=(), value=value, put=lambda new: new))

    def _schema(self, at: Steps) -> Any:
        found: Any = self._root
        for step in at:
            found = found.get(step) if isinstance(found, Mapping) else found[int(step)] if isinstance(found, list) else None
        return found

    def _spot(self, spot: _Spot) -> Iterator[Edit]:
        schema = self._schema(spot.at)
        if not isinstance(schema, Mapping):
            return
        for keyword in schema:
            changes = self._table.get(keyword)
            if changes is not None and judges(keyword, schema):
                for kind, new, note in changes(schema, spot.value):
                    yield self._edit(spot, kind, new, note, keyword)
        if isinstance(spot.value, Mapping):
            yield from self._names(spot, schema)
        yield from self._inside(spot, schema)

    def _edit(self, spot: _Spot, kind: Kind, new: Any, note: str, keyword: str) -> Edit:
        clause = spot.clause or clause_id((*spot.at, keyword))
        return Edit(kind=kind, steps=spot.steps, note=note, value=spot.put(new), clause=clause)

    # Properties by name

    def _names(self, spot: _Spot, schema: Mapping[str, Any]) -> Iterator[Edit]:
        required = schema.get("required", ())
        if self._table is BREAKING:
            for name in required:
                if name in spot.value:
                    yield self._edit(spot, Kind.DROPPED, removed(spot.value, (name,)), f"without {name}", "required")
                    other = _misspelt(name)
                    yield self._edit(spot, Kind.RENAMED, renamed(spot.value, (name,), other), f"{name} as {other}", "required")
            return
        for name in schema.get("properties", {}):
            if name in spot.value and name not in required:
                yield self._edit(spot, Kind.DROPPED, removed(spot.value, (name,)), f"without {name}", f"properties.{name}")
            elif name not in spot.value:
                new = {**spot.value, name: sample((*spot.at, "properties", name), self._schema)}
                yield self._edit(spot, Kind.ADDED, new, f"with {name}", f"properties.{name}")

    # What is inside

    def _inside(self, spot: _Spot, schema: Mapping[str, Any]) -> Iterator[Edit]:
        target = reference(schema)
        if target is not None:
            yield from self._spot(replace(spot, at=target))
        for index in range(len(schema.get("allOf", ()))):
            yield from self._spot(replace(spot, at=(*spot.at, "allOf", index)))
        for keyword in ("anyOf", "oneOf"):
            yield from self._alternatives(spot, schema, keyword)
        if isinstance(spot.value, Mapping):
            yield from self._properties(spot, schema)
        if "items" in schema and (isinstance(spot.value, list) or "array" in types_of(schema)):
            yield from self._items(spot)
        for index in range(len(schema.get("prefixItems", ()))):
            if isinstance(spot.value, list) and index < len(spot.value):
                yield from self._spot(self._part(spot, ("prefixItems", index), index, spot.value[index]))

    def _alternatives(self, spot: _Spot, schema: Mapping[str, Any], keyword: str) -> Iterator[Edit]:
        """Inside the alternative that the value is; what breaks there breaks the choice as a whole."""
        for index in range(len(schema.get(keyword, ()))):
            at = (*spot.at, keyword, index)
            if self._schemas.is_valid(at, spot.value):
                yield from self._spot(replace(spot, at=at, clause=spot.clause or clause_id((*spot.at, keyword))))

    def _properties(self, spot: _Spot, schema: Mapping[str, Any]) -> Iterator[Edit]:
        declared = schema.get("properties", {})
        for name in declared:
            yield from self._property(spot, ("properties", name), name)
        others = [name for name in spot.value if name not in declared]
        if isinstance(schema.get("additionalProperties"), Mapping):
            yield from self._property(spot, ("additionalProperties",), others[0] if others else UNKNOWN)

    def _property(self, spot: _Spot, inner: Steps, name: str) -> Iterator[Edit]:
        if name in spot.value:
            yield from self._spot(self._part(spot, inner, name, spot.value[name]))
            return
        at = (*spot.at, *inner)
        if at in spot.inserted or len(spot.inserted) >= MOST_INSERTED:
            return  # a schema that contains itself would never end
        made = self._part(spot, inner, name, sample(at, self._schema))
        yield from self._spot(replace(made, inserted=(*spot.inserted, at)))

    def _items(self, spot: _Spot) -> Iterator[Edit]:
        """One item stands for all; a list that is empty, or text just now, gets one."""
        if isinstance(spot.value, list) and spot.value:
            yield from self._spot(self._part(spot, ("items",), 0, spot.value[0]))
        elif (*spot.at, "items") not in spot.inserted and len(spot.inserted) < MOST_INSERTED:
            at = (*spot.at, "items")
            inner = _Spot(
                at=at, steps=(*spot.steps, 0), value=sample(at, self._schema), put=lambda new: spot.put([new]), clause=spot.clause
            )
            yield from self._spot(replace(inner, inserted=(*spot.inserted, at)))

    def _part(self, spot: _Spot, inner: Steps, step: Step, value: Any) -> _Spot:
        return replace(
            spot,
            at=(*spot.at, *inner),
            steps=(*spot.steps, step),
            value=value,
            put=lambda new: spot.put(replaced(spot.value, (step,), new)),
        )


def _misspelt(name: str) -> str:
    """The same name in another convention."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest) if rest and name.strip("_") == name else f"{name}_"
