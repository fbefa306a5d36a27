"""What the official Qdrant SDK (1.20) does otherwise than the contract says: all of that, and nothing else."""

import pytest

from .conftest import Inspect

pytest.importorskip("qdrant_client", reason="the official Qdrant SDK is not installed: pip install qdrant-client")
pytest.importorskip("qdrant_edge", reason="the engine is not installed: pip install 'contract-harness[qdrant]'")

RETRIEVED = ("conformance::retrieve::three", "conformance::retrieve::first", "conformance::retrieve::ids_only")
OPERATIONS = ("list_collections", "collection_info", "create_collection", "create_index", "upsert", "retrieve", "delete_points",
              "set_payload", "scroll", "count", "query", "query_batch")  # fmt: skip
CHOSEN = ("::query::", "::query_batch::", "::grpc-", "::upsert::", "::create_collection::", "refuses-", "http-date", "monitor")

# Each with what in the SDK's source makes it so.
RETRIES = {  # http/api_client.py: `send` asks once; connection.py: so do the stubs of gRPC, whose channel repeats nothing that was answered
    "resilience.retry.on.429",
    "resilience.retry.on.500",
    "resilience.retry.on.502",
    "resilience.retry.on.503",
    "resilience.retry.on.504",
    "resilience.retry.on.connection",
    "resilience.policies.connection_error",  # stand for these
    "resilience.policies.server_error",
}
TIMEOUTS = {
    "provider.timeout",  # httpx counts the silence between two pieces, not the whole answer
    "resilience.policies.timeout",  # stands for it
}
ABSENT = {
    "resilience.patterns.circuit_breaker",
    "resilience.circuit_breaker.failure_threshold",
    "resilience.circuit_breaker.half_open_successes",
    "resilience.patterns.batch_processing",  # `upsert` sends what it is given; only `upload_points` cuts
    "limits.batch.items",
    "limits.batch.bytes",
    "monitoring.health_check_interval",
    "monitoring.metrics",
    "monitoring.alert_on_failure",
}
DEFAULTS = {  # the server's own numbers, not the platform's
    "operations.create_collection.request.defaults.vectors",
    "operations.create_collection.request.defaults.hnsw_config",
    "operations.create_collection.request.defaults.optimizers_config",
    "schemas.CreateCollection.required",  # without `vectors_config` there is nothing in the body
}
UNCHECKED_INPUT = {  # the models have types, but no bounds: what the provider forbids is sent all the same
    "failures.invalid_input.raises",
    "schemas.CreateCollection.properties.hnsw_config.properties.ef_construct.minimum",
    "schemas.CreateCollection.properties.hnsw_config.properties.m.minimum",
    "schemas.CreateCollection.properties.hnsw_config.properties.max_indexing_threads.minimum",
    "schemas.CreateCollection.properties.optimizers_config.properties.default_segment_number.minimum",
    "schemas.CreateCollection.properties.optimizers_config.properties.deleted_threshold.maximum",
    "schemas.CreateCollection.properties.optimizers_config.properties.deleted_threshold.minimum",
    "schemas.CreateCollection.properties.optimizers_config.properties.vacuum_min_vector_number.minimum",
    "schemas.CreateCollection.properties.vectors.properties.size.minimum",
    "schemas.CreateIndex.properties.field_name.minLength",
    "schemas.CreateIndex.properties.field_name.pattern",
    "schemas.Point.properties.vector.maxItems",
    "schemas.Point.properties.vector.minItems",
    "schemas.PointId.maximum",
    "schemas.PointId.minimum",
    "schemas.Query.properties.limit.minimum",
    "schemas.Query.properties.offset.minimum",
    "schemas.Scroll.properties.limit.minimum",
    "schemas.Scroll.properties.offset.maximum",
    "schemas.Scroll.properties.offset.minimum",
    "schemas.SetPayload.properties.points.minItems",
    "schemas.Upsert.properties.points.minItems",
}
ANSWERS = {
    # response_parsing.py: JSONDecodeError and UnicodeDecodeError escape; no media type is looked at. Over gRPC its library reads the message,
    # and says INTERNAL where it can't (grpc/_channel.py), or nothing (grpc/aio/_call.py), in which the first field is then missed
    "failures.invalid_response.raises",
    "provider.auth.credential",  # exceptions.py: what the provider says of an error stands in the message as it came
}
OVER_GRPC = {  # conversions/conversion.py: a message can't tell an empty payload from none
    "operations.retrieve.bind.result",  # convert_record: one that was not asked for is `{}`, and None over REST
    "operations.query.bind.result",  # convert_scored_point: one that is empty is None, and `{}` over REST
}
# client_exceptions.py: `Retry-After` is read as an integer; anything else, also its other form, ends in an error that no longer says 429
DATES = {f"operations.{name}.responses.429" for name in ("list_collections", "collection_info", "create_index")}
DATES_NAMED = {f"operations.{name}.responses.429.raises" for name in OPERATIONS}


@pytest.mark.parametrize("client", ["qdrant-client", "qdrant-client-async"])
def test_the_sdk_is_found_to_deviate_where_its_source_does_and_nowhere_else(inspect: Inspect, client: str) -> None:
    found = inspect("qdrant/v1.16", client, "conformance", "fault", only=CHOSEN, provider="embedded")
    others = found.keys() - DATES - DATES_NAMED
    assert others == RETRIES | TIMEOUTS | ABSENT | DEFAULTS | UNCHECKED_INPUT | ANSWERS | OVER_GRPC
    by_dates = {case.rpartition("::")[2] for clause in found.keys() & (DATES | DATES_NAMED) for case in found[clause]}
    assert by_dates == {f"429-retry-after-{form}" for form in ("http-date", "date-in-the-past", "rubbish")}


def test_it_keeps_what_it_does_as_promised(inspect: Inspect) -> None:
    """All operations on points, the errors by status, of HTTP and of gRPC, the timeout of silence, and one request a call."""
    kept = ("::400", "::404", "::409", "::422", "::403", "timeout-always", "conformance::scroll", "conformance::count", *RETRIEVED)
    kept += tuple(f"::grpc-{name}" for name in ("invalid_argument", "deadline_exceeded", "not_found", "permission_denied", "unauthenticated"))
    assert inspect("qdrant/v1.16", "qdrant-client", "conformance", "fault", only=kept, provider="embedded") == {}
