"""How requests and answers are made: by the seed, by the rules, and without loss."""

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.checks.examples import example_parts
from harness.contract.agreement import Agreement, schema_steps
from harness.contract.catalog import load
from harness.exchange import Exchange, Request, Response
from harness.suites.fuzz import generated
from harness.suites.fuzz.answers import Answers
from harness.suites.fuzz.bodies import GROUPS, Bodies
from harness.suites.fuzz.generated import EngineMissing, Generator
from harness.suites.fuzz.routes import promises
from harness.suites.fuzz.rules import breaking_rule, broken_rules, repaired
from harness.suites.fuzz.variants import VARIANTS, good_variants
from harness.suites.staging import Staging
from harness.wire.mutations import broken_by

from .conftest import ROOT, SettingOf, bad, run

UNBREAKABLE = {("embed_contextualized", "dimension_of_model")}  # its schema allows no other dimensions than every model has


# Made up by the engine


def test_the_same_seed_makes_the_same_requests(voyage: Agreement) -> None:
    first, second = (Generator(voyage, 3).requests("rerank", "positive", 10) for _ in range(2))
    assert first == second
    assert first != Generator(voyage, 4).requests("rerank", "positive", 10)


def test_what_was_made_up_before_makes_no_difference(voyage: Agreement) -> None:
    providers = pytest.importorskip("hypothesis.internal.conjecture.providers")
    first = Generator(voyage, 3).requests("rerank", "positive", 30)
    kept = dict(providers.CONSTANTS_CACHE.cache)
    try:
        providers.CONSTANTS_CACHE.cache.clear()
        again = Generator(voyage, 3).requests("rerank", "positive", 30)
        assert not providers.CONSTANTS_CACHE.cache  # nor does this, to what comes after it
    finally:
        providers.CONSTANTS_CACHE.cache.update(kept)
    assert again == first


@pytest.mark.parametrize("operation", ["embed", "rerank", "embed_contextualized"])
def test_made_up_requests_keep_the_schema_or_do_not(operation: str, voyage: Agreement) -> None:
    generator, at = Generator(voyage, 0), schema_steps("operations", operation, "request", "body")

    def is_valid(request: Request) -> bool:
        try:
            return voyage.schemas.is_valid(at, request.json())
        except ValueError:
            return False

    assert all(is_valid(request) for request in generator.requests(operation, "positive", 10))
    assert not any(is_valid(request) for request in generator.requests(operation, "negative", 10))


def test_made_up_requests_carry_no_credential_and_no_name_of_the_engine(voyage: Agreement) -> None:
    for request in Generator(voyage, 0).requests("embed", "positive", 10):
        assert {name for name, _ in request.headers} <= {"content-type"}
        assert request.target == "/v1/embeddings"


def test_without_the_engine_the_cases_are_skipped_and_say_how_to_get_it(
    voyage: Agreement, setting_of: SettingOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(self: Generator, *_: object) -> list[Request]:
        raise EngineMissing("No module named 'schemathesis'; install contract-harness[fuzz]")

    monkeypatch.setattr(generated.Generator, "requests", missing)
    found = run(setting_of(voyage), only=("rerank::positive", "rerank::calls"))
    assert {verdict.outcome.name for verdict in found.values()} == {"SKIPPED"}
    assert all("contract-harness[fuzz]" in verdict.reason for verdict in found.values())


# Rules


def test_each_rule_is_broken_alone(voyage: Agreement, shop: Agreement) -> None:
    for agreement in (voyage, shop):
        for operation, terms in agreement.operations.items():
            for rule in terms.rules:
                parts = breaking_rule(agreement, terms, rule)
                if (operation, rule) in UNBREAKABLE:
                    assert parts is None
                    continue
                assert parts is not None, (operation, rule)
                assert agreement.schemas.is_valid(schema_steps("operations", operation, "request", "body"), parts["body"])
                assert broken_rules(terms, parts) == {rule}


def test_a_made_up_request_is_repaired_with_as_little_as_possible(voyage: Agreement) -> None:
    terms = voyage.operations["rerank"]
    body: dict[str, Any] = {"query": "made up", "documents": ["x"], "model": "no such model", "top_k": 7}
    better = repaired(terms, {"body": body, "query": {}, "path": {}, "headers": {}}, 1)["body"]
    assert not broken_rules(terms, {"body": better, "query": {}, "path": {}, "headers": {}})
    assert {name for name in body if body[name] != better[name]} == {"model"}
    assert body["model"] == "no such model"


def test_a_part_deep_in_a_made_up_request_is_repaired_where_it_stands() -> None:
    qdrant = load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)
    terms = qdrant.operations["upsert"]
    points = [{"id": 71, "vector": [0.5], "payload": {"made": "up"}}, {"id": 72, "vector": [1.5, 2.5, 3.5, 4.5]}]
    for body in ({"points": points}, {"batch": {"ids": [71, 72], "vectors": [[0.5], [1.5, 2.5]]}}):
        parts = {"body": body, "query": {"wait": True}, "path": {"collection": "harness_check"}, "headers": {}}
        assert broken_rules(terms, parts)
        number = list(terms.model.examples).index("in_columns" if "batch" in body else "three")
        better = repaired(terms, parts, number)["body"]
        assert not broken_rules(terms, {**parts, "body": better})
        assert [each["id"] for each in better.get("points", [])] == ([] if "batch" in body else [71, 72])
        assert better.get("batch", {}).get("ids") == ([71, 72] if "batch" in body else None)
        assert better.get("points", [{}])[0].get("payload") == (None if "batch" in body else {"made": "up"})


