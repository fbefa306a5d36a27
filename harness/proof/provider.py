"""Lying providers: for each clause that a provider keeps, the answers that break it, made on the wire.

A lie is made from an answer that was really given: it is chosen by the case in which that was seen, and made
anew from whatever the provider answers when the case is run again with the liar in between.
"""

from collections.abc import Iterator
from dataclasses import replace

from harness.checks.parameters import parameter_breaches
from harness.checks.sight import Seen
from harness.contract.agreement import Agreement, OperationTerms, response_clause
from harness.contract.clauses import Kind, clause_id
from harness.exchange import Observation, Request, Response
from harness.proof.answered import examples_of, refusal_of, success_of, swapped_shapes
from harness.proof.lasting import Answers, lasting_lies
from harness.proof.lie import Lie, Sayable, anything, applies, changing
from harness.proof.offers import Offers
from harness.provider.lying import Change
from harness.wire.mutations import Message, invariants_broken, mutations
from harness.wire.mutations.messages import value_of
from harness.wire.mutations.mutation import body_schema

MOST_EXCHANGES = 8  # each of them is looked at for lies; more would only be more of the same
ALLOWED = "it keeps the schema"


def lies(
    agreement: Agreement, case: str, observation: Observation, answers: Answers, offers: Offers, *, sayable: Sayable = anything
) -> Iterator[Lie]:
    """Every lie that can be made from the provider's own answers in one observation; ``answers`` are those of all.

    What nobody ``offers`` a place for is not made, nor what is not ``sayable``.
    """
    exchanges = [*observation.exchanges, *(exchange for call in observation.calls for exchange in call.exchanges)]
    for exchange in exchanges if len(exchanges) <= MOST_EXCHANGES else ():
        if exchange.response is not None and exchange.injected is None:
            seen = Seen(agreement, exchange, None)
            if seen.terms is not None and seen.shape is not None:
                yield from _About(agreement, case, seen, seen.terms, offers, sayable).lies()
    yield from lasting_lies(agreement, case, observation, answers, offers.bears_on)


