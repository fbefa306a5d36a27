"""Honest clients that do as the contract says, and otherwise than ours: nobody may take them for liars."""

import json
import os
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np

from adapters import errors
from adapters.voyage_ai import VoyageAI
from tests.miniatures.clients import over_aiohttp, over_requests, over_urllib
from tests.miniatures.clients.blocking import Blocking
from tests.miniatures.clients.sound import Answer, Late, Lost, Send, Work


class InTurn(VoyageAI):
    """Sends its batches one after the other."""

    async def embed(self, texts: Sequence[str], **options: Any) -> Any:
        given = list(texts)
        if len(given) <= 1000:
            return await super().embed(given, **options)
        return np.concatenate(
            [await super(InTurn, self).embed(given[start : start + 1000], **options) for start in range(0, len(given), 1000)]
        )


class Floats(over_aiohttp.Honest):
    """Asks for numbers, not for base64."""

    encoding = None


class MostJitter(over_urllib.Honest):
    """Adds the whole second of jitter, always."""

    def _wait_s(self, retry: int, answer: Answer | None) -> float:
        hint_s = self._hint_s(answer) if answer is not None and answer.status == 429 else None
        return 2.0**retry + 1.0 if hint_s is None else hint_s + 5.0


class LeastJitter(over_aiohttp.Honest):
    """Adds none, which is up to a second too."""

    def _wait_s(self, retry: int, answer: Answer | None) -> float:
        hint_s = self._hint_s(answer) if answer is not None and answer.status == 429 else None
        return 2.0**retry if hint_s is None else hint_s + 1.0


class OneProbe(over_aiohttp.Honest):
    """Sends one probe at a time while its circuit is half-open."""

    def _admit(self, error: Exception | None) -> None:
        if self._probes:
            raise error or errors.CircuitOpen(retry_in_s=None)
        super()._admit(error)


class ReadsItsKeyEachTime(over_requests.Honest):
    """Takes the key from the environment for each request, so that it never has an old one."""

    def _headers(self) -> dict[str, str]:
        self._credential = os.environ.get("VOYAGE_API_KEY", self._credential)
        return super()._headers()


class Thrifty(over_urllib.Honest):
    """Takes a token for shorter than it is, and so sends less than it might."""

    def _tokens(self, operation: str, body: Mapping[str, Any]) -> float:
        return 1.5 * super()._tokens(operation, body)


class Spells(over_aiohttp.Honest):
    """Writes its JSON in another way each time."""

    async def send(self, send: Send) -> Answer:
        value = json.loads(send.body)
        names = random.sample(list(value), len(value))
        body = json.dumps({name: value[name] for name in names}, indent=random.choice((None, 2)), ensure_ascii=False).encode()
        return await super().send(Send(send.path, body, send.headers, send.timeout_s))


class Explicit(over_urllib.Honest):
    """Says what would hold anyway."""

    def embedding(self, texts: Sequence[str], truncation: bool | None = None, **options: Any) -> Work:
        return (yield from super().embedding(texts, truncation=True if truncation is None else truncation, **options))

    def ranking(self, query: str, documents: Sequence[str], return_documents: bool | None = None, **options: Any) -> Work:
        return (yield from super().ranking(query, documents, return_documents=bool(return_documents), **options))


class StopsShort(over_aiohttp.Honest):
    """Does not begin an attempt that might outlast the budget."""

    def _attempt(self, operation, content, deadline_s):  # type: ignore[no-untyped-def]  # as in the class above it
        if time.monotonic() + self.timeout_s > deadline_s:
            raise errors.DeadlineExceeded("no time for a whole attempt")
        return (yield from super()._attempt(operation, content, deadline_s))


class BreaksAreFinal(over_urllib.Honest):
    """Takes an answer that breaks off for an invalid one, and does not ask again."""

    def _attempt(self, operation, content, deadline_s):  # type: ignore[no-untyped-def]  # as in the class above it
        answer, error = yield from super()._attempt(operation, content, deadline_s)
        broken_off = isinstance(error, errors.ProviderUnreachable) and any(
            name in str(error) for name in ("IncompleteRead", "BadStatusLine", "RemoteDisconnected")
        )
        return answer, errors.InvalidResponse("it broke off") if broken_off else error


class OverHttpx(Blocking):
    """Blocks, on httpx, and sends its batches from threads of its own."""

    def __init__(self, *, url: str, api_key: str) -> None:
        super().__init__(base_url=url, credential=api_key)
        self._http = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=None))
        self._pool = ThreadPoolExecutor(4)

    def close(self) -> None:
        self._pool.shutdown()
        self._http.close()

    def embed(self, texts: Sequence[str], **options: Any) -> Any:
        given = list(texts)
        parts = [given[start : start + 500] for start in range(0, len(given), 500)] or [given]
        found = self._pool.map(lambda part: super(OverHttpx, self).embed(part, **options), parts)
        return [vector for part in found for vector in part]

    def send(self, send: Send) -> Answer:
        try:
            with self._http.stream(
                "POST", self.base_url + send.path, content=send.body, headers=dict(send.headers), timeout=send.timeout_s
            ) as response:
                return Answer(response.status_code, dict(response.headers), self._body(response, send.timeout_s))
        except (httpx.TimeoutException, TimeoutError):
            raise Late from None
        except httpx.TransportError as error:
            raise Lost from error

    def _body(self, response: httpx.Response, timeout_s: float) -> bytes:
        deadline_s, found = time.monotonic() + timeout_s, []
        for piece in response.iter_bytes():
            found.append(piece)
            if time.monotonic() >= deadline_s:
                raise TimeoutError
        return b"".join(found)
