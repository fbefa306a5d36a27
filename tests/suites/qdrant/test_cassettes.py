"""Qdrant's cassettes: all operations in both versions, and an edited one is found out by the clause that it breaks."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.engine.core import run_case
from harness.exchange import Request, Response
from harness.provider.embedded import EmbeddedProvider
from harness.provider.had import Provider
from harness.provider.stubbed import StubProvider
from harness.suites.case import Setting
from harness.suites.cassette import SUITE
from harness.verdict import Outcome, Verdict
from tests.miniatures.qdrant import providers as lies

ROOT = Path(__file__).parents[3]
Edit = Callable[[Any], None]
MOST_BYTES = 8_000


def folder(root: Path, agreement: Agreement) -> Path:
    return root.joinpath("cassettes", *agreement.name.split("@"))


def setting(agreement: Agreement, root: Path, *, provider: Provider | None = None, client: str | None = None, mode: str = "none") -> Setting:
    provider = provider or EmbeddedProvider(agreement)
    return Setting(agreement=agreement, binding=bind(agreement, client), provider=provider, root=root, record_mode=mode)


def verdicts(where: Setting, *names: str) -> Iterator[Verdict]:
    cases = [case for case in SUITE.cases(where) if not names or case.name in names]
    assert cases
    try:
        yield from (run_case(where, case) for case in cases)
    finally:
        where.provider.close()


@pytest.fixture
def copied(agreement: Agreement, tmp_path: Path) -> Path:
    shutil.copytree(folder(ROOT, agreement), folder(tmp_path, agreement))
    return tmp_path


def edited(root: Path, agreement: Agreement, name: str, edit: Edit) -> Path:
    """A cassette in which somebody has changed the answer."""
    path = folder(root, agreement) / f"{name}.yaml"
    tape = yaml.safe_load(path.read_text())
    response = tape["interactions"][0]["response"]
    body = orjson.loads(response["body"]["string"])
    edit(body)
    response["body"]["string"] = orjson.dumps(body).decode()
    path.write_text(yaml.safe_dump(tape))
    return path


def test_every_operation_has_a_cassette_and_each_cassette_an_example(agreement: Agreement) -> None:
    there = {path.stem for path in folder(ROOT, agreement).glob("*.yaml")}
    examples = {name: {f"{name}-{example}" for example in terms.model.examples} for name, terms in agreement.operations.items()}
    assert [name for name, stems in examples.items() if not stems & there] == []
    assert there <= set().union(*examples.values())


def test_each_says_that_it_was_recorded_against_the_engine_and_is_small(agreement: Agreement) -> None:
    for path in folder(ROOT, agreement).glob("*.yaml"):
        label = yaml.safe_load(path.read_text())["metadata"]["recorded"]
        assert (label["against"], label["contract"]) == ("embedded", f"qdrant {agreement.contract.version}")
        assert label["date"] and label["by"]
        assert path.stat().st_size < MOST_BYTES


def test_all_are_kept_and_none_is_skipped(agreement: Agreement, copied: Path) -> None:
    assert {verdict.outcome for verdict in verdicts(setting(agreement, copied))} == {Outcome.PASSED}


EDITS: dict[str, tuple[str, Edit, str]] = {
    "one field is gone": ("count-all", lambda body: body["result"].pop("count"), "operations.count.responses.200.body.*"),
    "a count below zero": ("count-all", lambda body: body["result"].update(count=-1), "operations.count.responses.200.body.*"),
    "two points more than asked for": (
        "scroll-first_page", lambda body: body["result"]["points"].extend([{"id": 8, "payload": {}}, {"id": 9, "payload": {}}]),
        "operations.scroll.responses.200.invariants.at_most_limit",
    ),
    "a point of another library": (
        "scroll-of_react", lambda body: body["result"]["points"][0]["payload"].update(library_id="vue"),
        "operations.scroll.responses.200.invariants.filter_matches",
    ),
    "acknowledged where it was waited": (
        "upsert-three", lambda body: body["result"].update(status="acknowledged"),
        "operations.upsert.responses.200.invariants.wait_is_kept",
    ),
    "another dimension": (
        "collection_info-empty", lambda body: body["result"]["config"]["params"]["vectors"].update(size=5),
        "operations.collection_info.responses.200.invariants.dimension_of_collection",
    ),
    "a point that was not asked for": (
        "retrieve-first", lambda body: body["result"][0].update(id=3), "operations.retrieve.responses.200.invariants.only_what_was_asked_for",
    ),
    "an unknown colour": ("collection_info-empty", lambda body: body["result"].update(status="blue"), "schemas.CollectionInfo.properties.status.enum"),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_an_edited_cassette_is_found_out(what: str, agreement: Agreement, copied: Path) -> None:
    name, edit, clause = EDITS[what]
    edited(copied, agreement, name, edit)
    (verdict,) = verdicts(setting(agreement, copied), f"{name}-recorded")
    found = {finding.clause for finding in verdict.findings}
    assert verdict.outcome is Outcome.FAILED
    assert clause in found or (clause.endswith("*") and any(each.startswith(clause[:-1]) for each in found)), found


def test_an_unsorted_search_is_found_out(agreement: Agreement, copied: Path) -> None:
    find = "query" if "query" in agreement.operations else "search"
    turned = lambda body: (body["result"]["points"] if find == "query" else body["result"]).reverse()
    edited(copied, agreement, f"{find}-nearest", turned)
    (verdict,) = verdicts(setting(agreement, copied), f"{find}-nearest-recorded")
    assert f"operations.{find}.responses.200.invariants.nearest_first" in {finding.clause for finding in verdict.findings}


@pytest.mark.parametrize(
    ("liar", "name", "clause"),
    [
        ("OneMore", "query-nearest", "operations.query.bind.arguments.limit"),
        ("IgnoresFilters", "query-of_react", "operations.query.bind.arguments.filters"),
        ("ForgetsNextPage", "scroll-first_page", "operations.scroll.bind.result"),
    ],
)
def test_a_lying_client_is_found_out_without_a_provider(liar: str, name: str, clause: str, current: Agreement) -> None:
    where = setting(current, ROOT, client=f"tests.miniatures.qdrant.clients:{liar}")
    (verdict,) = verdicts(where, f"{name}-replayed")
    assert clause in {finding.clause for finding in verdict.findings}


def test_what_the_client_has_no_method_for_is_recorded_past_it(agreement: Agreement, tmp_path: Path) -> None:
    where = setting(agreement, tmp_path, mode="once")
    (verdict,) = verdicts(where, "collection_exists-check-asked")
    assert verdict.outcome is Outcome.PASSED
    path = folder(tmp_path, agreement) / "collection_exists-check.yaml"
    text = path.read_text()
    assert "by: the harness itself" in text and "given: an empty collection" in text
    assert where.provider.credential not in text and "api-key" not in text
    assert {each.outcome for each in verdicts(setting(agreement, tmp_path), "collection_exists-check-recorded")} == {Outcome.PASSED}


class Redirected(lies.Lie):
    """Something in between says that all is well, with another status."""

    def tell(self, ask: lies.Ask, request: Request) -> Response:
        return replace(ask(request), status=203)


def test_an_answer_of_another_status_costs_no_recording(agreement: Agreement, copied: Path) -> None:
    path = folder(copied, agreement) / "ready-ready.yaml"
    before = path.read_text()
    lying = lies.LyingQdrant(agreement, Redirected)
    (verdict,) = verdicts(setting(agreement, copied, provider=lying, mode="all"), "ready-ready-asked")
    assert verdict.outcome is Outcome.ERROR and "left as it was: ready was to end with status 200 and got status 203" in verdict.reason
    assert path.read_text() == before


def test_a_recording_of_the_engine_is_not_replaced_by_one_of_the_stub(agreement: Agreement, copied: Path) -> None:
    (verdict,) = verdicts(setting(agreement, copied, provider=StubProvider(agreement), mode="all"), "ready-ready-asked")
    assert verdict.outcome is Outcome.SKIPPED and "is worth less" in verdict.reason
