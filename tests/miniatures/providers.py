"""Lying providers for `contracts/voyage_ai.yaml`: each is the contract's stub with one thing wrong.

`python -m tests.miniatures.providers NAME` serves one on a port, for `pytest --contract voyage_ai --provider URL`.
"""

import json
import math
import random
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from threading import Event
from time import monotonic
from typing import Any

import numpy as np

from harness.contract.agreement import Agreement
from harness.exchange import Request, Response
from harness.provider.stub import Stub
from harness.provider.stubbed import StubProvider
from harness.wire.clock import VirtualClock
from harness.wire.server import Server, ThreadedServer
from tests.miniatures.clients.sound import agreement

Ask = Callable[[Request], Response]
Lie = Callable[[Ask, Request], Response]
LIES: dict[str, Lie] = {}
JSON = (("content-type", "application/json"),)


class LyingStub:
    """A stub that is asked, and a lie that is told instead."""

    def __init__(self, honest: Stub, lie: Lie) -> None:
        self._honest = honest
        self._lie = lie

    async def answer(self, request: Request) -> Response:
        return self.answer_now(request)

    def answer_now(self, request: Request) -> Response:
        return self._lie(self._honest.answer_now, request)

    def enter(self, given: str | None) -> None:
        self._honest.enter(given)

    def accept(self, credential: str) -> None:
        self._honest.accept(credential)


class LyingProvider(StubProvider):
    """The contract's stub as a provider, with one lie."""

    def __init__(self, agreement: Agreement, name: str) -> None:
        super().__init__(agreement)
        self._lie = LIES[name]

    def upstream(self, clock: Callable[[], float] | VirtualClock = monotonic) -> Any:
        return LyingStub(super().upstream(clock), self._lie)


def lie(change: Lie) -> Lie:
    """Put a lie on the list, by its name."""
    LIES[change.__name__] = change
    return change


def about(path: str, status: int = 200) -> Callable[[Callable[[Any, Any], Any]], Lie]:
    """A lie about the body of an answer of a status to requests of a path: the changed body, from it and the request's."""

    def of(change: Callable[[Any, Any], Any]) -> Lie:
        def told(ask: Ask, request: Request) -> Response:
            response = ask(request)
            if response.status != status or not request.path.endswith(path):
                return response
            changed = change(response.json(), request.json())
            return replace(response, body=changed if isinstance(changed, bytes) else json.dumps(changed).encode())

        told.__name__ = change.__name__
        return lie(told)

    return of


def each_vector(body: Any, change: Callable[[list[float]], Any]) -> Any:
    """The body with each vector of numbers changed, and each vector of floats in base64 too."""
    for item in body["data"]:
        given = item["embedding"]
        if isinstance(given, list):
            item["embedding"] = change(given)
        elif len(b64decode(given)) % 4 == 0:
            changed = np.asarray(change(np.frombuffer(b64decode(given), dtype="<f4").tolist()), dtype="<f4")
            item["embedding"] = b64encode(changed.tobytes()).decode()
    return body


# Vectors


@about("/embeddings")
def one_short(body: Any, asked: Any) -> Any:
    return {**body, "data": body["data"][:-1]} if len(body["data"]) > 1 else body


@about("/embeddings")
def one_twice(body: Any, asked: Any) -> Any:
    return {**body, "data": [*body["data"], body["data"][-1]]}


@about("/embeddings")
def vectors_swapped(body: Any, asked: Any) -> Any:
    """The indexes are in order all the same."""
    vectors = [item["embedding"] for item in body["data"]]
    for item, vector in zip(body["data"], vectors[::-1], strict=True):
        item["embedding"] = vector
    return body


@about("/embeddings")
def swapped_in_large_batches(body: Any, asked: Any) -> Any:
    """As a provider does that works in batches of its own."""
    data = body["data"]
    if len(data) > 128:
        data[2]["embedding"], data[128]["embedding"] = data[128]["embedding"], data[2]["embedding"]
    return body


@about("/embeddings")
def another_vector_for_a_repeated_text(body: Any, asked: Any) -> Any:
    texts, data = asked["input"], body["data"]
    for place, text in enumerate(texts if isinstance(texts, list) else ()):
        if text in texts[:place]:
            data[place]["embedding"] = data[texts.index(text) + 1]["embedding"]
    return body