def test_what_needs_no_repair_stays_as_it_is(voyage: Agreement) -> None:
    terms = voyage.operations["embed"]
    for example in terms.model.examples.values():
        parts = example_parts(example)
        assert repaired(terms, parts, 0) is parts


# Along the schema


@pytest.mark.parametrize("operation", ["embed", "rerank", "embed_contextualized"])
def test_each_clause_of_a_request_is_broken_and_its_edges_are_good(operation: str, voyage: Agreement) -> None:
    bodies, at = Bodies(voyage, voyage.operations[operation]), schema_steps("operations", operation, "request", "body")
    for promise in promises(voyage, at):
        assert bodies.breaking[promise.clause], promise
    for group in GROUPS.values():
        assert all(bodies.is_good(ask.parts) for ask in bodies.keeping(group))


def test_names_lead_to_clauses(voyage: Agreement) -> None:
    found = {promise.name: promise.clause for promise in promises(voyage, ("operations", "embed", "responses", "200", "body"))}
    assert found["data-items-index-minimum"] == "schemas.Embedding.properties.index.minimum"
    assert found["required"] == "schemas.Embeddings.required"
    assert len(set(found.values())) == len(found)


# Good answers, otherwise spelled


def answer(voyage: Agreement, operation: str, example: str, setting_of: SettingOf) -> tuple[Request, Response]:
    pair = Answers(Staging(setting_of(voyage)), voyage.operations[operation]).good(example)
    assert pair is not None
    return pair


@pytest.mark.parametrize("name", ["key-order", "whitespace", "escapes", "headers"])
@pytest.mark.parametrize(("operation", "example"), [("embed", "one_string"), ("rerank", "best_two"), ("embed_contextualized", "quantized")])
def test_another_spelling_means_the_same(name: str, operation: str, example: str, voyage: Agreement, setting_of: SettingOf) -> None:
    request, response = answer(voyage, operation, example, setting_of)
    found = good_variants(VARIANTS[name], voyage, voyage.operations[operation], request, response)
    assert found
    for variant in found:
        assert variant.json() == response.json()
        assert (variant.body, variant.headers) != (response.body, response.headers)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_keeps_the_contract(name: str, voyage: Agreement, setting_of: SettingOf) -> None:
    for operation, terms in voyage.operations.items():
        for example in terms.model.examples:
            request, response = answer(voyage, operation, example, setting_of)
            for variant in good_variants(VARIANTS[name], voyage, terms, request, response):
                assert broken_by(voyage, request, variant) == ()


def test_numbers_are_spelled_with_exponents_and_negative_zeros(voyage: Agreement, setting_of: SettingOf) -> None:
    request, response = answer(voyage, "embed", "one_string", setting_of)
    found = good_variants(VARIANTS["number-spelling"], voyage, voyage.operations["embed"], request, response)
    assert any(b"E-0" in variant.body for variant in found)
    assert any(b"-0.0" in variant.body for variant in found)


# Answers


def test_where_no_stub_can_answer_the_provider_does_in_a_rehearsal(voyage: Agreement, setting_of: SettingOf) -> None:
    terms = replace(voyage.operations["rerank"], stub_bodies={})
    answers = Answers(Staging(setting_of(voyage)), terms)
    pair = answers.good("best_two")
    assert pair is not None
    assert pair[1].status == 200
    assert answers.answer(pair[0]) == pair[1]


def test_the_client_is_told_the_lies_and_the_provider_is_not_blamed(voyage: Agreement, setting_of: SettingOf) -> None:
    setting = setting_of(voyage)
    observed = Answers(Staging(setting), voyage.operations["rerank"]).told(
        lambda _, response: [replace(response, body=b"{}"), replace(response, body=b"[]")]
    )
    exchanges: list[Exchange] = [exchange for call in observed.calls for exchange in call.exchanges]  # type: ignore[union-attr]  # it is no skip
    assert [json.loads(exchange.response.body) for exchange in exchanges if exchange.response] == [{}, []]
    assert all(exchange.injected for exchange in exchanges)
    assert bad(run(setting, only="rerank::response-required-usage")) == {}
