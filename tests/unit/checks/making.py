"""Observations made by hand, for the shop's contract."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.checks.registry import judge
from harness.contract.agreement import Agreement
from harness.exchange import Call, Exchange, Failure, Observation, Raised, Request, Response, Returned
from harness.verdict import Finding

KEY = "hk-unit-0123456789abcdef"
ORIGIN = "https://shop.example"
JSON = (("content-type", "application/json"),)


def request(items: Iterable[str] = ("apple",), *, key: str | None = KEY, path: str = "/v1/orders", **body: Any) -> Request:
    """An order."""
    auth = (("authorization", f"Bearer {key}"),) if key is not None else ()
    content = json.dumps({"items": list(items), "currency": "EUR"} | body).encode()
    return Request(method="POST", target=path, headers=(*JSON, *auth), body=content, origin=ORIGIN)


def answer(status: int = 200, body: Any = None, **headers: str) -> Response:
    """An answer; a receipt for one apple unless told otherwise."""
    value = {"prices": [2]} if body is None and status == 200 else {"detail": "No."} if body is None else body
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Response(status=status, headers=(*JSON, *((name.replace("_", "-"), text) for name, text in headers.items())), body=content)


def exchange(
    status: int | None = 200,
    *,
    at: float = 0.0,
    took: float = 0.0,
    failure: Failure | None = None,
    asked: Request | None = None,
    told: Response | None = None,
    injected: str | None = None,
    given: str | None = None,
) -> Exchange:
    """An exchange that began ``at`` a second and took some."""
    response = None if failure or status is None else told or answer(status)
    asked = asked or request()
    return Exchange(request=asked, response=response, failure=failure, injected=injected, given=given, started_s=at, ended_s=at + took)


def call(
    *exchanges: Exchange,
    ending: Any = None,
    items: Iterable[str] = ("apple",),
    at: float | None = None,
    until: float | None = None,
    **changes: Any,
) -> Call:
    """A call that orders some items; it returns what was answered last unless told otherwise."""
    started_s = at if at is not None else exchanges[0].started_s if exchanges else 0.0
    ended_s = until if until is not None else max([started_s, *(each.ended_s for each in exchanges)])
    arguments: Mapping[str, object] = {"items": list(items)}
    values = {"operation": "order", "arguments": arguments, "started_s": started_s, "ended_s": ended_s} | changes
    return Call(exchanges=exchanges, ending=ending if ending is not None else Returned(value=[2]), **values)


def raised(name: str, message: str = "", **fields: Any) -> Raised:
    """An error of a class."""
    return Raised(type=name, bases=("Exception",), message=message, text=fields.pop("text", message), **fields)


def observed(*calls: Call, exchanges: Iterable[Exchange] = (), **fields: Any) -> Observation:
    """An observation of a client with its credential."""
    return Observation(calls=calls, exchanges=tuple(exchanges), origin=ORIGIN, secrets=(KEY,), **fields)


def findings(agreement: Agreement, observation: Observation, check: str = "") -> list[Finding]:
    """What one check, or all of them, find."""
    judged = [judgement.finding for judgement in judge(agreement, observation) if judgement.finding is not None]
    return [finding for finding in judged if check in ("", finding.check)]


def broken(agreement: Agreement, observation: Observation, check: str = "") -> set[str]:
    """The clauses that one check, or all of them, find broken."""
    return {finding.clause for finding in findings(agreement, observation, check)}


def kept(agreement: Agreement, observation: Observation, check: str = "") -> set[str]:
    """The clauses that were seen kept, and by nobody seen broken."""
    judged = [judgement for judgement in judge(agreement, observation) if check in ("", judgement.check)]
    return {judgement.clause for judgement in judged} - {judgement.clause for judgement in judged if judgement.finding is not None}
