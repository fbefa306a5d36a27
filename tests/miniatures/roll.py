"""The roll of all liars: the clause that each one breaks, and the cases that could notice."""

from dataclasses import dataclass

RETRY, BREAKER, CACHE = "resilience.retry", "resilience.circuit_breaker", "resilience.cache"
EMBED, RERANK, CONTEXT = "operations.embed", "operations.rerank", "operations.embed_contextualized"


@dataclass(frozen=True, kw_only=True)
class Liar:
    """A lying client or provider; ``cases`` are the ids of cases, or parts of ids."""

    name: str
    clause: str
    cases: tuple[str, ...]


def _client(module_and_class: str, clause: str, *cases: str) -> Liar:
    return Liar(name=f"tests.miniatures.clients.{module_and_class}", clause=clause, cases=cases)


def _provider(name: str, clause: str, *cases: str) -> Liar:
    return Liar(name=name, clause=clause, cases=cases)


CLIENTS = (
    _client("retries:OneTooMany", f"{RETRY}.attempts", "fault::embed::503-always"),
    _client("retries:OneTooFew", f"{RETRY}.attempts", "fault::embed::503-always"),
    _client("retries:Never", f"{RETRY}.on.502", "fault::rerank::502-then-200"),
    _client("retries:Forever", f"{RETRY}.attempts", "fault::rerank::500-always"),
    _client("retries:AtOnce", f"{RETRY}.wait.initial", "fault::embed::500-then-200"),
    _client("retries:Evenly", f"{RETRY}.wait.multiplier", "fault::embed::500-500-then-200"),
    _client("retries:Sluggishly", f"{RETRY}.wait.jitter", "fault::embed::504-then-200"),
    _client("retries:InStep", f"{RETRY}.wait.jitter", "fault::embed::waits-are-spread"),
    _client("retries:DeafToHints", f"{RETRY}.retry_after.on.429", "fault::embed::429-retry-after-seconds"),
    _client("retries:DeafToDates", f"{RETRY}.retry_after.on.429", "fault::embed::429-retry-after-http-date"),
    _client("retries:OnTheDot", f"{RETRY}.retry_after.added", "fault::embed::429-retry-after-seconds"),
    _client("retries:Impatient", f"{RETRY}.retry_after.on.429", "fault::embed::429-retry-after-a-minute"),
    _client("retries:Stubborn", f"{RETRY}.never.400", "fault::embed::400"),
    _client("retries:Particular", f"{RETRY}.on.500", "fault::embed::500-then-200"),
    _client("retries:Resigned", f"{RETRY}.on.timeout", "fault::embed::timeout-then-200"),
    _client("retries:Doubting", f"{RETRY}.attempts", "conformance::embed::one_text"),
    _client("clocks:Trusting", "provider.timeout", "fault::embed::timeout-then-200"),
    _client("clocks:BetweenBytes", "provider.timeout", "fault::embed::slow-body-beyond-timeout"),
    _client("clocks:Hasty", "provider.timeout", "fault::embed::latency-within-timeout"),
    _client("clocks:Unhurried", "provider.timeout", "fault::embed::latency-beyond-timeout"),
    _client("clocks:Endless", "resilience.budget", "fault::embed::timeout-always"),
    _client("clocks:Spinning", "resilience.budget", "fault::embed::503-then-200"),
    _client("breakers:NeverOpens", f"{BREAKER}.failure_threshold", "fault::embed::breaker-opens"),
    _client("breakers:OpensEarly", f"{BREAKER}.failure_threshold", "fault::embed::breaker-opens"),
    _client("breakers:OpensOneLate", f"{BREAKER}.failure_threshold", "fault::embed::breaker-opens"),
    _client("breakers:BlindToTimeouts", f"{BREAKER}.failure_threshold", "fault::embed::breaker-opens-on-timeouts"),
    _client("breakers:TakesRefusalsAmiss", f"{BREAKER}.failure_threshold", "fault::embed::breaker-ignores-refusals"),
    _client("breakers:ForgetsNothing", f"{BREAKER}.failure_threshold", "fault::embed::breaker-counts-in-a-row-only"),
    _client("breakers:Sulks", f"{BREAKER}.recovery_timeout", "fault::embed::breaker-probes-and-closes"),
    _client(
        "breakers:Forgives", f"{BREAKER}.recovery_timeout", "fault::embed::breaker-probes-and-closes", "fault::embed::breaker-stays-open"
    ),
    _client("breakers:ForgivesASecondEarly", f"{BREAKER}.recovery_timeout", "fault::embed::breaker-opens", "fault::embed::breaker-stays-open"),
    _client("breakers:SulksASecondLonger", f"{BREAKER}.recovery_timeout", "fault::embed::breaker-probes-and-closes"),
    _client("breakers:OneForEachOperation", f"{BREAKER}.recovery_timeout", "fault::embed::breaker-is-one-for-all-operations"),
    _client("breakers:FloodsWhenHalfOpen", f"{BREAKER}.half_open_successes", "fault::embed::breaker-admits-only-probes"),
    _client("breakers:EasilyContent", f"{BREAKER}.half_open_successes", "fault::embed::breaker-needs-every-probe"),
    _client("breakers:NeverCloses", f"{BREAKER}.half_open_successes", "fault::embed::breaker-probes-and-closes"),
    _client("limits:AllAtOnce", "limits.batch.items", "fault::embed::batch-one-too-many"),
    _client("limits:CountsTextsOnly", "limits.batch.tokens", "fault::embed::batch-of-long-items"),
    _client("limits:Unlimited", "limits.rate.0.requests", "fault::embed::rate-of-requests-at-once"),
    _client("limits:Leaky", "limits.rate.0.requests", "fault::embed::rate-of-requests-at-once"),
    _client("limits:ByTheMinute", "limits.rate.0.requests", "fault::embed::rate-of-requests-at-once"),
    _client("limits:CountsRequestsOnly", "limits.rate.1.tokens", "fault::embed::rate-of-tokens"),
    _client("limits:CountsCallsOnly", "limits.rate.0.requests", "fault::embed::rate-counts-retries"),
    _client("limits:RetriesForFree", "limits.rate.1.tokens", "fault::embed::rate-of-tokens-counts-retries"),
    _client("limits:OneBudgetEach", "limits.rate.1.tokens", "fault::embed::rate-of-tokens-of-all-operations"),
    _client("caches:Blank", f"{EMBED}.cached", "fault::embed::cache-hits"),
    _client("caches:DeafToRoles", f"{EMBED}.bind.result", "fault::embed::cache-tells-each-option-apart"),
    _client("caches:Forgetful", f"{CACHE}.ttl", "fault::embed::cache-hits"),
    _client("caches:Everlasting", f"{CACHE}.ttl", "fault::embed::cache-expires"),
    _client("caches:Renewed", f"{CACHE}.ttl", "fault::embed::cache-is-not-renewed-by-use"),
    _client("caches:Unbounded", f"{CACHE}.entries", "fault::embed::cache-is-bounded"),
    _client("caches:Small", f"{CACHE}.entries", "fault::embed::cache-is-bounded"),
    _client("caches:DeafToOptions", f"{EMBED}.bind.arguments.texts", "fault::embed::cache-tells-options-apart"),
    _client("caches:Shared", f"{EMBED}.bind.result", "fault::embed::cache-hands-out-copies"),
    _client("caches:Resentful", f"{EMBED}.cached", "fault::embed::cache-holds-no-failure"),
    _client("caches:Eager", f"{RERANK}.bind.result", "fault::rerank::asked-each-time"),
    _client("caches:Unforgiving", f"{RERANK}.bind.result", "fault::rerank::asked-each-time"),
    _client("caches:Complacent", f"{EMBED}.responses.500.raises", "fault::embed::cache-is-no-stand-in"),
    _client("secrets:InTheMessage", "provider.auth.credential", "fault::embed::401"),
    _client("secrets:InAField", "provider.auth.credential", "fault::embed::401"),
    _client("secrets:InACause", "provider.auth.credential", "fault::embed::401"),
    _client("secrets:EchoesTheProvider", "provider.auth.credential", "fault::embed::credential-echoed-in-401"),
    _client("secrets:InTheLog", "provider.auth.credential", "conformance::embed::one_text"),
    _client("secrets:OnTheTerminal", "provider.auth.credential", "conformance::embed::one_text"),
    _client("secrets:InTheUrl", "provider.auth.credential", "conformance::embed::one_text"),
    _client("secrets:InItsName", "provider.auth.credential", "conformance::embed::one_text"),
    _client("secrets:InAnotherHeader", "provider.auth.credential", "conformance::embed::one_text"),
    _client("secrets:WithAnotherScheme", "provider.auth.scheme", "conformance::embed::one_text"),
    _client("secrets:FollowsAnywhere", "provider.auth.credential", "fault::rerank::redirected-elsewhere"),
    _client("secrets:DeafToRotation", "resilience.policies.auth_failure", "fault::embed::credential-changes"),
    _client("secrets:RotatesForEver", f"{RETRY}.never.401", "fault::embed::401"),
    _client("answers:OutOfOrder", f"{EMBED}.bind.result", "fault::embed::batches-answered-out-of-order"),
    _client("answers:Zeros", f"{EMBED}.responses.500.raises", "fault::embed::500-always"),
    _client("answers:Shrugs", f"{RERANK}.responses.400.raises", "fault::rerank::400"),
    _client("answers:SomeOfThem", f"{CONTEXT}.responses.400.raises", "fault::embed_contextualized::one-batch-fails"),
    _client("answers:SilentWhenOpen", f"{RERANK}.bind.result", "fault::rerank::breaker-opens"),
    _client("answers:AnotherError", f"{EMBED}.responses.429.raises", "fault::embed::429-always"),
    _client("answers:Bare", "failures.connection.raises", "fault::embed::reset_peer-always"),
    _client("answers:HalfPrecision", f"{EMBED}.bind.result", "conformance::embed::wide"),
    _client("answers:Centred", f"{EMBED}.bind.result", "conformance::embed::wide"),
    _client("answers:Gullible", "failures.invalid_response.raises", "fault::embed::200-error-body"),
    _client("answers:NoTwins", f"{EMBED}.bind.result", "fault::embed::items-repeated"),
    _client("answers:Tidy", f"{EMBED}.bind.arguments.texts", "fault::embed::items-of-odd-text"),
    _client("answers:Deaf", f"{EMBED}.bind.arguments.input_type", "conformance::embed::query"),
    _client("answers:Presumptuous", f"{EMBED}.bind.arguments.input_type", "conformance::embed::one_text"),
    _client("answers:ByDefault", f"{EMBED}.request.defaults.output_dimension", "conformance::embed::defaults"),
    _client("answers:Careless", "failures.invalid_input.raises", "fault::embed::refuses-input.items.minLength"),
    _client("answers:Wide", f"{RERANK}.bind.arguments.top_k", "conformance::rerank::best_two"),
    _client("monitors:Silent", "monitoring.alert_on_failure", "fault::monitor::provider-is-down"),
    _client("monitors:Nervous", "monitoring.health_check_interval", "conformance::monitor::healthy"),
    _client("monitors:Alarmist", "monitoring.alert_on_failure", "conformance::monitor::healthy"),
    _client("monitors:Innumerate", "monitoring.metrics", "conformance::monitor::healthy"),
    _client("monitors:Absent", "monitoring.health_check_interval", "conformance::monitor::healthy"),
)

