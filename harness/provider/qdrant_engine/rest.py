"""The REST face: a request in, the response that Qdrant would give out."""

import hmac
from collections.abc import Awaitable, Mapping
from time import perf_counter
from typing import Any
from urllib.parse import unquote

import numpy as np
import orjson

from harness.exchange import Request, Response
from harness.provider.qdrant_engine.collection import Found
from harness.provider.qdrant_engine.engine import Engine
from harness.provider.qdrant_engine.errors import Kind, Refused
from harness.provider.qdrant_engine.fields import wrong
from harness.provider.qdrant_engine.metrics import Metrics
from harness.provider.qdrant_engine.routes import Asked, Route, Search, route_of
from harness.provider.qdrant_engine.together import LoopQueue

_JSON = (("content-type", "application/json"),)
_TEXT = (("content-type", "text/plain; charset=utf-8"),)
_OPEN = ("/", "/healthz", "/livez", "/readyz")
_WAITS = {"true": True, "false": False}
_ORDERINGS = ("weak", "medium", "strong")
_TITLE = "qdrant - vector search engine"


class Rest:
    """Answers REST requests; ``answer`` may be called from any thread."""

    def __init__(self, *, engine: Engine, metrics: Metrics, api_key: str | None, largest_body: int) -> None:
        self._engine = engine
        self._profile = engine.profile
        self._metrics = metrics
        self._api_key = api_key or None
        self._largest_body = largest_body
        self._queue = LoopQueue(engine.found)

    def answer(self, request: Request) -> Response:
        started = perf_counter()
        way = self._way(request)
        if isinstance(way, Response):
            return way
        route, parts = way
        try:
            response = self._success(route.operation(self._asked(parts, request)), started)
        except Refused as refusal:
            response = _failure(refusal, started)
        return self._noted(route, request, response, started)

    def answer_on_loop(self, request: Request) -> Response | Awaitable[Response]:
        """As ``answer``, but searches that came to the event loop at the same time are asked for together."""
        started = perf_counter()
        way = self._way(request)
        if isinstance(way, Response) or not isinstance(way[0].operation, Search):
            return self.answer(request)
        route, parts = way
        try:
            asked = self._asked(parts, request)
            found = self._queue.found(asked.name, way[0].operation.ask(asked))
        except Refused as refusal:
            return self._noted(route, request, _failure(refusal, started), started)
        return self._searched(route, request, found, started)

    async def _searched(self, route: Route, request: Request, coming: Awaitable[Found], started: float) -> Response:
        assert isinstance(route.operation, Search)
        found = await coming
        if isinstance(found, Refused):
            return self._noted(route, request, _failure(found, started), started)
        return self._noted(route, request, self._success(route.operation.shown(found), started), started)

    def _way(self, request: Request) -> tuple[Route, list[str]] | Response:
        """The route and the parts of the path; or an answer, where no operation is needed."""
        path = request.target.partition("?")[0]
        done = self._unauthorized(request, path) or self._plain(path)
        if done is not None:
            return done
        parts = [unquote(part) for part in path.split("/")[1:]]
        route = route_of(request.method, parts, self._profile)
        return Response(status=404) if route is None else (route, parts)

    def _asked(self, parts: list[str], request: Request) -> Asked:
        return Asked(
            engine=self._engine,
            name=parts[1] if len(parts) > 1 else "",
            part=parts[-1],
            wait=_wait(request.query) if "?" in request.target else False,
            body=lambda: self._body(request),
        )

    def _noted(self, route: Route, request: Request, response: Response, started: float) -> Response:
        seconds = perf_counter() - started
        self._metrics.rest(method=request.method, endpoint=route.pattern, status=response.status, seconds=seconds)
        return response

    def _unauthorized(self, request: Request, path: str) -> Response | None:
        """The refusal of a request without the key; the text is bare, not JSON, as Qdrant's is."""
        if self._api_key is None or path in _OPEN:
            return None
        given = request.header("api-key")
        if given is None:
            scheme, _, token = (request.header("authorization") or "").partition(" ")
            given = token if scheme == "Bearer" else None
        if given is not None and hmac.compare_digest(given.encode(), self._api_key.encode()):
            return None
        message = self._profile.no_key if given is None else self._profile.wrong_key
        return Response(status=self._profile.unauthorized_status, headers=_TEXT, body=message.encode())

    def _plain(self, path: str) -> Response | None:
        """The answers without an envelope."""
        match path:
            case "/":
                about = {"title": _TITLE, "version": self._profile.version}
                return Response(status=200, headers=_JSON, body=orjson.dumps(about))
            case "/healthz" | "/livez":
                return Response(status=200, headers=_TEXT, body=b"healthz check passed")
            case "/readyz":
                return Response(status=200, headers=_TEXT, body=b"all shards are ready")
            case "/metrics":
                return Response(status=200, headers=_TEXT, body=self._exposed().encode())
        return None

    def _exposed(self) -> str:
        names = self._engine.names()
        vectors = sum(self._engine.on(name, lambda held: int(held.info()["points_count"])) for name in names)
        return self._metrics.text(profile=self._profile, collections=len(names), vectors=vectors)

    def _body(self, request: Request) -> Any:
        body = request.body
        media_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Refused(Kind.CONTENT_TYPE, "Content type error")
        if len(body) > self._largest_body:
            limit = f"(limit: {self._largest_body} bytes)"
            raise Refused(Kind.TOO_LARGE, f"JSON payload ({len(body)} bytes) is larger than allowed {limit}.")
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Refused(Kind.FORMAT, str(error)) from error
        if "/points" in request.path and _lists_booleans(body):  # elsewhere `vectors` are described, not given
            _refuse_booleans(parsed)
        return parsed

    def _success(self, result: Any, started: float) -> Response:
        envelope = {"result": _compact(result), "status": "ok", "time": perf_counter() - started}
        if self._profile.usage:
            envelope["usage"] = None
        return Response(
            status=200, headers=_JSON, body=orjson.dumps(envelope, option=orjson.OPT_SERIALIZE_NUMPY)
        )


