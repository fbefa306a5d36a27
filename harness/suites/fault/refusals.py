"""What a caller may not ask for: the client has to say so itself, and to send nothing."""

from collections.abc import Iterator
from dataclasses import replace

from harness.checks.examples import example_parts
from harness.checks.intent import forbidden_by
from harness.client.scenario import Invoke
from harness.contract.agreement import OperationTerms
from harness.suites.fault.ordeal import Ordeal, ordeal
from harness.suites.staging import Staging
from harness.wire.mutations import Kind, breaking

# What is of the right type and still wrong; another type is for a type checker to find.
KINDS = frozenset({Kind.EMPTIED, Kind.BOUND, Kind.ENUM})


def refusal_ordeals(staging: Staging, terms: OperationTerms) -> Iterator[Ordeal]:
    """A call for each clause of the request's schema that its arguments can break."""
    if staging.setting.agreement.contract.failures.invalid_input is None or terms.model.request.body is None:
        return
    for clause, call in _forbidden_calls(staging, terms).items():
        name = clause.rpartition(".properties.")[2] or clause
        yield ordeal(staging, f"refuses-{name}", (call,), None, "failures.invalid_input.raises", clause)


def _forbidden_calls(staging: Staging, terms: OperationTerms) -> dict[str, Invoke]:
    agreement, binding = staging.setting.agreement, staging.setting.binding
    at = ("operations", terms.name, "request", "body")
    found: dict[str, Invoke] = {}
    for name, example in terms.model.examples.items():
        good = example_parts(example)
        said = binding.meant(terms.name, good)
        for edit in breaking(agreement, at, good["body"]):
            if (
                edit.kind not in KINDS
                or edit.clause is None
                or edit.clause in found
                or "instead of" in edit.note
                or "which is not" in edit.note
            ):
                continue
            parts = {**good, "body": edit.value}
            meant = binding.meant(terms.name, parts)
            sayable = meant != said and said.keys() <= meant.keys()  # else there is nothing left that says it
            if sayable and edit.clause in forbidden_by(agreement, terms, parts):
                found[edit.clause] = replace(staging.invoke(terms.name, name), parts=parts)
    return found
