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
    Kind.SLA: "below",
    Kind.IDEMPOTENCE: "an operation that may not be repeated",
    Kind.RULE: "below",
    Kind.SEQUENCE: "a contract with tasks",
    Kind.MEDIA_TYPE: "a contract that declares it",
    Kind.PATTERN: "a contract that declares it",
    Kind.REPORT: "a contract that declares it",
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


# What other cases see


MEASURED = {
    "load.samples": 1000.0, "load.availability": 1.0, "load.error_rate": 0.0, "load.p95_s": 0.01, "load.throughput_per_s": 1e3,
    "load.target_rate_per_s": 1e3,
}  # fmt: skip


@pytest.mark.parametrize("objective", ["availability", "error_rate", "response_time_p95", "throughput"])
def test_an_objective_that_is_missed_or_has_no_sample_is_named(objective: str) -> None:
    agreement, clause = setting_of().agreement, f"sla.{objective}"
    honest = Observation(measured=MEASURED)
    assert clause not in broken(agreement, honest)
    lies = {lie.kind: lie.observation for lie in distortions(agreement, agreement.clauses[clause], honest)}
    assert lies.keys() == {"objective missed", "no sample"}
    assert all(clause in broken(agreement, observation) for observation in lies.values())


def test_a_client_that_sends_what_a_rule_forbids_is_named_by_the_rule() -> None:
    setting, clause = setting_of(), "operations.embed.request.rules.known_model"
    honest = cases_of(setting, "conformance")["conformance::embed::one_text"].execute()
    assert not isinstance(honest, Skipped)
    refused = Request(method="POST", target="/v1/embeddings", body=b'{"input": ["a"], "model": "nobody\'s"}')
    lies = list(distortions(setting.agreement, setting.agreement.clauses[clause], honest, forbidden={clause: refused}))
    assert clause not in broken(setting.agreement, honest)
    assert [clause in broken(setting.agreement, lie.observation) for lie in lies] == [True]


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
