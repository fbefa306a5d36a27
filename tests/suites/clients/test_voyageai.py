"""What the official Voyage SDK (0.5.0) does otherwise than the contract says: all of that, and nothing else."""

import pytest

from .conftest import Inspect

pytest.importorskip("voyageai", reason="the official Voyage SDK is not installed: pip install voyageai")

# Each with what in the SDK's source makes it so.
RETRIES = {
    "resilience.retry.on.500",  # client.py: retried are RateLimitError, ServiceUnavailableError (502 to 504) and Timeout
    "resilience.policies.server_error",  # stands for it
    "resilience.retry.on.connection",  # APIConnectionError is not among them
    "resilience.retry.retry_after.on.429",  # tenacity's wait_exponential_jitter: the header is never read
    "resilience.budget",  # three attempts of 60 s and two waits: there is no deadline
}
TIMEOUTS = {
    "provider.timeout",  # `requests` counts the silence between two pieces, not the whole answer
    "resilience.policies.timeout",  # stands for it
}
ABSENT = {
    "resilience.patterns.circuit_breaker",
    "resilience.circuit_breaker.failure_threshold",
    "resilience.circuit_breaker.half_open_successes",
    "resilience.patterns.rate_limited",
    "limits.rate.0.requests",
    "limits.rate.1.tokens",
    "resilience.patterns.batch_processing",
    "limits.batch.items",
    "limits.batch.tokens",
    "operations.embed.request.rules.tokens_of_model",
    "operations.embed_contextualized.request.rules.tokens_of_model",
    "schemas.EmbeddingsRequest.properties.input.maxItems",
    "schemas.ContextualizedRequest.properties.inputs.maxItems",
    "resilience.patterns.cached",
    "operations.embed.cached",
    "resilience.policies.auth_failure",  # the key is read once, when the client is made
    "monitoring.health_check_interval",
    "monitoring.metrics",
    "monitoring.alert_on_failure",
}
DEFAULTS = {
    "operations.embed.request.defaults.model",  # voyage-2, with a warning
    "operations.embed.request.rules.known_model",  # which the provider no longer lists
    "operations.embed.request.defaults.output_dimension",  # null: the model's own
    "operations.embed_contextualized.request.defaults.output_dimension",
    "operations.embed_contextualized.request.defaults.model",  # an argument that must be given
    "operations.rerank.request.defaults.model",
}
UNCHECKED_INPUT = {  # what the provider forbids is sent all the same
    "failures.invalid_input.raises",
    "schemas.EmbeddingsRequest.properties.input.minItems",
    "schemas.EmbeddingsRequest.properties.input.items.minLength",
    "schemas.EmbeddingsRequest.properties.model.minLength",
    "schemas.EmbeddingsRequest.properties.input_type.enum",
    "schemas.EmbeddingsRequest.properties.output_dimension.enum",
    "schemas.EmbeddingsRequest.properties.output_dtype.enum",
    "schemas.RerankRequest.properties.query.minLength",
    "schemas.RerankRequest.properties.documents.minItems",
    "schemas.RerankRequest.properties.documents.maxItems",
    "schemas.RerankRequest.properties.documents.items.minLength",
    "schemas.RerankRequest.properties.model.minLength",
    "schemas.RerankRequest.properties.top_k.minimum",
    "schemas.ContextualizedRequest.properties.inputs.items.minLength",
    "schemas.ContextualizedRequest.properties.inputs.items.minItems",
    "schemas.ContextualizedRequest.properties.inputs.items.items.minLength",
    "schemas.ContextualizedRequest.properties.model.minLength",
    "schemas.ContextualizedRequest.properties.input_type.enum",
    "schemas.ContextualizedRequest.properties.output_dimension.enum",
    "schemas.ContextualizedRequest.properties.output_dtype.enum",
}
ANSWERS = {
    "failures.invalid_response.raises",  # UnicodeDecodeError, AttributeError, or garbage that is taken for an answer
    "provider.auth.credential",  # what the provider says of an error stands in the message as it came
}


def test_the_sdk_is_found_to_deviate_where_its_source_does_and_nowhere_else(inspect: Inspect) -> None:
    found = inspect("voyage_ai", "voyageai", "conformance", "fault")
    assert set(found) == RETRIES | TIMEOUTS | ABSENT | DEFAULTS | UNCHECKED_INPUT | ANSWERS


def test_it_keeps_what_it_does_as_promised(inspect: Inspect) -> None:
    statuses = ("429-429-then-200", "429-no-hint", "503-503-then-200", "::403", "::401")
    assert set(inspect("voyage_ai", "voyageai", "fault", only=statuses)) <= {
        "resilience.retry.retry_after.on.429",
        "operations.embed.request.defaults.output_dimension",
    }


def test_its_asynchronous_form_counts_the_whole_answer_but_lets_a_cut_one_escape(inspect: Inspect) -> None:
    transport = ("slow-body", "limit_data", "timeout-then-200")
    found = inspect("voyage_ai", "voyageai-async", "fault", only=transport)
    assert not found.keys() & TIMEOUTS  # aiohttp's `total`
    assert found["failures.connection.raises"] == {
        *(f"fault::{operation}::limit_data-always" for operation in ("embed", "rerank", "embed_contextualized")),
        *(f"fault::{operation}::tcp-limit_data" for operation in ("embed", "rerank")),
    }  # api_requestor.py logs aiohttp's ClientPayloadError and reads again, which raises it as it is
