"""A client that makes a collection ready in another way than the contract has it is found out, by the promise that it breaks."""

import pytest

from harness.checks.registry import judge
from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.exchange import Observation
from harness.proof.consumer import distortions
from harness.provider.embedded import EmbeddedProvider
from harness.provider.stubbed import StubProvider
from harness.suites.case import Setting
from harness.suites.conformance import SUITE

from .conftest import ROOT, Broken

CASE = "conformance::sequence::{}-through-the-client"
THERE, COMPLETED = "ensured_is_there", "ensured_is_completed"
LIARS = {
    "EnsuresNothing": (THERE, "indexes"),
    "EnsuresNoIndex": (THERE, "indexes"),
    "ForgetsTheTime": (THERE, "indexes"),
    "EnsuresTextOnly": (THERE, "indexes"),
    "EnsuresSmallVectors": (THERE, "vectors"),
    "EnsuresByProduct": (THERE, "vectors"),
    "EnsuresAnotherGraph": (THERE, "hnsw"),
    "EnsuresOtherSegments": (THERE, "optimizers"),
    "EnsuresAnew": (THERE, "made_once"),
    "EnsuresIndexesFirst": (COMPLETED, "nothing_is_changed"),
    "TakesAnyVectors": (COMPLETED, "other_vectors_are_refused"),
    "EnsuresNewOnesOnly": (COMPLETED, "indexes"),
}


@pytest.mark.parametrize("liar", LIARS)
def test_a_collection_that_is_made_in_another_way_is_found_out(liar: str, current: Agreement, broken: Broken) -> None:
    sequence, promise = LIARS[liar]
    clause = f"sequences.{sequence}.promises.{promise}"
    assert clause in current.clauses
    assert clause in broken(current, CASE.format(sequence), client=f"tests.miniatures.qdrant.ensuring:{liar}")


def test_a_client_that_deletes_what_it_should_ensure_is_found_out(current: Agreement, broken: Broken) -> None:
    found = broken(current, CASE.format(COMPLETED), client="tests.miniatures.qdrant.ensuring:EnsuresAnew")
    assert f"sequences.{COMPLETED}.promises.nothing_is_changed" in found


def test_a_client_that_misreads_what_a_collection_holds_is_found_out(current: Agreement, broken: Broken) -> None:
    found = broken(current, "conformance::collection_info::made", client="tests.miniatures.qdrant.ensuring:MisreadsTheSize")
    assert found == {"operations.collection_info.bind.result"}


def test_the_reference_client_ensures_as_it_should(agreement: Agreement, broken: Broken) -> None:
    assert broken(agreement, CASE.format(THERE), CASE.format(COMPLETED), "conformance::collection_info::made") == set()


def test_a_task_is_put_to_a_client_that_does_it_and_never_past_it(current: Agreement) -> None:
    def rows(client: str | None) -> set[str]:
        setting = Setting(agreement=current, binding=bind(current, client, clients=ROOT / "contracts" / "clients"), provider=StubProvider(current), root=ROOT)
        return {case.name for case in SUITE.cases(setting) if case.operation == "sequence" and "ensured" in case.name}

    assert rows(None) == {f"{THERE}-through-the-client", f"{COMPLETED}-through-the-client"}
    assert rows("qdrant-client") == set()


def test_what_remembers_nothing_is_asked_for_no_task(current: Agreement) -> None:
    setting = Setting(agreement=current, binding=bind(current, None), provider=StubProvider(current), root=ROOT)
    for case in SUITE.cases(setting):
        if case.operation == "sequence" and "ensured" in case.name:
            assert not isinstance(case.execute(), Observation)


@pytest.mark.parametrize(
    ("sequence", "promise", "kinds"),
    [
        (THERE, "made_once", 4),  # both calls, each with another result or with none
        (THERE, "indexes", 0),  # it is no matter of what a call says
        (COMPLETED, "other_vectors_are_refused", 2),
        (COMPLETED, "not_made_anew", 2),
    ],
)
def test_another_outcome_of_a_task_is_noticed(sequence: str, promise: str, kinds: int, current: Agreement) -> None:
    provider = EmbeddedProvider(current)
    setting = Setting(agreement=current, binding=bind(current, None), provider=provider, root=ROOT)
    (case,) = (case for case in SUITE.cases(setting) if case.id == CASE.format(sequence))
    try:
        seen = case.execute()
    finally:
        provider.close()
    assert isinstance(seen, Observation)
    clause = current.clauses[f"sequences.{sequence}.promises.{promise}"]
    made = list(distortions(current, clause, seen))
    assert len({each.kind for each in made}) == len(made) == kinds
    for each in made:
        assert clause.id in {found.clause for found in judge(current, each.observation) if found.finding}
