"""Lying clients: for each kind of clause, the ways in which a client could be seen to break it.

The interposer stands between what was seen on the wire (and of the call's outcome) and those who judge it.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.contract.agreement import Agreement
from harness.contract.clauses import Clause, Kind
from harness.exchange import Call, Exchange, Failure, Observation, Raised, Request, Returned
from harness.proof.distorting import broken_bodies, perturbed
from harness.proof.mutant import Distortion, Distortions
from harness.proof.resilience import (
    batch,
    breaker,
    budget,
    cache,
    failure,
    monitoring,
    policy,
    rate,
    retry,
    timeout,
)
from harness.proof.scene import Scene

Maker = Callable[[Agreement, Clause, Scene], Distortions]


def distortions(
    agreement: Agreement, clause: Clause, observation: Observation, *, forbidden: Mapping[str, bytes] | None = None
) -> Distortions:
    """Every way to have this observation show a client that breaks the clause; none where it does not bear on it.

    ``forbidden`` are bodies that break request rules, by clause.
    """
    for maker in MAKERS.get(clause.kind, ()):
        yield from maker(agreement, clause, Scene(observation, forbidden or {}))


def _of(agreement: Agreement, clause: Clause, scene: Scene) -> Iterator[tuple[int, int, Exchange]]:
    """The exchanges of the clause's operation, or of all when it belongs to none."""
    for number, index, exchange in scene.sent:
        if clause.operation in (None, scene.observation.calls[number].operation):
            yield number, index, exchange


# Requests


