"""One provider over HTTP as its contract describes it: requests go out by it, responses come in by it.

What every reference client on httpx shares: it knows no service, and holds no number of a contract.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
import orjson

from adapters import errors
from adapters.address import checked_credential, checked_url, origin
from adapters.resilience import Metrics, Resilience, RetryPolicy
from adapters.resilience.retry_after import hint_s
from adapters.resilience.settings import breaker_policy, rate_policy, retry_policy
from adapters.sayable import all_finite, as_json
from harness.contract.agreement import Agreement, OperationTerms, query_text, schema_steps
from harness.contract.coherence import read_agreement
from harness.contract.expressions import EvaluationError
from harness.contract.model import ErrorShape, ResponseShape


def shipped(name: str) -> Path:
    """The contract file that came with this package."""
    installed = Path(str(files("adapters"))) / "contracts" / name
    return installed if installed.exists() else Path(__file__).parent.parent / "contracts" / name


NOTHING: Mapping[str, object] = {}
_agreements: dict[tuple[Path, int], Agreement] = {}


def agreement_at(path: Path) -> Agreement:
    """The contract at a path, read once for as long as the file does not change."""
    key = (path, path.stat().st_mtime_ns)
    if key not in _agreements:
        _agreements[key] = read_agreement(path)
    return _agreements[key]


@cache
def _trust() -> ssl.SSLContext:
    """One for all clients: reading the certificates takes longer than a hundred calls."""
    return httpx.create_ssl_context()


_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
_HEADERS = {"accept": "*/*", "accept-encoding": "gzip, deflate", "user-agent": "contract-harness"}


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for a URL."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    named = getproxies()
    found = named.get(parts.scheme) or named.get("all")
    return f"http://{found}" if found and "://" not in found else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request by its parts; ``content`` is the body as bytes."""

    terms: OperationTerms
    body: Mapping[str, object] | None
    path: Mapping[str, object]
    query: Mapping[str, object]
    content: bytes | None = field(repr=False)

    @property
    def parts(self) -> Mapping[str, object]:
        """What the contract's expressions see of it."""
        return {"body": self.body, "query": self.query, "path": self.path, "headers": {}}

    @property
    def route(self) -> str:
        """The path, with its parameters and the query."""
        route = self.terms.model.path
        for name, value in self.path.items():
            route = route.replace("{" + name + "}", quote(str(value), safe=""))
        return route + ("?" + "&".join(f"{name}={query_text(value)}" for name, value in self.query.items()) if self.query else "")


