"""What clients make of gRPC's statuses: a lying one is caught by the clause that it breaks, an honest one by none; and providers that lie there."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.engine import find_suites, run_case
from harness.exchange import Observation
from harness.provider.embedded import EmbeddedProvider
from harness.provider.had import Provider
from harness.suites.case import Case, Setting
from harness.verdict import Finding
from tests.miniatures.trying import findings, setting_of

pytest.importorskip("qdrant_edge", reason="the engine is not installed: pip install 'contract-harness[qdrant]'")

from harness.provider.qdrant_engine.grpc_methods import METHODS
from tests.miniatures.qdrant import over_grpc as liars

ROOT = Path(__file__).parents[3]
LIARS = "tests.miniatures.qdrant.over_grpc"
Run = Callable[..., list[Finding]]

CLIENTS = {
    "RepeatsWhatTimedOut": ("upsert::grpc-deadline_exceeded-without_waiting", "resilience.retry.attempts"),
    "GivesUpAtOnce": ("upsert::grpc-unavailable-then-ok", "resilience.retry.on.connection"),
    "TriesFourTimes": ("query::grpc-internal-always", "resilience.retry.attempts"),
    "FindsNothingUnauthenticated": ("query::grpc-unauthenticated-always", "operations.query.responses.401.raises"),
    "SwallowsFailedUpserts": ("upsert::grpc-internal-always", "operations.upsert.responses.500.raises"),
    "MistakesNotFound": ("count::grpc-not_found-always", "operations.count.responses.404.raises"),
    "TakesUnavailableForAFailure": ("query::grpc-unavailable-always", "failures.connection.raises"),
    "RepeatsBadRequests": ("query::grpc-invalid_argument-always", "resilience.retry.never.400"),
    "IgnoresTheHint": ("query::grpc-resource_exhausted-retry-after", "resilience.retry.retry_after.on.429"),
    "NeverStops": ("query::grpc-breaker-opens-on-deadline_exceeded", "resilience.circuit_breaker.failure_threshold"),
    "CountsRefusals": ("upsert::grpc-breaker-ignores-refusals", "resilience.circuit_breaker.failure_threshold"),
    "LeavesMessagesToGrpc": ("query::grpc-random_data-always", "failures.invalid_response.raises"),
}
PROVIDERS: dict[tuple[str, str], tuple[str, str]] = {
    ("scores_reversed", "Query"): ("query::grpc-nearest", "operations.query.responses.200.invariants.nearest_first"),
    ("one_more", "Count"): ("stateful::grpc-walk", "stateful.operations.count"),
    ("without_payload", "Get"): ("sequence::grpc-payload_is_set", "sequences.payload_is_set.promises.written"),
    ("without_the_last", "Scroll"): ("sequence::grpc-scroll_visits_each_once", "sequences.scroll_visits_each_once.promises.each_once"),
    ("always_completed", "Upsert"): ("upsert::grpc-without_waiting", "operations.upsert.responses.200.invariants.wait_is_kept"),
}


@cache
def qdrant() -> Agreement:
    return load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    engine = EmbeddedProvider(qdrant())
    yield engine
    engine.close()


@pytest.fixture
def run(provider: Provider, tmp_path: Path) -> Run:
    """What a case finds, on the reference client and the engine unless others are given."""

    def found(*wanted: str, client: str | None = None, provider: Provider = provider) -> list[Finding]:
        setting = Setting(agreement=qdrant(), binding=bind(qdrant(), client), provider=provider, root=tmp_path)
        return findings([run_case(setting, case) for case in cases(setting) if case.id.partition("::")[2] in wanted])

    return found


def cases(setting: Setting) -> list[Case]:
    return [case for suite in find_suites(["fault", "conformance"]) for case in suite.cases(setting)]


@pytest.mark.parametrize(("client", "expected"), CLIENTS.items(), ids=CLIENTS)
def test_a_client_that_mishandles_a_status_is_caught(client: str, expected: tuple[str, str], run: Run) -> None:
    case, clause = expected
    assert clause in {finding.clause for finding in run(case, client=f"{LIARS}:{client}")}


def test_the_reference_client_is_not_suspected(run: Run) -> None:
    assert run(*{case for case, _ in (*CLIENTS.values(), *PROVIDERS.values())}) == []


@pytest.mark.parametrize(("lie", "expected"), PROVIDERS.items(), ids=lambda each: each[0])
def test_a_provider_that_lies_over_grpc_alone_is_caught(
    lie: tuple[str, str], expected: tuple[str, str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, method = lie
    monkeypatch.setitem(METHODS, f"qdrant.Points/{method}", getattr(liars, name)(METHODS[f"qdrant.Points/{method}"]))
    lying = EmbeddedProvider(qdrant())  # started only now
    try:
        found = {finding.clause for finding in run(expected[0], provider=lying)}
    finally:
        lying.close()
    assert expected[1] in found


def test_what_must_not_be_done_twice_is_not_repeated_after_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a contract that says so; whoever goes by the shipped one repeats it, and is caught."""
    path = tmp_path / "v1.16.yaml"
    before, operation, after = (ROOT / "contracts" / "qdrant" / "v1.16.yaml").read_text("utf-8").partition("\n  set_payload:\n")
    path.write_text(before + operation + after.replace("idempotent: true", "idempotent: false", 1), "utf-8")
    strict = load(path, root=tmp_path)
    monkeypatch.setattr(liars.GoesByAnother, "contract", path)
    found = {}
    engine = EmbeddedProvider(strict)
    try:
        for client in (None, f"{LIARS}:GoesByAnother"):
            setting = Setting(agreement=strict, binding=bind(strict, client), provider=engine, root=tmp_path)
            wanted = [case for case in cases(setting) if case.id == "fault::set_payload::grpc-unavailable-then-ok"]
            found[client] = {finding.clause for finding in findings([run_case(setting, case) for case in wanted])}
    finally:
        engine.close()
    assert found == {None: {"operations.set_payload.idempotent"}, f"{LIARS}:GoesByAnother": set()}


def test_an_injected_status_is_known_as_one_and_the_provider_is_not_asked(provider: Provider, tmp_path: Path) -> None:
    setting = Setting(agreement=qdrant(), binding=bind(qdrant(), None), provider=provider, root=tmp_path)
    (case,) = (case for case in cases(setting) if case.id == "fault::upsert::grpc-internal-then-ok")
    seen = case.execute()
    assert isinstance(seen, Observation)
    (call,) = seen.calls
    assert [(each.injected, each.rpc and each.rpc.status) for each in call.exchanges] == [("INTERNAL", 13), (None, 0)]


def test_only_what_the_contract_declares_is_injected(provider: Provider, tmp_path: Path) -> None:
    """And every operation over gRPC has something of it."""
    setting = Setting(agreement=qdrant(), binding=bind(qdrant(), None), provider=provider, root=tmp_path)
    names = {case.id.split("::")[1]: set[str]() for case in cases(setting) if "::grpc-unavailable" in case.id}
    declared = qdrant().contract.provider.grpc
    assert declared is not None
    assert names.keys() == declared.operations.keys()
    assert not [case.id for case in cases(setting) if "grpc-already_exists" in case.id or "grpc-aborted" in case.id]


def test_a_service_without_grpc_has_no_such_cases() -> None:
    assert not [case for case in cases(setting_of()) if case.over_grpc]
