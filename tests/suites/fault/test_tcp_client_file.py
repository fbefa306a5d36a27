"""A client's file says how it is made to speak gRPC: here that of Qdrant's official SDK, with one line more."""

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
GRPC = '\ngrpc: {prefer_grpc: "true", grpc_port: grpc_port}\n'
LOST = {"failures.connection.raises", "resilience.retry.on.connection", "resilience.policies.connection_error"}


def made(folder: Path, client: str, grpc: str = GRPC) -> str:
    path = folder / f"{client}.yaml"
    path.write_text((ROOT / "contracts" / "clients" / path.name).read_text("utf-8") + grpc, "utf-8")
    return str(path)


def verdicts(folder: Path, client: str, *only: str) -> dict[str, Verdict]:
    agreement = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
    setting = Setting(agreement=agreement, binding=bind(agreement, made(folder, client)), provider=EmbeddedProvider(agreement), root=ROOT)
    try:
        cases = [case for suite in find_suites(["conformance", "fault"]) for case in suite.cases(setting)]
        return {case.id.partition("::")[2]: run_case(setting, case) for case in cases if any(part in case.id for part in only)}
    finally:
        setting.provider.close()


@pytest.mark.parametrize("client", ["qdrant-client", "qdrant-client-async"])
def test_the_sdk_gives_over_grpc_what_it_gives_over_rest_but_for_the_payload_that_was_not_asked_for(tmp_path: Path, client: str) -> None:
    found = verdicts(tmp_path, client, "::grpc-three", "::grpc-first", "::grpc-ids_only", "::grpc-nearest", "::grpc-all", "::grpc-deleted_is_gone")
    assert len(found) > 6
    broken = {name: {finding.clause for finding in verdict.findings} for name, verdict in found.items() if verdict.findings}
    assert broken == {"retrieve::grpc-ids_only": {"operations.retrieve.bind.result"}}


@pytest.mark.parametrize("client", ["qdrant-client", "qdrant-client-async"])
def test_the_sdk_lets_the_error_of_grpc_through_and_tries_once(tmp_path: Path, client: str) -> None:
    found = verdicts(tmp_path, client, "query::grpc-reset_peer", "query::grpc-limit_data")
    assert len(found) == 3
    assert {finding.clause for verdict in found.values() for finding in verdict.findings} == LOST


def test_a_timeout_that_grpc_keeps_itself_is_not_judged(tmp_path: Path) -> None:
    (verdict,) = verdicts(tmp_path, "qdrant-client-async", "query::grpc-timeout").values()
    assert verdict.outcome is Outcome.ERROR
    assert "keeps real time" in verdict.reason


def test_what_it_is_made_with_has_to_be_an_expression(tmp_path: Path) -> None:
    agreement = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
    with pytest.raises(ContractError, match="can't be parsed"):
        bind(agreement, made(tmp_path, "qdrant-client", '\ngrpc: {grpc_port: "grpc_prt +"}\n'))
