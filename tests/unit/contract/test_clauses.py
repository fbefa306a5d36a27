"""Clauses: every promise of the file has an id, a kind, a place, and somebody who keeps it."""

from collections.abc import Callable

import pytest

from harness.contract.agreement import Agreement
from harness.contract.clauses import Kind, clause_id
from harness.contract.document import Steps
from harness.proof.unprovable import why_none

Read = Callable[..., Agreement]
CONSUMER, PROVIDER, BOTH = frozenset({"consumer"}), frozenset({"provider"}), frozenset({"consumer", "provider"})


@pytest.mark.parametrize(
    ("clause", "kind", "parties", "value"),
    [
        ("provider.timeout", Kind.TIMEOUT, CONSUMER, "60s"),
        ("provider.auth.credential", Kind.SECRECY, CONSUMER, "${SHOP_KEY}"),
        ("operations.order.method", Kind.ENDPOINT, CONSUMER, "POST"),
        ("operations.order.request.rules.known_items", Kind.RULE, BOTH, None),
        ("operations.order.request.defaults.currency", Kind.DEFAULT, CONSUMER, "EUR"),
        ("operations.order.responses.200", Kind.STATUS, PROVIDER, None),
        ("operations.order.responses.200.invariants.one_price_per_item", Kind.INVARIANT, PROVIDER, None),
        ("operations.order.responses.400.raises", Kind.RAISES, CONSUMER, "InvalidRequest"),
        ("operations.order.responses.429.headers.Retry-After", Kind.HEADER, PROVIDER, None),
        ("operations.order.bind.result", Kind.RESULT, CONSUMER, "response.body.prices"),
        ("operations.order.examples.two_items", Kind.EXAMPLE, BOTH, None),
        ("operations.look_up.request.path.number.schema.minimum", Kind.SCHEMA, CONSUMER, 1),
        ("errors.detail.body.required", Kind.SCHEMA, PROVIDER, ["detail"]),
        ("schemas.Order.required", Kind.SCHEMA, CONSUMER, ["items"]),
        ("schemas.Price.minimum", Kind.SCHEMA, PROVIDER, 0),
        ("limits.rate.0.requests", Kind.RATE, CONSUMER, 3),
        ("resilience.retry.on.timeout", Kind.RETRY, CONSUMER, "timeout"),
        ("resilience.retry.on.429", Kind.RETRY, CONSUMER, 429),
        ("resilience.patterns.cached", Kind.PATTERN, CONSUMER, "cached"),
        ("sla.throughput", Kind.SLA, PROVIDER, "1000/min"),
        ("evidence.0.differs.0", Kind.DIFFERENCE, frozenset(), None),
    ],
)
def test_a_promise_is_a_clause(read: Read, clause: str, kind: Kind, parties: frozenset[str], value: object) -> None:
    found = read().clauses[clause]
    assert (found.kind, found.parties) == (kind, parties)
    assert value is None or found.value == value


def test_a_clause_stands_where_its_key_stands(read: Read, contract: str) -> None:
    for clause in read().clauses.values():
        line = contract.splitlines()[clause.place.line - 1]
        last = clause.id.rpartition(".")[2]
        assert line[clause.place.column - 1 :].lstrip("\"'").startswith((last, "-", "{", "[")), f"{clause}: {line}"


def test_clauses_are_in_the_order_of_the_file(read: Read) -> None:
    places = [clause.place for clause in read().clauses.values()]
    assert places == sorted(places)


def test_an_operations_clauses_know_their_operation(read: Read) -> None:
    clauses = read().clauses
    assert clauses["operations.look_up.responses.404"].operation == "look_up"
    assert clauses["schemas.Price.minimum"].operation is None


def test_what_asserts_nothing_is_no_clause(read: Read) -> None:
    clauses = read(
        ("    additionalProperties: false", "    additionalProperties: true"), ("Price: {type", "Price: {description: x, type")
    ).clauses
    assert "schemas.Order.additionalProperties" not in clauses
    assert "schemas.Price.description" not in clauses
    assert not any(clause.startswith(("facts", "title", "settings")) for clause in clauses)


OPAQUE = 'opaque: {media_type: "*/*", body: {}, '


@pytest.mark.parametrize(
    ("opaque", "promised"),
    [
        (OPAQUE, False),
        ('opaque: {media_type: "*/*", body: {type: string}, ', True),  # a JSON object breaks it
        ("opaque: {media_type: text/plain, body: {}, ", True),
    ],
)
def test_a_shape_that_every_answer_has_is_no_promise_and_any_other_is(read: Read, opaque: str, promised: bool) -> None:
    clauses = read((OPAQUE, opaque)).clauses
    assert ("operations.order.responses.503.error" in clauses) is promised
    assert "operations.order.responses.503" in clauses  # that it is this status is promised all the same


def test_what_other_properties_have_to_be_is_promised_where_that_stands(read: Read) -> None:
    agreement = read(("    additionalProperties: false", "    additionalProperties: {type: integer}"))
    assert "schemas.Order.additionalProperties" not in agreement.clauses
    assert "schemas.Order.additionalProperties.type" in agreement.clauses
    broken = agreement.schemas.violations(("schemas", "Order"), {"items": ["a"], "more": "x"})
    assert [clause_id(violation.keyword) for violation in broken] == ["schemas.Order.additionalProperties.type"]


def test_that_there_are_no_other_properties_is_a_promise(read: Read) -> None:
    agreement = read()
    broken = agreement.schemas.violations(("schemas", "Order"), {"items": ["a"], "more": "x"})
    assert [clause_id(violation.keyword) for violation in broken] == ["schemas.Order.additionalProperties"]
    assert "schemas.Order.additionalProperties" in agreement.clauses


def test_a_header_that_is_text_promises_only_to_be_there(read: Read) -> None:
    clauses = read().clauses
    text = clauses["operations.order.responses.429.headers.Retry-After.schema.type"]
    assert why_none(text) == "no mutant: a header is always text"


def test_alternatives_are_one_promise_together(read: Read) -> None:
    clauses = read(("  Price: {type: number, minimum: 0}", "  Price: {anyOf: [{type: number, minimum: 0}, {type: string}]}")).clauses
    assert "schemas.Price.anyOf" in clauses
    assert not any(clause.startswith("schemas.Price.anyOf.") for clause in clauses)


def test_a_schema_that_both_send_is_kept_by_both(read: Read) -> None:
    clauses = read(("currency: {enum: [EUR, USD]}", 'currency: {enum: [EUR, USD]}\n      last: {$ref: "#/schemas/Price"}')).clauses
    assert clauses["schemas.Price.minimum"].parties == BOTH
    assert clauses["schemas.Receipt.required"].parties == PROVIDER


def test_every_clause_of_the_shipped_contracts_has_a_kind_and_a_place_of_its_own(shipped: list[Agreement]) -> None:
    for agreement in shipped:
        assert len(agreement.clauses) >= 100
        for clause, found in agreement.clauses.items():
            assert found.id == clause
            assert found.place.line > 1
            assert agreement.place(clause) == found.place


def test_a_clause_that_the_file_does_not_spell_out_has_the_place_of_its_nearest_part(read: Read) -> None:
    agreement = read()
    steps: Steps = ("resilience", "retry")
    assert agreement.place("resilience.retry.unheard_of") == agreement.document.place(steps)
