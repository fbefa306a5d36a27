"""Each lying Qdrant client is found out, by the clause that it breaks."""

import pytest

from harness.contract.agreement import Agreement

from .conftest import Broken

LIARS = {
    "ReportsAllAsInserted": ("fault::upsert::one-batch-fails", "operations.upsert.responses.400.raises"),
    "OneHugeBatch": ("fault::upsert::batch-of-many-bytes", "limits.batch.bytes"),
    "OneLongBatch": ("fault::upsert::batch-one-too-many", "limits.batch.items"),
    "RetriesCreation": ("fault::create_collection::reset_peer-always", "operations.create_collection.idempotent"),
    "RetriesTimeouts": ("fault::count::timeout-always", "resilience.retry.attempts"),
    "TimeoutsDoNotCount": ("fault::count::breaker-opens-on-timeouts", "resilience.circuit_breaker.failure_threshold"),
    "NeverOpens": ("fault::count::breaker-opens", "resilience.circuit_breaker.failure_threshold"),
    "IgnoresWait": ("conformance::upsert::three", "operations.upsert.bind.arguments.wait"),
    "IgnoresFilters": ("conformance::query::of_react", "operations.query.bind.arguments.filters"),
    "OneMore": ("conformance::query::nearest", "operations.query.bind.arguments.limit"),
    "SwallowsAbsence": ("fault::retrieve::404", "operations.retrieve.responses.404.raises"),
    "SmallVectors": ("conformance::create_collection::defaults", "operations.create_collection.request.defaults.vectors"),
    "ForgetsNextPage": ("conformance::scroll::first_page", "operations.scroll.bind.result"),
    "ForgetsAnIndex": ("conformance::create_index::section", "operations.create_index.bind.result"),
    "IndexesTextOnly": ("conformance::create_index::trust_score", "operations.create_index.bind.arguments.kind"),
    "AlwaysWaits": ("conformance::delete_points::without_waiting", "operations.delete_points.bind.arguments.wait"),
    "RoundsWhatItSeeks": ("conformance::query::all_of_them", "operations.query.bind.arguments.vector"),
    "RoundsWhatItWrites": ("conformance::upsert::first_changed", "operations.upsert.bind.arguments.points"),
    "RoundsWhatItReads": ("conformance::sequence::upsert_replaces-through-the-client", "operations.retrieve.bind.result"),
    "AsksForEverything": ("conformance::retrieve::some_fields", "operations.retrieve.bind.arguments.with_payload"),
    "TellsNothing": ("fault::upsert::one-batch-fails", "operations.upsert.bind.split.report.done"),
    "CountsBatchesFromOne": ("fault::upsert::one-batch-fails", "operations.upsert.bind.split.report.failed"),
    "NamesOtherPoints": ("fault::upsert::first-of-three-batches-fails", "operations.upsert.bind.split.report.failed"),
    "ForgetsThePoints": ("fault::upsert::first-of-three-batches-fails", "operations.upsert.bind.split.report.failed"),
    "GivesAnotherReason": ("fault::upsert::one-batch-fails", "operations.upsert.bind.split.report.failed"),
    "CountsWhatFailed": ("fault::upsert::one-batch-fails", "operations.upsert.bind.split.report.done"),
    "InsertedForUpdated": (
        "conformance::sequence::upserted_is_told_apart-through-the-client",
        "sequences.upserted_is_told_apart.promises.new_and_old",
    ),
    "StopsBeforeTheEnd": ("conformance::sequence::scrolled_to_the_end-through-the-client", "sequences.scrolled_to_the_end.promises.each_once"),
    "NeverTurnsThePage": ("conformance::sequence::scrolled_to_the_end-through-the-client", "sequences.scrolled_to_the_end.promises.each_once"),
    "TellsTheKey": ("fault::count::400", "provider.auth.credential"),
}


@pytest.mark.parametrize("liar", LIARS)
def test_a_lying_client_is_found_out(liar: str, current: Agreement, broken: Broken) -> None:
    where, clause = LIARS[liar]
    assert clause in current.clauses
    assert clause in broken(current, where, client=f"tests.miniatures.qdrant.clients:{liar}")


@pytest.mark.parametrize("operation", ["delete_points", "set_payload", "create_index"])
def test_a_client_that_always_waits_is_found_out(operation: str, current: Agreement, broken: Broken) -> None:
    client = "tests.miniatures.qdrant.clients:AlwaysWaits"
    clause = f"operations.{operation}.bind.arguments.wait"
    assert clause in broken(current, f"conformance::{operation}::without_waiting", client=client)


@pytest.mark.parametrize("honest", ["SmallerBatches", "StopsAtTheFirstFailure"])
def test_a_client_may_part_its_points_and_stop_as_it_likes_if_it_says_so(honest: str, current: Agreement, broken: Broken) -> None:
    cases = ("fault::upsert::one-batch-fails", "fault::upsert::first-of-three-batches-fails")
    assert broken(current, *cases, client=f"tests.miniatures.qdrant.clients:{honest}") == set()


def test_the_reference_client_breaks_nothing(current: Agreement, broken: Broken) -> None:
    assert broken(current, *(where for where, _ in LIARS.values())) == set()
