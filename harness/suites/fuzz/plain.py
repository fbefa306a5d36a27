"""What made-up requests must not hang on: things that JSON Schema settles, and good servers read in ways of their own."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.exchange import Request

MOST_PORTABLE = 2**53  # RFC 8259, section 6: up to here all software agrees about a whole number


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


def is_portable(request: Request) -> bool:
    """Whether every number in the body is one that all software agrees about."""
    waiting: list[Any] = [_json(request)]
    while waiting:
        value = waiting.pop()
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if isinstance(value, int | float) and abs(value) >= MOST_PORTABLE:
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


def _json(request: Request) -> Any:
    """The body as JSON; None where it is none."""
    try:
        return request.json() if request.body else None
    except ValueError:
        return None
