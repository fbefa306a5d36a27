"""Every lie that the proof tells of an upsert that failed in part is named by its clause."""

from pathlib import Path

import pytest

from harness.checks.registry import judge
from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.exchange import Observation
from harness.proof.consumer import distortions
from harness.provider.embedded import EmbeddedProvider
from harness.suites.case import Setting
from harness.suites.fault.suite import SUITE

AT = "operations.upsert.bind.split.report."
LIES = {
    "done": {"report lost", "report: an item lost", "report: failed for done"},
    "failed": {
        "report lost",
        "report: a request lost",
        "report: an item lost",
        "report: another number",
        "report: another error",
        "report: done for failed",
    },
}


@pytest.mark.parametrize("case", ["one-batch-fails", "first-of-three-batches-fails"])
def test_each_lie_about_a_report_is_named(case: str, current: Agreement, tmp_path: Path) -> None:
    provider = EmbeddedProvider(current)
    setting = Setting(agreement=current, binding=bind(current, None), provider=provider, root=tmp_path)
    seen = next(each for each in SUITE.cases(setting) if each.id == f"fault::upsert::{case}").execute()
    assert isinstance(seen, Observation)
    for part, kinds in LIES.items():
        lies = list(distortions(current, current.clauses[AT + part], seen))
        assert {each.kind for each in lies} == kinds
        for each in lies:
            assert AT + part in {told.clause for told in judge(current, each.observation) if told.finding}, each.kind
    provider.close()


def test_nothing_is_lied_about_where_all_went_well(current: Agreement, tmp_path: Path) -> None:
    provider = EmbeddedProvider(current)
    setting = Setting(agreement=current, binding=bind(current, None), provider=provider, root=tmp_path)
    seen = next(each for each in SUITE.cases(setting) if each.id == "fault::upsert::batch-one-too-many").execute()
    assert isinstance(seen, Observation)
    assert not list(distortions(current, current.clauses[AT + "done"], seen))
    provider.close()
