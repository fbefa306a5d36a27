"""The catalogue: each fault as an answer to the first so many requests, by a speaking name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import formatdate

from harness.contract.agreement import OperationTerms
from harness.exchange import Response
from harness.suites.staging import Staging
from harness.wire.clock.model import START_OF_2026_S
from harness.wire.faults import (
    Answer,
    EmptyResponse,
    Fault,
    Latency,
    LimitData,
    MalformedChunk,
    RandomData,
    ResetPeer,
    Slicer,
    SlowBody,
    SlowClose,
    Timeout,
)

FaultOf = Callable[[int], Fault | None]
DATE = formatdate(START_OF_2026_S, usegmt=True)  # when a play begins: a client may go by its own clock
RETRY_AFTER_FORMS: dict[str, dict[str, str]] = {
    "seconds": {"retry-after": "7"},  # beyond the first back-offs, which a client that reads no hint would wait
    "zero": {"retry-after": "0"},
    "a-minute": {"retry-after": "60"},
    "http-date": {"retry-after": formatdate(START_OF_2026_S + 7, usegmt=True), "date": DATE},
    "date-in-the-past": {"retry-after": formatdate(START_OF_2026_S - 60, usegmt=True), "date": DATE},
    "beyond-the-budget": {"retry-after": "86400"},
    "rubbish": {"retry-after": "soon"},
    "negative": {"retry-after": "-5"},
}


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What happens to the requests of one call, and the clauses that it is there for."""

    name: str
    fault: FaultOf
    aims: tuple[str, ...]


def first(count: int, fault: Fault) -> FaultOf:
    """The first ``count`` requests meet the fault, the others the provider."""
    return lambda number: fault if number < count else None


def always(fault: Fault) -> FaultOf:
    return lambda number: fault


def catalogue(staging: Staging, terms: OperationTerms) -> Iterator[Trouble]:
    """Every trouble for one operation."""
    yield from _statuses(staging, terms)
    yield from _hints(staging, terms)
    yield from _transport(staging, terms)
    yield from _bodies(staging, terms)


def _statuses(staging: Staging, terms: OperationTerms) -> Iterator[Trouble]:
    retry = staging.setting.agreement.contract.resilience.retry
    repeated = [status for status in terms.model.responses if retry and status in retry.on]
    for status, shape in terms.model.responses.items():
        if not shape.error:
            continue
        fault = staging.declared(terms.name, status)
        aims = (f"operations.{terms.name}.responses.{status}.raises", "resilience.retry.*")
        if status not in repeated:
            yield Trouble(name=f"{status}", fault=always(fault), aims=aims)
            continue
        assert retry is not None
        for count in range(1, retry.attempts):
            yield Trouble(name="-".join([str(status)] * count + ["then-200"]), fault=first(count, fault), aims=aims)
        yield Trouble(name=f"{status}-always", fault=always(fault), aims=aims)
    if len(repeated) > 1:
        faults = [staging.declared(terms.name, status) for status in repeated]
        burst = lambda number: faults[number % len(faults)]
        yield Trouble(name="burst-of-statuses", fault=burst, aims=("resilience.retry.*",))


def _hints(staging: Staging, terms: OperationTerms) -> Iterator[Trouble]:
    retry = staging.setting.agreement.contract.resilience.retry
    for status in retry.retry_after.on if retry and retry.retry_after else ():
        if status in terms.model.responses:
            plain = staging.stub.declared(terms.name, status)
            unhinted = tuple((name, value) for name, value in plain.headers if name.lower() != "retry-after")
            bare = Answer(response=replace(plain, headers=unhinted))
            yield Trouble(name=f"{status}-no-hint", fault=first(2, bare), aims=("resilience.retry.wait.*",))
            for form, headers in RETRY_AFTER_FORMS.items():
                hinted = Answer(response=replace(plain, headers=(*unhinted, *headers.items())))
                yield Trouble(name=f"{status}-retry-after-{form}", fault=first(1, hinted), aims=("resilience.retry.retry_after.*",))


def _transport(staging: Staging, terms: OperationTerms) -> Iterator[Trouble]:
    limit_s = staging.setting.agreement.contract.provider.timeout
    aims = ("resilience.retry.on.*", "failures.*", "provider.timeout")
    yield Trouble(name="timeout-then-200", fault=first(1, Timeout()), aims=aims)
    yield Trouble(name="timeout-always", fault=always(Timeout()), aims=(*aims, "resilience.budget"))
    yield Trouble(name="latency-beyond-timeout", fault=first(1, Latency(seconds=2 * limit_s)), aims=aims)
    yield Trouble(name="latency-within-timeout", fault=always(Latency(seconds=0.95 * limit_s)), aims=aims)
    for name, fault in (("reset_peer", ResetPeer()), ("empty_response", EmptyResponse())):
        yield Trouble(name=f"{name}-then-200", fault=first(1, fault), aims=aims)
        yield Trouble(name=f"{name}-always", fault=always(fault), aims=aims)
    drip = SlowBody(seconds=3 * limit_s, pieces=max(1, int(3 * limit_s)))  # a piece a second: no read ever times out
    yield Trouble(name="slow-body-beyond-timeout", fault=first(1, drip), aims=aims)
    yield Trouble(name="slow-body-within-timeout", fault=first(1, SlowBody(seconds=0.5 * limit_s)), aims=aims)
    yield Trouble(name="slicer", fault=always(Slicer()), aims=("operations.*.bind.result",))
    yield Trouble(name="slow_close", fault=always(SlowClose(seconds=1)), aims=("operations.*.bind.result",))


def _bodies(staging: Staging, terms: OperationTerms) -> Iterator[Trouble]:
    aims = ("failures.invalid_response.raises",)
    for name, fault in (("limit_data", LimitData(body_bytes=20)), ("malformed_chunk", MalformedChunk()), ("random_data", RandomData())):
        yield Trouble(name=f"{name}-always", fault=always(fault), aims=aims)
    status, shape = terms.success
    if shape.body is None or not shape.media_type.endswith("json"):
        return
    good = staging.good_answer(staging.invoke(terms.name))
    bodies = {
        "truncated-json": replace(good, body=good.body[: len(good.body) // 2]),
        "empty-body": replace(good, body=b""),
        "garbage-body": replace(good, body=bytes(range(128, 256)) * 4),
        "html-body": Response(status=status, headers=(("content-type", "text/html"),), body=b"<html>It works!</html>"),
        "json-as-html": replace(good, headers=(("content-type", "text/html"),)),
        "null-body": replace(good, body=b"null"),
        "error-body": replace(good, body=_error_body(staging, terms)),
    }
    for name, response in bodies.items():
        yield Trouble(name=f"200-{name}", fault=always(Answer(response=response)), aims=aims)


def _error_body(staging: Staging, terms: OperationTerms) -> bytes:
    statuses = [status for status, shape in terms.model.responses.items() if shape.error]
    return staging.stub.declared(terms.name, statuses[0]).body if statuses else b'{"error": "oops"}'