class _About:
    """The lies about one answer."""

    def __init__(self, agreement: Agreement, case: str, seen: Seen, terms: OperationTerms, offers: Offers, sayable: Sayable) -> None:
        assert seen.exchange.response is not None
        self._offers, self._sayable = offers, sayable
        self._agreement, self._case, self._seen, self._terms = agreement, case, seen, terms
        self._request, self._response = seen.exchange.request, seen.exchange.response
        self._status = self._response.status

    def lies(self) -> Iterator[Lie]:
        yield from self._of_messages()
        if self._status < 300 and self._seen.request_is_valid:
            with self._offers.made_from((self._request, self._response)) as wants:
                for message, clauses in invariants_broken(self._agreement, self._request, self._response, only=wants):
                    for clause in clauses if self._sayable(self._request, self._response, message.response) else ():
                        yield self._lie(clause, message, self._same_invariant(clause, str(message.kind)))
        yield from self._of_status()
        yield from self._of_refusal()

    def _lie(self, clause: str, message: Message, change: Change, *, idle: str = "") -> Lie:
        what = f"{self._terms.name} {self._status}: {message.name}"
        return Lie(clause=clause, kind=str(message.kind), what=what, case=self._case, tell=changing(change), idle=idle)

    def _other(self, clause: str, kind: str, what: str, change: Change, *names: str) -> Lie:
        return Lie(clause=clause, kind=kind, what=f"{self._terms.name}: {what}", case=self._case, tell=changing(change), names=names)

    # Along the schema, and about the message

    def _of_messages(self) -> Iterator[Lie]:
        """First those that break what they are made to break: the others are told to be idle, if they are all of their kind."""
        later = []
        for message in mutations(self._agreement, self._request, self._response, only=self._is_wanted):
            if message.clause is None or not self._is_wanted(message.clause, str(message.kind)):
                continue
            if not self._sayable(self._request, self._response, message.response):
                continue
            if self._is_allowed(message):
                later.append(message)
                continue
            change = self._same_again(message.clause, str(message.kind))
            for clause in self._clauses_of(message.clause):
                yield self._lie(clause, message, change)
        for message in later:
            if message.clause in self._agreement.clauses and message.clause is not None:
                yield self._lie(message.clause, message, lambda request, response: response, idle=ALLOWED)

    def _is_wanted(self, clause: str, kind: str) -> bool:
        return any(self._offers.wants(each, kind) for each in self._clauses_of(clause))

    def _clauses_of(self, clause: str) -> list[str]:
        """The clause itself, the error shape that it is a part of, and the header that it is said of."""
        shaped = response_clause(self._terms.name, self._status, "error") if clause.startswith("errors.") else ""
        above = clause.partition(".schema")[0] if ".headers." in clause else ""
        return [each for each in dict.fromkeys((shaped, above, clause)) if each in self._agreement.clauses]

    def _is_allowed(self, message: Message) -> bool:
        """Whether an edit along the schema keeps the keyword that it was made to break, by the validator's own word."""
        known = self._agreement.clauses.get(message.clause or "")
        if known is None or known.kind is not Kind.SCHEMA or ".headers." in known.id or message.response.status != self._status:
            return False
        at = body_schema(self._terms, self._status)
        if at is None:
            return False
        value = value_of(message.response)
        return known.id not in {clause_id(violation.keyword) for violation in self._agreement.schemas.violations(at, value)}

    def _applies(self, request: Request, response: Response) -> bool:
        return applies(self._agreement, self._terms.name, self._status, request, response)

    def _same_again(self, clause: str, kind: str) -> Change:
        """The first lie of this kind about this clause, made from whatever answer it meets."""

        def change(request: Request, response: Response) -> Response:
            if self._applies(request, response):
                for message in mutations(self._agreement, request, response, only=lambda *key: key == (clause, kind)):
                    fits = message.clause == clause and str(message.kind) == kind and not self._is_allowed(message)
                    if fits and self._sayable(request, response, message.response):
                        return message.response
            return response

        return change

    def _same_invariant(self, clause: str, kind: str) -> Change:
        def change(request: Request, response: Response) -> Response:
            if self._applies(request, response):
                for message, clauses in invariants_broken(self._agreement, request, response, only=lambda *key: key == (clause, kind)):
                    if clause in clauses and str(message.kind) == kind and self._sayable(request, response, message.response):
                        return message.response
            return response

        return change

    def _always(self, wrong: Response) -> Change:
        return lambda request, response: wrong if self._applies(request, response) else response

    def _as_status(self, status: int) -> Change:
        return lambda request, response: replace(response, status=status) if self._applies(request, response) else response

    # The status and what belongs to it

    def _of_status(self) -> Iterator[Lie]:
        """Another status than the one that is declared for the state, the request or the credential."""
        clause, failed = response_clause(self._terms.name, self._status), self._status >= 300
        yield self._other(clause, "undeclared status", f"418 for {self._status}", self._as_status(418))
        kind, other = ("success for failure", 200) if failed else ("failure for success", 500)
        yield self._other(clause, kind, f"{other} for {self._status}", self._as_status(other))
        for kind, what, wrong, names in swapped_shapes(self._agreement, self._terms, self._response):
            named = f"{clause}.error" if kind == "error shape" else clause
            if named in self._agreement.clauses:
                yield self._other(named, kind, what, self._always(wrong), *names)
        if self._seen.request_is_valid and not failed:
            yield from self._of_examples()
        shape = self._seen.shape
        assert shape is not None
        if shape.when == "unauthenticated" and self._seen.exchange.given is None and "provider.auth.scheme" in self._agreement.clauses:
            what = "200 for a wrong credential"
            yield self._other("provider.auth.scheme", "any credential accepted", what, self._accepting())

    def _of_examples(self) -> Iterator[Lie]:
        refusal = refusal_of(self._agreement, self._terms)
        for example in examples_of(self._agreement, self._seen):
            yield self._other(example, "example fails", "500 for an example", self._as_status(500))
            if refusal is not None:
                what = f"{refusal.status} for an example"
                yield self._other(example, "example refused", what, self._always(refusal))

    # What must not be accepted

    def _of_refusal(self) -> Iterator[Lie]:
        """A request that the contract forbids is accepted."""
        if not 400 <= self._status < 500:
            return
        broken = [clause for clause, _ in parameter_breaches(self._seen)]
        broken += [clause_id(violation.keyword) for violation in self._seen.request_violations]
        rules = [clause_id(("operations", self._terms.name, "request", "rules", name)) for name in self._seen.broken_rules]
        for clause in dict.fromkeys(broken or rules):
            if clause in self._agreement.clauses:
                yield self._other(clause, "forbidden request accepted", "200 for a request that breaks it", self._accepting())

    def _accepting(self) -> Change:
        return self._always(success_of(self._agreement, self._terms))