class Endpoint:
    """A provider's operations over one connection pool, under the contract's resilience.

    ``credential`` None has it read from the environment variable that the contract names.
    """

    def __init__(
        self, agreement: Agreement, *, base_url: str | None, credential: str | None, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        contract = agreement.contract
        self.agreement = agreement
        self.metrics = Metrics()
        self.resilience = Resilience(
            retry=retry_policy(contract),
            breaker=breaker_policy(contract),
            rate=rate_policy(contract),
            budget_s=contract.resilience.budget or float("inf"),
            on_event=self.metrics,
        )
        self._cautious = replace(self.resilience.retry, on_timeout=False, on_connection=False)  # it may have been done already
        self._auth = contract.provider.auth
        self._credential = checked_credential(
            credential if credential is not None else self._read_credential(), self._auth.variable if self._auth else "no variable"
        )
        self.timeout_s = contract.provider.timeout
        self._base = checked_url(base_url or contract.provider.base_url)
        self._transport = transport or httpx.AsyncHTTPTransport(verify=_trust(), limits=_LIMITS, proxy=_proxy(self._base))
        self._heads: dict[str, list[tuple[bytes, bytes]]] = {}
        self._url = lru_cache(maxsize=64)(lambda route: httpx.URL(self._base + route))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.agreement.name} at {self._base}>"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _read_credential(self) -> str:
        if self._auth is None:
            return ""
        found = os.environ.get(self._auth.variable, "")
        if not found and self._auth.required:
            raise errors.InvalidInput(f"no credential: set the environment variable {self._auth.variable}, or pass `credential`")
        return found

    # Requests

    def refuse_invalid(
        self,
        terms: OperationTerms,
        body: Mapping[str, object] | None,
        *,
        path: Mapping[str, object] = NOTHING,
        query: Mapping[str, object] = NOTHING,
        outline: Mapping[str, object] | None = None,
    ) -> None:
        """InvalidInput for a request that the contract forbids: it is not sent.

        ``outline`` stands for the body where the schema is judged, if the caller has judged what it leaves out.
        """
        self.refuse_invalid_parameters(terms, path=path, query=query)
        if terms.model.request.body is not None:
            self._refuse_breach(terms, schema_steps("operations", terms.name, "request", "body"), outline or body)
        if not terms.rules:
            return
        names = terms.terms(request={"body": body, "query": query, "path": path, "headers": {}})
        for name, rule in terms.rules.items():
            try:
                holds = rule.evaluate(names)
            except EvaluationError as error:
                raise errors.InvalidInput(f"{terms.name}: {name} can't be judged: {error}") from None
            if holds is not True:
                raise errors.InvalidInput(f"{terms.name}: {name}: {terms.model.request.rules[name].because}")

    def refuse_invalid_parameters(
        self, terms: OperationTerms, *, path: Mapping[str, object] = NOTHING, query: Mapping[str, object] = NOTHING
    ) -> None:
        """InvalidInput for a parameter that the contract forbids."""
        for part, given in (("path", path), ("query", query)):
            for name, value in given.items():
                self._refuse_breach(terms, schema_steps("operations", terms.name, "request", part, name, "schema"), value, f".{name}")
                if part == "path" and value in (".", ".."):  # it would lead to another operation, whatever it is written as
                    raise errors.InvalidInput(f"{terms.name}.{name}: `{value}` can't stand in a path: give another name")

    def _refuse_breach(self, terms: OperationTerms, at: tuple[str | int, ...], value: object, where: str = "") -> None:
        try:
            is_valid = self.agreement.schemas.is_valid(at, value)
        except ValueError as error:  # a value of a kind that JSON does not have
            raise errors.InvalidInput(f"{terms.name}{where} can't be written as JSON: {error}") from None
        if not is_valid:
            if not all_finite(value):
                raise errors.InvalidInput(f"{terms.name}{where} holds NaN or an infinity: give finite numbers")
            violation = next(self.agreement.schemas.violations(at, value))
            raise errors.InvalidInput(f"{terms.name}{where}{violation.pointer.replace('/', '.')}: {violation.message}")

    async def call(
        self,
        terms: OperationTerms,
        body: Mapping[str, object] | None = None,
        *,
        path: Mapping[str, object] = NOTHING,
        query: Mapping[str, object] = NOTHING,
        content: bytes | None = None,
        deadline: float,
        tokens: float = 0.0,
    ) -> Any:
        """The body of a good response, as JSON or text; the declared typed error for anything else.

        ``content`` is the body as it is sent, where the caller has it already.
        """
        if content is None and terms.model.request.body is not None:
            content = as_json(body, terms.name)
        sent = Sent(terms=terms, body=body, path=path, query=query, content=content)
        retry = self.retry_for(terms)

        async def attempt() -> Any:
            return await self._attempt(sent)

        cost = {"tokens": tokens} if tokens else None
        try:
            return await self.resilience.call(attempt, cost=cost, deadline=deadline, retry=retry)
        except errors.AuthenticationFailed:
            if not self._credential_has_changed():
                raise
        return await self.resilience.call(attempt, cost=cost, deadline=deadline, retry=retry)

    def retry_for(self, terms: OperationTerms) -> RetryPolicy | None:
        """Another policy than usual, for what must not be done twice."""
        return None if terms.model.idempotent else self._cautious

    def _credential_has_changed(self) -> bool:
        """Read the credential once more, as the policy ``refresh_token`` has it, and take the new one."""
        if self._auth is None or self.agreement.contract.resilience.policies.auth_failure != "refresh_token":
            return False
        found = os.environ.get(self._auth.variable, "")
        changed = bool(found) and found != self._credential
        if changed:
            self._credential = found
            self._heads.clear()
        return changed

    def _request(self, sent: "Sent") -> httpx.Request:
        terms = sent.terms
        url = self._url(sent.route)
        head = self._heads.get(terms.name)
        if head is None:
            typed = {"content-type": terms.model.request.media_type} if terms.model.request.body is not None else {}
            named = {"host": url.netloc.decode("ascii"), **_HEADERS, **typed, **self.credential_headers()}
            head = self._heads[terms.name] = httpx.Headers(named).raw
        if sent.content is None:
            return httpx.Request(terms.model.method, url, headers=head)
        # Given as a stream, the content is sent as it is: httpx looks into nothing. Read, it is there for a
        # transport of the caller's that looks at what is sent.
        length = (b"content-length", b"%d" % len(sent.content))
        request = httpx.Request(terms.model.method, url, headers=[*head, length], stream=httpx.ByteStream(sent.content))
        request.read()
        return request

    async def _exchanged(self, request: httpx.Request) -> httpx.Response:
        """The whole answer. Without httpx's client around the transport: that costs a fifth of a quick call, for nothing used here."""
        response = await self._transport.handle_async_request(request)
        try:
            await response.aread()
        except BaseException:
            await response.aclose()
            raise
        return response

    def credential_headers(self) -> dict[str, str]:
        """The header that carries the credential, if there is one."""
        if self._auth is None or not self._credential:
            return {}
        prefix = "Bearer " if self._auth.scheme == "bearer" else ""
        return {self._auth.header: prefix + self._credential}

    async def _attempt(self, sent: "Sent") -> Any:
        terms = sent.terms
        try:
            async with asyncio.timeout(self.timeout_s):
                response = await self._exchanged(self._request(sent))
        except (TimeoutError, httpx.TimeoutException):
            raise errors.ProviderTimeout(f"{terms.name}: no answer within {self.timeout_s:g} s") from None
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            raise errors.ProviderUnreachable(f"{terms.name}: the answer broke off ({type(error).__name__})") from None
        except httpx.TransportError as error:
            why = self.redacted(str(error)) or type(error).__name__
            raise errors.ProviderUnreachable(f"{terms.name}: the connection to {origin(self._base)} failed: {why}") from None
        return self._read(sent, response)

    @property
    def is_secure(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self._base.startswith("https:")

    def redacted(self, text: str) -> str:
        """The text without the credential."""
        return errors.redacted(text, [self._credential])

    # Responses

    def _read(self, sent: "Sent", response: httpx.Response) -> Any:
        terms = sent.terms
        shape = terms.response_for(response.status_code)
        if shape is None:
            raise errors.InvalidResponse(f"{terms.name}: status {response.status_code}, which the contract does not declare")
        if shape.error is not None or shape.raises is not None:
            raise self._declared_error(shape, response)
        value = self._parsed(terms, shape, response)
        at = schema_steps("operations", terms.name, "responses", response.status_code, "body")
        if not self.agreement.schemas.is_valid(at, value):
            violation = next(self.agreement.schemas.violations(at, value))
            keyword = ".".join(map(str, violation.keyword))
            raise errors.InvalidResponse(
                self.redacted(f"{terms.name}: {keyword} is broken at {violation.pointer or '/'}: {violation.message}")
            )
        self.check_promises(sent, response.status_code, value)
        return value

    def _parsed(self, terms: OperationTerms, shape: ResponseShape, response: httpx.Response) -> Any:
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != shape.media_type:
            raise errors.InvalidResponse(f"{terms.name}: media type `{media_type}` instead of `{shape.media_type}`")
        if not media_type.endswith("json"):
            return response.text
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            raise errors.InvalidResponse(f"{terms.name}: the body is not JSON ({error.msg}, column {error.colno})") from None

    def check_promises(self, sent: "Sent", status: int, value: object) -> None:
        """InvalidResponse for an answer that breaks a promise of the contract that no schema can say."""
        terms, promises = sent.terms, sent.terms.invariants.get(status)
        if not promises:
            return
        names = terms.terms(request=sent.parts, response={"status": status, "body": value, "headers": {}})
        for name, promise in promises.items():
            try:
                holds = promise.evaluate(names)
            except EvaluationError:
                holds = False
            if holds is not True:
                raise errors.InvalidResponse(f"{terms.name}: `{name}` does not hold: {' '.join(promise.source.split())}")

    def _declared_error(self, shape: ResponseShape, response: httpx.Response) -> errors.IntegrationError:
        error = self.agreement.contract.errors.get(shape.error or "")
        detail = self.redacted(_detail(error, response))
        kind = errors.named(shape.raises) if shape.raises else errors.for_status(response.status_code)
        hint = self.hinted_s(response.status_code, response.headers)
        return kind(status=response.status_code, detail=detail, retry_after_s=hint)

    def hinted_s(self, status: int, headers: Mapping[str, str]) -> float | None:
        """The provider's word on when to come back, where the contract says that it is to be honoured."""
        retry = self.agreement.contract.resilience.retry
        hinted = retry.retry_after.on if retry and retry.retry_after else []
        return hint_s(headers, wall_clock=time.time) if status in hinted else None


def _detail(shape: ErrorShape | None, response: httpx.Response) -> str:
    """The provider's own text for people, where the contract says that it stands; else nothing."""
    if shape is None or not shape.media_type.endswith("json"):
        return response.text[:200] if len(response.content) < 10_000 else ""
    try:
        value = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return ""
    for step in shape.message.split("/")[1:]:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