def _failure(refusal: Refused, started: float) -> Response:
    envelope = {"status": {"error": str(refusal)}, "time": perf_counter() - started}
    return Response(status=refusal.kind.status, headers=_JSON, body=orjson.dumps(envelope))


def _wait(query: Mapping[str, str]) -> bool:
    """The ``wait`` of an update; all the query parameters are checked on the way."""
    ordering = query.get("ordering")
    if ordering is not None and ordering not in _ORDERINGS:
        expected = "expected one of `weak`, `medium`, `strong`"
        raise Refused(Kind.QUERY_FORMAT, f"unknown variant `{ordering}`, {expected}")
    timeout = query.get("timeout")
    if timeout is not None:
        if not timeout.isdecimal():
            raise Refused(Kind.QUERY_FORMAT, "timeout: invalid digit found in string")
        if int(timeout) < 1:
            raise Refused(Kind.QUERY_VALIDATION, f"[timeout: value {timeout} invalid, must be 1 or larger]")
    wait = query.get("wait", "false")
    if wait not in _WAITS:
        raise Refused(Kind.QUERY_FORMAT, "wait: provided string was not `true` or `false`")
    return _WAITS[wait]


def _lists_booleans(body: bytes) -> bool:
    """Whether a list in the JSON may hold true or false: only there one follows a bracket or a comma."""
    for word in (b"true", b"false"):
        at = body.find(word)
        while at >= 0:
            before = at - 1
            while before > 0 and body[before] in b" \t\r\n":
                before -= 1
            if body[before] in b"[,":
                return True
            at = body.find(word, at + 1)
    return False


def _refuse_booleans(value: object, name: str = "") -> None:
    """Refuse true and false inside a vector, which Python would take for 1 and 0; slow, so rarely called."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if key != "payload":
                _refuse_booleans(entry, key if key in ("vector", "vectors", "query", "nearest") else name)
    elif isinstance(value, list):
        for entry in value:
            if isinstance(entry, bool) and name:
                raise wrong(name, entry, "f32")
            if isinstance(entry, Mapping | list):
                _refuse_booleans(entry, name)


def _compact(result: Any) -> Any:
    """The result with scores and vectors as 32-bit numbers, which are written shorter and as Qdrant does."""
    if isinstance(result, list):
        return [_compact(entry) for entry in result] if result and isinstance(result[0], Mapping) else result
    if not isinstance(result, dict):
        return result
    if "id" in result:
        return _compact_point(result)
    if "points" in result:
        return {**result, "points": [_compact_point(point) for point in result["points"]]}
    return result


def _compact_point(point: dict[str, Any]) -> dict[str, Any]:
    if "score" in point:
        point["score"] = np.float32(point["score"])
    if point.get("vector") is not None:
        point["vector"] = _compact_vector(point["vector"])
    return point


def _compact_vector(vector: Any) -> Any:
    if isinstance(vector, Mapping):
        if "indices" in vector and "values" in vector:
            return {**vector, "values": np.asarray(vector["values"], dtype=np.float32)}
        return {name: _compact_vector(entry) for name, entry in vector.items()}
    if vector and isinstance(vector[0], list):
        return [np.asarray(row, dtype=np.float32) for row in vector]
    return np.asarray(vector, dtype=np.float32)
