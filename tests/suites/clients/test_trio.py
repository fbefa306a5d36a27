"""A client that lives on trio: its file says so, and its time is the harness's like everybody's."""

import importlib.util
from pathlib import Path

import pytest

from harness.client.binding import bind
from harness.client.bound import NotInstalled
from harness.contract.catalog import load
from harness.contract.problems import ContractError
from harness.engine import find_suites, run_case
from harness.provider.stubbed import StubProvider
from harness.suites.case import Setting
from harness.verdict import Outcome, Verdict

from .conftest import ROOT

pytest.importorskip("trio", reason="trio is not installed: pip install trio")

FILE = """
client: 1
contract: voyage_ai
title: a client on trio
target: tests.miniatures.clients.over_trio:{name}
make: {{base_url: base_url, credential: credential}}
{loop}
operations:
  embed:
    call: embed
    arguments:
      texts: texts
      model: request.body.model
      input_type: request.body.input_type
      truncation: request.body.truncation
      output_dimension: request.body.output_dimension
      output_dtype: request.body.output_dtype
  rerank:
    call: rerank
    arguments:
      query: request.body.query
      documents: documents
      model: request.body.model
      top_k: request.body.top_k
      return_documents: request.body.return_documents
      truncation: request.body.truncation
"""
AGREEMENT = load(ROOT / "contracts" / "voyage_ai.yaml", root=ROOT)


def written(folder: Path, name: str = "Honest", loop: str = "loop: trio") -> str:
    path = folder / "on_trio.yaml"
    path.write_text(FILE.format(name=name, loop=loop), "utf-8")
    return str(path)


def verdicts(client: str, *wanted: str) -> list[Verdict]:
    setting = Setting(agreement=AGREEMENT, binding=bind(AGREEMENT, client), provider=StubProvider(AGREEMENT), root=ROOT)
    cases = [case for suite in find_suites(["conformance", "fault"]) for case in suite.cases(setting)]
    chosen = [case for case in cases if any(part in case.id for part in wanted)]
    assert len(chosen) >= len(wanted)
    return [run_case(setting, case) for case in chosen]


def clauses(found: list[Verdict]) -> set[str]:
    assert {verdict.outcome for verdict in found} <= {Outcome.PASSED, Outcome.FAILED}, [verdict.reason for verdict in found]
    return {finding.clause for verdict in found for finding in verdict.findings}


def test_an_honest_one_is_not_suspected(tmp_path: Path) -> None:
    wanted = ("conformance::rerank::", "rerank::429", "rerank::503", "rerank::timeout", "rerank::tcp", "embed::breaker-opens", "embed::batch-one", "monitor")
    assert clauses(verdicts(written(tmp_path), *wanted)) == set()


def test_half_of_a_wait_is_named_by_its_clause(tmp_path: Path) -> None:
    found = clauses(verdicts(written(tmp_path, "InHaste"), "rerank::503-503-then-200", "rerank::429-retry-after-a-minute"))
    assert {"resilience.retry.wait.initial", "resilience.retry.retry_after.on.429"} <= found


@pytest.mark.parametrize("name", ["Unhurried", "Trusting"])
def test_a_timeout_that_is_too_long_or_none_is_named_and_ends(tmp_path: Path, name: str) -> None:
    assert "provider.timeout" in clauses(verdicts(written(tmp_path, name), "rerank::timeout-always"))


def test_without_the_word_in_its_file_it_is_said_what_to_do(tmp_path: Path) -> None:
    for verdict in verdicts(written(tmp_path, loop=""), "rerank::503-503-then-200"):
        assert verdict.outcome is Outcome.ERROR
        assert "say `loop: trio` in its file" in verdict.reason


def test_a_loop_of_trio_goes_with_a_port_alone(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="beneath httpx there is asyncio"):
        bind(AGREEMENT, written(tmp_path, loop="loop: trio\nwire: httpx"))


def test_where_trio_is_not_installed_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binding, find = bind(AGREEMENT, written(tmp_path)), importlib.util.find_spec
    monkeypatch.setattr("harness.client.bound.find_spec", lambda name: None if name == "trio" else find(name))
    with pytest.raises(NotInstalled, match="pip install trio"):
        binding.assure_installed()
