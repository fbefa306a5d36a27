"""Clients to answer anything: a careful one for the shop, and liars, each careless in one way."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from adapters.errors import InvalidResponse
from adapters.voyage_ai import VoyageAI
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Request, Response
from harness.wire.mutations import broken_by


class InvalidRequest(Exception):
    pass


class AuthenticationFailed(Exception):
    pass


class Conflict(Exception):
    pass


class ProviderUnavailable(Exception):
    pass


RAISED = {400: InvalidRequest, 401: AuthenticationFailed, 409: Conflict, 503: ProviderUnavailable}


@cache
def shop() -> Agreement:
    return load(Path(__file__).with_name("shop.yaml"))


class CarefulShop:
    """A synchronous client that reads every answer by the contract before it believes it."""

    def __init__(self, *, base_url: str, credential: str) -> None:
        self._base, self._key, self._http = base_url, credential, httpx.Client()

    def close(self) -> None:
        self._http.close()

    def find(self, shelf: str, q: str, limit: int | None = None) -> list[str]:
        query = {"q": q} | ({"limit": limit} if limit is not None else {})
        answer = self._http.get(f"{self._base}/shelves/{shelf}/items", params=query, headers={"x-key": self._key})  # type: ignore[arg-type]  # text and numbers
        return [item["name"] for item in self.read(answer, 200)["items"]]

    def add(self, item: dict[str, Any]) -> str:
        answer = self._http.post(f"{self._base}/items", json=item, headers={"x-key": self._key})
        return str(self.read(answer, 201)["id"])

    def read(self, answer: httpx.Response, status: int) -> Any:
        self.check(answer)
        if answer.status_code != status:
            raise RAISED.get(answer.status_code, InvalidResponse)(f"status {answer.status_code}")
        return answer.json()

    def check(self, answer: httpx.Response) -> None:
        sent = answer.request
        request = Request(method=sent.method, target=sent.url.raw_path.decode(), headers=tuple(sent.headers.items()), body=sent.content)
        response = Response(status=answer.status_code, headers=tuple(answer.headers.items()), body=answer.content)
        if broken_by(shop(), request, response):
            raise InvalidResponse("the shop broke its contract")


# Liars of the shop: each believes too much


class Believer(CarefulShop):
    """Takes whatever it can parse."""

    def check(self, answer: httpx.Response) -> None:
        if answer.status_code in (200, 201):
            self.parse(answer)

    def parse(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError as error:
            raise InvalidResponse("no JSON") from error


class StatusBlind(CarefulShop):
    """Does not look at the status."""

    def read(self, answer: httpx.Response, status: int) -> Any:
        return answer.json()


class TypeBlind(CarefulShop):
    """Does not look at the media type."""

    def check(self, answer: httpx.Response) -> None:
        answer.headers["content-type"] = "application/json" if answer.status_code < 300 else answer.headers.get("content-type", "")
        super().check(answer)


class Crasher(CarefulShop):
    """Fails with whatever its parser fails with."""

    def check(self, answer: httpx.Response) -> None:
        try:
            super().check(answer)
        except InvalidResponse:
            raise KeyError("id") from None


class Strict(CarefulShop):
    """Refuses properties that it does not know, though the contract allows them."""

    def check(self, answer: httpx.Response) -> None:
        super().check(answer)
        if answer.status_code == 200 and set(answer.json()) - {"items", "next"}:
            raise InvalidResponse("unknown property")


class Demanding(CarefulShop):
    """Needs what is optional."""

    def read(self, answer: httpx.Response, status: int) -> Any:
        value = super().read(answer, status)
        return (
            value | {"items": [item | {"name": item["name"][: len(str(value["next"])) + 100]} for item in value["items"]]}
            if status == 200
            else value
        )


class Textual(CarefulShop):
    """Reads JSON with a pattern of its own, which knows no escapes and no space."""

    def read(self, answer: httpx.Response, status: int) -> Any:
        self.check(answer)
        if status == 200 and answer.status_code == 200 and b'"items":[' not in answer.content.replace(b": [", b":["):
            raise InvalidResponse("no items")
        return super().read(answer, status)


# Liars of Voyage AI: made of the reference client


class Swallower(VoyageAI):
    """Returns an empty result where the provider broke its contract."""

    async def embed(self, texts: Sequence[str], **options: Any) -> Any:
        try:
            return await super().embed(texts, **options)
        except InvalidResponse:
            return np.zeros((0, 0), dtype=np.float32)


class Inventor(VoyageAI):
    """Makes something up where the provider broke its contract."""

    async def embed(self, texts: Sequence[str], **options: Any) -> Any:
        try:
            return await super().embed(texts, **options)
        except InvalidResponse:
            return np.zeros((len(texts), 1024), dtype=np.float32)


class Rounder(VoyageAI):
    """Keeps half of the precision."""

    async def embed(self, texts: Sequence[str], **options: Any) -> Any:
        return (await super().embed(texts, **options)).astype(np.float16)


class Forgetter(VoyageAI):
    """Loses the scores behind the comma."""

    async def rerank(self, query: str, documents: Sequence[str], **options: Any) -> Any:
        ranked = await super().rerank(query, documents, **options)
        return [{"index": each.index, "score": round(each.score), "document": each.document} for each in ranked]


class Mistyper(VoyageAI):
    """Raises the error of another failure."""

    async def rerank(self, query: str, documents: Sequence[str], **options: Any) -> Any:
        try:
            return await super().rerank(query, documents, **options)
        except InvalidResponse as error:
            raise json.JSONDecodeError(str(error), "", 0) from None


class Unicodeless(VoyageAI):
    """Sends only what fits into Latin letters."""

    async def rerank(self, query: str, documents: Sequence[str], **options: Any) -> Any:
        plain = [document.encode("ascii", "replace").decode() for document in documents]
        return await super().rerank(query, plain, **options)
