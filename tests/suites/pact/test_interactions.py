"""What Pact's mock server is told to expect: the contract's rules about the fields that a client chose to send."""

import json
from typing import Any

import pytest

from harness.contract.agreement import Agreement
from harness.exchange import Request
from harness.provider.stub import Stub
from harness.suites.pact.interactions import CREDENTIAL, Draft, Interaction
from harness.suites.pact.matchers import KIND
from harness.suites.pact.prospects import Answers, Prospect, prospects


@pytest.fixture(scope="module")
def draft(agreement: Agreement) -> Draft:
    return Draft(agreement=agreement, answers=Answers(agreement=agreement, stub=Stub(agreement)))


@pytest.fixture(scope="module")
def one_text(agreement: Agreement) -> Prospect:
    return next(each for each in prospects(agreement.operations["embed"]) if each.example == "one_text")


def sent(body: object, target: str = "/v1/embeddings") -> Request:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method="POST", target=target, headers=(("content-type", "application/json"),), body=content)


def fields(interaction: Interaction) -> dict[str, Any]:
    body = interaction.body
    assert isinstance(body, dict)
    return {name: matcher.get("value") if isinstance(matcher, dict) else matcher for name, matcher in body.items()}


GOOD = {"input": ["a", "b"], "model": "voyage-code-3", "output_dimension": 256, "encoding_format": "base64"}


def test_what_the_contract_allows_is_expected_as_it_was_sent(draft: Draft, one_text: Prospect) -> None:
    assert fields(draft.for_consumer(one_text, sent(GOOD))) | {"input": None} == GOOD | {"input": None}


def test_a_field_that_the_contract_does_not_know_is_not_expected(draft: Draft, one_text: Prospect) -> None:
    assert "user" not in fields(draft.for_consumer(one_text, sent({**GOOD, "user": "me"})))


def test_a_field_that_is_required_is_expected_although_it_was_not_sent(draft: Draft, one_text: Prospect) -> None:
    found = fields(draft.for_consumer(one_text, sent({"input": ["a"]})))
    assert found["model"] == one_text.parts["body"]["model"]


def test_a_field_that_the_example_has_and_nobody_requires_need_not_be_sent(draft: Draft, agreement: Agreement) -> None:
    query = next(each for each in prospects(agreement.operations["embed"]) if each.example == "query")
    assert "truncation" not in fields(draft.for_consumer(query, sent(GOOD)))


def test_a_field_with_a_wrong_value_is_expected_with_the_right_one(draft: Draft, one_text: Prospect) -> None:
    found = fields(draft.for_consumer(one_text, sent({**GOOD, "model": 7})))
    assert found["model"] == one_text.parts["body"]["model"]


@pytest.mark.parametrize("body", [[], "text", b"not json", b""])
def test_a_body_that_is_nothing_like_it_is_expected_to_be_the_example(
    draft: Draft, one_text: Prospect, body: object
) -> None:
    assert fields(draft.for_consumer(one_text, sent(body))).keys() == one_text.parts["body"].keys()


def test_another_path_is_not_expected(draft: Draft, one_text: Prospect) -> None:
    assert draft.for_consumer(one_text, sent(GOOD, target="/v1/other")).path == "/v1/embeddings"


def test_a_query_that_the_contract_does_not_forbid_is_let_be(draft: Draft, one_text: Prospect) -> None:
    query = dict(draft.for_consumer(one_text, sent(GOOD, target="/v1/embeddings?trace=1")).query)
    assert query["trace"]["value"] == "1"


def test_the_answer_is_to_what_was_sent(draft: Draft, one_text: Prospect) -> None:
    answered = draft.for_consumer(one_text, sent(GOOD)).response_body
    assert isinstance(answered, bytes)
    assert len(json.loads(answered)["data"]) == 2


def test_to_a_request_that_breaks_a_rule_the_answer_is_that_to_the_example(draft: Draft, one_text: Prospect) -> None:
    interaction = draft.for_consumer(one_text, sent({**GOOD, "model": "voyage-law-2", "output_dimension": 2048}))
    assert isinstance(interaction.response_body, bytes)
    assert json.loads(interaction.response_body)["model"] == one_text.parts["body"]["model"]


def test_a_declared_hint_is_given_to_the_client_that_is_to_honour_it(draft: Draft, agreement: Agreement) -> None:
    limited = next(each for each in prospects(agreement.operations["embed"]) if each.status == 429)
    assert dict(draft.for_consumer(limited, sent(GOOD)).response_headers)["retry-after"] == "7"


def test_a_credential_is_expected_and_any_will_do(draft: Draft, one_text: Prospect) -> None:
    header = dict(draft.for_provider(one_text, number=1).headers)["authorization"]
    assert header == {KIND: "regex", "regex": r"^Bearer \S+$", "value": f"Bearer {CREDENTIAL}"}


def test_prospects_have_names_of_their_own(agreement: Agreement) -> None:
    for terms in agreement.operations.values():
        names = [prospect.name for prospect in prospects(terms)]
        assert len(names) == len(set(names))
        assert "429-the-rate-limit-is-used-up" in names
