"""A client's file says how it is made to speak gRPC: here that of Qdrant's official SDK."""

from pathlib import Path

import pytest

from harness.client.binding import bind
from harness.contract.catalog import load
from harness.contract.problems import ContractError
from harness.engine import find_suites, run_case
from harness.provider.embedded import EmbeddedProvider
from harness.suites.case import Setting
from harness.verdict import Outcome, Verdict

pytest.importorskip("qdrant_client", reason="the official Qdrant SDK is not installed: pip install qdrant-client")
pytest.importorskip("qdrant_edge", reason="the engine is not installed: pip install 'contract-harness[qdrant]'")

ROOT = Path(__file__).parents[3]
CLIENTS = ROOT / "contracts" / "clients"
LOST = {"resilience.retry.on.connection", "resilience.policies.connection_error"}
CALLED = {"upsert", "query"}


def verdicts(client: str, *only: str) -> dict[str, Verdict]:
    agreement = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
    setting = Setting(agreement=agreement, binding=bind(agreement, client, clients=CLIENTS), provider=EmbeddedProvider(agreement), root=ROOT)
    try:
        cases = [case for suite in find_suites(["conformance", "fault"]) for case in suite.cases(setting)]
        return {case.id.partition("::")[2]: run_case(setting, case) for case in cases if any(part in case.id for part in only)}
    finally:
        setting.provider.close()


@pytest.mark.parametrize("client", ["qdrant-client", "qdrant-client-async"])
def test_the_sdk_gives_over_grpc_what_it_gives_over_rest_but_for_the_payload_that_was_not_asked_for(client: str) -> None:
    found = verdicts(client, "::grpc-three", "::grpc-first", "::grpc-ids_only", "::grpc-nearest", "::grpc-all", "::grpc-deleted_is_gone")
    assert len(found) > 6
    broken = {name: {finding.clause for finding in verdict.findings} for name, verdict in found.items() if verdict.findings}
    assert broken == {"retrieve::grpc-ids_only": {"operations.retrieve.bind.result"}}


@pytest.mark.parametrize("client", ["qdrant-client", "qdrant-client-async"])
def test_the_sdk_tries_once_what_broke_off_and_keeps_its_timeout(client: str) -> None:
    """The error of gRPC comes through, and its status tells which of the contract's it is; a timeout is gRPC's own."""
    found = verdicts(client, "::grpc-reset_peer", "::grpc-limit_data", "::grpc-timeout", "::grpc-latency", "::grpc-bandwidth")
    assert {name.partition("::")[0] for name in found} == CALLED
    assert {verdict.outcome for verdict in found.values()} == {Outcome.PASSED, Outcome.FAILED}
    broken = {name.partition("::grpc-")[2]: {finding.clause for finding in verdict.findings} for name, verdict in found.items() if verdict.findings}
    assert broken == {"reset_peer": LOST, "reset_peer-once": LOST, "limit_data": LOST}


def test_an_error_that_the_file_has_no_word_for_is_named_with_its_status(tmp_path: Path) -> None:
    agreement = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
    path = tmp_path / "qdrant-client.yaml"
    path.write_text((CLIENTS / path.name).read_text("utf-8").replace('"RpcError:UNAVAILABLE"', '"RpcError:UNKNOWN"'), "utf-8")
    provider = EmbeddedProvider(agreement)
    setting = Setting(agreement=agreement, binding=bind(agreement, str(path)), provider=provider, root=ROOT)
    try:
        (suite,) = find_suites(["fault"])
        (verdict,) = [run_case(setting, case) for case in suite.cases(setting) if case.id == "fault::query::grpc-reset_peer"]
    finally:
        provider.close()
    assert {finding.clause for finding in verdict.findings} == {"failures.connection.raises", *LOST}
    told = next(finding.actual for finding in verdict.findings if finding.clause == "failures.connection.raises")
    assert "StatusCode.UNAVAILABLE" in told


def test_what_it_is_made_with_has_to_be_an_expression(tmp_path: Path) -> None:
    agreement = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
    path = tmp_path / "qdrant-client.yaml"
    path.write_text((CLIENTS / path.name).read_text("utf-8").replace("grpc_port: grpc_port", 'grpc_port: "grpc_prt +"'), "utf-8")
    with pytest.raises(ContractError, match="can't be parsed"):
        bind(agreement, str(path))
