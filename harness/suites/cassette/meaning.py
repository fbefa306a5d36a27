"""From recorded requests to calls: which call means a request, and whether a client's request means the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import orjson

from harness.checks.breaches import breached
from harness.checks.judging import shown
from harness.checks.sight import UNREADABLE, Seen
from harness.client.scenario import Invoke
from harness.contract.agreement import Agreement, OperationTerms
from harness.contract.expressions import EvaluationError
from harness.contract.schemas import reference
from harness.exchange import Exchange, Request


@dataclass(frozen=True, eq=False)
class Recorded:
    """One recorded exchange, as a call would mean it."""

    agreement: Agreement
    exchange: Exchange

    @cached_property
    def seen(self) -> Seen:
        return Seen(self.agreement, self.exchange, None)

    @cached_property
    def breaches(self) -> frozenset[str]:
        """The clauses that the recorded response itself breaks."""
        return frozenset(breached(self.seen))

    @cached_property
    def parts(self) -> dict[str, Any]:
        """The request by its parts, with what it leaves to the provider said where the client has another default."""
        parts = dict(self.seen.request_parts)
        terms = self.seen.terms
        if terms is not None and isinstance(parts["body"], Mapping):
            for name, default in terms.model.request.defaults.items():
                if parts["body"].get(name) is None:
                    parts["body"] = self._said(terms, parts["body"], name, default)
        return parts

    def _said(self, terms: OperationTerms, body: Mapping[str, Any], name: str, default: object) -> Mapping[str, Any]:
        """The body with the one value for a field under which the recorded response keeps the contract."""
        for value in (default, *_options(self.agreement, terms, name)):
            trial = {**body, name: value}
            if self._fits(replace(self.exchange.request, body=orjson.dumps(trial))):
                return trial
        return body

    def _fits(self, request: Request) -> bool:
        """Whether the recorded response would have been as good an answer to another request."""
        seen = Seen(self.agreement, replace(self.exchange, request=request), None)
        return seen.request_is_valid == self.seen.request_is_valid and frozenset(breached(seen)) <= self.breaches

    def answers(self, request: Request) -> bool:
        """Whether a request may be given the recorded response: it says the same, or means the same and can take it."""
        if same_request(self.exchange.request, request):
            return True
        return self.means(request) and self._fits(request)

    def means(self, request: Request) -> bool:
        """Whether a caller who says the same things would cause this request."""
        other = Seen(self.agreement, replace(self.exchange, request=request), None)
        if self.seen.terms is None or other.terms is not self.seen.terms or other.request_body is UNREADABLE:
            return False
        said = _arguments(self.seen.terms, other.request_parts)
        return said in (_arguments(self.seen.terms, parts) for parts in (self.parts, self.seen.request_parts))

    def difference(self, request: Request) -> str:
        """In which fields of its body a request differs from the recorded one."""
        other = Seen(self.agreement, replace(self.exchange, request=request), None)
        mine, theirs = self.seen.request_body, other.request_body
        if not isinstance(mine, Mapping) or not isinstance(theirs, Mapping):
            return f"recorded {shown(mine)}, sent {shown(theirs)}"
        names = [name for name in sorted({*mine, *theirs}) if mine.get(name) != theirs.get(name)]
        return "; ".join(
            f"`{name}`: recorded {shown(mine.get(name), most=60)}, sent {shown(theirs.get(name), most=60)}"
            for name in names
        )


def same_request(one: Request, other: Request) -> bool:
    """Whether two requests ask for the same, byte for byte or as JSON."""
    if (one.method, one.target) != (other.method, other.target):
        return False
    try:
        return one.body == other.body or bool(one.json() == other.json())
    except ValueError:
        return False


def calls_of(recorded: tuple[Recorded, ...]) -> Iterator[tuple[Invoke, int]]:
    """The calls that mean the recorded requests, each with the status that it ended with.

    The same request once more is another attempt at the same call.
    """
    known = [each for each in recorded if each.seen.terms is not None]
    for index, each in enumerate(known):
        following = known[index + 1] if index + 1 < len(known) else None
        if following is not None and same_request(each.exchange.request, following.exchange.request):
            continue
        assert each.seen.terms is not None and each.exchange.response is not None
        yield Invoke(operation=each.seen.terms.name, parts=each.parts), each.exchange.response.status


def _arguments(terms: OperationTerms, parts: Mapping[str, object]) -> dict[str, object]:
    """What a caller says with a request; nothing is said with null."""
    if terms.bind is None or not terms.bind.arguments:
        return dict(parts) | {"headers": None}
    found: dict[str, object] = {}
    for name, expression in terms.bind.arguments.items():
        try:
            found[name] = terms.evaluate(expression, request=parts)
        except EvaluationError:
            continue
    return {name: value for name, value in found.items() if value is not None}


def _options(agreement: Agreement, terms: OperationTerms, name: str) -> list[Any]:
    """The values that the schema of a field lists."""
    schema: Any = terms.model.request.body or {}
    target = reference(schema)
    if target is not None:
        schema = agreement.document.value
        for step in target:
            schema = schema[step]
    return [value for value in schema.get("properties", {}).get(name, {}).get("enum", ()) if value is not None]
