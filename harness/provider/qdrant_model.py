"""Qdrant in a few lines, to hold the real one against: points in a dictionary, every search by looking at all of them."""

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CLOSE = 1e-5
_TESTS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
Parts = Mapping[str, Any]


@dataclass
class _Point:
    vector: list[float] | None
    payload: dict[str, Any]


class QdrantModel:
    """The collections that the contract's settings name, all of them empty."""

    def __init__(self, settings: Parts) -> None:
        self._distances = {name: each["distance"] for name, each in settings["collections"].items()}
        self._points: dict[str, dict[int | str, _Point]] = {name: {} for name in self._distances}

    def step(self, operation: str, request: Parts, response: Parts) -> str | None:
        """Do what is asked, and say what is wrong with the response."""
        name = request["path"]["collection"]
        found = self._change(operation, name, request["body"])
        waited = str(request["query"].get("wait")).lower() == "true"
        status = 200 if found or not waited else 404  # without waiting nobody knows yet that something is missing
        if response["status"] != status:
            return f"status {response['status']} instead of {status}"
        ask = {"retrieve": self._retrieve, "scroll": self._scroll, "count": self._count, "query": self._search, "search": self._search}.get(
            operation
        )
        return ask(name, request["body"], response["body"]["result"]) if ask else None

    # Changes

    def _change(self, operation: str, name: str, body: Parts) -> bool:
        """Change the points that are there, and say whether none was missing."""
        points = self._points[name]
        if operation == "upsert":
            for identity, vector, payload in _rows(body):
                points[identity] = _Point(self._stored(name, vector), dict(payload or {}))
        elif operation == "delete_points":
            for identity in body["points"] if "points" in body else self._matching(name, body["filter"]):
                points.pop(identity, None)
        elif operation == "set_payload":
            for identity in body["points"]:
                if identity in points:
                    points[identity].payload = _written(points[identity].payload, body["payload"])
            return all(identity in points for identity in body["points"])
        return True

    def _stored(self, name: str, vector: Any) -> list[float] | None:
        if isinstance(vector, Mapping):
            return None
        length = math.hypot(*vector)
        return [each / length for each in vector] if self._distances[name] == "Cosine" and length else list(vector)

    # Questions

    def _retrieve(self, name: str, body: Parts, result: Any) -> str | None:
        wanted = [identity for identity in body["ids"] if identity in self._points[name]]
        return _listed(wanted, result) or self._contents(name, body, result, payload=True)

    def _scroll(self, name: str, body: Parts, result: Any) -> str | None:
        following = [each for each in self._matching(name, body.get("filter")) if _order(each) >= _order(body.get("offset"))]
        page = following[: body.get("limit") or 10]
        rest = following[len(page) :]
        begins = result.get("next_page_offset")
        if begins != (rest[0] if rest else None):
            return f"the next page begins at {begins} instead of {rest[0] if rest else None}"
        return _listed(page, result["points"]) or self._contents(name, body, result["points"], payload=True)

    def _count(self, name: str, body: Parts, result: Any) -> str | None:
        count = len(self._matching(name, body.get("filter")))
        return None if result["count"] == count else f"a count of {result['count']} instead of {count}"

    def _search(self, name: str, body: Parts, result: Any) -> str | None:
        found = result["points"] if isinstance(result, Mapping) else result
        scores = self._scores(name, body)
        nearest = sorted(scores.values(), reverse=self._more_is_nearer(name))
        start = body.get("offset") or 0
        wanted = nearest[start : start + (body.get("limit") or 10)]
        if len(found) != len(wanted):
            return f"{len(found)} points instead of {len(wanted)}"
        for each, score in zip(found, wanted, strict=True):
            if abs(scores.get(each["id"], math.inf) - each["score"]) > CLOSE or abs(each["score"] - score) > CLOSE:
                return f"point {each['id']} with score {each['score']} where {score:.6g} belongs"
        return self._contents(name, body, found, payload=False)

    def _scores(self, name: str, body: Parts) -> dict[int | str, float]:
        wanted = body["query"] if "query" in body else body["vector"]
        asked = self._stored(name, wanted["nearest"] if isinstance(wanted, dict) else wanted) or []
        threshold = body.get("score_threshold")
        scores = {}
        for identity in self._matching(name, body.get("filter")):
            vector = self._points[name][identity].vector
            if vector is not None:
                scores[identity] = self._score(name, asked, vector)
        if threshold is None:
            return scores
        return {each: score for each, score in scores.items() if (score >= threshold) is self._more_is_nearer(name) or score == threshold}

    def _score(self, name: str, one: list[float], other: list[float]) -> float:
        match self._distances[name]:
            case "Euclid":
                return math.dist(one, other)
            case "Manhattan":
                return sum(abs(a - b) for a, b in zip(one, other, strict=True))
        return sum(a * b for a, b in zip(one, other, strict=True))

    def _more_is_nearer(self, name: str) -> bool:
        return self._distances[name] in ("Cosine", "Dot")

    # Points

    def _matching(self, name: str, wanted: Parts | None) -> list[int | str]:
        """The ids of the points that match, in their order."""
        conditions = (wanted or {}).get("must") or []
        found = [each for each, point in self._points[name].items() if all(_holds(condition, point.payload) for condition in conditions)]
        return sorted(found, key=_order)

    def _contents(self, name: str, body: Parts, found: list[Parts], *, payload: bool) -> str | None:
        for each in found:
            point = self._points[name][each["id"]]
            asked, vector = body.get("with_payload", payload), body.get("with_vector")
            wanted = point.payload if asked is True else {key: point.payload[key] for key in asked or () if key in point.payload}
            if asked not in (None, False) and not _same(each.get("payload"), wanted):
                return f"point {each['id']} with the payload {each.get('payload')} instead of {wanted}"
            if vector is True and point.vector is not None and not _close(each.get("vector"), point.vector):
                return f"point {each['id']} with the vector {each.get('vector')} instead of {point.vector}"
        return None


