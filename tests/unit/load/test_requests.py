"""What is asked under load keeps the contract, and is never asked twice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.examples import example_parts
from harness.checks.sight import Seen
from harness.contract.agreement import Agreement
from harness.exchange import Exchange
from harness.suites.load.requests import MARK, Template, templates


@pytest.fixture(scope="module")
def every(voyage: Agreement) -> list[Template]:
    return [template for operation in voyage.operations for template in templates(voyage, operation)]


def test_every_example_is_asked(voyage: Agreement, every: list[Template]) -> None:
    assert {(template.operation, template.example) for template in every} == {
        (name, example) for name, terms in voyage.operations.items() for example in terms.model.examples
    }


@given(number=st.integers(0, 10**12))
def test_a_fresh_request_keeps_the_contract(voyage: Agreement, every: list[Template], number: int) -> None:
    for template in every:
        assert Seen(voyage, Exchange(request=template.request(number)), None).request_is_valid
        assert MARK not in template.request(number).body.decode()


def test_no_two_requests_are_the_same(every: list[Template]) -> None:
    for template in every:
        assert len({template.fresh(number) for number in range(100)}) == 100


def test_each_item_is_new_so_that_a_cache_by_item_has_none(voyage: Agreement, every: list[Template]) -> None:
    documents = next(template for template in every if template.example == "documents")
    first, second = (json.loads(documents.fresh(number))["input"] for number in (1, 2))
    assert len(first) == 3
    assert not set(first) & set(second)


def test_only_texts_that_may_be_anything_change(voyage: Agreement, every: list[Template]) -> None:
    for template in every:
        example = example_parts(voyage.operations[template.operation].model.examples[template.example])["body"]
        body = json.loads(template.fresh(1))
        assert isinstance(example, dict)
        assert {name: value for name, value in body.items() if name not in ("input", "inputs", "query", "documents")} == {
            name: value for name, value in example.items() if name not in ("input", "inputs", "query", "documents")
        }


def test_a_request_says_where_it_goes_and_carries_no_credential(every: list[Template]) -> None:
    template = every[0]
    assert (template.method, template.target, template.status, template.media_type) == ("POST", "/v1/embeddings", 200, "application/json")
    assert template.headers == (("content-type", "application/json"),)
