"""Clauses for which no mutant can be made, and why."""

from harness.contract.clauses import Clause, Kind

_WHY: dict[Kind, str] = {
    Kind.IDEMPOTENCE: "a promise that a repeat is harmless: a client that does not use it breaks `resilience.retry` instead",
    Kind.HEADER: "the header may be missing and may say anything",
    Kind.EXAMPLE: "the provider itself never answered it",
    Kind.SLA: "no load was measured",
    Kind.PATTERN: "it stands for other clauses, none of which could be broken",
    Kind.POLICY: "it stands for other clauses, none of which could be broken",
}


def why_none(clause: Clause) -> str:
    """Why no mutant breaks this clause."""
    if clause.kind is Kind.ERROR_SHAPE:
        return "no mutant: the shape allows any body of any media type"
    return f"no mutant: {_WHY.get(clause.kind, 'nothing that was seen could be changed so as to break it')}"
