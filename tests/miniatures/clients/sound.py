"""An honest client, written by hand, that does no I/O: what it wants done it yields, so that any HTTP stack can do it.

It shares nothing with the reference client but the names of the errors.
"""

import json
import os
import random
import time
from base64 import b64decode
from collections import OrderedDict, deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import numpy as np

from adapters import errors
from harness.contract.agreement import Agreement, OperationTerms, schema_steps
from harness.contract.catalog import load
from harness.contract.expressions import EvaluationError

ROOT = Path(__file__).parents[3]
CONTRACT = ROOT / "contracts" / "voyage_ai.yaml"
_read: dict[Path, Agreement] = {}


@dataclass(frozen=True, slots=True)
class Send:
    """Post this, and wait for the whole answer at most so long."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Sleep:
    """Let so much time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Late(Exception):
    """No complete answer within the timeout."""


class Lost(Exception):
    """No connection, or one that broke."""


Wanted = Send | Sleep
Work = Generator[Wanted, Any, Any]
Vectors = list[list[float]]


def agreement() -> Agreement:
    """The contract, read once."""
    if CONTRACT not in _read:
        _read[CONTRACT] = load(CONTRACT, root=ROOT)
    return _read[CONTRACT]


class Courier:
    """Everything that the contract asks of a client; a subclass drives the generators and does their I/O."""

    attempts = 3
    retried = frozenset({429, 500, 502, 503, 504})
    timeout_s, budget_s, window_s = 60.0, 180.0, 60.0
    most_requests, most_tokens = 300, 1_000_000
    batch_items, batch_tokens = 1000, 120_000
    threshold, recovery_s, probes_wanted = 5, 60.0, 3
    ttl_s, entries = 3600.0, 10_000
    encoding: str | None = "base64"

    def __init__(self, *, base_url: str, credential: str | None = None) -> None:
        self.base_url = base_url
        self._credential = credential or os.environ["VOYAGE_API_KEY"]
        self._sent: deque[tuple[float, float]] = deque()
        self._cache: OrderedDict[str, tuple[float, list[float]]] = OrderedDict()
        self._failures = self._successes = self._probes = 0
        self._opened_s: float | None = None
        self.metrics: dict[str, float] = {"requests": 0, "failures": 0}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.base_url}>"

    # Operations

    def embedding(self, texts: Sequence[str], **options: Any) -> Work:
        """The vectors of the texts, in order."""
        defaults = {"model": "voyage-code-3", "output_dimension": 2048}
        body = {**defaults, "encoding_format": self.encoding, **said(options)}
        self._refuse_invalid("embed", "input", list(texts), body)
        missing = [text for text in dict.fromkeys(texts) if self._cached(text, body) is None]
        found = {text: self._cached(text, body) for text in texts}
        deadline_s = time.monotonic() + self.budget_s
        for batch in self._batches("embed", "input", missing, body):
            value = yield from self._asked("embed", {**body, "input": batch}, deadline_s)
            for text, item in zip(batch, value["data"], strict=True):
                found[text] = vector = self._vector(item["embedding"], body)
                self._keep(text, body, vector)
        return [found[text] for text in texts]

    def contextualizing(self, inputs: Sequence[Any], **options: Any) -> Work:
        """For each document the vectors of its chunks."""
        body = {"model": "voyage-context-3", "output_dimension": 2048, "encoding_format": self.encoding, **said(options)}
        self._refuse_invalid("embed_contextualized", "inputs", list(inputs), body)
        deadline_s = time.monotonic() + self.budget_s
        found: list[Vectors] = []
        for batch in self._batches("embed_contextualized", "inputs", list(inputs), body):
            value = yield from self._asked("embed_contextualized", {**body, "inputs": batch}, deadline_s)
            found += [[self._vector(chunk["embedding"], body) for chunk in document["data"]] for document in value["data"]]
        return found

    def ranking(self, query: str, documents: Sequence[str], **options: Any) -> Work:
        """Index, score and document of the best, best first."""
        body = {"model": "rerank-2.5", "query": query, "documents": list(documents), **said(options)}
        self._check_request("rerank", body)
        value = yield from self._asked("rerank", body, time.monotonic() + self.budget_s)
        return [{"index": r["index"], "score": r["relevance_score"], "document": r.get("document")} for r in value["data"]]

    # One request under all policies

    def _asked(self, operation: str, body: Mapping[str, Any], deadline_s: float) -> Work:
        content, tokens = json.dumps(body).encode(), self._tokens(operation, body)
        refreshed, error, made = False, None, 0
        while made < self.attempts:
            yield from self._room(tokens, deadline_s)
            self._admit(error)
            answer, error = yield from self._attempt(operation, content, deadline_s)
            made += 1
            if error is None and answer is not None:
                return self._read(operation, body, answer)
            if isinstance(error, errors.AuthenticationFailed) and not refreshed and self._reread():
                refreshed, made = True, made - 1
                continue
            assert error is not None
            if not self._may_retry(error) or made >= self.attempts:
                raise error
            wait_s = self._wait_s(made - 1, answer)
            if time.monotonic() + wait_s >= deadline_s:
                raise errors.DeadlineExceeded(f"no time for another attempt: {error}")
            if self._opened_s is not None and time.monotonic() + wait_s < self._opened_s + self.recovery_s:
                raise error
            yield Sleep(wait_s)
        raise error or errors.DeadlineExceeded("no attempt was allowed")

    def _attempt(self, operation: str, content: bytes, deadline_s: float) -> Work:
        path = agreement().operations[operation].model.path
        left_s = deadline_s - time.monotonic()
        self.metrics["requests"] += 1
        try:
            answer = yield Send(path, content, self._headers(), min(self.timeout_s, left_s))
        except Late:
            self._note(failed=True)
            cut = left_s < self.timeout_s
            return None, errors.DeadlineExceeded("the budget is used up") if cut else errors.ProviderTimeout("no answer in time")
        except Lost as lost:
            self._note(failed=True)
            return None, errors.ProviderUnreachable(f"the connection was lost ({type(lost.__cause__).__name__})")
        self._note(failed=True if answer.status >= 500 else False if answer.status < 300 else None)
        return answer, self._error(operation, answer)

    def _headers(self) -> dict[str, str]:
        return {"content-type": "application/json", "authorization": f"Bearer {self._credential}"}

    def _reread(self) -> bool:
        before, self._credential = self._credential, os.environ.get("VOYAGE_API_KEY", self._credential)
        return before != self._credential

    def _may_retry(self, error: Exception) -> bool:
        status = getattr(error, "status", None)
        return status in self.retried if status is not None else isinstance(error, errors.ProviderTimeout | errors.ProviderUnreachable)

    def _wait_s(self, retry: int, answer: Answer | None) -> float:
        hint_s = self._hint_s(answer) if answer is not None and answer.status == 429 else None
        if hint_s is not None:
            return hint_s + random.uniform(1, 5)
        return float(2**retry + random.uniform(0, 1))

    def _hint_s(self, answer: Answer) -> float | None:
        text = answer.headers.get("retry-after", "")
        if text.isdigit():
            return float(text)
        try:
            return max(0.0, (parsedate_to_datetime(text) - parsedate_to_datetime(answer.headers.get("date", ""))).total_seconds())
        except (TypeError, ValueError):
            return None

    # Policies

    def _room(self, tokens: float, deadline_s: float) -> Work:
        while True:
            now_s = time.monotonic()
            while self._sent and self._sent[0][0] <= now_s - self.window_s:
                self._sent.popleft()
            if len(self._sent) < self.most_requests and sum(cost for _, cost in self._sent) + tokens <= self.most_tokens:
                self._sent.append((now_s, tokens))
                return
            until_s = self._sent[0][0] + self.window_s + 0.01
            if until_s >= deadline_s:
                raise errors.DeadlineExceeded("the rate limit leaves no time")
            yield Sleep(until_s - now_s)

    def _admit(self, error: Exception | None) -> None:
        if self._opened_s is None:
            return
        waited_s = time.monotonic() - self._opened_s
        if waited_s < self.recovery_s or self._probes >= self.probes_wanted - self._successes:
            raise error or errors.CircuitOpen(retry_in_s=max(0.0, self.recovery_s - waited_s))
        self._probes += 1

    def _note(self, *, failed: bool | None) -> None:
        """What an attempt says of the provider; None is nothing."""
        self.metrics["failures"] += bool(failed)
        half_open = self._opened_s is not None and self._probes > 0
        self._probes -= half_open
        if failed is None:
            return
        if not failed:
            self._failures = 0
            self._successes += half_open
            if half_open and self._successes >= self.probes_wanted:
                self._opened_s, self._successes, self._probes = None, 0, 0
            return
        self._failures += 1
        if half_open or (self._opened_s is None and self._failures >= self.threshold):
            self._opened_s, self._failures, self._successes, self._probes = time.monotonic(), 0, 0, 0

    def _key(self, text: str, body: Mapping[str, Any]) -> str:
        return json.dumps([text, body], sort_keys=True)

    def _cached(self, text: str, body: Mapping[str, Any]) -> list[float] | None:
        key = self._key(text, body)
        expires_s, vector = self._cache.get(key, (0.0, None))
        if vector is None or expires_s <= time.monotonic():
            return None
        self._cache.move_to_end(key)
        return list(vector)

    def _keep(self, text: str, body: Mapping[str, Any], vector: list[float]) -> None:
        self._cache[self._key(text, body)] = (time.monotonic() + self.ttl_s, list(vector))
        self._cache.move_to_end(self._key(text, body))
        while len(self._cache) > self.entries:
            self._cache.popitem(last=False)

    # Requests

    def _batches(self, operation: str, field: str, items: list[Any], body: Mapping[str, Any]) -> list[list[Any]]:
        batches: list[list[Any]] = []
        spent = 0.0
        for item in items:
            tokens = self._tokens(operation, {**body, field: [item]})
            if not batches or len(batches[-1]) >= self.batch_items or spent + tokens > self.batch_tokens:
                batches.append([])
                spent = 0.0
            batches[-1].append(item)
            spent += tokens
        return batches

    def _tokens(self, operation: str, body: Mapping[str, Any]) -> float:
        terms = _terms(operation)
        try:
            value = terms.evaluate(terms.cost["tokens"], request=_parts(body))
        except EvaluationError:
            return 0.0
        return float(value) if isinstance(value, int | float) else 0.0

    def _refuse_invalid(self, operation: str, field: str, items: list[Any], body: Mapping[str, Any]) -> None:
        for batch in self._batches(operation, field, items, body) or [items]:
            self._check_request(operation, {**body, field: batch})

    def _check_request(self, operation: str, body: Mapping[str, Any]) -> None:
        terms = _terms(operation)
        if not agreement().schemas.is_valid(schema_steps("operations", operation, "request", "body"), body):
            raise errors.InvalidInput(f"{operation}: the request would be malformed")
        for name, rule in terms.rules.items():
            if not _holds(terms, rule, _parts(body)):
                raise errors.InvalidInput(f"{operation}: {name}")

    # Responses

    def _error(self, operation: str, answer: Answer) -> Exception | None:
        shape = _terms(operation).response_for(answer.status)
        if shape is None:
            return errors.InvalidResponse(f"{operation}: status {answer.status}")
        if shape.raises is None:
            return None
        return errors.named(shape.raises)(status=answer.status)

    def _read(self, operation: str, request: Mapping[str, Any], answer: Answer) -> Any:
        terms = _terms(operation)
        try:
            if answer.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
                raise ValueError("not JSON")
            value = json.loads(answer.body.decode(), parse_constant=_refused)
        except ValueError:
            raise errors.InvalidResponse(f"{operation}: the body is not JSON") from None
        response = {"status": answer.status, "body": value, "headers": {}}
        good = agreement().schemas.is_valid(schema_steps("operations", operation, "responses", answer.status, "body"), value)
        promises = terms.invariants[answer.status].values()
        if not good or not all(_holds(terms, promise, _parts(request), response) for promise in promises):
            raise errors.InvalidResponse(f"{operation}: the answer breaks the contract")
        return value

    def _vector(self, embedding: Any, body: Mapping[str, Any]) -> list[float]:
        if isinstance(embedding, list):
            return embedding
        kinds = {"float": "<f4", "int8": "<i1", "uint8": "<u1", "binary": "<i1", "ubinary": "<u1"}
        numbers: list[float] = np.frombuffer(b64decode(embedding), dtype=kinds[body.get("output_dtype") or "float"]).tolist()
        return numbers


def said(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the caller did not leave open."""
    return {name: value for name, value in options.items() if value is not None}


def _refused(literal: str) -> object:
    raise ValueError(literal)


def _terms(operation: str) -> OperationTerms:
    return agreement().operations[operation]


def _parts(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"body": body, "query": {}, "path": {}, "headers": {}}


def _holds(terms: OperationTerms, promise: Any, request: Any, response: Any = None) -> bool:
    try:
        return terms.evaluate(promise, request=request, response=response) is True
    except EvaluationError:
        return False
