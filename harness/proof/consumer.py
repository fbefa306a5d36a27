"""Lying clients: for each kind of clause, the ways in which a client could be seen to break it.

The interposer stands between what was seen on the wire (and of the call's outcome) and those who judge it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from harness.checks.compare import close
from harness.checks.indicators import AT_BEST, PREFIX
from harness.contract.agreement import Agreement
from harness.contract.clauses import Clause, Kind
from harness.exchange import Call, Failure, Observation, Raised, Request, Returned
from harness.proof.distorting import perturbed
from harness.proof.limits import batch, rate
from harness.proof.mutant import Distortion, Distortions
from harness.proof.requesting import argument, default, endpoint, media_type, of_clause, rule, schema
from harness.proof.resilience import breaker, budget, cache, failure, monitoring, policy, retry, timeout
from harness.proof.scene import Scene
from harness.proof.tasks import task
from harness.proof.telling import report

Maker = Callable[[Agreement, Clause, Scene], Distortions]


def distortions(
    agreement: Agreement, clause: Clause, observation: Observation, *, forbidden: Mapping[str, Request] | None = None
) -> Distortions:
    """Every way to have this observation show a client that breaks the clause; none where it does not bear on it.

    ``forbidden`` are requests that break rules or parameters, by clause.
    """
    for maker in MAKERS.get(clause.kind, ()):
        yield from maker(agreement, clause, Scene(observation, forbidden or {}))


# The credential


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
            stale = replace(request, headers=(*bare, (name, str(request.header(name))[:-1] + "~")))
            yield Distortion(kind="wrong credential", what="its last character", observation=scene.with_request(number, index, stale))
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
        told = replace(request, body=request.body[:-1] + b', "key": "%s"}' % secret.encode()) if request.body.endswith(b"}") else None
        if told is not None:
            yield Distortion(kind="secret in body", what="the credential in the body", observation=scene.with_request(number, index, told))
        elsewhere = replace(request, origin="https://metrics.example.net")
        yield Distortion(kind="credential sent elsewhere", what=elsewhere.origin, observation=scene.with_request(number, index, elsewhere))
        return


def difference(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """The day after an accepted difference has expired."""
    measured = scene.observation.measured
    if "today" in measured:
        _, index, _, number = clause.id.split(".")
        expires = agreement.contract.evidence[int(index)].differs[int(number)].expires
        later = replace(scene.observation, measured={**measured, "today": expires.toordinal() + 1})
        yield Distortion(kind="difference expired", what=f"the day after {expires}", observation=later)


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
        other = next((each for _, each in scene.calls if each.operation == call.operation and _other(each, call)), None)
        if other is not None:
            mixed = replace(call, ending=other.ending)
            yield Distortion(kind="result of another call", what="what was asked before", observation=scene.with_call(number, mixed))
        items = list(value) if isinstance(value, Collection) and not isinstance(value, str | Mapping) else []
        if len(items) > 1:
            wrong |= {"result short": items[:-1], "results reversed": items[::-1]}
        for kind, changed in wrong.items():
            if not isinstance(changed, Raised) and close(value, changed, 0):
                continue  # nothing where nothing is right, a row of equals reversed: that is no lie
            ending = changed if isinstance(changed, Raised) else Returned(value=changed)
            yield Distortion(kind=kind, what=kind, observation=scene.with_call(number, replace(call, ending=ending)))
        if len(items) > 1:
            return


def _other(one: Call, other: Call) -> bool:
    """Whether two calls asked for something else, and got it."""
    if not isinstance(one.ending, Returned) or not isinstance(other.ending, Returned):
        return False
    return one.arguments != other.arguments and not close(one.ending.value, other.ending.value, 1e-6)


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
            if any(exchange.response is not None and exchange.response.status < 300 for exchange in call.exchanges):
                partial = scene.with_call(number, replace(call, ending=Returned(value=[[0.0]])))
                yield Distortion(kind="partial failure lost", what="what came is returned", observation=partial)
            return


def idempotence(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """Only for what may not be repeated: a repeat after a failure that may have done it already."""
    if clause.value is not False:
        return
    for number, index, exchange in of_clause(agreement, clause, scene):
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
    at_best = key.replace(PREFIX, AT_BEST, 1)  # nor can it be laid to the machine
    missed = replace(scene.observation, measured={**measured, key: worse, at_best: worse})
    yield Distortion(kind="objective missed", what=f"{key} = {worse:g}", observation=missed)
    empty = replace(scene.observation, measured={**measured, "load.samples": 0.0})
    yield Distortion(kind="no sample", what="a load run in which nothing was asked", observation=empty)


MAKERS: Mapping[Kind, tuple[Maker, ...]] = {
    Kind.ENDPOINT: (endpoint,),
    Kind.SEQUENCE: (task,),
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
    Kind.REPORT: (report,),
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
