"""Requests that the contract's traffic makes: of any number, each with vectors, ids or texts of its own."""

from dataclasses import dataclass, field
from itertools import islice

import orjson

from harness.checks.sight import Seen
from harness.contract.agreement import Agreement
from harness.contract.expressions import EvaluationError
from harness.contract.traffic import Maker, TrafficTerms, compile_traffic
from harness.exchange import Exchange, Headers, Request
from harness.suites.load.order import Misuse, Order

BREACHES_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Made:
    """A request of which there is one for each number; the first is ``first_number``. ``status`` is what a good answer has."""

    agreement: Agreement = field(repr=False)
    maker: Maker
    headers: Headers
    status: int
    media_type: str | None
    first_number: int = 0

    @property
    def operation(self) -> str:
        return self.maker.operation

    @property
    def method(self) -> str:
        return self.agreement.operations[self.operation].model.method

    def request(self, number: int) -> Request:
        """The request as the contract sees it; without a credential."""
        parts = self.maker.parts(number - self.first_number)
        target = self.agreement.target(self.operation, parts["path"], parts["query"])  # type: ignore[arg-type]  # maps, or it is told
        body = parts["body"]
        sent = b"" if body is None else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        return Request(method=self.method, target=target, headers=self.headers, body=sent)


def made(agreement: Agreement, maker: Maker, *, first_number: int = 0) -> Made:
    """What is sent of a maker, and what is expected in return."""
    terms = agreement.operations[maker.operation]
    declared = terms.model.request
    status, shape = terms.success
    return Made(
        agreement=agreement,
        maker=maker,
        headers=(("content-type", declared.media_type),) if declared.body is not None else (),
        status=status,
        media_type=shape.media_type if shape.body is not None else None,
        first_number=first_number,
    )


def traffic_of(agreement: Agreement, order: Order) -> TrafficTerms:
    """The contract's traffic for an order, tried: Misuse for a request that can't be made or breaks the contract itself."""
    terms = compile_traffic(agreement.contract, fill=order.fill, seed=order.seed)
    named = [maker for operation in (order.mix or terms.requests) for maker in terms.requests.get(operation, ())]
    for maker in (*terms.before, *filter(None, (terms.fill,)), *terms.after, *named):
        trouble = _trouble(agreement, made(agreement, maker))
        if trouble:
            raise Misuse(f"{agreement.document.place(maker.at)}: {'.'.join(map(str, maker.at))} makes no good request: {trouble}")
    return terms


def _trouble(agreement: Agreement, sent: Made) -> str:
    """What is wrong with the first request of its kind, if anything."""
    try:
        request = sent.request(0)
    except (EvaluationError, TypeError, orjson.JSONEncodeError) as error:
        return str(error)
    seen = Seen(agreement, Exchange(request=request), None)
    if seen.terms is None or seen.terms.name != sent.operation:
        return f"{request.method} {request.target} is not `{sent.operation}`"
    wrong = [f"{each.pointer or 'the body'} {each.message}" for each in islice(seen.request_violations, BREACHES_SHOWN)]
    wrong += [f"it breaks the rule `{name}`" for name in seen.broken_rules]
    return "; ".join(wrong)