_ANSWER = f"{EMBED}.responses.200"
_PROMISE = f"{_ANSWER}.invariants"
PROVIDERS = (
    _provider(
        "swapped_in_large_batches", f"{EMBED}.relations.batch_equals_parts", "conformance::embed::batch_equals_parts-of-a-full-batch"
    ),
    _provider("another_vector_for_a_repeated_text", f"{EMBED}.relations.batch_equals_parts", "conformance::embed::batch_equals_parts"),
    _provider("one_short", f"{_PROMISE}.one_vector_per_text", "conformance::embed::provider-documents"),
    _provider("one_twice", f"{_PROMISE}.one_vector_per_text", "conformance::embed::provider-documents"),
    _provider("vectors_swapped", f"{EMBED}.relations.batch_equals_parts", "conformance::embed::batch_equals_parts"),
    _provider("out_of_order", f"{_PROMISE}.in_order", "conformance::embed::provider-documents"),
    _provider("half_the_dimension", f"{_PROMISE}.dimension", "conformance::embed::provider-wide"),
    _provider("not_unit_length", f"{_PROMISE}.unit_length", "conformance::embed::provider-wide"),
    _provider("another_vector_each_time", f"{EMBED}.relations.batch_equals_parts", "conformance::embed::batch_equals_parts"),
    _provider("null_for_a_number", "schemas.Embedding.properties.embedding.items.type", "conformance::embed::provider-wide"),
    _provider("not_a_number", _ANSWER, "conformance::embed::provider-wide"),
    _provider("bytes_of_300", f"{_PROMISE}.whole_numbers", "conformance::embed::provider-signed_bytes"),
    _provider("base64_unasked", f"{_PROMISE}.encoding", "conformance::embed::provider-wide"),
    _provider("renamed_field", "schemas.Usage.required", "conformance::embed::provider-one_text"),
    _provider("negative_usage", "schemas.Usage.properties.total_tokens.minimum", "conformance::embed::provider-one_text"),
    _provider("index_as_text", "schemas.Embedding.properties.index.type", "conformance::embed::provider-one_text"),
    _provider("another_model", f"{_PROMISE}.same_model", "conformance::embed::provider-one_text"),
    _provider("error_as_success", "schemas.Embeddings.required", "conformance::embed::provider-one_text"),
    _provider("truncated", _ANSWER, "conformance::embed::provider-one_text"),
    _provider("html", _ANSWER, "conformance::embed::provider-one_text"),
    _provider("no_content_type", _ANSWER, "conformance::embed::provider-one_text"),
    _provider("created", _ANSWER, "conformance::embed::provider-one_text"),
    _provider("fails_now_and_then", f"{EMBED}.responses.200", "conformance::embed::batch_equals_parts"),
    _provider("takes_any_key", f"{EMBED}.responses.401", "conformance::embed::wrong-credential"),
    _provider("takes_anything", "schemas.EmbeddingsRequest.required", "conformance::embed::invalid-requests"),
    _provider("forbidden_for_a_bad_key", f"{EMBED}.responses.401", "conformance::embed::given-401", "conformance::embed::wrong-credential"),
    _provider("unprocessable", f"{EMBED}.responses.400", "conformance::embed::given-400"),
    _provider("errors_of_another_shape", "errors.detail.body.required", "conformance::embed::given-400"),
    _provider("errors_as_text", "errors.detail.media_type", "conformance::embed::given-401"),
    _provider("top_k_ignored", f"{RERANK}.responses.200.invariants.top_k", "conformance::rerank::provider-best_two"),
    _provider("unsorted", f"{RERANK}.responses.200.invariants.sorted_by_score", "conformance::rerank::provider-three_documents"),
    _provider("index_beyond_the_list", f"{RERANK}.responses.200.invariants.indexes_valid", "conformance::rerank::provider-three_documents"),
    _provider("the_same_one_twice", f"{RERANK}.responses.200.invariants.indexes_distinct", "conformance::rerank::provider-three_documents"),
    _provider(
        "documents_unasked", f"{RERANK}.responses.200.invariants.documents_on_request", "conformance::rerank::provider-three_documents"
    ),
    _provider("another_document", f"{RERANK}.responses.200.invariants.documents_match", "conformance::rerank::provider-best_two"),
    _provider("scores_of_others", f"{RERANK}.relations.score_of_pair", "conformance::rerank::score_of_pair"),
    _provider("documents_swapped", f"{CONTEXT}.relations.batch_equals_parts", "conformance::embed_contextualized::batch_equals_parts"),
    _provider(
        "chunks_lost",
        f"{CONTEXT}.responses.200.invariants.one_vector_per_chunk",
        "conformance::embed_contextualized::provider-two_documents",
    ),
)
