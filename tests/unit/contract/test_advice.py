"""What lint warns of: right contracts that will not do what their author expects."""

from collections.abc import Callable

import pytest

from harness.contract.advice import advice
from harness.contract.agreement import Agreement

Read = Callable[..., Agreement]
BAD_REQUEST = "      400: {error: detail, raises: InvalidRequest, given: an invalid request, when: invalid_request}\n"
RULE = '        known_items: {rule: "items.all(i, i in facts.prices)", status: 400, because: the shop sells nothing else}\n'


@pytest.fixture
def told(read: Read) -> Callable[..., list[str]]:
    """The advice on the small contract after changes; what is about `look_up` apart."""
    return lambda *changes: [str(each) for each in advice(read(*changes)) if "`look_up`" not in each.message]


def test_a_contract_that_says_everything_is_not_warned_of(told: Callable[..., list[str]]) -> None:
    assert told() == []


def test_an_operation_without_a_status_for_bad_requests_is_told_with_its_place(told: Callable[..., list[str]], contract: str) -> None:
    line = contract.splitlines().index("    responses:") - 1  # of two lines that go before it, one stood for a rule
    [said] = told((BAD_REQUEST, ""), (RULE, ""), ("      rules:\n", ""))
    assert said.startswith(
        f"shop.yaml:{line}:5: `order` declares no status for an invalid request; the stub answers 400 to one; add `400: "
    )


def test_a_status_that_is_often_meant_is_pointed_at(told: Callable[..., list[str]]) -> None:
    [said] = told((BAD_REQUEST, "      422: {error: detail, given: an invalid request}\n"), (RULE, ""), ("      rules:\n", ""))
    assert said.endswith("say `when: invalid_request` at 422")


def test_any_status_may_be_the_one_for_bad_requests(told: Callable[..., list[str]]) -> None:
    assert told((BAD_REQUEST, BAD_REQUEST.replace("400", "422")), ("status: 400", "status: 422"), ("never: [400", "never: [422")) == []


@pytest.mark.parametrize(("attempts", "waits"), [(1, "no wait"), (2, "one wait")])
def test_a_back_off_that_nothing_can_show_is_told(told: Callable[..., list[str]], attempts: int, waits: str) -> None:
    [said] = told(("attempts: 3", f"attempts: {attempts}"))
    assert f"with `attempts: {attempts}` there is {waits}, and nothing shows by what it grows" in said
    assert said.endswith("leave `multiplier` out, or allow 3 attempts")


def test_the_multiplier_can_be_left_out(told: Callable[..., list[str]]) -> None:
    assert told(("attempts: 3", "attempts: 2"), ("multiplier: 2, ", "")) == []


@pytest.mark.parametrize(("schema", "warned"), [("{type: string}", False), ("{type: string, maxLength: 9}", True)])
def test_a_request_that_is_always_valid_needs_no_such_status(read: Read, schema: str, warned: bool) -> None:
    agreement = read(
        ("path: {number: {schema: {type: integer, minimum: 1}}}", f"path: {{number: {{schema: {schema}}}}}"),
        ("      query: {verbose: {schema: {type: boolean}}}\n", ""),
        (", query: {verbose: true}", ""),
        ("number: 1}", 'number: "1"}'),
    )
    assert any("`look_up`" in each.message for each in advice(agreement)) is warned
