"""A provider that takes what it must refuse, refuses what it must take, or refuses it badly, is found out by clause."""

import pytest

from harness.contract.agreement import Agreement

from . import providers
from .conftest import SettingOf, bad, broken, run
from .providers import Answering, Liar

LIARS: dict[str, tuple[Answering, str, str]] = {
    "accepts everything: a type": (providers.accepts_everything, "rerank::request-", "schemas.RerankRequest.properties.query.type"),
    "accepts everything: a missing field": (providers.accepts_everything, "rerank::request-", "schemas.RerankRequest.required"),
    "accepts everything: a rule": (providers.accepts_everything, "embed::request-rule", "operations.embed.request.rules.tokens_of_model"),
    "accepts everything: garbage": (providers.accepts_everything, "rerank::body-", "operations.rerank.responses.400"),
    "accepts everything: made-up requests": (providers.accepts_everything, "rerank::negative", "operations.rerank.responses.400"),
    "accepts any credential": (providers.accepts_any_credential, "rerank::credential", "provider.auth.scheme"),
    "refuses with 422": (providers.refuses_with(422), "rerank::request-", "operations.rerank.responses.400"),
    "refuses with 401, though the credential is right": (
        providers.refuses_with(401),
        "rerank::request-",
        "operations.rerank.responses.400",
    ),
    "refuses with 429, though nothing is used up": (providers.refuses_with(429), "rerank::request-", "operations.rerank.responses.400"),
    "refuses with 500": (providers.refuses_with(500), "rerank::request-", "operations.rerank.responses.400"),
    "refuses with 418": (providers.refuses_with(418), "rerank::request-", "operations.rerank.responses.400"),
    "refuses with a success": (providers.refuses_with_success, "rerank::request-", "schemas.RerankRequest.required"),
    "refuses in HTML": (providers.refuses_in_html, "rerank::request-", "errors.detail.media_type"),
    "refuses without its detail": (providers.refuses_without_detail, "rerank::request-", "errors.detail.body.required"),
    "crashes on bad JSON": (providers.crashes_on_bad_json, "rerank::body-", "operations.rerank.responses.400"),
    "takes unknown properties": (providers.takes_unknown_properties, "rerank::request-", "schemas.RerankRequest.additionalProperties"),
    "takes empty texts": (providers.takes_empty_texts, "rerank::request-", "schemas.RerankRequest.properties.query.minLength"),
    "takes too many documents": (providers.takes_too_many, "rerank::request-", "schemas.RerankRequest.properties.documents.maxItems"),
    "takes unknown models": (providers.takes_unknown_models, "rerank::request-", "operations.rerank.request.rules.known_model"),
    "refuses at the bound": (providers.refuses_at_the_bound, "rerank::accepts-", "operations.rerank.responses.200"),
    "refuses nulls": (providers.refuses_nulls, "rerank::accepts-", "operations.rerank.responses.200"),
    "fails on Unicode": (providers.fails_on_unicode, "rerank::positive", "operations.rerank.responses.200"),
    "renames a field": (providers.renames_a_field, "rerank::accepts-", "schemas.Ranked.required"),
    "loses one of many": (providers.answers_one_less_in_long_lists, "rerank::accepts-", "operations.rerank.responses.200.invariants.top_k"),
}


@pytest.mark.parametrize("liar", LIARS)
def test_a_lying_provider_is_found_out(liar: str, voyage: Agreement, setting_of: SettingOf) -> None:
    answering, where, clause = LIARS[liar]
    assert clause in voyage.clauses
    found = run(setting_of(voyage, provider=Liar(voyage, answering)), only=where)
    assert clause in broken(found)


@pytest.mark.parametrize("case", ["unknown-path", "unknown-method", "body-not-json"])
def test_a_provider_that_dies_of_garbage_is_found_out(case: str, voyage: Agreement, setting_of: SettingOf) -> None:
    found = run(setting_of(voyage, provider=Liar(voyage, providers.dies_of_garbage())), only=f"rerank::{case}")
    assert "operations.rerank.examples.three_documents" in broken(found)


def test_one_lie_is_found_in_the_case_that_is_there_for_it(voyage: Agreement, setting_of: SettingOf) -> None:
    found = bad(run(setting_of(voyage, provider=Liar(voyage, providers.takes_too_many)), only="rerank::request-"))
    assert list(found) == ["fuzz::rerank::request-documents-maxItems"]


def test_a_finding_names_the_line_and_the_request(voyage: Agreement, setting_of: SettingOf) -> None:
    found = run(setting_of(voyage, provider=Liar(voyage, providers.takes_unknown_models)), only="rerank::request-rule-known_model")
    finding = found["fuzz::rerank::request-rule-known_model"].findings[0]
    assert finding.place.startswith("contracts/voyage_ai.yaml:")
    assert finding.curl.startswith("curl -X POST https://api.voyageai.com/v1/rerank")
    assert "hk-stub" not in str(finding)


SHOP_LIARS: dict[str, tuple[str, str, str]] = {
    "a missing query parameter": ("q=", "?nothing=", "operations.find.request.query.q.required"),
    "a limit above the maximum": ("limit=51", "limit=50", "operations.find.request.query.limit.schema.maximum"),
    "a limit that is no number": ("limit=7.5", "limit=1", "operations.find.request.query.limit.schema.type"),
    "an order that is not listed": ("order=price_other", "order=price", "operations.find.request.query.order.schema.enum"),
    "a shelf out of pattern": ("/shelves/%21books", "/shelves/books", "operations.find.request.path.shelf.schema.pattern"),
}


@pytest.mark.parametrize("liar", SHOP_LIARS)
def test_parameters_are_tried_clause_by_clause(liar: str, shop: Agreement, setting_of: SettingOf) -> None:
    sent, taken, clause = SHOP_LIARS[liar]

    def answering(stub: providers.Stub, request: providers.Request) -> providers.Response:
        honest = stub.answer_now(request)
        if honest.status != 400:
            return honest
        mended = (
            request.target.replace(sent, taken)
            if sent in request.target
            else f"{request.path}?q=clean"
            if liar.startswith("a missing")
            else request.target
        )
        return stub.answer_now(providers.Request(method=request.method, target=mended, headers=request.headers))

    assert clause in shop.clauses or clause.endswith("required")
    assert clause in broken(run(setting_of(shop, provider=Liar(shop, answering)), only="find::request-"))
