"""What made-up requests must not hang on: things that JSON Schema settles, and good servers read in ways of their own."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.contract.document import value_at
from harness.contract.schemas import reference
from harness.exchange import Request

MOST_PORTABLE = 2**53  # RFC 8259, section 6: up to here all software agrees about a whole number
LARGEST_FLOAT = 3.4e38  # past it there is no number of four bytes, as which many servers keep a float


def plainly(request: Request) -> Request:
    """The request with its whole numbers written as such."""
    body = _json(request)
    return request if body is None else replace(request, body=json.dumps(whole(body)).encode())


def whole(value: Any) -> Any:
    """Whole numbers without a fraction: to JSON Schema 2.0 is an integer, to many a good server it is not."""
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < MOST_PORTABLE else value


def is_portable(request: Request, most: float = MOST_PORTABLE) -> bool:
    """Whether every number in the body is one that all software agrees about."""
    waiting: list[Any] = [_json(request)]
    while waiting:
        value = waiting.pop()
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if isinstance(value, int | float) and abs(value) >= most:
            return False
    return True


def takes_several(schema: Mapping[str, Any], request: Request) -> bool:
    """Whether a body has what several alternatives of its schema ask for: which of them is read, nobody promises."""
    body = _json(request)
    if not isinstance(body, dict):
        return False
    for keyword in ("anyOf", "oneOf"):
        wanted = [set(each.get("required", ())) for each in schema.get(keyword, ()) if isinstance(each, Mapping)]
        if sum(bool(names) and names <= body.keys() for names in wanted) > 1:
            return True
    return False


def declared_only(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    """A value without the members that its schema does not speak of: no method of a client has a place for them."""
    target = reference(schema) if isinstance(schema, Mapping) else None
    schema = schema if target is None else value_at(root, target)
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, list):
        return [declared_only(item, schema.get("items"), root) for item in value]
    known = schema.get("properties")
    if not isinstance(value, dict) or known is None:
        return value
    also = {name for keyword in ("anyOf", "oneOf", "allOf") for each in schema.get(keyword, ()) for name in each.get("properties", ())}
    return {name: declared_only(item, known.get(name), root) for name, item in value.items() if name in known or name in also}


def _json(request: Request) -> Any:
    """The body as JSON; None where it is none."""
    try:
        return request.json() if request.body else None
    except ValueError:
        return None
