"""Qdrants that do well by the examples, and lie about other data: the drill and a thousand points find them out."""

import pytest

from harness.contract.agreement import Agreement
from tests.miniatures.qdrant import drilled
from tests.miniatures.qdrant import providers as lies

from .conftest import Broken

LIARS: dict[type[lies.Lie], str] = {
    drilled.TwoOfAList: "scroll",
    drilled.NothingMeansAll: "scroll",
    drilled.TwoConditions: "scroll",
    drilled.OneConditionForAField: "scroll",
    drilled.UpperBoundsOnly: "scroll",
    drilled.WithoutNulls: "scroll",
    drilled.ComposedText: "scroll",
    drilled.TruthAsNumbers: "scroll",
    drilled.NumbersAsDoubles: "scroll",
    drilled.NeverBelowZero: "{find}",
    drilled.TheFirstOfTwo: "scroll",
    drilled.EmptiesWhatIsThere: "scroll",
}


@pytest.mark.parametrize("lie", LIARS, ids=lambda lie: lie.__name__)
def test_a_lie_about_other_data_than_the_examples_is_found_out(lie: type[lies.Lie], agreement: Agreement, broken: Broken) -> None:
    clause = "stateful.operations." + LIARS[lie].format(find="query" if "query" in agreement.operations else "search")
    assert clause in agreement.clauses
    assert clause in broken(agreement, "stateful::drill", provider=lies.LyingQdrant(agreement, lie))


def test_metrics_without_a_sample_are_found_out(agreement: Agreement, broken: Broken) -> None:
    clauses = broken(agreement, "conformance::metrics::provider-metrics", provider=lies.LyingQdrant(agreement, drilled.TypesWithoutASample))
    assert clauses == {"operations.metrics.responses.200.body.pattern"}


def test_numbers_that_are_shown_of_every_collection_are_found_out(agreement: Agreement, broken: Broken) -> None:
    case = "conformance::sequence::numbers_are_kept"
    clauses = broken(agreement, case, provider=lies.LyingQdrant(agreement, drilled.KnowsOnlyTheseNumbers))
    assert clauses == {"sequences.numbers_are_kept.promises.hnsw"}


CLIENTS = {
    "TwoOfAList": "operations.scroll.bind.arguments.filters",
    "TruthAsNumbers": "operations.scroll.bind.arguments.filters",
    "NoThresholdOfZero": "operations.query.bind.arguments.score_threshold",
    "IdsAsDoubles": "operations.upsert.bind.arguments.points",
}


@pytest.mark.parametrize("case", ["stateful::drill-through-the-client", "stateful::drill-over-grpc"])
@pytest.mark.parametrize("liar", CLIENTS)
def test_a_client_that_does_well_by_the_examples_only_is_found_out(liar: str, case: str, current: Agreement, broken: Broken) -> None:
    assert CLIENTS[liar] in broken(current, case, client=f"tests.miniatures.qdrant.clients:{liar}")


def test_a_client_may_say_the_same_in_another_way(current: Agreement, broken: Broken) -> None:
    client = "tests.miniatures.qdrant.clients:OneValueByItself"
    assert broken(current, "stateful::drill-through-the-client", client=client) == set()


def test_a_search_that_ends_too_soon_is_found_out_among_many(current: Agreement, broken: Broken) -> None:
    clauses = broken(current, "stateful::upsert::many-items", provider=lies.LyingQdrant(current, drilled.AHundredAtMost))
    assert "stateful.operations.query" in clauses


@pytest.mark.parametrize("honest", [lies.Lie, drilled.WholeNumbersWithoutPoint, drilled.NoNextPage])
def test_what_means_the_same_is_no_lie(honest: type[lies.Lie], agreement: Agreement, broken: Broken) -> None:
    assert broken(agreement, "stateful::*", provider=lies.LyingQdrant(agreement, honest)) == set()
