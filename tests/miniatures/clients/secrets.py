"""Clients that show their credential, or send it where it does not belong."""

import logging
from collections.abc import Mapping
from typing import Any

import httpx

from adapters import errors
from adapters.voyage_ai import VoyageAI
from tests.miniatures.clients import over_aiohttp, over_requests, over_urllib
from tests.miniatures.clients.sound import Answer, Send

_log = logging.getLogger(__name__)


class InTheMessage(over_urllib.Honest):
    """Names its key in an error."""

    def _error(self, operation: str, answer: Answer) -> Exception | None:
        error = super()._error(operation, answer)
        return (
            type(error)(status=answer.status, detail=f"with key {self._credential}") if isinstance(error, errors.ProviderError) else error
        )


class InAField(over_urllib.Honest):
    """Keeps the headers that it sent with the error, for whoever wants to know."""

    def _error(self, operation: str, answer: Answer) -> Exception | None:
        error = super()._error(operation, answer)
        if error is not None:
            error.request_headers = self._headers()  # type: ignore[attr-defined]
        return error


class InACause(over_aiohttp.Honest):
    """Says less than it knows, but for what it was raised from."""

    def _error(self, operation: str, answer: Answer) -> Exception | None:
        error = super()._error(operation, answer)
        if error is not None:
            error.__cause__ = RuntimeError("POST", operation, self._headers())
            error.__suppress_context__ = True
        return error


class EchoesTheProvider(over_aiohttp.Honest):
    """Tells what the provider said, word for word."""

    def _error(self, operation: str, answer: Answer) -> Exception | None:
        error = super()._error(operation, answer)
        return type(error)(status=answer.status, detail=answer.body.decode()) if isinstance(error, errors.ProviderError) else error


class InTheLog(over_requests.Honest):
    """Logs the headers that it sends, to its own file only."""

    def send(self, send: Send) -> Answer:
        own = logging.getLogger(f"{__name__}.wire")
        own.propagate = False
        own.addHandler(logging.NullHandler())
        own.debug("sending %s", dict(send.headers))
        return super().send(send)


class OnTheTerminal(over_urllib.Honest):
    """Prints what it is doing."""

    def send(self, send: Send) -> Answer:
        print("POST", send.path, send.headers["authorization"][:24])
        return super().send(send)


class InTheUrl(over_aiohttp.Honest):
    """Adds its key to the query."""

    async def send(self, send: Send) -> Answer:
        return await super().send(Send(f"{send.path}?key={self._credential}", send.body, send.headers, send.timeout_s))


class InItsName(VoyageAI):
    """Shows its key when it is looked at."""

    def __init__(self, *, base_url: str | None = None, credential: str | None = None) -> None:
        super().__init__(base_url=base_url, credential=credential)
        self._shown = credential

    def __repr__(self) -> str:
        return f"VoyageAI(credential={self._shown!r})"


class InAnotherHeader(over_urllib.Honest):
    """Sends its key a second time, for a proxy to log."""

    def _headers(self) -> dict[str, str]:
        return {**super()._headers(), "x-api-key": self._credential}


class WithAnotherScheme(over_aiohttp.Honest):
    """Sends its key bare."""

    def _headers(self) -> dict[str, str]:
        return {**super()._headers(), "authorization": self._credential}


class FollowsAnywhere:
    """Goes wherever it is sent, its key in hand; an httpx client of few words."""

    def __init__(self, *, base_url: str, credential: str) -> None:
        self._base_url, self._credential = base_url, credential

    def embed(self, texts: list[str], **options: Any) -> Any:
        return self._posted("/embeddings", {"input": texts, **options})

    def rerank(self, query: str, documents: list[str], **options: Any) -> Any:
        return self._posted("/rerank", {"query": query, "documents": documents, **options})

    def embed_contextualized(self, inputs: list[Any], **options: Any) -> Any:
        return self._posted("/contextualizedembeddings", {"inputs": inputs, **options})

    def _posted(self, path: str, body: Mapping[str, Any]) -> Any:
        url = self._base_url + path
        for _ in range(3):
            response = httpx.post(url, json=body, headers={"authorization": f"Bearer {self._credential}"}, timeout=60)
            if response.status_code != 307:
                break
            url = response.headers["location"]
        response.raise_for_status()
        return response.json()["data"]


class DeafToRotation(over_urllib.Honest):
    """Reads its key once, and never again."""

    def _reread(self) -> bool:
        return False


class RotatesForEver(over_aiohttp.Honest):
    """Sends again after each 401, whether the key has changed or not."""

    retried = over_aiohttp.Honest.retried | {401}
