"""What a load run leaves behind: one JSON file, written whole or not at all, and refused when it is not whole."""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.exchange import Exchange, Request, Response

FORMAT = 1


class ResultUnreadable(Exception):
    """There is no whole result; the message says what was found instead."""


@dataclass(frozen=True, kw_only=True)
class LoadResult:
    """The indicators of a run, and the first exchanges in which the provider broke the contract."""

    contract: str
    profile: str
    provider: str
    measured: Mapping[str, float]
    breaking: tuple[Exchange, ...] = ()


def write_result(path: Path, result: LoadResult) -> None:
    """Put the file into its place in one step, so that nobody ever reads a part of it."""
    document = {
        "format": FORMAT,
        "contract": result.contract,
        "profile": result.profile,
        "provider": result.provider,
        "measured": dict(result.measured),
        "breaking": [packed(exchange) for exchange in result.breaking],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(document, indent=1))
    temporary.replace(path)


def read_result(path: Path) -> LoadResult:
    """The result at ``path``; ResultUnreadable when there is none, or none that is whole."""
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != FORMAT:
            raise ResultUnreadable(f"{path} has format {document['format']}, not {FORMAT}")
        return LoadResult(
            contract=str(document["contract"]),
            profile=str(document["profile"]),
            provider=str(document["provider"]),
            measured={str(name): float(value) for name, value in document["measured"].items()},
            breaking=tuple(map(unpacked, document["breaking"])),
        )
    except FileNotFoundError:
        raise ResultUnreadable(f"the load run left no result at {path}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultUnreadable(f"{path} is no whole result: {type(error).__name__}: {error}") from None


def packed(exchange: Exchange) -> dict[str, Any]:
    """An exchange as plain values, for a file or another process."""
    request, response = exchange.request, exchange.response
    assert response is not None
    return {
        "operation": exchange.operation,
        "request": {
            "method": request.method,
            "target": request.target,
            "headers": [list(pair) for pair in request.headers],
            "body": base64.b64encode(request.body).decode(),
        },
        "response": {
            "status": response.status,
            "headers": [list(pair) for pair in response.headers],
            "body": base64.b64encode(response.body).decode(),
        },
    }


def unpacked(document: Mapping[str, Any]) -> Exchange:
    request, response = document["request"], document["response"]
    return Exchange(
        operation=document["operation"],
        request=Request(
            method=request["method"],
            target=request["target"],
            headers=tuple((name, value) for name, value in request["headers"]),
            body=base64.b64decode(request["body"]),
        ),
        response=Response(
            status=int(response["status"]),
            headers=tuple((name, value) for name, value in response["headers"]),
            body=base64.b64decode(response["body"]),
        ),
    )
