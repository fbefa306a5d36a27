"""Voyage AI: embeddings, contextualized embeddings and reranking, as ``contracts/voyage_ai.yaml`` promises."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx
import numpy as np
from numpy.typing import NDArray

from adapters.endpoint import Endpoint, agreement_at, shipped
from adapters.errors import IntegrationError, InvalidInput
from adapters.resilience import Cache, Monitor, readonly
from adapters.resilience.monitor import OnAlert
from adapters.resilience.settings import cache_policy
from harness.contract.agreement import OperationTerms
from harness.contract.base64_text import from_base64

Vector = NDArray[Any]
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One document of a ranking: its place in the request, how relevant it is, its text if asked for."""

    index: int
    score: float
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What one health check found; ``latency_s`` covers all its attempts."""

    healthy: bool
    latency_s: float
    error: IntegrationError | None = None


class VoyageAI:
    """An asynchronous client; every number in it comes from the contract.

    ``credential`` defaults to the environment variable that the contract names. All methods raise the errors
    of ``adapters.errors`` that the contract declares, and InvalidInput for what may not be sent.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        credential: str | None = None,
        contract: Path | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        agreement = agreement_at(contract or shipped("voyage_ai.yaml"))
        self._endpoint = Endpoint(agreement, base_url=base_url, credential=credential, transport=transport)
        self._contract = agreement.contract
        policy = cache_policy(self._contract)
        self._cache: Cache[Key, Vector] | None = Cache(policy, own=readonly) if policy else None

    def __repr__(self) -> str:
        return f"<VoyageAI {self._endpoint!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()

    async def embed(
        self,
        texts: Sequence[str],
        *,
        model: str | None = None,
        input_type: str | None = None,
        truncation: bool | None = None,
        output_dimension: int | None = None,
        output_dtype: str | None = None,
    ) -> Vector:
        """Unit vectors of the texts, in their order: float32 of shape (texts, dimension).

        For ``output_dtype`` int8 or binary the array is int8, for uint8 or ubinary uint8; bits come packed,
        eight to a component. As many requests are made as the batch limits ask for, at the same time.
        """
        given = [texts] if isinstance(texts, str) else list(texts)
        options = _said(
            model=model, input_type=input_type, truncation=truncation, output_dimension=output_dimension, output_dtype=output_dtype
        )
        body = self._with_defaults("embed", {"input": given, "encoding_format": "base64", **options})
        batches = self._valid_batches("embed", "input", body)
        read: Read = lambda data, dtype: [_decoded(item["embedding"], dtype) for item in data]
        vectors = await self._fetched("embed", "input", body, batches, read)
        return np.stack(vectors)

    async def embed_contextualized(
        self,
        inputs: Sequence[Sequence[str] | str],
        *,
        model: str | None = None,
        input_type: str | None = None,
        output_dimension: int | None = None,
        output_dtype: str | None = None,
        enable_auto_chunking: bool | None = None,
        chunk_size: int | None = None,
        chunk_overlap: int | None = None,
    ) -> list[Vector]:
        """For each document an array of shape (chunks, dimension): chunks know the document they stand in."""
        given = [document if isinstance(document, str) else list(document) for document in inputs]
        options = _said(
            model=model, input_type=input_type, output_dimension=output_dimension, output_dtype=output_dtype,
            enable_auto_chunking=enable_auto_chunking, chunk_size=chunk_size, chunk_overlap=chunk_overlap,
        )
        body = self._with_defaults("embed_contextualized", {"inputs": given, "encoding_format": "base64", **options})
        batches = self._valid_batches("embed_contextualized", "inputs", body)
        return await self._split(
            "embed_contextualized", "inputs", body, batches,
            lambda data, dtype: [np.stack([_decoded(chunk["embedding"], dtype) for chunk in document["data"]]) for document in data],
        )

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        model: str | None = None,
        top_k: int | None = None,
        return_documents: bool | None = None,
        truncation: bool | None = None,
    ) -> list[Ranked]:
        """The documents by falling relevance to the query, at most ``top_k`` of them."""
        options = _said(model=model, top_k=top_k, return_documents=return_documents, truncation=truncation)
        body = self._with_defaults("rerank", {"query": query, "documents": list(documents), **options})
        terms = self._terms("rerank")
        self._endpoint.refuse_invalid(terms, body)
        value = await self._endpoint.call(terms, body, deadline=self._endpoint.resilience.deadline(), tokens=_cost(terms, body, "tokens"))
        return [Ranked(index=item["index"], score=item["relevance_score"], document=item.get("document")) for item in value["data"]]

    async def health_check(self) -> Health:
        """Make the contract's probe, past the cache; an unhealthy provider is a result, not an error."""
        loop = asyncio.get_running_loop()
        operation, _, example = self._contract.provider.probe.partition("/")
        terms, started_s = self._terms(operation), loop.time()
        body = self._contract.operations[operation].examples[example].request.body
        assert isinstance(body, dict)
        try:
            await self._endpoint.call(terms, body, deadline=self._endpoint.resilience.deadline(), tokens=_cost(terms, body, "tokens"))
        except IntegrationError as error:
            return Health(healthy=False, latency_s=loop.time() - started_s, error=error)
        return Health(healthy=True, latency_s=loop.time() - started_s)

    def monitor(self, *, on_alert: OnAlert | None = None) -> Monitor:
        """Health checks at the contract's interval for as long as the monitor is entered; alerts on change."""

        async def check() -> None:
            health = await self.health_check()
            if health.error is not None:
                raise health.error

        monitoring = self._contract.monitoring
        if monitoring is None:
            raise InvalidInput("the contract asks for no monitoring")
        return Monitor(
            check,
            interval_s=monitoring.health_check_interval,
            on_alert=on_alert if monitoring.alert_on_failure else None,
            on_event=self._endpoint.metrics,
        )

    @property
    def metrics(self) -> Mapping[str, float]:
        """Counts and seconds of everything that this client did so far."""
        return self._endpoint.metrics.snapshot()

    def _terms(self, operation: str) -> OperationTerms:
        return self._endpoint.agreement.operations[operation]

    def _with_defaults(self, operation: str, body: dict[str, object]) -> dict[str, object]:
        """The contract's defaults for what was left open."""
        return {**self._terms(operation).model.request.defaults, **body}

    def _valid_batches(self, operation: str, field: str, body: Mapping[str, object]) -> "list[_Batch]":
        """The items in good requests; InvalidInput for what can't be split into such."""
        items = body[field]
        assert isinstance(items, list)
        terms = self._terms(operation)
        batches = self._batches(terms, field, body)
        for batch in batches or [_Batch(items, 0.0)]:
            self._endpoint.refuse_invalid(terms, {**body, field: batch.items})
        return batches

    async def _fetched(
        self, operation: str, field: str, body: dict[str, object], batches: "list[_Batch]", read: "Read"
    ) -> list[Vector]:
        """The results of the items, as far as they are known from the cache, the rest by requests."""
        items = body[field]
        assert isinstance(items, list)
        if self._cache is None:
            return await self._split(operation, field, body, batches, read)
        key = (operation, *((name, value) for name, value in sorted(body.items()) if name != field))

        async def load(keys: tuple[Key, ...]) -> list[Vector]:
            if len(keys) == len(items):  # nothing is known and nothing stands twice
                return await self._split(operation, field, body, batches, read)
            asked = {**body, field: [item for *_, item in keys]}
            return await self._split(operation, field, asked, self._batches(self._terms(operation), field, asked), read)

        return await self._cache.fetch([(*key, item) for item in items], load)

    async def _split(
        self, operation: str, field: str, body: dict[str, object], batches: "list[_Batch]", read: "Read"
    ) -> list[Vector]:
        """The results of the items in their order, by as many requests as the limits ask for, at the same time."""
        terms, deadline = self._terms(operation), self._endpoint.resilience.deadline()
        dtype = str(body.get("output_dtype") or "float")

        async def one(batch: _Batch) -> list[Vector]:
            value = await self._endpoint.call(terms, {**body, field: batch.items}, deadline=deadline, tokens=batch.tokens)
            return read(value["data"], dtype)

        if len(batches) == 1:
            return await one(batches[0])
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(batch)) for batch in batches]
        except* IntegrationError as failed:
            first: BaseException = failed
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            raise first from None
        return [vector for task in tasks for vector in task.result()]

    def _batches(self, terms: OperationTerms, field: str, body: Mapping[str, object]) -> "list[_Batch]":
        """The items in as few requests as the limits allow, each item in one."""
        items, limit = body[field], self._contract.limits.batch
        assert isinstance(items, list)
        most_items = limit.items if limit and limit.items else len(items)
        most_tokens = limit.tokens if limit and limit.tokens else float("inf")
        if len(items) <= most_items and (whole := _cost(terms, body, "tokens")) <= most_tokens:
            return [_Batch(items, whole)] if items else []
        batches: list[list[object]] = []
        spent = float("inf")
        for item in items:
            tokens = _cost(terms, {**body, field: [item]}, "tokens")
            if spent + tokens > most_tokens or len(batches[-1]) >= most_items:
                batches.append([])
                spent = 0.0
            batches[-1].append(item)
            spent += tokens
        return [_Batch(batch, _cost(terms, {**body, field: batch}, "tokens")) for batch in batches]


class _Batch(NamedTuple):
    """The items of one request, and its tokens."""

    items: list[object]
    tokens: float


Read = Callable[[list[dict[str, Any]], str], list[Vector]]

_DTYPES = {"float": "<f4", "int8": "<i1", "uint8": "<u1", "binary": "<i1", "ubinary": "<u1"}


def _decoded(embedding: str | list[float], dtype: str) -> Vector:
    """One vector from base64 or from numbers."""
    if isinstance(embedding, str):
        return np.frombuffer(from_base64(embedding), dtype=_DTYPES[dtype])
    return np.asarray(embedding, dtype=_DTYPES[dtype])


def _said(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


def _cost(terms: OperationTerms, body: Mapping[str, object], unit: str) -> float:
    """What a request costs by the contract's own expression, 0 where it says nothing or can't tell."""
    expression = terms.model.cost and terms.cost.get(unit)
    if not expression:
        return 0.0
    try:
        value = expression.evaluate(terms.terms(request={"body": body, "query": {}, "path": {}, "headers": {}}))
    except ValueError:
        return 0.0
    return float(value) if isinstance(value, int | float) else 0.0

