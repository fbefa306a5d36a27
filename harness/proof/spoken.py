"""Providers that lie over gRPC: of all lies those that its messages and statuses have words for."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property

from harness.client.meaning import Meaning
from harness.contract.agreement import Agreement
from harness.contract.clauses import Kind
from harness.exchange import Observation
from harness.proof.lasting import Answers
from harness.proof.lie import Lie
from harness.proof.offers import Offers
from harness.proof.provider import lies
from harness.proof.sameness import exchanges_of
from harness.provider.had import Provider

OVER_GRPC = ", over gRPC"
OF_ANSWERS = (Kind.SCHEMA, Kind.STATUS)  # not seen to be kept over gRPC, for they are of HTTP; broken they are seen


class Spoken:
    """The lies of one contract's provider over gRPC, each once."""

    def __init__(self, agreement: Agreement, provider: Provider) -> None:
        self._agreement, self._provider, self._offers = agreement, provider, Offers()

    @cached_property
    def _meaning(self) -> Meaning | None:
        """Made where a case spoke gRPC: else what reads its messages need not even be installed."""
        return Meaning(self._agreement, origin="") if self._agreement.contract.provider.grpc is not None else None

    def lies(self, case: str, observation: Observation, kept: Collection[str], answers: Answers) -> Iterator[Lie]:
        """Those that can be made from the answers that a case saw."""
        if self._meaning is None:
            return
        self._offers.bears_on = lambda clause: self._is_seen(clause, kept)
        for lie in lies(self._agreement, case, observation, answers, self._offers, sayable=self._meaning.can_say):
            spoken = replace(lie, kind=f"{lie.kind}{OVER_GRPC}", over_grpc=True)
            if self._offers.wants(lie.clause, lie.kind) and self._is_told(spoken, observation):
                self._offers.choose(lie.clause, lie.kind)
                yield spoken

    def _is_seen(self, clause: str, kept: Collection[str]) -> bool:
        """Whether a case would see it broken; that a repeat does no harm is seen where the harness itself asks, which is over REST."""
        known = self._agreement.clauses.get(clause)
        if known is None or known.kind is Kind.IDEMPOTENCE:
            return False
        return clause in kept or (known.kind in OF_ANSWERS and ".request." not in clause)

    def _is_told(self, lie: Lie, observation: Observation) -> bool:
        """Whether the same answers, with a liar before them, could be said and would be others."""
        assert self._meaning is not None
        liar = lie.told_by(self._provider)
        for exchange in exchanges_of(observation):
            if exchange.rpc is None or exchange.response is None or exchange.injected is not None:
                continue
            made_up = liar.made_up(exchange.request)
            told = liar.lie(exchange.request, exchange.response) if made_up is None else made_up
            honest = exchange.response if made_up is None else None
            if told != honest and self._meaning.can_say(exchange.request, honest, told):
                return True
        return False
