"""What clients make of trouble below HTTP and gRPC: a lying one is caught by the clause that it breaks, an honest one by none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.checks.registry import judge
from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.contract.clauses import Kind
from harness.engine import find_suites, run_case
from harness.exchange import Observation
from harness.provider.embedded import EmbeddedProvider
from harness.provider.had import Provider
from harness.provider.qdrant_engine.grpc_methods import METHODS
from harness.suites.case import Case, Setting
from harness.verdict import Finding, Outcome
from tests.miniatures.trying import cases_of, findings, setting_of, verdicts

ROOT = Path(__file__).parents[3]
LIARS = "tests.miniatures.qdrant.over_tcp"
OTHERS = "tests.miniatures.qdrant.clients"
Run = Callable[..., list[Finding]]

BELOW_HTTP = {
    f"{LIARS}:NeverTimesOut": ("query::tcp-timeout", "provider.timeout"),
    f"{LIARS}:TimesOutReadsOnly": ("query::tcp-bandwidth-beyond-timeout", "provider.timeout"),
    f"{LIARS}:Impatient": ("query::tcp-latency", "provider.timeout"),
    f"{LIARS}:RetriesForever": ("query::tcp-reset_peer", "resilience.retry.attempts"),
    f"{LIARS}:TriesOnce": ("query::tcp-reset_peer-once", "resilience.retry.on.connection"),
    f"{LIARS}:IgnoresTheBudget": ("upsert::tcp-timeout", "resilience.budget"),
    f"{LIARS}:RetriesCreation": ("create_collection::tcp-reset_peer", "operations.create_collection.idempotent"),
    f"{LIARS}:RaisesWhatItGets": ("query::tcp-reset_peer", "failures.connection.raises"),
    f"{LIARS}:FindsNothing": ("query::tcp-limit_data", "failures.invalid_response.raises"),
    f"{LIARS}:ReadsToTheEnd": ("query::tcp-slow_close", "operations.query.bind.result"),
    f"{LIARS}:TakesTheFirstPiece": ("query::tcp-slicer", "provider.timeout"),  # it leaves before the answer has come
    f"{LIARS}:MendsTheAnswer": ("query::tcp-limit_data", "failures.invalid_response.raises"),
}
OVER_GRPC = {
    f"{LIARS}:NeverTimesOut": ("query::grpc-timeout", "provider.timeout"),
    f"{LIARS}:Impatient": ("upsert::grpc-latency", "provider.timeout"),
    f"{LIARS}:TriesEightTimes": ("query::grpc-reset_peer", "resilience.retry.attempts"),
    f"{LIARS}:TriesOnce": ("upsert::grpc-reset_peer-once", "resilience.retry.on.connection"),
    f"{LIARS}:IgnoresTheBudget": ("query::grpc-timeout", "resilience.budget"),
    f"{LIARS}:RaisesWhatItGets": ("query::grpc-reset_peer", "failures.connection.raises"),
    f"{LIARS}:FindsNothing": ("query::grpc-limit_data", "failures.connection.raises"),
    f"{LIARS}:LeavesGrpcTooLong": ("upsert::grpc-timeout", "provider.timeout"),
    f"{LIARS}:LeavesGrpcTooLittle": ("query::grpc-latency", "provider.timeout"),
    f"{OTHERS}:IgnoresFilters": ("query::grpc-of_react", "operations.query.bind.arguments.filters"),
    f"{OTHERS}:IgnoresWait": ("upsert::grpc-three", "operations.upsert.bind.arguments.wait"),
    f"{OTHERS}:OneMore": ("query::grpc-nearest", "operations.query.bind.arguments.limit"),
    f"{OTHERS}:ForgetsNextPage": ("scroll::grpc-first_page", "operations.scroll.bind.result"),
}


@cache
def qdrant() -> Agreement:
    return load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    pytest.importorskip("qdrant_edge")
    engine = EmbeddedProvider(qdrant())
    yield engine
    engine.close()


@pytest.fixture
def run(provider: Provider, tmp_path: Path) -> Run:
    """What some cases find, on the reference client unless another is given."""

    def found(*wanted: str, client: str | None = None) -> list[Finding]:
        setting = Setting(agreement=qdrant(), binding=bind(qdrant(), client), provider=provider, root=tmp_path)
        return findings([run_case(setting, case) for case in cases(setting) if case.id.partition("::")[2] in wanted])

    return found


def cases(setting: Setting) -> list[Case]:
    return [case for suite in find_suites(["fault", "conformance"]) for case in suite.cases(setting)]


@pytest.mark.parametrize(("client", "expected"), BELOW_HTTP.items(), ids=lambda each: str(each).rpartition(":")[2])
def test_a_client_that_goes_wrong_below_http_is_caught(client: str, expected: tuple[str, str], run: Run) -> None:
    case, clause = expected
    assert clause in {finding.clause for finding in run(case, client=client)}


@pytest.mark.parametrize(("client", "expected"), OVER_GRPC.items(), ids=lambda each: str(each).rpartition(":")[2])
def test_a_client_that_goes_wrong_over_grpc_is_caught(client: str, expected: tuple[str, str], run: Run) -> None:
    case, clause = expected
    assert clause in {finding.clause for finding in run(case, client=client)}


def test_the_reference_client_is_not_suspected(run: Run) -> None:
    assert run(*{case for case, _ in (*BELOW_HTTP.values(), *OVER_GRPC.values())}) == []


def test_a_timeout_that_is_left_to_grpc_is_judged_like_any_other(run: Run) -> None:
    """Whether nothing comes, or it comes too late, or in pieces; and it takes nothing from an answer that is in time."""
    harms = ("latency", "latency-beyond-timeout", "bandwidth-beyond-timeout", "timeout", "slicer")
    names = [f"{operation}::grpc-{harm}" for operation in ("query", "upsert") for harm in harms]
    assert run(*names, client=f"{LIARS}:LeavesTimeoutsToGrpc") == []


def test_a_finding_says_where_the_clause_stands(run: Run) -> None:
    case, clause = OVER_GRPC[f"{LIARS}:RaisesWhatItGets"]
    finding = next(each for each in run(case, client=f"{LIARS}:RaisesWhatItGets") if each.clause == clause)
    assert finding.place == str(qdrant().clauses[clause].place)
    assert "AioRpcError" in finding.actual
    assert finding.curl.endswith("# it went over gRPC, to /qdrant.Points/Query")


def test_what_was_seen_over_grpc_says_nothing_of_http_itself(provider: Provider, tmp_path: Path) -> None:
    setting = Setting(agreement=qdrant(), binding=bind(qdrant(), None), provider=provider, root=tmp_path)
    of_http = (Kind.ENDPOINT, Kind.SCHEMA, Kind.STATUS, Kind.MEDIA_TYPE, Kind.HEADER, Kind.ERROR_SHAPE, Kind.EXAMPLE)
    for case in (case for case in cases(setting) if "::grpc-" in case.id and "query" in case.id):
        seen = case.execute()
        assert isinstance(seen, Observation)
        kept = {judgement.clause for judgement in judge(qdrant(), seen) if not judgement.finding}
        assert kept
        assert [clause for clause in kept if qdrant().clauses[clause].kind in of_http] == []
        assert "gRPC" in seen.note


@pytest.mark.parametrize("operation", ["Count", "Query", "Scroll", "Get"])
def test_a_provider_that_lies_over_grpc_alone_is_caught(operation: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("stateful::grpc-walk") == []
    honest = METHODS[f"qdrant.Points/{operation}"]

    def one_short(engine: object, request: Any) -> Any:
        answer = honest(engine, request)  # type: ignore[arg-type]  # as it is given
        if operation == "Count":
            answer.result.count += 1
        elif answer.result:
            del answer.result[-1]
        return answer

    monkeypatch.setitem(METHODS, f"qdrant.Points/{operation}", one_short)
    with serving_anew() as setting:
        found = findings([run_case(setting, case) for case in cases(setting) if case.id == "conformance::stateful::grpc-walk"])
    name = {"Get": "retrieve"}.get(operation, operation.lower())
    assert f"stateful.operations.{name}" in {finding.clause for finding in found}


@contextmanager
def serving_anew() -> Iterator[Setting]:
    """An engine that was started only now."""
    engine = EmbeddedProvider(qdrant())
    try:
        yield Setting(agreement=qdrant(), binding=bind(qdrant(), None), provider=engine, root=ROOT)
    finally:
        engine.close()


def test_a_service_of_rest_alone_has_its_connections_broken_too() -> None:
    found = [case for case in cases_of(setting_of(), "fault") if "::tcp-" in case]
    assert {case.split("::")[1] for case in found} == {"embed", "rerank"}
    assert not any("::grpc-" in case for case in cases_of(setting_of(), "fault"))
    assert findings(verdicts([case for case in found if "reset" in case or "limit_data" in case])) == []


def test_a_provider_that_does_not_speak_grpc_has_such_cases_left_out() -> None:
    from harness.provider.stubbed import StubProvider

    setting = Setting(agreement=qdrant(), binding=bind(qdrant(), None), provider=StubProvider(qdrant()), root=ROOT)
    case = next(case for case in cases(setting) if case.id == "fault::query::grpc-reset_peer")
    assert run_case(setting, case).outcome is Outcome.SKIPPED