def endpoint(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    for number, index, exchange in _of(agreement, clause, scene):
        request = exchange.request
        if clause.id.endswith(".method"):
            wrong = replace(request, method="GET" if request.method != "GET" else "POST")
            yield Distortion(
                kind="another method", what=f"{wrong.method} {request.target}", observation=scene.with_request(number, index, wrong)
            )
        else:
            wrong = replace(request, target=request.path.rstrip("/") + "-v0")
            yield Distortion(kind="another path", what=wrong.target, observation=scene.with_request(number, index, wrong))
        return


def auth(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    declared = agreement.contract.provider.auth
    assert declared is not None
    name = declared.header.lower()
    for number, index, exchange in scene.sent:
        request = exchange.request
        if request.header(name) is None:
            continue
        bare = tuple(pair for pair in request.headers if pair[0].lower() != name)
        dropped = replace(request, headers=bare)
        yield Distortion(kind="credential dropped", what=f"no header `{name}`", observation=scene.with_request(number, index, dropped))
        if clause.id.endswith(".scheme"):
            other = replace(request, headers=(*bare, (name, "Basic " + str(request.header(name))[-8:])))
            yield Distortion(kind="another scheme", what="a Basic credential", observation=scene.with_request(number, index, other))
        else:
            moved = replace(request, headers=(*bare, ("x-" + name, str(request.header(name)))))
            yield Distortion(kind="another header", what=f"x-{name}", observation=scene.with_request(number, index, moved))
        return


def secrecy(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    secrets = scene.observation.secrets
    if not secrets:
        return
    secret = secrets[0]
    stray = replace(scene.observation, stray=f"{scene.observation.stray}\nconnecting with {secret}")
    yield Distortion(kind="secret logged", what="a log line with the credential", observation=stray)
    for number, call in scene.calls:
        if isinstance(call.ending, Raised):
            loud = replace(call.ending, message=f"{call.ending.message} (key {secret})")
            yield Distortion(
                kind="secret in message",
                what="the error names the credential",
                observation=scene.with_call(number, replace(call, ending=loud)),
            )
            traced = replace(call.ending, text=f"{call.ending.text}\n  key = {secret!r}")
            yield Distortion(
                kind="secret in traceback", what="the traceback shows it", observation=scene.with_call(number, replace(call, ending=traced))
            )
            break
    for number, index, exchange in scene.sent:
        request = exchange.request
        url = replace(request, target=f"{request.target}?key={secret}")
        yield Distortion(
            kind="secret in URL", what="the credential as a query parameter", observation=scene.with_request(number, index, url)
        )
        elsewhere = replace(request, origin="https://metrics.example.net")
        yield Distortion(kind="credential sent elsewhere", what=elsewhere.origin, observation=scene.with_request(number, index, elsewhere))
        return


def media_type(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    if not clause.id.endswith("request.media_type"):
        return
    for number, index, exchange in _of(agreement, clause, scene):
        headers = tuple(
            ("content-type", "text/plain") if name.lower() == "content-type" else (name, value) for name, value in exchange.request.headers
        )
        wrong = replace(exchange.request, headers=headers)
        yield Distortion(kind="media type of the request", what="text/plain", observation=scene.with_request(number, index, wrong))
        return


def schema(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """A request whose body breaks just this keyword."""
    if "consumer" not in clause.parties:
        return
    for number, index, exchange in _of(agreement, clause, scene):
        body = _json(exchange.request)
        if not isinstance(body, Mapping):
            continue
        made = False
        for kind, what, wrong in broken_bodies(
            agreement, clause, ("operations", scene.observation.calls[number].operation, "request", "body"), body
        ):
            made = True
            yield Distortion(
                kind=f"request: {kind}", what=what, observation=scene.with_request(number, index, _with_body(exchange.request, wrong))
            )
        if made:
            return


def rule(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """The body of a request that the harness itself had refused for this rule, sent by the client."""
    body = scene.forbidden.get(clause.id)
    if body is None:
        return
    for number, index, exchange in _of(agreement, clause, scene):
        wrong = replace(exchange.request, body=body)
        yield Distortion(
            kind="request that breaks the rule", what=clause.id.rpartition(".")[2], observation=scene.with_request(number, index, wrong)
        )
        return


def difference(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """The day after an accepted difference has expired."""
    measured = scene.observation.measured
    if "today" in measured:
        _, index, _, number = clause.id.split(".")
        expires = agreement.contract.evidence[int(index)].differs[int(number)].expires
        later = replace(scene.observation, measured={**measured, "today": expires.toordinal() + 1})
        yield Distortion(kind="difference expired", what=f"the day after {expires}", observation=later)


def default(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    name = clause.id.rpartition(".")[2]
    for number, index, exchange in _of(agreement, clause, scene):
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
    name = clause.id.rpartition(".")[2]
    for number, call in scene.calls:
        given = call.arguments.get(name)
        if call.operation != clause.operation or given is None or not call.exchanges:
            continue
        if isinstance(given, list) and given:
            yield from _items_lost(scene, number, call, given)
            return
        source = agreement.operations[call.operation].model.bind
        field = source.arguments[name].removeprefix("request.body.") if source else name
        for index, exchange in enumerate(call.exchanges):
            changed = _replaced(exchange.request, field, given, perturbed(given))
            if changed is not None:
                yield Distortion(
                    kind="argument changed",
                    what=f"`{name}` sent as {perturbed(given)!r}",
                    observation=scene.with_request(number, index, changed),
                )
                lost = _replaced(exchange.request, field, given, None)
                assert lost is not None
                yield Distortion(kind="argument lost", what=f"`{name}` sent as null", observation=scene.with_request(number, index, lost))
                return


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


def result(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    for number, call in scene.calls:
        if call.operation != clause.operation or not isinstance(call.ending, Returned) or not call.exchanges:
            continue
        value = call.ending.value
        wrong: dict[str, Any] = {
            "nothing returned": None,
            "result changed": perturbed(value),
            "raised for nothing": Raised(type="RuntimeError"),
        }
        items = list(value) if isinstance(value, Collection) and not isinstance(value, str | Mapping) else []
        if len(items) > 1:
            wrong |= {"result short": items[:-1], "results reversed": items[::-1]}
        for kind, changed in wrong.items():
            ending = changed if isinstance(changed, Raised) else Returned(value=changed)
            yield Distortion(kind=kind, what=kind, observation=scene.with_call(number, replace(call, ending=ending)))
        if len(items) > 1:
            return


def raises(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    for number, call in scene.calls:
        if isinstance(call.ending, Raised) and clause.operation in (None, call.operation):
            other = replace(call.ending, type="ValueError", bases=("Exception",))
            yield Distortion(
                kind="another error",
                what=f"ValueError for {call.ending.type}",
                observation=scene.with_call(number, replace(call, ending=other)),
            )
            yield Distortion(
                kind="failure swallowed", what="None is returned", observation=scene.with_call(number, replace(call, ending=Returned()))
            )
            return


def idempotence(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """Only for what may not be repeated: a repeat after a failure that may have done it already."""
    if clause.value is not False:
        return
    for number, index, exchange in _of(agreement, clause, scene):
        if exchange.failure in (Failure.TIMEOUT, Failure.CONNECTION):
            again = replace(exchange, started_s=exchange.ended_s + 1, ended_s=exchange.ended_s + 2)
            call = scene.observation.calls[number]
            made = scene.with_exchanges(number, (*call.exchanges[: index + 1], again), ended_s=again.ended_s)
            yield Distortion(kind="repeat of what may be done", what="sent again after a failure", observation=made)
            return


def sla(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """A load run that misses the objective, and one without a sample."""
    measured = scene.observation.measured
    if "load.samples" not in measured:
        return
    name = clause.id.rpartition(".")[2]
    key = {"throughput": "load.throughput_per_s"}.get(
        name, f"load.{name.removeprefix('response_time_')}" + ("_s" if name.startswith("response") else "")
    )
    worse = {"availability": 0.0, "error_rate": 1.0, "throughput": 0.001}.get(name, 1e6)
    missed = replace(scene.observation, measured={**measured, key: worse})
    yield Distortion(kind="objective missed", what=f"{key} = {worse:g}", observation=missed)
    empty = replace(scene.observation, measured={**measured, "load.samples": 0.0})
    yield Distortion(kind="no sample", what="a load run in which nothing was asked", observation=empty)


# Bodies


def _json(request: Request) -> Any:
    try:
        return request.json()
    except ValueError:
        return None


def _with_body(request: Request, body: object) -> Request:
    return replace(request, body=json.dumps(body).encode())


def _replaced(request: Request, field: str, old: object, new: object) -> Request | None:
    """The request with a value of its body (at the top level, under the argument's own name if there is one) replaced."""
    body = _json(request)
    for key, value in body.items() if isinstance(body, Mapping) else ():
        if value == old and type(value) is type(old) and (key == field or field not in body):
            return _with_body(request, {**body, key: new})
    return None


MAKERS: Mapping[Kind, tuple[Maker, ...]] = {
    Kind.ENDPOINT: (endpoint,),
    Kind.AUTH: (auth,),
    Kind.SECRECY: (secrecy,),
    Kind.MEDIA_TYPE: (media_type,),
    Kind.SCHEMA: (schema,),
    Kind.RULE: (rule,),
    Kind.DIFFERENCE: (difference,),
    Kind.SLA: (sla,),
    Kind.DEFAULT: (default,),
    Kind.ARGUMENT: (argument,),
    Kind.RESULT: (result,),
    Kind.RAISES: (raises,),
    Kind.FAILURE: (failure,),
    Kind.IDEMPOTENCE: (idempotence,),
    Kind.TIMEOUT: (timeout,),
    Kind.BUDGET: (budget,),
    Kind.RETRY: (retry,),
    Kind.BREAKER: (breaker,),
    Kind.BATCH: (batch,),
    Kind.RATE: (rate,),
    Kind.CACHE: (cache,),
    Kind.POLICY: (policy,),
    Kind.PATTERN: (policy,),
    Kind.MONITORING: (monitoring,),
}

