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
    if clause.kind is Kind.SCHEMA and ".headers." in clause.id and clause.value == "string":
        return "no mutant: a header is always text"
    if clause.kind is Kind.ERROR_SHAPE:
        return "no mutant: the shape allows any body of any media type"
    return f"no mutant: {_WHY.get(clause.kind, 'nothing that was seen could be changed so as to break it')}"


_BREAKS: dict[Kind, tuple[str, ...]] = {
    Kind.SCHEMA: ("a body in which this keyword does not hold", "a provider that accepts a request in which it does not"),
    Kind.INVARIANT: ("a response that keeps its schema and for which this expression is false",),
    Kind.RELATION: ("another result for an item that was asked for before",),
    Kind.SEQUENCE: ("an answer in this row of requests for which the expression is false",),
    Kind.STATUS: ("another status where this one is declared",),
    Kind.RETRY: ("an attempt too many or too few", "a wait outside its bounds", "a retry of what must not be repeated"),
    Kind.BREAKER: ("a request while the circuit is open", "a refusal while it is closed", "more probes than are admitted"),
    Kind.BATCH: ("a request that carries more",),
    Kind.RATE: ("more than this in any window of that length",),
    Kind.CACHE: ("asking again for what is held", "not asking for what has expired or was pushed out"),
    Kind.RAISES: ("another error", "no error at all"),
    Kind.FAILURE: ("another error", "no error at all"),
    Kind.RESULT: ("a returned value that is not what was answered",),
    Kind.REPORT: ("an error that tells something else of an item or a request",),
    Kind.ARGUMENT: ("a request that does not carry what the caller said",),
    Kind.SECRECY: ("the credential in a message, traceback, log line, URL, or sent elsewhere",),
    Kind.SLA: ("a load run that misses it, or has no sample",),
}


def ways_to_break(clause: Clause) -> tuple[str, ...]:
    """In words, what a liar would do to break a clause of this kind."""
    return _BREAKS.get(clause.kind, ("whatever differs from what stands there",))
