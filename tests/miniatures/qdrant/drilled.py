"""Qdrants that lie about data that the examples don't have, and one that is honest in another way."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.exchange import Request, Response
from tests.miniatures.qdrant.details import _OfRequest
from tests.miniatures.qdrant.providers import Ask, Lie, changed, found, is_search, is_upsert


def _conditions(body: Any) -> list[Any]:
    wanted = (body.get("filter") or {}).get("must")
    return [each for each in wanted if isinstance(each, dict)] if isinstance(wanted, list) else []


class _OfFilters(_OfRequest):
    """Reads filters in another way."""

    def body(self, request: Request, body: Any) -> Any:
        read = self.conditions(_conditions(body)) if _conditions(body) else None
        return body if read is None else {**body, "filter": {"must": read}}

    def conditions(self, given: list[Any]) -> list[Any]:
        return given


class TwoOfAList(_OfFilters):
    """Of a list of values it tries the first two."""

    def conditions(self, given: list[Any]) -> list[Any]:
        for each in given:
            if isinstance(each.get("match"), dict) and isinstance(each["match"].get("any"), list):
                each["match"]["any"] = each["match"]["any"][:2]
        return given


class NothingMeansAll(_OfFilters):
    """A list without a value matches every point."""

    def conditions(self, given: list[Any]) -> list[Any]:
        return [each for each in given if not isinstance(each.get("match"), dict) or each["match"].get("any") != []]


class TwoConditions(_OfFilters):
    """Of several fields it looks at two."""

    def conditions(self, given: list[Any]) -> list[Any]:
        return given[:2]


class OneConditionForAField(_OfFilters):
    """Of two conditions on one field the last one counts."""

    def conditions(self, given: list[Any]) -> list[Any]:
        return list({each.get("key"): each for each in given}.values())


class UpperBoundsOnly(_OfFilters):
    """A bound of 0 is none to it."""

    def conditions(self, given: list[Any]) -> list[Any]:
        for each in given:
            if isinstance(each.get("range"), dict):
                each["range"] = {name: bound for name, bound in each["range"].items() if bound != 0} or each["range"]
        return given


class _OfPayloads(Lie):
    """Gives payloads back in another way."""

    def tell(self, ask: Ask, request: Request) -> Response:
        def rewrite(result: Any) -> Any:
            for each in found({"points": [], **result} if isinstance(result, dict) else result):
                if isinstance(each, dict) and isinstance(each.get("payload"), dict):
                    each["payload"] = self.payload(each["payload"])
            return result

        return changed(ask(request), rewrite) if request.method == "POST" else ask(request)

    def payload(self, given: Any) -> Any:
        return given


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: _each(inner, change) for name, inner in value.items()}
    return [_each(inner, change) for inner in value] if isinstance(value, list) else change(value)


class WithoutNulls(_OfPayloads):
    """Drops fields that are null."""

    def payload(self, given: Any) -> Any:
        return {name: value for name, value in given.items() if value is not None}


class ComposedText(_OfPayloads):
    """Writes letters and their accents in one."""

    def payload(self, given: Any) -> Any:
        return _each(given, lambda value: unicodedata.normalize("NFC", value) if isinstance(value, str) else value)


class TruthAsNumbers(_OfPayloads):
    """Gives 1 for true."""

    def payload(self, given: Any) -> Any:
        return _each(given, lambda value: int(value) if isinstance(value, bool) else value)


class NumbersAsDoubles(_OfPayloads):
    """Keeps whole numbers as doubles, which have 53 bits for them."""

    def payload(self, given: Any) -> Any:
        return _each(given, lambda value: int(float(value)) if type(value) is int else value)


class WholeNumbersWithoutPoint(_OfPayloads):
    """Writes 1 for 1.0, and that is the same number: honest."""

    def payload(self, given: Any) -> Any:
        return _each(given, lambda value: int(value) if isinstance(value, float) and value.is_integer() else value)


class NoNextPage(Lie):
    """After the last page it says nothing about a next one: honest."""

    def tell(self, ask: Ask, request: Request) -> Response:
        def without(result: Any) -> Any:
            bare = isinstance(result, dict) and result.get("next_page_offset", 0) is None
            return {"points": result["points"]} if bare else result

        return changed(ask(request), without)


class NeverBelowZero(Lie):
    """A similarity below 0 is 0 to it."""

    def tell(self, ask: Ask, request: Request) -> Response:
        def raised(result: Any) -> Any:
            for each in found(result):
                each["score"] = max(each["score"], 0.0)
            return result

        return changed(ask(request), raised) if is_search(request) else ask(request)


class TheFirstOfTwo(_OfRequest):
    """Of two points with one id in a request it keeps the first."""

    def body(self, request: Request, body: Any) -> Any:
        if not is_upsert(request) or not isinstance(body.get("points"), list):
            return body
        first: dict[str, Any] = {}
        for each in body["points"]:
            first.setdefault(json.dumps(each.get("id")) if isinstance(each, dict) else "", each)
        return {**body, "points": list(first.values())}


class AHundredAtMost(_OfRequest):
    """A search finds no more than a hundred points."""

    def body(self, request: Request, body: Any) -> Any:
        return {**body, "limit": 100} if is_search(request) and isinstance(body.get("limit"), int) and body["limit"] > 100 else body


class TypesWithoutASample(Lie):
    """Says of every metric what type it has, and of none what it is."""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        if request.path != "/metrics" or response.status != 200:
            return response
        return replace(response, body=b"".join(line for line in response.body.splitlines(keepends=True) if line.startswith(b"#")))


class EmptiesWhatIsThere(Lie):
    """Refuses to make a collection that is there, and makes it anew."""

    def tell(self, ask: Ask, request: Request) -> Response:
        response = ask(request)
        if response.status == 409 and request.method == "PUT":
            ask(replace(request, method="DELETE", body=b""))
            ask(request)
        return response


class KnowsOnlyTheseNumbers(Lie):
    """Shows the platform's numbers of every collection, whatever it was made with."""

    def tell(self, ask: Ask, request: Request) -> Response:
        def shown(result: Any) -> Any:
            if isinstance(result, dict) and "config" in result:
                result["config"]["hnsw_config"] |= {"m": 16, "ef_construct": 200}
            return result

        return changed(ask(request), shown) if request.method == "GET" else ask(request)
