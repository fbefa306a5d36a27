"""The suite as a whole: honest subjects pass, everything is aimed at, and the same cases come every time."""

import subprocess
import sys
from fnmatch import fnmatchcase

import pytest

from harness.contract.agreement import Agreement
from harness.contract.clauses import Kind
from harness.provider.stubbed import StubProvider
from harness.suites.fuzz import SUITE
from harness.verdict import Outcome

from .conftest import ROOT, SettingOf, Verdicts, bad, run


@pytest.fixture(scope="module")
def verdicts(voyage: Agreement, setting_of: SettingOf) -> Verdicts:
    """All cases of Voyage AI, the reference client and the stub."""
    return run(setting_of(voyage))


def test_the_reference_client_and_the_stub_pass(verdicts: Verdicts) -> None:
    assert bad(verdicts) == {}


def test_a_shop_passes_as_well(shop: Agreement, setting_of: SettingOf) -> None:
    assert bad(run(setting_of(shop))) == {}


@pytest.mark.parametrize("seed", [1, 2, 7])
def test_other_seeds_find_nothing_either(seed: int, voyage: Agreement, setting_of: SettingOf) -> None:
    setting = setting_of(voyage, provider=StubProvider(voyage, seed=str(seed)), seed=seed)
    assert bad(run(setting, only=("::positive", "::negative", "::calls"))) == {}


def test_hardly_anything_is_skipped(verdicts: Verdicts) -> None:
    skipped = {name for name, verdict in verdicts.items() if verdict.outcome is Outcome.SKIPPED}
    assert skipped == {
        "fuzz::rerank::variant-optional-properties",  # an invariant settles what the schema leaves open
        "fuzz::embed_contextualized::request-rule-dimension_of_model",  # the schema allows no other dimensions than every model has
    }


def test_every_clause_of_a_request_is_kept_by_a_refusal(voyage: Agreement, verdicts: Verdicts) -> None:
    kept = {clause for verdict in verdicts.values() for clause in verdict.kept}
    asked = {clause.id for clause in voyage.clauses.values() if clause.kind in (Kind.SCHEMA, Kind.RULE) and "consumer" in clause.parties}
    assert asked - kept - {"operations.embed_contextualized.request.rules.dimension_of_model"} == set()


def test_every_clause_of_an_answer_has_its_lie(voyage: Agreement, setting_of: SettingOf, verdicts: Verdicts) -> None:
    lies = [name for name in verdicts if "::response-" in name]
    for operation, terms in voyage.operations.items():
        named = [name for name in lies if f"::{operation}::" in name]
        assert {f"fuzz::{operation}::response-invariant-{name}" for name in terms.invariants[200]} <= set(named)
    assert len(lies) > 100


def test_aims_are_clauses_of_the_contract(voyage: Agreement, shop: Agreement, setting_of: SettingOf) -> None:
    for agreement in (voyage, shop):
        for case in SUITE.cases(setting_of(agreement)):
            assert case.aims, case.id
            for aim in case.aims:
                parameter = ".request.query." in aim or ".request.headers." in aim or ".request.path." in aim
                assert parameter or any(fnmatchcase(clause, aim) for clause in agreement.clauses), (case.id, aim)


def test_the_same_cases_come_every_time_and_each_has_a_name_of_its_own(voyage: Agreement, setting_of: SettingOf) -> None:
    first, second = ([case.id for case in SUITE.cases(setting_of(voyage, seed=seed))] for seed in (0, 5))
    assert first == second
    assert len(first) == len(set(first))
    assert len(first) >= 250


def test_making_cases_loads_no_engine_and_asks_nobody() -> None:
    program = f"""
import sys
from pathlib import Path
from harness.client.binding import bind
from harness.contract.catalog import load
from harness.suites.case import Setting
from harness.suites.fuzz import SUITE

class Nobody:
    def __getattr__(self, name):
        raise AssertionError(f"the provider was asked for {{name}}")

agreement = load(Path({str(ROOT / "contracts" / "voyage_ai.yaml")!r}))
setting = Setting(agreement=agreement, binding=bind(agreement, None), provider=Nobody(), root=Path("."))
assert len(list(SUITE.cases(setting))) > 250
assert not {{"schemathesis", "hypothesis", "respx"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)
