"""The stub's control paths: its journal can be read and its state set from outside, in any language."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict

from harness.exchange import Request, Response
from harness.provider.stub import Stub

PREFIX = "/__harness__/"
JOURNAL, STATE = f"{PREFIX}journal", f"{PREFIX}state"

Action = Callable[[Stub, Request], Response]


def with_control(stub: Stub) -> Callable[[Request], Response]:
    """The stub's answers, and those of its control paths, which the journal does not show."""

    def answer(request: Request) -> Response:
        if not request.target.startswith(PREFIX):
            return stub.answer_now(request)
        actions = _ACTIONS.get(request.path)
        if actions is None:
            known = [f"{method} {path}" for path, methods in _ACTIONS.items() for method in methods]
            return _json(404, {"error": f"there is no {request.path}", "known": known})
        action = actions.get(request.method)
        if action is None:
            return _json(405, {"error": f"{request.path} takes {', '.join(actions)}"}, allow=", ".join(actions))
        return action(stub, request)

    return answer


def _journal(stub: Stub, _: Request) -> Response:
    return _json(200, [asdict(entry) for entry in stub.journal])


def _forget(stub: Stub, _: Request) -> Response:
    stub.journal.clear()
    return _json(200, [])


def _state(stub: Stub, _: Request) -> Response:
    return _json(200, {"given": stub.given, "states": sorted(stub.states)})


def _enter(stub: Stub, request: Request) -> Response:
    """As ``{"given": STATE}``, or as Pact's verifier says it: ``{"state": STATE, "action": "setup"}``."""
    try:
        stub.enter(_wanted(request))
    except ValueError as error:
        return _json(400, {"error": str(error), "states": sorted(stub.states)})
    return _state(stub, request)


def _wanted(request: Request) -> str | None:
    try:
        said = request.json()
    except ValueError:
        said = None
    if not isinstance(said, Mapping) or not said.keys() & {"given", "state"}:
        raise ValueError('the body has to be JSON such as {"given": "STATE"}; null is the normal state')
    wanted = said.get("given", said.get("state"))
    if wanted is not None and not isinstance(wanted, str):
        raise ValueError("a state is named by its text, or is null")
    return None if said.get("action") == "teardown" else wanted or None


def _leave(stub: Stub, request: Request) -> Response:
    stub.enter(None)
    return _state(stub, request)


_ACTIONS: dict[str, dict[str, Action]] = {
    JOURNAL: {"GET": _journal, "DELETE": _forget},
    STATE: {"GET": _state, "PUT": _enter, "POST": _enter, "DELETE": _leave},
}


def _json(status: int, value: object, **headers: str) -> Response:
    sent = (("content-type", "application/json"), *headers.items())
    return Response(status=status, headers=sent, body=json.dumps(value, ensure_ascii=False).encode())
