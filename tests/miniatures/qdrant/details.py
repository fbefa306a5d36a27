"""Qdrants that lie about a detail: each is the real engine with one thing wrong."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from harness.exchange import Request, Response
from tests.miniatures.qdrant.providers import Ask, Lie, changed, found, is_search, is_upsert, rewritten


class _OfRequest(Lie):
    """Does something else than what was asked."""

    def tell(self, ask: Ask, request: Request) -> Response:
        if not request.body:
            return ask(request)
        try:
            return ask(rewritten(request, lambda body: self.body(request, body) if isinstance(body, dict) else body))
        except ValueError:  # no JSON
            return ask(request)

    def body(self, request: Request, body: Any) -> Any:
        return body


class SetsThePayloadOfTheFirst(_OfRequest):
    """Of several points it writes the payload of the first."""

    def body(self, request: Request, body: Any) -> Any:
        several = request.path.endswith("/points/payload") and isinstance(body.get("points"), list)
        return {**body, "points": body["points"][:1]} if several else body


class SetsThePayloadOfAll(_OfRequest):
    """Writes the payload of every point there is."""

    def body(self, request: Request, body: Any) -> Any:
        if not request.path.endswith("/points/payload") or not isinstance(body.get("points"), list):
            return body
        return {**{name: value for name, value in body.items() if name != "points"}, "filter": {}}


class _Bounds(_OfRequest):
    INSTEAD: ClassVar[dict[str, str]] = {}

    def body(self, request: Request, body: Any) -> Any:
        wanted = body.get("filter")
        conditions = wanted.get("must") if isinstance(wanted, dict) else None
        for condition in conditions if isinstance(conditions, list) else ():
            if isinstance(condition, dict) and isinstance(condition.get("range"), dict):
                condition["range"] = {self.INSTEAD.get(name, name): bound for name, bound in condition["range"].items()}
        return body


class AboveWithoutTheBound(_Bounds):
    """Takes `gte` for `gt`."""

    INSTEAD: ClassVar[dict[str, str]] = {"gte": "gt"}


class BelowWithoutTheBound(_Bounds):
    """Takes `lte` for `lt`."""

    INSTEAD: ClassVar[dict[str, str]] = {"lte": "lt"}


class AboveWithTheBound(_Bounds):
    """Takes `gt` for `gte`."""

    INSTEAD: ClassVar[dict[str, str]] = {"gt": "gte"}


class BelowWithTheBound(_Bounds):
    """Takes `lt` for `lte`."""

    INSTEAD: ClassVar[dict[str, str]] = {"lt": "lte"}


class AllFields(_OfRequest):
    """Sends the whole payload back, whichever fields were asked for."""

    def body(self, request: Request, body: Any) -> Any:
        return {**body, "with_payload": True} if isinstance(body.get("with_payload"), list) else body


class OneField(_OfRequest):
    """Sends the first back of the fields that were asked for."""

    def body(self, request: Request, body: Any) -> Any:
        fields = body.get("with_payload")
        return {**body, "with_payload": fields[:1]} if isinstance(fields, list) else body


class DropsThe1000thOfARequest(_OfRequest):
    """Loses the thousandth point of a request, and says that all is well."""

    def body(self, request: Request, body: Any) -> Any:
        if not is_upsert(request) or not isinstance(body.get("points"), list):
            return body
        return {**body, "points": [point for number, point in enumerate(body["points"]) if number != 999]}


class CoversUpThe1000th(DropsThe1000thOfARequest):
    """Loses the thousandth point of a request, and counts it all the same."""

    def __init__(self) -> None:
        self.lost = 0

    def tell(self, ask: Ask, request: Request) -> Response:
        if request.method == "DELETE":
            self.lost = 0
        if is_upsert(request) and json.loads(request.body or b"null"):
            self.lost += len(json.loads(request.body).get("points", ())) > 999
        response = super().tell(ask, request)
        lost = self.lost if request.path.endswith("/count") and not json.loads(request.body or b"{}").get("filter") else 0
        return changed(response, lambda result: {"count": result["count"] + lost}) if lost else response


class _OfAnswer(Lie):
    ABOUT: ClassVar[Callable[[Request], bool]] = staticmethod(lambda request: False)

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        return changed(response, self.result) if type(self).ABOUT(request) else response

    def result(self, result: Any) -> Any:
        return result


def is_info(request: Request) -> bool:
    return request.method == "GET" and request.path.startswith("/collections/") and request.path.count("/") == 2


class HoldsNothing(_OfAnswer):
    """Shows every collection as empty."""

    ABOUT: ClassVar[Callable[[Request], bool]] = staticmethod(is_info)

    def result(self, result: Any) -> Any:
        return {**result, "points_count": 0}


class PagesBackwards(_OfAnswer):
    """Has each page in the wrong order."""

    ABOUT: ClassVar[Callable[[Request], bool]] = staticmethod(lambda request: request.path.endswith("/points/scroll"))

    def result(self, result: Any) -> Any:
        return {**result, "points": result["points"][::-1]}


class FindsNothingAnywhere(Lie):
    """Where there is no collection, it finds nothing in it."""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        if response.status != 404 or not is_search(request):
            return response
        empty: Any = {"points": []} if request.path.endswith("/query") else []
        assert found(empty) == []
        body = {"result": empty, "status": "ok", "time": 0.0}
        return replace(response, status=200, body=json.dumps(body).encode())


class CreatesTwice(Lie):
    """Says that a collection was made which was there."""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        if response.status != 409:
            return response
        return replace(response, status=200, body=json.dumps({"result": True, "status": "ok", "time": 0.0}).encode())
