"""A provider at a URL speaks gRPC on the port that the contract names: statuses are injected before it too, and it can be made to lie."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.client.binding import bind
from harness.contract.catalog import load
from harness.engine import find_suites, run_case
from harness.exchange import Request, Response
from harness.provider.lying import LyingOverGrpc
from harness.provider.url import UrlProvider
from harness.suites.case import Setting
from harness.verdict import Outcome, Verdict

pytest.importorskip("qdrant_edge", reason="the engine is not installed: pip install 'contract-harness[qdrant]'")

from harness.provider.qdrant_engine import QdrantServer

ROOT = Path(__file__).parents[3]
CASES = ("conformance::query::grpc-nearest", "fault::query::grpc-unavailable-then-ok")
KEY = "made-up-key"


@pytest.fixture(scope="module")
def server() -> Iterator[QdrantServer]:
    with QdrantServer(api_key=KEY) as running:
        yield running


def at(url: str, grpc_port: int, folder: Path, *, credential: str = KEY) -> Setting:
    """The contract with this port, and the provider at this URL."""
    path = folder / "v1.16.yaml"
    text = (ROOT / "contracts" / "qdrant" / "v1.16.yaml").read_text("utf-8")
    path.write_text(text.replace("    port: 6334\n", f"    port: {grpc_port}\n"), "utf-8")
    agreement = load(path, root=folder)
    provider = UrlProvider(agreement, base_url=url, credential=credential)
    return Setting(agreement=agreement, binding=bind(agreement, None), provider=provider, root=folder)


def verdicts(setting: Setting) -> list[Verdict]:
    return [run_case(setting, case) for suite in find_suites(["conformance", "fault"]) for case in suite.cases(setting) if case.id in CASES]


def port_of(server: QdrantServer) -> int:
    return int(str(server.grpc_address).rpartition(":")[2])


def test_it_is_tried_there(server: QdrantServer, tmp_path: Path) -> None:
    setting = at(server.url, port_of(server), tmp_path)
    assert setting.provider.grpc_address() == f"127.0.0.1:{port_of(server)}"  # type: ignore[attr-defined]  # it has one
    assert [verdict.outcome for verdict in verdicts(setting)] == [Outcome.PASSED] * len(CASES)


def test_it_lies_there(server: QdrantServer, tmp_path: Path) -> None:
    def failing(request: Request, response: Response) -> Response:
        return replace(response, status=500) if request.path.endswith("/query") else response

    setting = at(server.url, port_of(server), tmp_path)
    lying = LyingOverGrpc(setting.provider, failing)
    found = {finding.clause for verdict in verdicts(replace(setting, provider=lying)) for finding in verdict.findings}
    assert "operations.query.responses.200" in found
    assert lying.changed


def test_where_nobody_listens_it_does_not_speak_grpc(server: QdrantServer, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        setting = at(server.url, taken.getsockname()[1], tmp_path)
        assert {verdict.outcome for verdict in verdicts(setting)} == {Outcome.SKIPPED}


@pytest.mark.parametrize("url", ["https://127.0.0.1:9", "http://127.0.0.1:9"])
def test_over_tls_and_at_a_closed_port_there_is_none(url: str, tmp_path: Path) -> None:
    assert at(url, 9, tmp_path).provider.grpc_address() is None  # type: ignore[attr-defined]  # it has one
