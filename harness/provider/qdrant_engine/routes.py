"""The REST paths: which operation stands behind each, and which the engine has nothing behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.provider.qdrant_engine.answers import Answer
from harness.provider.qdrant_engine.collection import Ask, Collection, asking
from harness.provider.qdrant_engine.edge import QueryRequest
from harness.provider.qdrant_engine.engine import Engine
from harness.provider.qdrant_engine.errors import Kind, Refused, unsupported
from harness.provider.qdrant_engine.fields import items, mapping, required
from harness.provider.qdrant_engine.selectors import point_id
from harness.provider.qdrant_engine.versions import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request on its way to an operation; ``name`` is the collection, ``part`` a point or a field."""

    engine: Engine
    name: str = ""
    part: str = ""
    wait: bool = False
    body: Callable[[], Any]


Operation = Callable[[Asked], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search: an operation in two halves, between which it may wait for others."""

    read: Callable[[Collection, object], QueryRequest]
    shown: Callable[[list[Answer]], object]

    def __call__(self, asked: Asked) -> object:
        return self.shown(asked.engine.search(asked.name, self.ask(asked)))

    def ask(self, asked: Asked) -> Ask:
        """What the collection is to be asked; an unreadable body is refused here."""
        return asking(self.read, asked.body())


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A path with its method, as metrics name it, and its operation."""

    pattern: str
    operation: Operation


def _list(asked: Asked) -> object:
    return {"collections": [{"name": name} for name in asked.engine.names()]}


def _telemetry(asked: Asked) -> object:
    """The least that the schema of the telemetry demands."""
    return {
        "id": "embedded",
        "app": {"name": "qdrant", "version": asked.engine.profile.version, "startup": asked.engine.opened},
        "collections": {"number_of_collections": len(asked.engine.names())},
        "cluster": {"enabled": False},
        "requests": {"rest": {"responses": {}}, "grpc": {"responses": {}}},
    }


def _get_point(asked: Asked) -> object:
    try:
        wanted = point_id(int(asked.part) if asked.part.isdecimal() else asked.part)
    except Refused as refusal:
        raise Refused(Kind.BAD_INPUT, f'Can not recognize "{asked.part}" as point id') from refusal
    found = asked.engine.on(asked.name, lambda held: held.points([wanted]))
    if not found:
        raise Refused(Kind.NOT_FOUND, f"Point with id {wanted} does not exists!")
    return found[0]


def _points(found: list[Answer]) -> object:
    return {"points": found}


_QUERY = Search(read=Collection.query_request, shown=_points)
_SEARCH = Search(read=Collection.search_request, shown=lambda found: found)


def _batch(search: Search) -> Operation:
    def operation(asked: Asked) -> object:
        bodies = items(required(mapping(asked.body(), "body"), "searches"), "searches")
        asks = [asking(search.read, body) for body in bodies]
        return [search.shown(found) for found in asked.engine.search_batch(asked.name, asks)]

    return operation


def _on(ask: Callable[[Collection, object], Any]) -> Operation:
    def operation(asked: Asked) -> object:
        body = asked.body()
        return asked.engine.on(asked.name, lambda held: ask(held, body))

    return operation


def _update(kind: str) -> Operation:
    return lambda asked: asked.engine.update(asked.name, kind, asked.body(), wait=asked.wait)


# Paths under /collections/{name}; a * stands for one more part.
_COLLECTION: dict[tuple[str, str], Operation] = {
    ("PUT", ""): lambda asked: asked.engine.create(asked.name, asked.body()),
    ("GET", ""): lambda asked: asked.engine.info(asked.name),
    ("PATCH", ""): lambda asked: asked.engine.reconfigure(asked.name, asked.body()),
    ("DELETE", ""): lambda asked: asked.engine.delete_collection(asked.name),
    ("GET", "/exists"): lambda asked: {"exists": asked.engine.exists(asked.name)},
    ("PUT", "/index"): lambda asked: asked.engine.create_index(asked.name, asked.body(), wait=asked.wait),
    ("DELETE", "/index/*"): lambda asked: asked.engine.delete_index(asked.name, asked.part, wait=asked.wait),
    ("PUT", "/points"): _update("upsert"),
    ("POST", "/points"): _on(Collection.retrieve),
    ("GET", "/points/*"): _get_point,
    ("POST", "/points/delete"): _update("delete"),
    ("POST", "/points/payload"): _update("set_payload"),
    ("PUT", "/points/payload"): _update("overwrite_payload"),
    ("POST", "/points/payload/delete"): _update("delete_payload"),
    ("POST", "/points/payload/clear"): _update("clear_payload"),
    ("PUT", "/points/vectors"): _update("update_vectors"),
    ("POST", "/points/vectors/delete"): _update("delete_vectors"),
    ("POST", "/points/batch"): lambda asked: asked.engine.update_batch(
        asked.name, asked.body(), wait=asked.wait
    ),
    ("POST", "/points/scroll"): _on(Collection.scroll),
    ("POST", "/points/count"): _on(Collection.count),
    ("POST", "/points/search"): _SEARCH,
    ("POST", "/points/search/batch"): _batch(_SEARCH),
    ("POST", "/points/query"): _QUERY,
    ("POST", "/points/query/batch"): _batch(_QUERY),
    ("POST", "/facet"): _on(Collection.facet),
    ("GET", "/aliases"): lambda asked: {"aliases": asked.engine.on(asked.name, lambda held: [])},
    ("GET", "/snapshots"): lambda asked: asked.engine.on(asked.name, lambda held: []),
}
_SINCE: Mapping[str, Callable[[Profile], bool]] = {
    "/points/query": lambda profile: profile.query,
    "/points/query/batch": lambda profile: profile.query,
    "/facet": lambda profile: profile.facet,
}
_ROOT: dict[tuple[str, str], Operation] = {
    ("GET", "/collections"): _list,
    ("GET", "/aliases"): lambda asked: {"aliases": []},
    ("GET", "/snapshots"): lambda asked: [],
    ("GET", "/cluster"): lambda asked: {"status": "disabled"},
    ("GET", "/telemetry"): lambda asked: _telemetry(asked),  # noqa: PLW0108 - it is defined below
}
# What the real server has and the engine doesn't: said so, instead of "no such path".
_ABSENT_ROOT = frozenset({"/snapshots", "/cluster/recover", "/collections/aliases", "/locks", "/issues"})
_ABSENT = frozenset({
    "/snapshots", "/snapshots/*", "/snapshots/recover", "/snapshots/upload", "/shards", "/shards/delete",
    "/cluster", "/points/search/groups", "/points/recommend", "/points/recommend/batch",
    "/points/recommend/groups", "/points/discover", "/points/discover/batch", "/points/query/groups",
    "/points/search/matrix/pairs", "/points/search/matrix/offsets",
})  # fmt: skip


def route_of(method: str, parts: list[str], profile: Profile) -> Route | None:
    """The route for a method and the decoded parts of a path; None when there is no such path."""
    path = "/" + "/".join(parts)
    if len(parts) >= 2 and parts[0] == "collections" and path not in _ABSENT_ROOT:
        return _in_collection(method, parts[2:], profile) if parts[1] else None
    operation = _ROOT.get((method, path))
    if operation is None and path in _ABSENT_ROOT:
        operation = _absent(path)
    return None if operation is None else Route(pattern=path, operation=operation)


def _in_collection(method: str, rest: list[str], profile: Profile) -> Route | None:
    exact = "".join(f"/{part}" for part in rest)
    open_ended = "".join(f"/{part}" for part in rest[:-1]) + "/*"
    for suffix in (exact, open_ended):
        operation = _COLLECTION.get((method, suffix))
        since = _SINCE.get(suffix)
        known = since is None or since(profile)
        if operation is None and suffix in _ABSENT:
            operation = _absent(suffix)
        if operation is not None and known:
            return Route(pattern=f"/collections/{{name}}{suffix.replace('*', '{part}')}", operation=operation)
    return None


def _absent(path: str) -> Operation:
    def refuse(asked: Asked) -> object:
        raise unsupported(path)

    return refuse
