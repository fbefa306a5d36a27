"""A sequence of requests that is the same every time, for a server to be killed and for a model of it."""

import random
from collections.abc import Callable
from typing import Any

import orjson

from harness.exchange import Request, Response

Points = dict[int, Any]
Model = dict[str, Points]
JSON = (("content-type", "application/json"),)
NAMES = ("first", "second")
SIZE = 8


def request(number: int) -> tuple[str, str, Any]:
    """The request of one step: mostly writes of several points, now and then a collection comes or goes."""
    rng = random.Random(number)
    name = rng.choice(NAMES)
    path = f"/collections/{name}"
    kind = "create" if number < 2 else rng.choices(KINDS, WEIGHTS)[0]
    ids = rng.sample(range(200), 10)
    match kind:
        case "create":
            name = NAMES[number % 2]
            return "PUT", f"/collections/{name}", {"vectors": {"size": SIZE, "distance": "Dot"}}
        case "drop":
            return "DELETE", path, None
        case "upsert":
            points = [
                {"id": i, "vector": [number, i] + [1.0] * 6, "payload": {"by": number % 5, "n": i}}
                for i in ids
            ]
            return "PUT", f"{path}/points?wait=true", {"points": points}
        case "delete":
            return "POST", f"{path}/points/delete?wait=true", {"points": ids[:3]}
        case "delete_where":
            return "POST", f"{path}/points/delete?wait=true", {"filter": matching("by", number % 5)}
        case "payload":
            body = {"payload": {"seen": number}, "filter": matching("by", number % 5)}
            return "POST", f"{path}/points/payload?wait=true", body
    return "PUT", f"{path}/index?wait=true", {"field_name": "by", "field_schema": "integer"}


KINDS = ("upsert", "delete", "delete_where", "payload", "index", "create", "drop")
WEIGHTS = (60, 10, 5, 15, 3, 5, 2)


def matching(key: str, value: int) -> Any:
    return {"must": [{"key": key, "match": {"value": value}}]}


def step(answer: Callable[[Request], Response], number: int) -> None:
    """Send one step's request; a collection that isn't there, or is there already, is no error here."""
    method, target, body = request(number)
    raw = b"" if body is None else orjson.dumps(body)
    response = answer(Request(method=method, target=target, headers=JSON, body=raw))
    assert response.status in (200, 404, 409), (number, response.body)


def model_step(model: Model, number: int) -> Model:
    """What the step makes of the collections."""
    method, target, body = request(number)
    path = target.partition("?")[0].split("/")
    name, suffix = path[2], "/".join(path[3:])
    after = {key: dict(points) for key, points in model.items()}
    if suffix == "":
        if method == "DELETE":
            after.pop(name, None)
        else:
            after.setdefault(name, {})
    elif name in after:
        after[name] = changed(after[name], suffix, body)
    return after


def changed(points: Points, suffix: str, body: Any) -> Points:
    def chosen(i: int) -> bool:
        if "filter" in body:
            return bool(points[i]["by"] == body["filter"]["must"][0]["match"]["value"])
        return i in body["points"]

    match suffix:
        case "points":
            return points | {
                point["id"]: point["payload"] | {"v": point["vector"][:2]} for point in body["points"]
            }
        case "points/delete":
            return {i: point for i, point in points.items() if not chosen(i)}
        case "points/payload":
            return {i: point | body["payload"] if chosen(i) else point for i, point in points.items()}
    return points