def _rows(body: Parts) -> list[tuple[Any, Any, Any]]:
    if "points" in body:
        return [(each["id"], each["vector"], each.get("payload")) for each in body["points"]]
    batch = body["batch"]
    return list(zip(batch["ids"], batch["vectors"], batch.get("payloads") or [None] * len(batch["ids"]), strict=True))


def _written(payload: Parts, fields: Parts) -> dict[str, Any]:
    """The payload with these fields; one that is null goes."""
    return {name: value for name, value in {**payload, **fields}.items() if value is not None or name not in fields}


def _holds(condition: Parts, payload: Parts) -> bool:
    if not condition:
        return True
    value = payload.get(condition["key"])
    values = value if isinstance(value, list) else [value]
    match = condition.get("match")
    if match is None:
        bounds = {name: bound for name, bound in condition["range"].items() if bound is not None}
        read = _moment if any(isinstance(bound, str) for bound in bounds.values()) else _number
        limits, found = [(_TESTS[name], read(bound)) for name, bound in bounds.items()], map(read, values)
        return any(each is not None and all(test(each, limit) for test, limit in limits) for each in found)
    wanted = [match["value"]] if "value" in match else match["any"]
    return any(each == one and type(each) is type(one) for each in values for one in wanted)


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _moment(value: Any) -> Any:
    """A date and time, UTC where it doesn't say; None for anything else."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _same(found: Any, wanted: Any) -> bool:
    """Equal, and true is no 1, while 1.0 is one in JSON."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and found.keys() == wanted.keys() and all(_same(found[key], each) for key, each in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_same, found, wanted))
    return bool(found == wanted) and isinstance(found, bool) is isinstance(wanted, bool)


def _order(identity: int | str | None) -> tuple[int, int | str]:
    """Numbers come before UUIDs."""
    if identity is None:
        return (-1, 0)
    return (1, identity) if isinstance(identity, str) else (0, identity)


def _listed(wanted: list[Any], found: list[Parts]) -> str | None:
    ids = [each["id"] for each in found]
    return None if ids == wanted else f"the points {ids[:20]} instead of {wanted[:20]}"


def _close(found: Any, wanted: list[float]) -> bool:
    return isinstance(found, list) and len(found) == len(wanted) and all(abs(a - b) <= CLOSE for a, b in zip(found, wanted, strict=True))
