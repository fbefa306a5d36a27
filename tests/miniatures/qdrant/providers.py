"""Lying Qdrants: each is the real engine with one thing wrong."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.contract.agreement import Agreement
from harness.exchange import Request, Response
from harness.provider.embedded import EmbeddedProvider
from harness.wire.clock import VirtualClock

Ask = Callable[[Request], Response]
JSON = (("content-type", "application/json"),)


class Lie:
    """A lie that may remember what was asked before; by itself it is honest."""

    def tell(self, ask: Ask, request: Request) -> Response:
        return ask(request)


class LyingQdrant(EmbeddedProvider):
    """The embedded engine, asked through a lie."""

    def __init__(self, agreement: Agreement, lie: type[Lie]) -> None:
        super().__init__(agreement)
        self._lie = lie()

    def upstream(self, clock: Callable[[], float] | VirtualClock) -> "Liar":  # type: ignore[override]  # an upstream too
        return Liar(self._opened().answer, self._lie)


class Liar:
    def __init__(self, ask: Ask, lie: Lie) -> None:
        self._ask = ask
        self._lie = lie

    async def answer(self, request: Request) -> Response:
        return self._lie.tell(self._ask, request)


def is_search(request: Request) -> bool:
    return request.path.endswith(("/points/query", "/points/search"))


def is_upsert(request: Request) -> bool:
    return request.method == "PUT" and request.path.endswith("/points")


def rewritten(request: Request, change: Callable[[Any], Any]) -> Request:
    return replace(request, body=json.dumps(change(json.loads(request.body))).encode())


def changed(response: Response, change: Callable[[Any], Any]) -> Response:
    """The response with its result changed, if it is a success."""
    if response.status != 200 or response.media_type != "application/json":
        return response
    body = json.loads(response.body)
    body["result"] = change(body["result"])
    return replace(response, body=json.dumps(body).encode())


def found(result: Any) -> Any:
    return result["points"] if isinstance(result, dict) else result


class _OfSearch(Lie):
    def tell(self, ask: Ask, request: Request) -> Response:
        return changed(ask(request), self.points) if is_search(request) else ask(request)

    def points(self, result: Any) -> Any:
        points = self.lie(found(result))
        return {"points": points} if isinstance(result, dict) else points

    def lie(self, points: list[Any]) -> list[Any]:
        return points


class Unsorted(_OfSearch):
    """Finds the farthest first."""

    def lie(self, points: list[Any]) -> list[Any]:
        return points[::-1]


class UnsortedTail(_OfSearch):
    """Loses the order from the fourth point on."""

    def lie(self, points: list[Any]) -> list[Any]:
        return points[:3] + points[3:][::-1]


class DistanceAsScore(_OfSearch):
    """Says how far away a point is where it should say how near."""

    def lie(self, points: list[Any]) -> list[Any]:
        return [{**each, "score": 1.0 - each["score"]} for each in points]


class FindsTwice(_OfSearch):
    """Finds the nearest point a second time."""

    def lie(self, points: list[Any]) -> list[Any]:
        return [*points[:1], *points[:-1]] if len(points) > 1 else points


class WithoutPayload(_OfSearch):
    """Leaves the payload out, though it was asked for."""

    def lie(self, points: list[Any]) -> list[Any]:
        return [{key: value for key, value in each.items() if key != "payload"} for each in points]


class Underrates(_OfSearch):
    """Makes every score a little too small."""

    def lie(self, points: list[Any]) -> list[Any]:
        return [{**each, "score": each["score"] * 0.999} for each in points]


class _OfSearchRequest(Lie):
    def tell(self, ask: Ask, request: Request) -> Response:
        return ask(rewritten(request, self.forget)) if is_search(request) and request.body else ask(request)

    def forget(self, body: Any) -> Any:
        return body


class DeletesAllButTheLast(Lie):
    """Of several points it leaves the last one."""

    def tell(self, ask: Ask, request: Request) -> Response:
        return ask(rewritten(request, self._fewer) if request.path.endswith("/points/delete") else request)

    def _fewer(self, body: Any) -> Any:
        points = body.get("points") or []
        return {**body, "points": points[:-1]} if len(points) > 1 else body


class IgnoresFilter(_OfSearchRequest):
    """Searches everything."""

    def forget(self, body: Any) -> Any:
        return {key: value for key, value in body.items() if key != "filter"} if isinstance(body, dict) else body


class IgnoresThreshold(_OfSearchRequest):
    """Finds points that are too far away."""

    def forget(self, body: Any) -> Any:
        return {key: value for key, value in body.items() if key != "score_threshold"} if isinstance(body, dict) else body


class IgnoresLimit(_OfSearchRequest):
    """Finds one more than it may."""

    def forget(self, body: Any) -> Any:
        return {**body, "limit": body["limit"] + 1} if isinstance(body, dict) and isinstance(body.get("limit"), int) else body


class FirstOfList(_OfSearchRequest):
    """Of a list of values it takes the first."""

    def forget(self, body: Any) -> Any:
        for condition in (body.get("filter") or {}).get("must") or ():
            if "any" in condition.get("match", {}):
                condition["match"] = {"value": condition["match"]["any"][0]}
        return body


class AnyField(_OfSearchRequest):
    """One matching field is enough for it."""

    def forget(self, body: Any) -> Any:
        wanted = body.get("filter")
        return {**body, "filter": {"should": wanted["must"]}} if wanted and wanted.get("must") else body


class DropsEvery1000th(Lie):
    """Loses one point in a thousand, and says that all is well."""

    def __init__(self) -> None:
        self.seen = 0

    def tell(self, ask: Ask, request: Request) -> Response:
        if not is_upsert(request) or b'"points"' not in request.body:
            return ask(request)
        return ask(rewritten(request, self._some))

    def _some(self, body: Any) -> Any:
        kept = []
        for point in body.get("points", []):
            self.seen += 1
            if self.seen % 1000:
                kept.append(point)
        return {**body, "points": kept or body["points"]}


class AcknowledgesFirst(Lie):
    """Says "completed", and stores at the next opportunity but one."""

    def __init__(self) -> None:
        self.held: Request | None = None
        self.asked = 0

    def tell(self, ask: Ask, request: Request) -> Response:
        if is_upsert(request) and json.loads(request.body or b"null"):
            if self.held is not None:
                ask(self.held)
            self.held, self.asked = request, 0
            body = {"result": {"operation_id": 0, "status": "completed"}, "status": "ok", "time": 0.0}
            return Response(status=200, headers=JSON, body=json.dumps(body).encode())
        self.asked += 1
        response = ask(request)
        if self.held is not None and self.asked >= 2:
            ask(self.held)
            self.held = None
        return response


class DeletesNothing(Lie):
    """Says that points are deleted."""

    def tell(self, ask: Ask, request: Request) -> Response:
        if request.path.endswith("/points/delete"):
            body = {"result": {"operation_id": 0, "status": "completed"}, "status": "ok", "time": 0.0}
            return Response(status=200, headers=JSON, body=json.dumps(body).encode())
        return ask(request)


class ScrollsBack(Lie):
    """Each page begins with the last point of the one before."""

    def __init__(self) -> None:
        self.last: Any = None

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        return changed(response, self._page) if request.path.endswith("/points/scroll") else response

    def _page(self, page: Any) -> Any:
        points = page["points"]
        before, self.last = self.last, points[-1] if points else None
        first = page["points"] and before and before["id"] != points[0]["id"]
        return {**page, "points": [before, *points[1:]]} if first and page["next_page_offset"] else page


class CountsOneMore(Lie):
    """Miscounts."""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        return changed(response, lambda result: {"count": result["count"] + 1}) if request.path.endswith("/count") else response


class PayloadOverwritten(Lie):
    """Setting a field throws the others away."""

    def tell(self, ask: Ask, request: Request) -> Response:
        if request.method == "POST" and request.path.endswith("/points/payload"):
            return ask(replace(request, method="PUT"))
        return ask(request)


class NeverWaits(Lie):
    """Answers "acknowledged" whatever was asked."""

    def tell(self, ask: Ask, request: Request) -> Response:
        return ask(replace(request, target=request.target.replace("wait=true", "wait=false")))


class JsonForAuth(Lie):
    """Refuses a credential in JSON, as the published description has it."""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        if response.status in (401, 403):
            return replace(response, headers=JSON, body=json.dumps({"status": {"error": "no"}, "time": 0.0}).encode())
        return response


class TakesAnyKey(Lie):
    """Lets everybody in."""

    def __init__(self) -> None:
        self.key = ""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        given = request.header("api-key") or ""
        if response.status == 200 and given:
            self.key = given
        if response.status in (401, 403) and self.key:
            return ask(replace(request, headers=(("api-key", self.key), ("content-type", "application/json"))))
        return response


class Creates201(Lie):
    """Answers 201, as many others do."""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        return replace(response, status=201) if is_upsert(request) and response.status == 200 else response


class ForgetsIndexes(Lie):
    """Has every collection without indexes."""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        is_info = request.method == "GET" and request.path.count("/") == 2
        if not is_info or "collections/" not in request.path:
            return response
        return changed(response, lambda result: {**result, "payload_schema": self.kept(result["payload_schema"])})

    def kept(self, indexes: dict[str, Any]) -> dict[str, Any]:
        return {}


class ForgetsAnIndex(ForgetsIndexes):
    """Drops one index, and keeps the others."""

    def kept(self, indexes: dict[str, Any]) -> dict[str, Any]:
        return {field: index for field, index in indexes.items() if field != "created_at"}


class IndexesTextOnly(ForgetsIndexes):
    """Shows every index as one of keywords."""

    def kept(self, indexes: dict[str, Any]) -> dict[str, Any]:
        return {field: {**index, "data_type": "keyword"} for field, index in indexes.items()}


class RefusesPlainly(Lie):
    """Says what is wrong with a request in plain text."""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        if response.status in (400, 404, 422):
            return replace(response, headers=(("content-type", "text/plain"),), body=b"no")
        return response
