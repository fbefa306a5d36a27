"""A recorded request means a call; another client's request is answered from it when it means the same."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.contract.agreement import Agreement
from harness.exchange import Exchange, Request, Response
from harness.suites.cassette.meaning import Recorded, calls_of, same_request
from harness.suites.cassette.secrets import Secrets
from harness.suites.cassette.tape import read_tape


@pytest.fixture
def query(agreement: Agreement, shipped: Path) -> Recorded:
    """A real exchange: a query at the model's own dimension, which the request leaves open."""
    tape = read_tape(shipped / "query-voyage-3.5-200.yaml", shown_as="query", secrets=Secrets())
    return Recorded(agreement, tape.exchanges[0])


def asking(known: Recorded, **changes: Any) -> Request:
    body = {name: value for name, value in {**known.seen.exchange.request.json(), **changes}.items() if value != "gone"}  # type: ignore[dict-item]
    return replace(known.exchange.request, body=json.dumps(body).encode())


def test_what_is_left_open_is_said_with_the_value_that_the_answer_has(query: Recorded) -> None:
    assert query.seen.request_parts["body"]["output_dimension"] is None  # type: ignore[index]
    assert query.parts["body"]["output_dimension"] == 1024


def test_what_is_said_already_is_not_said_otherwise(agreement: Agreement, shipped: Path) -> None:
    tape = read_tape(shipped / "embed-one_string.yaml", shown_as="one", secrets=Secrets())
    known = Recorded(agreement, tape.exchanges[0])
    assert known.parts["body"] == known.exchange.request.json()


def test_a_refused_request_is_meant_as_it_was(agreement: Agreement, shipped: Path) -> None:
    tape = read_tape(shipped / "unknown-model-400.yaml", shown_as="unknown", secrets=Secrets())
    known = Recorded(agreement, tape.exchanges[0])
    assert known.parts["body"]["model"] == "nonexistent"
    assert not known.breaches


def test_the_same_request_is_answered_however_it_is_written(query: Recorded) -> None:
    spaced = replace(query.exchange.request, body=json.dumps(query.exchange.request.json(), indent=2).encode())
    assert query.answers(spaced)


def test_nulls_and_the_order_of_fields_mean_nothing(query: Recorded) -> None:
    assert query.answers(asking(query, output_dimension=1024, output_dtype="gone"))


@pytest.mark.parametrize(
    "changes",
    [
        {"input": ["Hello"]},
        {"model": "voyage-3.5-lite"},
        {"input_type": "document"},
        {"output_dimension": 512},
        {"truncation": True},
    ],
)
def test_another_request_is_not_answered(query: Recorded, changes: dict[str, Any]) -> None:
    request = asking(query, **changes)
    assert not query.answers(request)
    assert not query.means(request)
    assert f"`{next(iter(changes))}`" in query.difference(request)


def test_a_request_that_means_the_same_but_can_not_take_the_answer_is_not_answered(query: Recorded) -> None:
    floats = asking(query, output_dimension=1024, encoding_format=None)
    assert query.means(floats)
    assert not query.answers(floats)
    assert "`encoding_format`" in query.difference(floats)


def test_a_request_to_another_operation_means_something_else(query: Recorded) -> None:
    assert not query.means(replace(query.exchange.request, target="/v1/rerank"))
    assert not query.answers(replace(query.exchange.request, target="/v1/nowhere"))


def test_a_body_that_is_not_json_means_nothing(query: Recorded) -> None:
    assert not query.answers(replace(query.exchange.request, body=b"{"))
    assert "sent" in query.difference(replace(query.exchange.request, body=b"[]"))


def test_an_answer_that_is_wrong_in_itself_is_still_an_answer(query: Recorded) -> None:
    response = replace(query.exchange.response or Response(status=200), body=b'{"data": []}')
    wrong = Recorded(query.agreement, replace(query.exchange, response=response))
    assert wrong.breaches
    assert wrong.answers(asking(query, output_dtype="gone"))


def test_the_same_request_again_is_another_attempt_at_the_same_call(query: Recorded) -> None:
    limited = replace(query.exchange, response=Response(status=429))
    calls = list(
        calls_of((Recorded(query.agreement, limited), query, Recorded(query.agreement, replace(query.exchange))))
    )
    assert [(call.operation, status) for call, status in calls] == [("embed", 200)]


def test_what_the_contract_does_not_know_is_no_call(query: Recorded) -> None:
    foreign: Exchange = replace(query.exchange, request=replace(query.exchange.request, target="/v1/models"))
    assert list(calls_of((Recorded(query.agreement, foreign),))) == []


def test_requests_are_the_same_byte_for_byte_or_as_json() -> None:
    one = Request(method="POST", target="/x", body=b'{"a": 1, "b": 2}')
    assert same_request(one, replace(one, body=b'{"b":2,"a":1}'))
    assert same_request(replace(one, body=b"\xff"), replace(one, body=b"\xff"))
    assert not same_request(one, replace(one, body=b"\xff"))
    assert not same_request(one, replace(one, target="/x?y=1"))
