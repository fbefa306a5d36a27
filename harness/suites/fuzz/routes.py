"""The promises of a schema by speaking names: ``data-items-index-minimum`` for a keyword that stands far away."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.contract.agreement import Agreement
from harness.contract.clauses import clause_id
from harness.contract.reader import Steps
from harness.contract.schemas import reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A clause of a schema, and the way to it from a body: each clause once, by the shortest way."""

    name: str
    clause: str
    keyword: str


def promises(agreement: Agreement, at: Steps) -> Iterator[Promise]:
    """Every clause that judges a value by the schema ``at`` a place, the outermost first."""
    taken: set[str] = set()
    for place, route, schema in _schemas(agreement, at):
        for keyword in schema:
            clause = clause_id((*place, keyword))
            if clause in agreement.clauses:
                name = _unused("-".join((*route, keyword)), taken)
                yield Promise(name=name, clause=clause, keyword=keyword)


def leaves_open(agreement: Agreement, at: Steps) -> bool:
    """Whether there is a property that may be there or not."""
    return any(set(schema.get("properties", ())) - set(schema.get("required", ())) for _, _, schema in _schemas(agreement, at))


def _schemas(agreement: Agreement, at: Steps) -> Iterator[tuple[Steps, tuple[str, ...], Mapping[str, Any]]]:
    """Each schema that judges some part of a value, and the way to it, once."""
    waiting: list[tuple[Steps, tuple[str, ...]]] = [(at, ())]
    seen: set[Steps] = set()
    while waiting:
        place, route = waiting.pop(0)
        schema = _schema(agreement, place)
        if place in seen or not isinstance(schema, Mapping):
            continue
        seen.add(place)
        yield place, route, schema
        waiting += _inner(schema, place, route)


def _unused(name: str, taken: set[str]) -> str:
    """Two schemas may judge one part by the same keyword: the second is the second."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


def _schema(agreement: Agreement, at: Steps) -> Any:
    found: Any = agreement.document.value
    for step in at:
        found = found.get(step) if isinstance(found, Mapping) else found[int(step)] if isinstance(found, list) else None
    return found


def _inner(schema: Mapping[str, Any], at: Steps, route: tuple[str, ...]) -> Iterator[tuple[Steps, tuple[str, ...]]]:
    """The schemas that go on judging; what is inside alternatives is no promise of its own."""
    target = reference(schema)
    if target is not None:
        yield target, route
    for index in range(len(schema.get("allOf", ()))):
        yield (*at, "allOf", index), route
    for name in schema.get("properties", {}):
        yield (*at, "properties", name), (*route, name)
    for pattern in schema.get("patternProperties", {}):
        yield (*at, "patternProperties", pattern), (*route, "others")
    for keyword in ("items", "additionalProperties"):
        yield (*at, keyword), (*route, "items" if keyword == "items" else "others")
    for index in range(len(schema.get("prefixItems", ()))):
        yield (*at, "prefixItems", index), (*route, str(index))
