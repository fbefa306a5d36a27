"""How a stub says no: with the status and the error shape that the contract declares for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from harness.contract.agreement import Agreement, OperationTerms
from harness.contract.model import ResponseShape, When
from harness.exchange import Headers, Response

# What is answered where the contract names no status for it.
USUAL: Mapping[When, int] = {"invalid_request": 400, "unauthenticated": 401, "rate_limited": 429, "too_large": 413, "outage": 503}


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """A request that gets no good answer: ``when`` is the kind of failure, ``status`` one that is wanted instead."""

    when: When
    reason: str
    status: int | None = None
    headers: Headers = ()


def refusal(agreement: Agreement, terms: OperationTerms, refused: Refused) -> Response:
    """The response to a request that is refused."""
    status = refused.status or _status(terms, refused.when)
    shape = terms.response_for(status)
    headers = {**example_headers(shape), **dict(refused.headers)} if shape else dict(refused.headers)
    if shape is not None and shape.error in agreement.contract.errors:
        media_type, value = _error(agreement, shape, refused.reason)
    elif shape is not None and shape.body is not None:
        media_type, value = shape.media_type, _example_body(terms, status, shape)
    else:
        media_type, value = "text/plain", refused.reason
    return Response(status=status, headers=(("content-type", media_type), *headers.items()), body=content(value, media_type))


def _status(terms: OperationTerms, when: When) -> int:
    declared = (status for status, shape in terms.model.responses.items() if shape.when == when)
    return next(declared, USUAL[when])


def example_headers(shape: ResponseShape) -> dict[str, str]:
    """The headers of a response that have an example, lower-cased."""
    return {name.lower(): header.example for name, header in shape.headers.items() if header.example is not None}


def _error(agreement: Agreement, shape: ResponseShape, reason: str) -> tuple[str, Any]:
    """Media type and body of an error: its own example, or that of its shape with the reason as its text."""
    error = agreement.contract.errors[shape.error or ""]
    value = shape.example if shape.example is not None else with_message(error.example, error.message, reason)
    return "text/plain" if "*" in error.media_type else error.media_type, value


def _example_body(terms: OperationTerms, status: int, shape: ResponseShape) -> Any:
    if shape.example is not None:
        return shape.example
    responses = (example.response for example in terms.model.examples.values())
    return next((response.body for response in responses if response and response.status == status), None)


def content(value: object, media_type: str) -> bytes:
    """A body as bytes: text as it is, anything else as JSON."""
    if isinstance(value, str) and not media_type.partition(";")[0].endswith("json"):
        return value.encode()
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def with_message(example: Any, pointer: str, message: str) -> Any:
    """An error body with its text for people replaced; ``pointer`` says where that text stands."""
    steps = pointer.split("/")[1:]
    if not steps:
        return message if isinstance(example, str) else example
    if not isinstance(example, Mapping):
        return example
    head = steps[0].replace("~1", "/").replace("~0", "~")
    rest = "".join(f"/{step}" for step in steps[1:])
    inner = with_message(example.get(head, ""), rest, message) if rest else message
    return {**example, head: inner}
