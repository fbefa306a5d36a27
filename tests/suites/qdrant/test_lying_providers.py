"""Each lying Qdrant is found out, by the clause that it breaks."""

import pytest

from harness.contract.agreement import Agreement
from tests.miniatures.qdrant import details
from tests.miniatures.qdrant import providers as lies

from .conftest import Broken

SEQUENCE = "conformance::sequence::"
LIARS: dict[type[lies.Lie], tuple[str, str]] = {
    lies.UnsortedTail: ("conformance::{find}::provider-all_of_them", "operations.{find}.responses.200.invariants.nearest_first"),
    lies.DeletesAllButTheLast: (
        "conformance::sequence::several_deleted_are_gone",
        "sequences.several_deleted_are_gone.promises.not_retrieved",
    ),
    lies.Unsorted: ("conformance::{find}::provider-nearest", "operations.{find}.responses.200.invariants.nearest_first"),
    lies.IgnoresFilter: ("conformance::{find}::provider-of_react", "operations.{find}.responses.200.invariants.filter_matches"),
    lies.IgnoresThreshold: ("conformance::{find}::provider-near_enough", "operations.{find}.responses.200.invariants.beyond_threshold"),
    lies.IgnoresLimit: ("conformance::{find}::provider-nearest", "operations.{find}.responses.200.invariants.at_most_limit"),
    lies.FindsTwice: ("conformance::{find}::provider-nearest", "operations.{find}.responses.200.invariants.each_once"),
    lies.WithoutPayload: ("conformance::{find}::provider-nearest", "operations.{find}.responses.200.invariants.payload_on_request"),
    lies.DistanceAsScore: (SEQUENCE + "search_finds_the_nearest", "sequences.search_finds_the_nearest.promises.scores_are_similarities"),
    lies.Underrates: (SEQUENCE + "upserted_is_there", "sequences.upserted_is_there.promises.own_nearest_neighbour"),
    lies.FirstOfList: (SEQUENCE + "filter_finds_all", "sequences.filter_finds_all.promises.a_list_means_or_and_fields_mean_and"),
    lies.AnyField: (SEQUENCE + "filter_finds_all", "sequences.filter_finds_all.promises.a_list_means_or_and_fields_mean_and"),
    lies.AcknowledgesFirst: (SEQUENCE + "upserted_is_there", "sequences.upserted_is_there.promises.retrieved"),
    lies.DeletesNothing: (SEQUENCE + "deleted_is_gone", "sequences.deleted_is_gone.promises.not_retrieved"),
    lies.ScrollsBack: (SEQUENCE + "scroll_visits_each_once", "sequences.scroll_visits_each_once.promises.each_once"),
    lies.CountsOneMore: (SEQUENCE + "upserted_is_there", "sequences.upserted_is_there.promises.counted"),
    lies.PayloadOverwritten: (SEQUENCE + "payload_is_set", "sequences.payload_is_set.promises.others_stay"),
    lies.ForgetsIndexes: (SEQUENCE + "indexed_is_shown", "sequences.indexed_is_shown.promises.none_is_missing"),
    lies.ForgetsAnIndex: (SEQUENCE + "indexed_is_shown", "sequences.indexed_is_shown.promises.none_is_missing"),
    lies.IndexesTextOnly: (SEQUENCE + "indexed_is_shown", "sequences.indexed_is_shown.promises.kinds"),
    lies.DropsEvery1000th: ("stateful::upsert::many-items", "stateful.operations.scroll"),
    lies.NeverWaits: ("conformance::upsert::provider-three", "operations.upsert.responses.200.invariants.wait_is_kept"),
    lies.Creates201: ("conformance::upsert::provider-three", "operations.upsert.responses.200"),
    lies.JsonForAuth: ("fuzz::count::credential*", "errors.refusal.media_type"),
    lies.TakesAnyKey: ("fuzz::count::credential*", "provider.auth.scheme"),
    details.SetsThePayloadOfTheFirst: (SEQUENCE + "payload_of_several_is_set", "sequences.payload_of_several_is_set.promises.written"),
    details.SetsThePayloadOfAll: (SEQUENCE + "payload_of_several_is_set", "sequences.payload_of_several_is_set.promises.nobody_else"),
    details.AllFields: ("conformance::{find}::provider-bare", "operations.{find}.responses.200.invariants.only_these_fields"),
    details.OneField: (SEQUENCE + "fields_that_were_asked_for", "sequences.fields_that_were_asked_for.promises.retrieved"),
    details.DropsThe1000thOfARequest: ("stateful::upsert::many-items", "stateful.operations.scroll"),
    details.CoversUpThe1000th: ("stateful::upsert::many-items", "stateful.operations.scroll"),
    details.HoldsNothing: (SEQUENCE + "upserted_is_there", "sequences.upserted_is_there.promises.shown"),
    details.PagesBackwards: ("conformance::scroll::provider-first_page", "operations.scroll.responses.200.invariants.in_order"),
    details.FindsNothingAnywhere: ("conformance::{find}::given-404", "operations.{find}.responses.404"),
    details.CreatesTwice: ("conformance::create_collection::given-409", "operations.create_collection.responses.409"),
    lies.RefusesPlainly: ("fuzz::count::request-filter-type", "errors.failure.media_type"),
}


