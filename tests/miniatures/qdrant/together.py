"""Liars about many searches in one request: Qdrants, and clients."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import httpx

from adapters.qdrant import Qdrant, ScoredPoint
from harness.exchange import Request, Response
from tests.miniatures.qdrant.providers import Ask, Lie, changed, found, rewritten

WHOLE = 100  # searches that fill a request


def is_batch(request: Request) -> bool:
    return request.path.endswith(("/points/query/batch", "/points/search/batch"))


class _OfLists(Lie):
    """What it does to the lists of an answer."""

    def tell(self, ask: Ask, request: Request) -> Response:
        return changed(ask(request), self.lists) if is_batch(request) else ask(request)

    def lists(self, lists: list[Any]) -> list[Any]:
        return lists


class InAnotherOrder(_OfLists):
    """Answers the last search first."""

    def lists(self, lists: list[Any]) -> list[Any]:
        return lists[::-1]


class OneListShort(_OfLists):
    """Has nothing for the last search."""

    def lists(self, lists: list[Any]) -> list[Any]:
        return lists[:-1]


class TheFirstForAll(_OfLists):
    """Says of every search what it found for the first one."""

    def lists(self, lists: list[Any]) -> list[Any]:
        return lists[:1] * len(lists)


class UnsortedAfterTheFirst(_OfLists):
    """Sorts what it found for the first search only."""

    def lists(self, lists: list[Any]) -> list[Any]:
        return [*lists[:1], *(_with(each, found(each)[::-1]) for each in lists[1:])]


class RoughAfterTheFirst(_OfLists):
    """Scores what it found for a later search by guess."""

    def lists(self, lists: list[Any]) -> list[Any]:
        return [*lists[:1], *(_with(each, [{**point, "score": point["score"] * 0.99} for point in found(each)]) for each in lists[1:])]


def _with(each: Any, points: list[Any]) -> Any:
    return {"points": points} if isinstance(each, dict) else points


class _OfSearches(Lie):
    """What it reads of the searches after the first one."""

    CHANGE: ClassVar[Callable[[dict[str, Any]], dict[str, Any]]] = staticmethod(lambda search: search)

    def tell(self, ask: Ask, request: Request) -> Response:
        return ask(rewritten(request, self._read) if is_batch(request) and request.body else request)

    def _read(self, body: Any) -> Any:
        searches = body.get("searches") if isinstance(body, dict) else None
        if not isinstance(searches, list):
            return body
        return {**body, "searches": [*searches[:1], *(type(self).CHANGE(each) for each in searches[1:])]}


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda search: {key: value for key, value in search.items() if key != name}


class FiltersTheFirst(_OfSearches):
    """Has the filter hold for the first search only."""

    CHANGE = staticmethod(_without("filter"))


class BoundsTheFirst(_OfSearches):
    """Has the threshold hold for the first search only."""

    CHANGE = staticmethod(_without("score_threshold"))


class OneMoreForTheRest(_OfSearches):
    """Finds one more than it may, but for the first search."""

    CHANGE = staticmethod(lambda search: {**search, "limit": search["limit"] + 1})


Lists = list[list[ScoredPoint]]


class LosesTheLastRequest(Qdrant):
    """Searches by as many vectors as fill its requests, and forgets the others."""

    async def search_many(self, collection: str, vectors: Any, **options: Any) -> Lists:
        kept = len(vectors) // WHOLE * WHOLE or len(vectors)
        return await super().search_many(collection, vectors[:kept], **options)


class MixesUpItsRequests(Qdrant):
    """Gives back what it found by the last request first."""

    async def search_many(self, collection: str, vectors: Any, **options: Any) -> Lists:
        lists = await super().search_many(collection, vectors, **options)
        return lists[WHOLE:] + lists[:WHOLE]


class MixesUpItsLists(Qdrant):
    """Gives back the list of the last vector first."""

    async def search_many(self, collection: str, vectors: Any, **options: Any) -> Lists:
        return (await super().search_many(collection, vectors, **options))[::-1]


class OneTooMany(Qdrant):
    """Believes that there is room for one more search."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        contract = self._contract
        batch = contract.limits.batch.model_copy(update={"items": (WHOLE + 1) * 10})  # type: ignore[union-attr]  # there is one
        limits = contract.limits.model_copy(update={"batch": batch})
        self._endpoint.agreement = replace(self._endpoint.agreement, contract=contract.model_copy(update={"limits": limits}))


class SearchesOneByOne(Qdrant):
    """Needs a request for each vector."""

    async def search_many(self, collection: str, vectors: Any, **options: Any) -> Lists:
        return [await self.search_vectors(collection, each, **options) for each in vectors]


class IgnoresTheLimit(Qdrant):
    """Always asks for ten."""

    async def search_many(self, collection: str, vectors: Any, *, limit: int = 10, **options: Any) -> Lists:
        return await super().search_many(collection, vectors, limit=10, **options)


class _Edited(httpx.AsyncBaseTransport):
    """Changes the searches of a request on its way out."""

    def __init__(self, wrapped: httpx.AsyncBaseTransport, change: Callable[[list[Any]], list[Any]]) -> None:
        self._wrapped = wrapped
        self._change = change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/batch"):
            content = json.dumps({"searches": self._change(json.loads(request.content)["searches"])}).encode()
            headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
            request = httpx.Request(request.method, request.url, headers=headers, content=content)
        return await self._wrapped.handle_async_request(request)


class FiltersItsFirst(Qdrant):
    """Says the filter with the first search only."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        later = _without("filter")
        self._endpoint._transport = _Edited(self._endpoint._transport, lambda given: [*given[:1], *map(later, given[1:])])


class SearchesTwiceByTheFirst(Qdrant):
    """Asks for the first vector in the place of the second."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint._transport = _Edited(self._endpoint._transport, lambda given: [*given[:1], *given[:1], *given[2:]][: len(given)])
