"""An observation as checks look at it: every exchange with its operation and its parts, parsed once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from harness.contract.agreement import Agreement, OperationTerms, schema_steps
from harness.contract.bodiless import has_no_body
from harness.contract.expressions import EvaluationError
from harness.contract.model import ResponseShape
from harness.contract.rpc import WITHOUT_ANSWER
from harness.contract.schemas import Violation
from harness.exchange import Call, Exchange, Failure, Observation
from harness.verdict import Judgement

UNREADABLE = object()


@dataclass(frozen=True, eq=False)
class Seen:
    """One exchange; ``call`` is None when the harness itself asked the provider."""

    agreement: Agreement
    exchange: Exchange
    call: Call | None
    memory: dict[str, object] = field(default_factory=dict, repr=False)  # what checks found out and share

    @cached_property
    def _found(self) -> tuple[OperationTerms, dict[str, str]] | None:
        return self.agreement.operation_of(self.exchange.request.method, self.exchange.request.path)

    @property
    def terms(self) -> OperationTerms | None:
        """The operation that the request belongs to; None for one that the contract does not know."""
        return self._found[0] if self._found else None

    @property
    def by_provider(self) -> bool:
        """Whether the provider itself answered, completely."""
        return self.exchange.injected is None and self.exchange.response is not None

    @cached_property
    def request_body(self) -> object:
        """The body as JSON; None when empty, UNREADABLE when it is not JSON."""
        if not self.exchange.request.body:
            return None
        try:
            return self.exchange.request.json()
        except ValueError:
            return UNREADABLE

    @cached_property
    def response_body(self) -> object:
        """The body as JSON, or as text for another media type; UNREADABLE when it should be JSON and is not."""
        response = self.exchange.response
        if response is None or not response.body or self.has_no_body:
            return None
        if response.media_type.endswith("json"):
            try:
                return response.json()
            except ValueError:
                return UNREADABLE
        return response.body.decode("utf-8", "replace")

    @property
    def has_no_body(self) -> bool:
        """Whether HTTP leaves this answer without a body."""
        response = self.exchange.response
        return response is not None and has_no_body(self.exchange.request.method, response.status)

    @cached_property
    def request_parts(self) -> Mapping[str, object]:
        request = self.exchange.request
        return {
            "body": self.request_body,
            "query": request.query,
            "path": self._found[1] if self._found else {},
            "headers": dict(request.headers),
        }

    @cached_property
    def response_parts(self) -> Mapping[str, object]:
        response = self.exchange.response
        assert response is not None
        return {"status": response.status, "body": self.response_body, "headers": dict(response.headers)}

    @cached_property
    def names(self) -> Mapping[str, object]:
        """What the operation's expressions see of this exchange; EvaluationError for an unknown operation."""
        if self.terms is None:
            raise EvaluationError("the request belongs to no operation")
        response = self.response_parts if self.exchange.response is not None else None
        return self.terms.terms(request=self.request_parts, response=response)

    @cached_property
    def request_violations(self) -> tuple[Violation, ...]:
        """The schema keywords that the request's body breaks."""
        assert self.terms is not None
        if self.terms.model.request.body is None or self.request_body is UNREADABLE:
            return ()
        at = schema_steps("operations", self.terms.name, "request", "body")
        return tuple(self.agreement.schemas.violations(at, self.request_body))

    @cached_property
    def broken_rules(self) -> tuple[str, ...]:
        """The request rules that this request breaks; one that can't be evaluated is not broken by it."""
        assert self.terms is not None
        broken = []
        for name, rule in self.terms.rules.items():
            try:
                if rule.evaluate(self.names) is not True:
                    broken.append(name)
            except EvaluationError:
                continue
        return tuple(broken)

    @property
    def request_is_spoken_of(self) -> bool:
        """Whether the contract says anything of such a request: nothing is promised for a body of another media type."""
        if self.terms is None:
            return False
        declared, sent = self.terms.model.request, self.exchange.request.header("content-type") or ""
        return declared.body is None or sent.partition(";")[0].strip().lower() == declared.media_type

    @property
    def request_is_valid(self) -> bool:
        """Whether the request keeps the contract."""
        return self.terms is not None and self.request_body is not UNREADABLE and not self.request_violations and not self.broken_rules

    @property
    def shape(self) -> ResponseShape | None:
        """What the contract declares for the status that came."""
        if self.terms is None or self.exchange.response is None:
            return None
        return self.terms.response_for(self.exchange.response.status)

    @property
    def over_grpc(self) -> bool:
        """Whether its request and response are only what messages of gRPC mean."""
        return self.exchange.rpc is not None

    def of_http(self, judgements: Iterator[Judgement]) -> Iterator[Judgement]:
        """Judgements on what is promised of HTTP itself: of a call over gRPC nothing of it was seen to be kept."""
        return (judgement for judgement in judgements if judgement.finding) if self.over_grpc else judgements

    @property
    def trouble(self) -> int | str | None:
        """What a retry policy sees: a status of 400 or more, ``timeout``, ``connection``, ``protocol`` or None.

        A status that gRPC's library says by itself where no answer came means no answer to a client, whoever said it.
        """
        if self.exchange.failure is not None:
            return {Failure.TIMEOUT: "timeout", Failure.CONNECTION: "connection", Failure.PROTOCOL: "protocol"}[self.exchange.failure]
        rpc, response = self.exchange.rpc, self.exchange.response
        if rpc is not None and rpc.status is not None and rpc.status in WITHOUT_ANSWER:
            return WITHOUT_ANSWER[rpc.status]
        return response.status if response is not None and response.status >= 400 else None


@dataclass(frozen=True)
class Sight:
    """One observation, ready to be judged."""

    agreement: Agreement
    observation: Observation
    memory: dict[str, object] = field(default_factory=dict, repr=False)  # what checks found out and share

    @cached_property
    def by_call(self) -> tuple[tuple[Call, tuple[Seen, ...]], ...]:
        """Each call with what was seen of it on the wire."""
        return tuple((call, tuple(Seen(self.agreement, exchange, call) for exchange in call.exchanges)) for call in self.observation.calls)

    @cached_property
    def direct(self) -> tuple[Seen, ...]:
        """The exchanges that the harness had with the provider without a client."""
        return tuple(Seen(self.agreement, exchange, None) for exchange in self.observation.exchanges)

    @property
    def sent(self) -> Iterator[Seen]:
        """What the client sent."""
        for _, seen in self.by_call:
            yield from seen

    @property
    def all(self) -> Iterator[Seen]:
        yield from self.sent
        yield from self.direct
