"""Who lies about many searches in one request is found out, provider or client, by the clause that it breaks."""

import pytest

from harness.contract.agreement import Agreement
from tests.miniatures.qdrant import together
from tests.miniatures.qdrant.providers import Lie, LyingQdrant

from .conftest import Broken

INVARIANTS = "operations.{batch}.responses.200.invariants"
EQUAL = "operations.{batch}.relations.batch_equals_parts"
ALONE = "sequences.searched_together_or_alone.promises.as_alone"
PROVIDERS: dict[type[Lie], list[tuple[str, str]]] = {
    together.InAnotherOrder: [
        ("conformance::sequence::searched_together_or_alone", ALONE),
        ("conformance::{batch}::batch_equals_parts", EQUAL),
    ],
    together.TheFirstForAll: [
        ("conformance::sequence::searched_together_or_alone", ALONE),
        ("conformance::{batch}::batch_equals_parts", EQUAL),
    ],
    together.RoughAfterTheFirst: [("conformance::sequence::searched_together_or_alone", ALONE)],
    together.OneListShort: [("conformance::{batch}::provider-three", f"{INVARIANTS}.one_list_per_search")],
    together.UnsortedAfterTheFirst: [("conformance::{batch}::provider-three", f"{INVARIANTS}.nearest_first")],
    together.FiltersTheFirst: [("conformance::{batch}::provider-of_react_or_vue_in_german", f"{INVARIANTS}.filter_matches")],
    together.BoundsTheFirst: [("conformance::{batch}::provider-near_enough", f"{INVARIANTS}.beyond_threshold")],
    together.OneMoreForTheRest: [("conformance::{batch}::provider-three", f"{INVARIANTS}.at_most_limit")],
}
BIND = "operations.query_batch.bind"
CLIENTS = {
    "LosesTheLastRequest": ("fault::query_batch::batch-one-too-many", f"{BIND}.arguments.vectors"),
    "MixesUpItsRequests": ("fault::query_batch::batches-answered-out-of-order", f"{BIND}.result"),
    "MixesUpItsLists": ("conformance::query_batch::three", f"{BIND}.result"),
    "OneTooMany": ("fault::query_batch::batch-one-too-many", "limits.batch.items"),
    "SearchesOneByOne": ("conformance::query_batch::three", "operations.query_batch.path"),
    "IgnoresTheLimit": ("conformance::query_batch::three", f"{BIND}.arguments.limit"),
    "FiltersItsFirst": ("conformance::query_batch::of_react_or_vue_in_german", f"{BIND}.arguments.filters"),
    "SearchesTwiceByTheFirst": ("conformance::query_batch::three", f"{BIND}.arguments.vectors"),
}


def _batch(agreement: Agreement) -> str:
    return "query_batch" if "query_batch" in agreement.operations else "search_batch"


@pytest.mark.parametrize("lie", PROVIDERS, ids=lambda lie: lie.__name__)
def test_a_qdrant_that_lies_about_many_searches_is_found_out(lie: type[Lie], agreement: Agreement, broken: Broken) -> None:
    for where, clause in PROVIDERS[lie]:
        named = clause.format(batch=_batch(agreement))
        assert named in agreement.clauses
        assert named in broken(agreement, where.format(batch=_batch(agreement)), provider=LyingQdrant(agreement, lie))


@pytest.mark.parametrize("liar", CLIENTS)
def test_a_client_that_lies_about_many_searches_is_found_out(liar: str, current: Agreement, broken: Broken) -> None:
    where, clause = CLIENTS[liar]
    assert clause in current.clauses
    assert clause in broken(current, where, client=f"tests.miniatures.qdrant.together:{liar}")


def test_the_engine_and_the_client_break_nothing_of_it(agreement: Agreement, broken: Broken) -> None:
    batch = _batch(agreement)
    places = {where.format(batch=batch) for told in PROVIDERS.values() for where, _ in told}
    places |= {where.replace("query_batch", batch) for where, _ in CLIENTS.values()}
    assert broken(agreement, *places) == set()