@pytest.mark.parametrize("lie", LIARS, ids=lambda lie: lie.__name__)
def test_a_lying_qdrant_is_found_out(lie: type[lies.Lie], agreement: Agreement, broken: Broken) -> None:
    find = "query" if "query" in agreement.operations else "search"
    where, clause = (each.format(find=find) for each in LIARS[lie])
    if lie is lies.IgnoresLimit:
        where = f"conformance::{find}::provider-two_with_vectors"
    assert clause in agreement.clauses
    assert clause in broken(agreement, where, provider=lies.LyingQdrant(agreement, lie))


@pytest.mark.parametrize(
    "lie", [details.AboveWithoutTheBound, details.BelowWithoutTheBound, details.AboveWithTheBound, details.BelowWithTheBound]
)
@pytest.mark.parametrize("promise", ["found", "scrolled", "counted", "deleted"])
def test_a_bound_that_is_taken_for_another_is_found_out(lie: type[lies.Lie], promise: str, agreement: Agreement, broken: Broken) -> None:
    clauses = broken(agreement, SEQUENCE + "range_finds_all", provider=lies.LyingQdrant(agreement, lie))
    assert f"sequences.range_finds_all.promises.{promise}" in clauses


@pytest.mark.parametrize("operation", ["scroll", "retrieve"])
def test_a_whole_payload_where_fields_were_asked_for_is_found_out(operation: str, agreement: Agreement, broken: Broken) -> None:
    example = {"scroll": "bare", "retrieve": "some_fields"}[operation]
    clauses = broken(agreement, f"conformance::{operation}::provider-{example}", provider=lies.LyingQdrant(agreement, details.AllFields))
    assert f"operations.{operation}.responses.200.invariants.only_these_fields" in clauses


@pytest.mark.parametrize("lie", [lies.CountsOneMore, lies.DeletesNothing, lies.PayloadOverwritten, lies.IgnoresFilter, lies.Unsorted])
def test_sequences_in_any_order_find_a_lie_about_them_too(lie: type[lies.Lie], current: Agreement, broken: Broken) -> None:
    clauses = broken(current, "stateful::any-order", provider=lies.LyingQdrant(current, lie))
    assert any(clause.startswith("stateful.operations.") for clause in clauses)


def test_the_engine_itself_breaks_nothing(agreement: Agreement, broken: Broken) -> None:
    find = "query" if "query" in agreement.operations else "search"
    where = {where.format(find=find) for where, _ in LIARS.values()} | {"stateful::any-order"}
    assert broken(agreement, *where, provider=lies.LyingQdrant(agreement, lies.Lie)) == set()
