"""Clients that remember too little, too much, too long, or the wrong things."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters import errors
from tests.miniatures.clients import over_aiohttp, over_requests, over_urllib
from tests.miniatures.clients.sound import Vectors, Work


class Blank(over_urllib.Honest):
    """Remembers nothing."""

    def _cached(self, text: str, body: Mapping[str, Any]) -> list[float] | None:
        return None


class Forgetful(over_aiohttp.Honest):
    """Remembers for ten minutes."""

    ttl_s = 600.0


class Everlasting(over_requests.Honest):
    """Never asks again."""

    ttl_s = 1e12


class Renewed(over_aiohttp.Honest):
    """Keeps what is used for an hour more."""

    def _cached(self, text: str, body: Mapping[str, Any]) -> list[float] | None:
        vector = super()._cached(text, body)
        if vector is not None:
            self._keep(text, body, vector)
        return vector


class Unbounded(over_aiohttp.Honest):
    """Remembers everything."""

    entries = 10**9


class Small(over_urllib.Honest):
    """Remembers a hundred texts, not ten thousand."""

    entries = 100


class DeafToOptions(over_aiohttp.Honest):
    """Takes a text for known whatever the model and the options are."""

    def _key(self, text: str, body: Mapping[str, Any]) -> str:
        return text


class Shared(over_urllib.Honest):
    """Hands out what it keeps, for anybody to change."""

    def _cached(self, text: str, body: Mapping[str, Any]) -> list[float] | None:
        return self._cache[self._key(text, body)][1] if super()._cached(text, body) is not None else None


class Resentful(over_aiohttp.Honest):
    """Remembers failures too, and does not try again."""

    def embedding(self, texts: Sequence[str], **options: Any) -> Work:
        failures: dict[str, Exception] = self.__dict__.setdefault("_failed", {})
        key = repr((texts, options))
        if key in failures:
            raise failures[key]
        try:
            return (yield from super().embedding(texts, **options))
        except errors.IntegrationError as error:
            failures[key] = error
            raise


class Eager(over_aiohttp.Honest):
    """Remembers rankings too, of which the contract says nothing."""

    def ranking(self, query: str, documents: Sequence[str], **options: Any) -> Work:
        known: dict[str, Any] = self.__dict__.setdefault("_ranked", {})
        key = repr((query, documents, options))
        if key not in known:
            known[key] = yield from super().ranking(query, documents, **options)
        return known[key]


class Unforgiving(over_urllib.Honest):
    """Does not ask for a ranking again that was once refused."""

    def ranking(self, query: str, documents: Sequence[str], **options: Any) -> Work:
        refused: dict[str, Exception] = self.__dict__.setdefault("_refused", {})
        key = repr((query, documents, options))
        if key in refused:
            raise refused[key]
        try:
            return (yield from super().ranking(query, documents, **options))
        except errors.ProviderError as error:
            refused[key] = error
            raise


class Complacent(over_urllib.Honest):
    """Answers from an old copy when the provider fails."""

    def embedding(self, texts: Sequence[str], **options: Any) -> Work:
        old: dict[str, Vectors] = self.__dict__.setdefault("_old", {})
        key = repr((texts, options))
        try:
            old[key] = yield from super().embedding(texts, **options)
        except errors.IntegrationError:
            if key not in old:
                raise
        return old[key]


class DeafToRoles(over_aiohttp.Honest):
    """Takes the vector of a document for that of a query."""

    def _key(self, text: str, body: Mapping[str, Any]) -> str:
        return super()._key(text, {name: value for name, value in body.items() if name != "input_type"})
