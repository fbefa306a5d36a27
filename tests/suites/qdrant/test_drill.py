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
}


@pytest.mark.parametrize("lie", LIARS, ids=lambda lie: lie.__name__)
def test_a_lie_about_other_data_than_the_examples_is_found_out(lie: type[lies.Lie], agreement: Agreement, broken: Broken) -> None:
    clause = "stateful.operations." + LIARS[lie].format(find="query" if "query" in agreement.operations else "search")
    assert clause in agreement.clauses
    assert clause in broken(agreement, "stateful::drill", provider=lies.LyingQdrant(agreement, lie))


def test_a_search_that_ends_too_soon_is_found_out_among_many(current: Agreement, broken: Broken) -> None:
    clauses = broken(current, "stateful::upsert::many-items", provider=lies.LyingQdrant(current, drilled.AHundredAtMost))
    assert "stateful.operations.query" in clauses


@pytest.mark.parametrize("honest", [lies.Lie, drilled.WholeNumbersWithoutPoint, drilled.NoNextPage])
def test_what_means_the_same_is_no_lie(honest: type[lies.Lie], agreement: Agreement, broken: Broken) -> None:
    assert broken(agreement, "stateful::*", provider=lies.LyingQdrant(agreement, honest)) == set()
