"""Lying clients whose error tells something else of a call of which only some requests went well."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from harness.checks.groups import group
from harness.checks.report import part
from harness.checks.sight import Sight
from harness.contract.agreement import Agreement
from harness.contract.clauses import Clause
from harness.exchange import Call, Raised
from harness.proof.mutant import Distortion, Distortions
from harness.proof.scene import Scene


def report(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """One item or request told of otherwise, and nothing told at all."""
    sight = Sight(agreement, scene.observation)
    for number, (call, sent) in enumerate(sight.by_call):
        terms = agreement.operations.get(call.operation)
        if call.operation != clause.operation or terms is None or terms.bind is None or terms.bind.names is None:
            continue
        told = call.ending.report if isinstance(call.ending, Raised) else None
        if not told or part(sight, call, terms, group(call, sent)) is None:
            continue
        for kind, changed in _done(told) if clause.id.endswith(".done") else _failed(told):
            yield Distortion(kind=kind, what=kind, observation=scene.with_call(number, _telling(call, changed)))
        return


def _telling(call: Call, report: dict[str, Any] | None) -> Call:
    assert isinstance(call.ending, Raised)
    return replace(call, ending=replace(call.ending, report=report))


def _done(told: Any) -> Iterator[tuple[str, dict[str, Any] | None]]:
    yield "report lost", None
    if told["done"]:
        yield "report: an item lost", {**told, "done": told["done"][:-1]}
    if told["failed"]:
        yield "report: failed for done", {**told, "done": [*told["done"], *told["failed"][0]["items"]]}


def _failed(told: Any) -> Iterator[tuple[str, dict[str, Any] | None]]:
    yield "report lost", None
    if not told["failed"]:
        return
    first, *others = told["failed"]
    yield "report: a request lost", {**told, "failed": others}
    changes = {
        "report: an item lost": {"items": first["items"][:-1]},
        "report: another number": {"number": first["number"] + 1},
        "report: another error": {"raised": ["RuntimeError"]},
        "report: done for failed": {"items": told["done"][: len(first["items"])]},
    }
    for kind, change in changes.items() if told["done"] else ():
        yield kind, {**told, "failed": [{**first, **change}, *others]}
