"""Answers against an OpenAPI document alone."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from harness.contract.reader import parse_document
from harness.exchange import Exchange, Response

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def read_spec(path: Path) -> dict[str, Any]:
    """A published OpenAPI 3 document, YAML or JSON; what 3.0 says of null as 2020-12 says it."""
    data = path.read_bytes()
    found: Any = _modern(json.loads(data) if path.suffix == ".json" else parse_document(data, file=path.name).value)
    return dict(found)


def _modern(value: Any) -> Any:
    if isinstance(value, Mapping):
        changed = {key: _modern(item) for key, item in value.items() if key != "nullable"}
        if value.get("nullable") is True:
            return {"anyOf": [changed, {"type": "null"}]}
        return changed
    return [_modern(item) for item in value] if isinstance(value, list) else value


class Schema:
    """What a document says about answers."""

    def __init__(self, document: dict[str, Any], base_path: str) -> None:
        self._document, self._base = document, base_path
        self._routes = [(re.compile(re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(path))), path) for path in document["paths"]]
        self._validators: dict[str, Any] = {}

    def breaches(self, exchange: Exchange) -> list[str]:
        """What is wrong with an answer; nothing for one to a request that the document does not know."""
        response, request = exchange.response, exchange.request
        assert response is not None
        route = request.path.removeprefix(self._base) or "/"
        found = sorted((path.count("{"), path) for pattern, path in self._routes if pattern.fullmatch(route))
        declared = self._document["paths"][found[0][1]].get(request.method.lower()) if found else None
        return list(self._against(found[0][1], request.method.lower(), declared["responses"], response)) if declared else []

    def _against(self, path: str, method: str, declared: Mapping[str, Any], response: Response) -> Iterator[str]:
        status = next((each for each in (str(response.status), f"{response.status // 100}XX", "default") if each in declared), None)
        if status is None:
            yield "undeclared status"
            return
        steps: tuple[str, ...] = ("paths", path, method, "responses", status)
        shape, steps = self._followed(declared[status], steps)
        given = {name.lower() for name, _ in response.headers}
        yield from (f"no header {name}" for name, each in shape.get("headers", {}).items() if each.get("required") and name.lower() not in given)
        content = shape.get("content")
        if not content:
            return
        kind = next((each for each in content if fnmatchcase(response.media_type, each.partition(";")[0])), None)
        if kind is None:
            yield "undeclared media type"
        elif "schema" in content[kind]:
            yield from self._body((*steps, "content", kind, "schema"), response)

    def _followed(self, shape: Mapping[str, Any], steps: tuple[str, ...]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        if "$ref" not in shape:
            return shape, steps
        there = tuple(shape["$ref"].removeprefix("#/").split("/"))
        found: Any = self._document
        for step in there:
            found = found[step]
        return found, there

    def _body(self, steps: tuple[str, ...], response: Response) -> Iterator[str]:
        value: object = response.body.decode("utf-8", "replace")
        if response.media_type.endswith("json"):
            try:
                value = response.json()
            except ValueError:
                yield "no JSON"
                return
        pointer = "#/" + "/".join(quote(step.replace("~", "~0").replace("/", "~1")) for step in steps)
        if pointer not in self._validators:
            root = {**self._document, "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": pointer}
            self._validators[pointer] = jsonschema_rs.Draft202012Validator(root, validate_formats=True, ignore_unknown_formats=True)
        yield from (error.message for error in self._validators[pointer].iter_errors(value))
