"""Clients that lose, change or make up what they were answered, or hide that they were not."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from adapters import errors
from adapters.voyage_ai import VoyageAI
from tests.miniatures.clients import over_aiohttp, over_requests, over_urllib
from tests.miniatures.clients.sound import Answer, Work


class OutOfOrder(VoyageAI):
    """Puts the batches together as they come in."""

    async def _split(self, operation: str, field: str, body: dict[str, object], read: Any) -> list[Any]:
        found = await super()._split(operation, field, body, read)
        return [*found[1000:], *found[:1000]]


class Zeros(over_urllib.Honest):
    """Returns zeros for what failed."""

    def embedding(self, texts: Sequence[str], **options: Any) -> Work:
        try:
            return (yield from super().embedding(texts, **options))
        except errors.ProviderError:
            return [[0.0] * 2048 for _ in texts]


class Shrugs(VoyageAI):
    """Returns nothing for what failed."""

    async def rerank(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().rerank(*args, **options)
        except errors.IntegrationError:
            return None


class SomeOfThem(over_aiohttp.Honest):
    """Returns what it got when the rest failed."""

    def contextualizing(self, inputs: Sequence[Any], **options: Any) -> Work:
        found: list[Any] = []
        try:
            for start in range(0, len(inputs), 1000):
                found += yield from super().contextualizing(inputs[start : start + 1000], **options)
        except errors.ProviderError:
            if not found:
                raise
        return found


class SilentWhenOpen(over_requests.Honest):
    """Has nothing to say while its circuit is open."""

    def ranking(self, query: str, documents: Sequence[str], **options: Any) -> Work:
        try:
            return (yield from super().ranking(query, documents, **options))
        except errors.CircuitOpen:
            return []


class AnotherError(over_aiohttp.Honest):
    """Raises the same error for everything."""

    def _error(self, operation: str, answer: Answer) -> Exception | None:
        error = super()._error(operation, answer)
        return errors.ProviderUnavailable(status=answer.status) if error is not None else None


class Bare(over_urllib.Honest):
    """Lets the errors of its HTTP library through."""

    def _attempt(self, operation, content, deadline_s):  # type: ignore[no-untyped-def]  # as in the class above it
        answer, error = yield from super()._attempt(operation, content, deadline_s)
        return answer, ConnectionResetError("by peer") if isinstance(error, errors.ProviderUnreachable) else error

    def _may_retry(self, error: Exception) -> bool:
        return isinstance(error, ConnectionResetError) or super()._may_retry(error)


class HalfPrecision(over_aiohttp.Honest):
    """Keeps half of each number."""

    def _vector(self, embedding: Any, body: Mapping[str, Any]) -> list[float]:
        numbers: list[float] = np.asarray(super()._vector(embedding, body), dtype=np.float16).tolist()
        return numbers


class Centred(over_urllib.Honest):
    """Subtracts the mean, and says nothing of it."""

    def _vector(self, embedding: Any, body: Mapping[str, Any]) -> list[float]:
        vector = np.asarray(super()._vector(embedding, body))
        numbers: list[float] = (vector - vector.mean()).tolist()
        return numbers


class Gullible(over_requests.Honest):
    """Takes any JSON for an answer, and whatever is not there for empty."""

    def _read(self, operation: str, request: Mapping[str, Any], answer: Answer) -> Any:
        try:
            value = json.loads(answer.body)
        except ValueError:
            value = None
        return value if isinstance(value, dict) and "data" in value else {"data": []}

    def embedding(self, texts: Sequence[str], **options: Any) -> Work:
        value = yield from self._asked("embed", {"model": "voyage-code-3", "output_dimension": 2048, **options, "input": list(texts)}, 1e12)
        return [self._vector(item.get("embedding"), {}) for item in value["data"]]


class NoTwins(over_urllib.Honest):
    """Returns one vector for texts that are the same."""

    def embedding(self, texts: Sequence[str], **options: Any) -> Work:
        return (yield from super().embedding(list(dict.fromkeys(texts)), **options))


class Tidy(over_aiohttp.Honest):
    """Strips the white space around each text."""

    def embedding(self, texts: Sequence[str], **options: Any) -> Work:
        return (yield from super().embedding([text.strip() for text in texts], **options))


class Deaf(over_urllib.Honest):
    """Drops an option on the way."""

    def embedding(self, texts: Sequence[str], input_type: str | None = None, **options: Any) -> Work:
        return (yield from super().embedding(texts, **options))


class Presumptuous(over_aiohttp.Honest):
    """Takes everything for a document unless told otherwise."""

    def embedding(self, texts: Sequence[str], input_type: str | None = None, **options: Any) -> Work:
        return (yield from super().embedding(texts, input_type=input_type or "document", **options))


class ByDefault(over_requests.Honest):
    """Leaves the dimension to the provider."""

    def _asked(self, operation: str, body: Mapping[str, Any], deadline_s: float) -> Work:
        lean = {name: value for name, value in body.items() if (name, value) != ("output_dimension", 2048)}
        return (yield from super()._asked(operation, lean, deadline_s))


class Careless(over_aiohttp.Honest):
    """Sends whatever it is given and lets the provider find out."""

    def _check_request(self, operation: str, body: Mapping[str, Any]) -> None:
        """Checks nothing."""

    def _batches(self, operation: str, field: str, items: list[Any], body: Mapping[str, Any]) -> list[list[Any]]:
        return super()._batches(operation, field, items, body) or [[]]


class Wide(over_urllib.Honest):
    """Asks for the best three whatever number it was told."""

    def ranking(self, query: str, documents: Sequence[str], top_k: int | None = None, **options: Any) -> Work:
        return (yield from super().ranking(query, documents, top_k=3 if top_k else None, **options))