@about("/embeddings")
def out_of_order(body: Any, asked: Any) -> Any:
    return {**body, "data": body["data"][::-1]}


@about("/embeddings")
def half_the_dimension(body: Any, asked: Any) -> Any:
    def halved(vector: list[float]) -> list[float]:
        half = vector[: len(vector) // 2]
        length = math.sqrt(sum(number * number for number in half)) or 1.0
        return half if all(isinstance(number, int) for number in half) else [number / length for number in half]

    return each_vector(body, halved)


@about("/embeddings")
def not_unit_length(body: Any, asked: Any) -> Any:
    if asked.get("output_dtype") not in (None, "float"):
        return body
    return each_vector(body, lambda vector: [number * 1.01 for number in vector])


@about("/embeddings")
def another_vector_each_time(body: Any, asked: Any) -> Any:
    if asked.get("output_dtype") not in (None, "float"):
        return body
    return each_vector(body, lambda vector: (np.asarray(vector) * random.choice((-1.0, 1.0))).tolist())


@about("/embeddings")
def null_for_a_number(body: Any, asked: Any) -> Any:
    for item in body["data"]:
        if isinstance(item["embedding"], list):
            item["embedding"][1] = None
    return body


@about("/embeddings")
def not_a_number(body: Any, asked: Any) -> Any:
    if isinstance(body["data"][0]["embedding"], list):
        body["data"][0]["embedding"][0] = float("nan")
    return body


@about("/embeddings")
def bytes_of_300(body: Any, asked: Any) -> Any:
    for item in body["data"]:
        if asked.get("output_dtype") in ("int8", "uint8", "binary", "ubinary") and isinstance(item["embedding"], list):
            item["embedding"][0] = 300
    return body


@about("/embeddings")
def base64_unasked(body: Any, asked: Any) -> Any:
    kinds = {"int8": "<i1", "uint8": "<u1", "binary": "<i1", "ubinary": "<u1"}
    for item in body["data"]:
        if isinstance(item["embedding"], list):
            packed = np.asarray(item["embedding"], dtype=kinds.get(asked.get("output_dtype"), "<f4"))
            item["embedding"] = b64encode(packed.tobytes()).decode()
    return body


# Names, types and numbers around them


@about("/embeddings")
def renamed_field(body: Any, asked: Any) -> Any:
    return {**body, "usage": {"tokens": body["usage"]["total_tokens"]}}


@about("/embeddings")
def negative_usage(body: Any, asked: Any) -> Any:
    return {**body, "usage": {"total_tokens": -1}}


@about("/embeddings")
def index_as_text(body: Any, asked: Any) -> Any:
    return {**body, "data": [{**item, "index": str(item["index"])} for item in body["data"]]}


@about("/embeddings")
def another_model(body: Any, asked: Any) -> Any:
    return {**body, "model": "voyage-2"}


# Messages


@about("/embeddings")
def error_as_success(body: Any, asked: Any) -> Any:
    return {"detail": "Something went wrong."}


@about("/embeddings")
def truncated(body: Any, asked: Any) -> Any:
    text = json.dumps(body).encode()
    return text[: len(text) // 2]


@lie
def html(ask: Ask, request: Request) -> Response:
    response = ask(request)
    page = Response(status=200, headers=(("content-type", "text/html"),), body=b"<html><body>Welcome!</body></html>")
    return page if response.status == 200 else response


@lie
def no_content_type(ask: Ask, request: Request) -> Response:
    response = ask(request)
    return replace(response, headers=()) if response.status == 200 else response


@lie
def created(ask: Ask, request: Request) -> Response:
    response = ask(request)
    return replace(response, status=201) if response.status == 200 else response


@lie
def fails_now_and_then(ask: Ask, request: Request) -> Response:
    return ask(request) if next(_turns) % 7 else Response(status=500, headers=(("content-type", "text/plain"),), body=b"oops")


_turns = count(1)


# Refusals


@lie
def takes_any_key(ask: Ask, request: Request) -> Response:
    response = ask(request)
    return response if response.status != 401 else _answered_anyway(ask, request)


@lie
def takes_anything(ask: Ask, request: Request) -> Response:
    response = ask(request)
    return response if response.status != 400 else _answered_anyway(ask, request)


def _answered_anyway(ask: Ask, request: Request) -> Response:
    examples = {operation.model.path: operation.model.examples for operation in agreement().operations.values()}
    shown = next(iter(examples[request.path.removeprefix("/v1")].values())).request.body
    headers = (("authorization", "Bearer hk-stub-6f1d2c7a9b3e4850"), *JSON)
    return ask(replace(request, headers=headers, body=json.dumps(shown).encode()))


@lie
def forbidden_for_a_bad_key(ask: Ask, request: Request) -> Response:
    response = ask(request)
    return replace(response, status=403) if response.status == 401 else response


@lie
def unprocessable(ask: Ask, request: Request) -> Response:
    response = ask(request)
    return replace(response, status=422) if response.status == 400 else response


@lie
def errors_of_another_shape(ask: Ask, request: Request) -> Response:
    response = ask(request)
    return replace(response, body=b'{"error": {"message": "no"}}') if 400 <= response.status < 500 else response


@lie
def errors_as_text(ask: Ask, request: Request) -> Response:
    response = ask(request)
    plain = replace(response, headers=(("content-type", "text/plain"),), body=b"no")
    return plain if 400 <= response.status < 500 else response


# Rankings


@about("/rerank")
def top_k_ignored(body: Any, asked: Any) -> Any:
    if asked.get("top_k") and len(body["data"]) < len(asked["documents"]):
        missing = next(index for index in range(len(asked["documents"])) if index not in [item["index"] for item in body["data"]])
        lowest = {"index": missing, "relevance_score": -1.0}
        if asked.get("return_documents"):
            lowest["document"] = asked["documents"][missing]
        return {**body, "data": [*body["data"], lowest]}
    return body


@about("/rerank")
def unsorted(body: Any, asked: Any) -> Any:
    return {**body, "data": body["data"][::-1]}


@about("/rerank")
def index_beyond_the_list(body: Any, asked: Any) -> Any:
    return {**body, "data": [{**item, "index": item["index"] + len(asked["documents"])} for item in body["data"]]}


@about("/rerank")
def the_same_one_twice(body: Any, asked: Any) -> Any:
    return {**body, "data": [{**item, "index": body["data"][0]["index"]} for item in body["data"]]}


@about("/rerank")
def documents_unasked(body: Any, asked: Any) -> Any:
    return {**body, "data": [{**item, "document": asked["documents"][item["index"]]} for item in body["data"]]}


@about("/rerank")
def another_document(body: Any, asked: Any) -> Any:
    return {**body, "data": [{**item, "document": "lorem"} if "document" in item else item for item in body["data"]]}


@about("/rerank")
def scores_of_others(body: Any, asked: Any) -> Any:
    """The scores are in order, and belong to other documents."""
    indexes = [item["index"] for item in body["data"]][::-1]
    return {**body, "data": [{**item, "index": index} for item, index in zip(body["data"], indexes, strict=True)]}


# Documents of chunks


@about("/contextualizedembeddings")
def documents_swapped(body: Any, asked: Any) -> Any:
    swapped = body["data"][::-1]
    return {**body, "data": [{**document, "index": index} for index, document in enumerate(swapped)]}


@about("/contextualizedembeddings")
def chunks_lost(body: Any, asked: Any) -> Any:
    return {**body, "data": [{**document, "data": document["data"][:1]} for document in body["data"]]}


def serve(name: str, port: int = 0) -> None:
    """Serve a lying provider until it is interrupted."""
    stub = LyingStub(Stub(agreement()), LIES[name])
    with ThreadedServer(Server(answer=stub.answer_now, port=port)) as server:
        print(f"{name} at {server.origin}{agreement().base_path}", flush=True)
        Event().wait()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in LIES:
        sys.exit(f"usage: python -m tests.miniatures.providers NAME [PORT]\nNAME is one of: {', '.join(LIES)}")
    serve(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
