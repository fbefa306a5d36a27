"""Lying clients: each lie is told of something that was seen to be right, and each is called by the name of its clause."""

from dataclasses import replace
from itertools import islice

import pytest

from harness.checks.registry import judge
from harness.contract.agreement import Agreement
from harness.contract.clauses import Kind
from harness.exchange import Call, Exchange, Observation, Request, Response, Returned, Rpc
from harness.proof.consumer import MAKERS, distortions
from harness.suites.case import Skipped
from tests.miniatures.trying import cases_of, setting_of

TELLING = (
    "static::terms-in-force",
    "fault::embed::timeout-then-200",
    "fault::embed::cache-hands-out-copies",
    "fault::embed::credential-changes-in-vain",
    "fault::embed::rate-of-tokens-counts-retries",
    "fault::rerank::breaker-stays-open",
    "fault::monitor::provider-is-down",
)
SEEN_ELSEWHERE = {
    Kind.SLA: "load",
    Kind.IDEMPOTENCE: "an operation that may not be repeated",
    Kind.RULE: "a request that the harness sent itself",
    Kind.MEDIA_TYPE: "a contract that declares it",
    Kind.PATTERN: "a contract that declares it",
}


def broken(agreement: Agreement, observation: Observation) -> set[str]:
    return {judgement.clause for judgement in judge(agreement, observation) if judgement.finding}


@pytest.fixture(scope="module")
def told() -> dict[Kind, set[str]]:
    """The kinds of clauses of which a case of an honest client has something to lie about, each with the first such lies."""
    setting, found = setting_of(), dict[Kind, set[str]]()
    for case in TELLING:
        honest = cases_of(setting, case.partition("::")[0])[case].execute()
        assert not isinstance(honest, Skipped)
        assert broken(setting.agreement, honest) == set()
        for clause in sorted({judgement.clause for judgement in judge(setting.agreement, honest)}):
            known = setting.agreement.clauses[clause]
            for lie in islice(distortions(setting.agreement, known, honest), 0 if known.kind in found else 3):
                if clause in broken(setting.agreement, lie.observation):
                    found.setdefault(known.kind, set()).add(lie.kind)
    return found


@pytest.mark.parametrize("kind", sorted(set(MAKERS) - SEEN_ELSEWHERE.keys()))
def test_a_lie_about_what_an_honest_client_was_seen_to_keep_is_named_by_its_clause(kind: Kind, told: dict[Kind, set[str]]) -> None:
    assert told.get(kind)


# What a result is

RESULT = "operations.take.bind.result"


def taken(body: str, value: object) -> Observation:
    response = Response(status=200, headers=(("content-type", "application/json"),), body=body.encode())
    exchange = Exchange(request=Request(method="GET", target="/v1/next"), response=response, operation="take")
    return Observation(calls=(Call(operation="take", intended={}, exchanges=(exchange,), ending=Returned(value=value)),))


@pytest.mark.parametrize(
    ("body", "value", "no_lie"),
    [
        ('{"items": null}', None, {"nothing returned", "result short", "results reversed"}),
        ('{"items": ["a", "a"]}', ["a", "a"], {"results reversed"}),
        ('{"items": ["a", "b"]}', ["a", "b"], set()),
    ],
)
def test_what_is_right_anyway_is_no_lie(queue: Agreement, body: str, value: object, no_lie: set[str]) -> None:
    honest = taken(body, value)
    assert RESULT not in broken(queue, honest)
    lies = {lie.kind: lie.observation for lie in distortions(queue, queue.clauses[RESULT], honest)}
    every = {"nothing returned", "result changed", "raised for nothing", "result short", "results reversed"}
    assert lies.keys() == every - no_lie
    assert all(RESULT in broken(queue, observation) for observation in lies.values())


def test_a_batch_over_grpc_is_as_long_as_its_own_message() -> None:
    setting = setting_of()
    case = cases_of(setting, "fault")["fault::embed::timeout-then-200"].execute()
    assert not isinstance(case, Skipped)
    call = case.calls[0]
    spoken = tuple(replace(each, rpc=Rpc(method="/x/Embed", sent_bytes=10)) for each in call.exchanges)
    over_grpc = replace(case, calls=(replace(call, exchanges=spoken), *case.calls[1:]))
    limit = next(clause for name, clause in setting.agreement.clauses.items() if name.startswith("limits.batch.") and name.endswith("items"))
    size = replace(limit, id="limits.batch.bytes")
    longest = [
        exchange.rpc.sent_bytes
        for lie in distortions(setting.agreement, size, over_grpc)
        for each in lie.observation.calls
        for exchange in each.exchanges
        if exchange.rpc
    ]
    assert max(longest) >= max(len(each.request.body) for each in spoken)
