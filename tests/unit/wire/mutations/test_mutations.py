"""Each lie breaks the clause that it names, or is found to break nothing; no promise about a response is without its lie."""

import json

import pytest

from harness.contract.agreement import Agreement, response_clause
from harness.contract.clauses import Kind as Promise
from harness.exchange import Request, Response
from harness.wire.mutations import Kind, broken_by, invariants_broken, mutations

from .conftest import Around

Everything = list[tuple[Agreement, Request, Response]]


def test_a_good_answer_breaks_nothing(everything: Everything) -> None:
    assert [broken_by(*each) for each in everything if broken_by(*each)] == []


def test_a_lie_that_names_a_clause_breaks_it(everything: Everything) -> None:
    for agreement, request, response in everything:
        missed = [
            (message.name, message.clause)
            for message in mutations(agreement, request, response)
            if message.clause is not None and message.clause not in broken_by(agreement, request, message.response)
        ]
        assert missed == []


def test_a_lie_names_a_clause_of_the_contract(everything: Everything) -> None:
    for agreement, request, response in everything:
        named = {message.clause for message in mutations(agreement, request, response)} - {None}
        assert named <= agreement.clauses.keys()


def test_lies_about_one_answer_go_by_different_names(everything: Everything) -> None:
    for agreement, request, response in everything:
        names = [message.name for message in mutations(agreement, request, response)]
        assert len(names) == len(set(names))


def test_every_lie_is_another_answer(everything: Everything) -> None:
    for agreement, request, response in everything[::7]:
        assert all(message.response != response for message in mutations(agreement, request, response))


@pytest.mark.parametrize("contract", ["voyage", "shop"])
def test_every_promise_about_an_answer_is_broken_by_some_lie(contract: str, everything: Everything, request: pytest.FixtureRequest) -> None:
    agreement: Agreement = request.getfixturevalue(contract)
    kinds = {Promise.SCHEMA, Promise.INVARIANT, Promise.MEDIA_TYPE, Promise.ERROR_SHAPE}
    promised = {clause.id for clause in agreement.clauses.values() if clause.kind in kinds and clause.parties == {"provider"}}
    promised -= {
        clause for clause in promised if clause.endswith((".500.error", ".502.error", ".503.error", ".504.error"))
    }  # any body at all
    promised -= {clause for clause in promised if clause.endswith(".headers.Retry-After.schema.type")}  # a header is always text
    broken = {
        clause
        for owner, asked, response in everything
        if owner is agreement
        for message in mutations(agreement, asked, response)
        for clause in broken_by(agreement, asked, message.response)
    }
    assert promised - broken == set()


def test_a_lie_that_changes_nothing_of_importance_is_found_equivalent(voyage: Agreement, everything: Everything) -> None:
    agreement, request, response = everything[0]
    found = {message.name: broken_by(agreement, request, message.response) for message in mutations(agreement, request, response)}
    assert found["number at /usage/total_tokens: one more"] == ()


def test_an_invariant_is_broken_without_breaking_the_schema(voyage: Agreement, everything: Everything) -> None:
    request, response = next((asked, answer) for owner, asked, answer in everything if owner is voyage and answer.status == 200)
    found = list(invariants_broken(voyage, request, response))
    for message, clauses in found:
        assert set(clauses) == set(broken_by(voyage, request, message.response)), message.name
    named = {clause for _, clauses in found for clause in clauses}
    assert {response_clause("embed", 200, "invariants", name) for name in ("one_vector_per_text", "in_order", "unit_length")} <= named


def test_numbers_that_are_no_json_are_no_json(voyage: Agreement, everything: Everything) -> None:
    request, response = next((asked, answer) for owner, asked, answer in everything if owner is voyage and answer.status == 200)
    spoilt = [each for each in mutations(voyage, request, response) if each.kind is Kind.NOT_A_NUMBER and b"NaN" in each.response.body]
    assert spoilt
    for message in spoilt:
        with pytest.raises(ValueError, match="NaN is not JSON"):
            message.response.json()


def test_headers_that_told_of_the_old_body_do_not_stay(voyage: Agreement, everything: Everything) -> None:
    request, response = next((asked, answer) for owner, asked, answer in everything if owner is voyage and answer.status == 200)
    long = Response(status=200, headers=(*response.headers, ("Content-Length", str(len(response.body)))), body=response.body)
    changed = [message.response for message in mutations(voyage, request, long) if message.response.body != long.body]
    assert changed
    assert all(each.header("content-length") is None for each in changed)


def test_there_is_nothing_to_lie_about_in_an_answer_that_nobody_declared(voyage: Agreement, everything: Everything) -> None:
    request, response = next((asked, answer) for owner, asked, answer in everything if owner is voyage and answer.status == 200)
    assert list(mutations(voyage, request, Response(status=418, body=response.body))) == []
    elsewhere = Request(method="POST", target="/elsewhere", body=request.body)
    assert list(mutations(voyage, elsewhere, response)) == []


def test_a_declared_header_goes_missing_and_says_nonsense(around: Around) -> None:
    agreement = around({"type": "object"})
    response = {"body": {"$ref": "#/schemas/Thing"}, "headers": {"X-Left": {"required": True, "schema": {"type": "integer", "minimum": 0}}}}
    path = agreement.path
    document = json.loads(path.read_text())
    document["operations"]["get"]["responses"]["200"] = response
    path.write_text(json.dumps(document))
    from harness.contract.catalog import load

    agreement = load(path)
    answer = Response(status=200, headers=(("content-type", "application/json"), ("x-left", "3")), body=b"{}")
    request = Request(method="GET", target="/thing")
    broken = {clause for message in mutations(agreement, request, answer) for clause in broken_by(agreement, request, message.response)}
    at = "operations.get.responses.200.headers.X-Left"
    assert {at, f"{at}.schema.type", f"{at}.schema.minimum"} <= broken
