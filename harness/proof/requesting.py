"""Lying clients, in what they send: endpoint, body, parameters, rules, defaults, arguments."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from harness.checks.compare import close
from harness.checks.parameters import typed_parameter
from harness.checks.requests import MISSING, evaluated
from harness.checks.sight import Seen
from harness.contract.agreement import Agreement, query_text
from harness.contract.clauses import Clause, clause_id
from harness.exchange import Call, Exchange, Request
from harness.proof.distorting import broken_bodies, perturbed
from harness.proof.mutant import Distortion, Distortions
from harness.proof.scene import Scene
from harness.wire.mutations import breaking, reshaped

MOST_EDITS = 200

def of_clause(agreement: Agreement, clause: Clause, scene: Scene) -> Iterator[tuple[int, int, Exchange]]:
    """The exchanges of the clause's operation, or of all when it belongs to none."""
    for number, index, exchange in scene.sent:
        if clause.operation in (None, scene.observation.calls[number].operation):
            yield number, index, exchange


def endpoint(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    for number, index, exchange in of_clause(agreement, clause, scene):
        request = exchange.request
        if clause.id.endswith(".method"):
            wrong = replace(request, method="GET" if request.method != "GET" else "POST")
            yield Distortion(
                kind="another method", what=f"{wrong.method} {request.target}", observation=scene.with_request(number, index, wrong)
            )
        else:
            wrong = replace(request, target=request.path.rstrip("/") + "/v0")  # a longer name might be a parameter's
            yield Distortion(kind="another path", what=wrong.target, observation=scene.with_request(number, index, wrong))
        return


def media_type(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    if not clause.id.endswith("request.media_type"):
        return
    for number, index, exchange in of_clause(agreement, clause, scene):
        headers = tuple(
            ("content-type", "text/plain") if name.lower() == "content-type" else (name, value) for name, value in exchange.request.headers
        )
        bare = tuple(pair for pair in headers if pair[0].lower() != "content-type")
        request = exchange.request
        for kind, what, wrong in (
            ("media type of the request", "text/plain", replace(request, headers=headers)),
            ("media type not sent", "no content-type", replace(request, headers=bare)),
            ("body that is not JSON", "cut in half", replace(request, body=request.body[: len(request.body) // 2])),
        ):
            yield Distortion(kind=kind, what=what, observation=scene.with_request(number, index, wrong))
        return


def schema(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """A request whose body or parameter breaks just this keyword."""
    if "consumer" not in clause.parties:
        return
    forbidden = scene.forbidden.get(clause.id)
    for number, index, exchange in of_clause(agreement, clause, scene):
        operation = scene.observation.calls[number].operation
        wrong = list(_wrong_bodies(agreement, clause, operation, exchange.request)) or list(
            _wrong_parameters(agreement, clause, operation, exchange.request)
        )
        if not wrong and forbidden is not None and clause.operation == operation:
            wrong = [("request: parameter", "as the harness itself sent it", replace(exchange.request, target=forbidden.target))]
        for kind, what, request in wrong:
            yield Distortion(kind=kind, what=what, observation=scene.with_request(number, index, request))
        if wrong:
            return


Wrong = Iterator[tuple[str, str, Request]]


def _wrong_bodies(agreement: Agreement, clause: Clause, operation: str, request: Request) -> Wrong:
    body = _json(request)
    if isinstance(body, Mapping):
        for kind, what, wrong in broken_bodies(agreement, clause, ("operations", operation, "request", "body"), body):
            yield f"request: {kind}", what, _with_body(request, wrong)


def _wrong_parameters(agreement: Agreement, clause: Clause, operation: str, request: Request) -> Wrong:
    """The request with a parameter in its path or query that breaks the keyword, as far as text can."""
    found = agreement.operation_of(request.method, request.path)
    if found is None or found[0].name != operation:
        return
    declared = found[0].model.request
    for part, parameters, sent in (("path", declared.path, found[1]), ("query", declared.query, request.query)):
        for name, parameter in parameters.items():
            at = ("operations", operation, "request", part, name, "schema")
            for edit in breaking(agreement, at, typed_parameter(str(sent.get(name, "")), parameter.value_schema)):
                text = str(edit.value)
                typed = typed_parameter(text, parameter.value_schema)
                broken = {clause_id(violation.keyword) for violation in agreement.schemas.violations(at, typed)}
                parts = {"path": found[1], "query": request.query} | {part: {**sent, name: text}}
                wrong = replace(request, target=agreement.target(operation, parts["path"], parts["query"]))
                if clause.id == edit.clause and clause.id in broken and agreement.operation_of(wrong.method, wrong.path) is not None:
                    yield f"request: {edit.kind}", f"the {part} parameter {name}: {text!r}", wrong
                    return


def rule(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """The request that the harness itself had refused for this rule, sent by the client."""
    refused = scene.forbidden.get(clause.id)
    if refused is None:
        return
    for number, index, exchange in of_clause(agreement, clause, scene):
        wrong = replace(exchange.request, target=refused.target, body=refused.body)
        yield Distortion(
            kind="request that breaks the rule", what=clause.id.rpartition(".")[2], observation=scene.with_request(number, index, wrong)
        )
        return


def default(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    name = clause.id.rpartition(".")[2]
    for number, index, exchange in of_clause(agreement, clause, scene):
        body = _json(exchange.request)
        if not isinstance(body, Mapping) or name not in body:
            continue
        without = {key: value for key, value in body.items() if key != name}
        yield Distortion(
            kind="default not sent",
            what=f"no `{name}`",
            observation=scene.with_request(number, index, _with_body(exchange.request, without)),
        )
        other = {**body, name: perturbed(body[name])}
        yield Distortion(
            kind="another default",
            what=f"`{name}`: {other[name]!r}",
            observation=scene.with_request(number, index, _with_body(exchange.request, other)),
        )
        return


def argument(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """Another value than the caller's, or none, wherever in the request the argument stands."""
    name = clause.id.rpartition(".")[2]
    for number, call in scene.calls:
        given = call.arguments.get(name)
        if call.operation != clause.operation or given is None or not call.exchanges:
            continue
        made = list(_items_lost(scene, number, call, given)) if isinstance(given, list) else []
        made = made or list(_said_otherwise(agreement, scene, number, call, name))
        yield from made
        if made:
            return


def _said_otherwise(agreement: Agreement, scene: Scene, number: int, call: Call, name: str) -> Distortions:
    bind = agreement.operations[call.operation].bind
    assert bind is not None
    given, kinds = call.arguments[name], set()
    for index, exchange in enumerate(call.exchanges):
        for what, changed in _changed_requests(agreement, call.operation, exchange.request):
            seen = Seen(agreement, replace(exchange, request=changed), call)
            if seen.terms is None or seen.terms.name != call.operation:
                continue
            said = evaluated(bind.arguments[name], seen)
            kind = "argument lost" if said in (MISSING, None) else "argument changed"
            if kind not in kinds and not close(given, said, 0.0) and said != query_text(given):
                kinds.add(kind)
                yield Distortion(kind=kind, what=f"`{name}`: {what}", observation=scene.with_request(number, index, changed))
        if kinds:
            return


def _changed_requests(agreement: Agreement, operation: str, request: Request) -> Iterator[tuple[str, Request]]:
    """The request with one thing in it changed or left out: a parameter, a value in its body."""
    found = agreement.operation_of(request.method, request.path)
    path, query = (found[1] if found else {}), request.query
    for name, text in path.items():
        yield f"the path says {text}x", replace(request, target=agreement.target(operation, {**path, name: f"{text}x"}, query))
    for name, text in query.items():
        other = {"true": "false", "false": "true"}.get(text, f"{text}1")
        without = {key: value for key, value in query.items() if key != name}
        yield f"{name}={other}", replace(request, target=agreement.target(operation, path, {**query, name: other}))
        yield f"no parameter {name}", replace(request, target=agreement.target(operation, path, without))
    body = _json(request)
    for key in body if isinstance(body, Mapping) else ():
        yield f"no `{key}`", _with_body(request, {each: value for each, value in body.items() if each != key})
        yield f"`{key}` changed", _with_body(request, {**body, key: perturbed(body[key])})
    for edit in islice(reshaped(body), MOST_EDITS):
        yield edit.name, _with_body(request, edit.value)


def _items_lost(scene: Scene, number: int, call: Call, given: list[Any]) -> Distortions:
    for index, exchange in enumerate(call.exchanges):
        body = _json(exchange.request)
        for key, value in body.items() if isinstance(body, Mapping) else ():
            if isinstance(value, list) and value and value[0] in given:
                changed = [perturbed(value[0]), *value[1:]]
                yield Distortion(
                    kind="item changed", what=f"{changed[0]!r} for {value[0]!r}",
                    observation=scene.with_request(number, index, _with_body(exchange.request, {**body, key: changed})),
                )
                if len(value) > 1:
                    yield Distortion(
                        kind="item dropped", what="the last item is not sent",
                        observation=scene.with_request(number, index, _with_body(exchange.request, {**body, key: value[:-1]})),
                    )
                return


# Bodies


def _json(request: Request) -> Any:
    try:
        return request.json()
    except ValueError:
        return None


def _with_body(request: Request, body: object) -> Request:
    return replace(request, body=json.dumps(body).encode())
