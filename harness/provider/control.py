"""The stub's control paths: its journal can be read and its state set from outside, in any language."""

import json
from collections.abc import Callable
from dataclasses import asdict

from harness.exchange import Request, Response
from harness.provider.stub import Stub

JOURNAL, STATE = "/__harness__/journal", "/__harness__/state"


def with_control(stub: Stub) -> Callable[[Request], Response]:
    """The stub's answers, and those of its control paths."""

    def answer(request: Request) -> Response:
        if not request.target.startswith("/__harness__/"):
            return stub.answer_now(request)
        if request.path == JOURNAL and request.method == "GET":
            return _json(200, [asdict(entry) for entry in stub.journal])
        if request.path == STATE and request.method == "GET":
            return _json(200, {"given": stub.given, "states": sorted(stub.states)})
        if request.path == STATE and request.method in ("PUT", "POST"):
            return _enter(stub, request)
        return _json(404, {"error": f"there are GET {JOURNAL}, GET {STATE} and PUT {STATE}"})

    return answer


def _enter(stub: Stub, request: Request) -> Response:
    try:
        wanted = request.json()
        stub.enter(wanted["given"])  # type: ignore[index]  # whatever it is, what is wrong is told
    except (ValueError, KeyError, TypeError) as error:
        return _json(400, {"error": str(error), "states": sorted(stub.states)})
    return _json(200, {"given": stub.given})


def _json(status: int, value: object) -> Response:
    return Response(status=status, headers=(("content-type", "application/json"),), body=json.dumps(value).encode())
