"""The stub: it judges every request by the contract, and answers a good one so that every promise holds."""

import json
from collections.abc import Callable

import pytest

from harness.contract.agreement import Agreement
from harness.exchange import Response
from harness.provider.stub import ANY_CREDENTIAL, JOURNAL_LENGTH, Stub

Make = Callable[..., Stub]
Ask = Callable[..., Response]
GOOD = {"items": ["apple", "pear"]}


def test_a_good_request_is_answered_by_the_contracts_expression(make: Make, ask: Ask) -> None:
    answer = ask(make(), body=GOOD)
    assert (answer.status, answer.media_type, answer.json()) == (200, "application/json", {"prices": [2, 3]})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is missing"),
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b"NaN", "the body is not JSON"),
        (None, "the body is missing"),
        ([], 'is not of type "object"'),
        ({}, '"items" is a required property'),
        ({"items": []}, "at /items"),
        ({"items": ["apple", 5]}, "at /items/1"),
        ({"items": ["apple"], "colour": "red"}, "colour"),
        ({"items": ["plum"]}, "known_items: the shop sells nothing else"),
        ({"items": ["apple"], "currency": "GBP"}, "at /currency"),
    ],
)
def test_a_bad_request_is_refused_as_declared_and_told_why(make: Make, ask: Ask, body: object, said: str) -> None:
    stub = make()
    answer = ask(stub, body=body)
    assert answer.status == 400
    assert said in answer.json()["detail"]  # type: ignore[index,operator]  # the shape of the contract
    assert said in stub.journal[-1].reason


def test_several_breaches_are_told_together(make: Make, ask: Ask) -> None:
    told = ask(make(), body={"items": [1], "currency": "GBP", "x": 1}).body.decode()
    assert "at /items/0" in told
    assert "at /currency" in told


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("text/plain", 400),
        ("application/xml", 400),
    ],
)
def test_a_body_of_another_media_type_is_refused(make: Make, ask: Ask, sent: str, status: int) -> None:
    assert ask(make(), body=GOOD, headers={"content-type": sent}).status == status


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/v1/orders/7", 200),
        ("/v1/orders/7?verbose=true", 200),
        ("/v1/orders/7?verbose=false&other=1", 200),
        ("/v1/orders/7?verbose=yes", 404),
        ("/v1/orders/0", 404),
        ("/v1/orders/seven", 404),
        ("/v1/orders/7.5", 404),
        ("/v1/orders/1_0", 404),
        ("/v1/orders/%37", 200),
    ],
)
def test_parameters_are_judged_by_their_schemas(make: Make, ask: Ask, target: str, status: int) -> None:
    invalid = ("404: {error: detail, raises: NotFound}", "404: {error: detail, raises: NotFound, when: invalid_request}")
    assert ask(make(invalid), target, method="GET").status == status


def test_a_required_parameter_is_asked_for(make: Make, ask: Ask) -> None:
    stub = make(("verbose: {schema: {type: boolean}}", "verbose: {schema: {type: boolean}, required: true}"))
    answer = ask(stub, "/v1/orders/7", method="GET")
    assert answer.status == 400
    assert b"the query parameter `verbose` is missing" in answer.body


def test_a_path_parameter_reaches_the_answer_as_it_was_meant(make: Make, ask: Ask) -> None:
    assert ask(make(), "/v1/orders/%3112", method="GET").json() == {"prices": [112]}


@pytest.mark.parametrize(
    ("credential", "sent", "status"),
    [
        ("k", "Bearer k", 200),
        ("k", "Bearer x", 401),
        ("k", "k", 401),
        ("k", "Bearer ", 401),
        ("k", "bearer k", 401),
        ("k", None, 401),
        (ANY_CREDENTIAL, "Bearer whatever", 200),
        (ANY_CREDENTIAL, "Bearer", 401),
        (ANY_CREDENTIAL, "Basic x", 401),
        (ANY_CREDENTIAL, None, 401),
        (None, None, 200),
        (None, "Bearer x", 200),
    ],
)
def test_the_credential_is_checked(make: Make, ask: Ask, credential: str | None, sent: str | None, status: int) -> None:
    answer = ask(make(credential=credential), body=GOOD, headers={"authorization": sent} if sent is not None else {})
    assert answer.status == status
    if status == 401:
        assert answer.json() == {"detail": "Who are you?"}


def test_a_credential_in_a_header_of_its_own_has_no_prefix(make: Make, ask: Ask) -> None:
    own = ("{scheme: bearer,", "{scheme: api_key, header: X-Key,")
    assert ask(make(own, credential="k"), body=GOOD, headers={"x-key": "k"}).status == 200
    assert ask(make(own, credential="k"), body=GOOD, headers={"x-key": "Bearer k"}).status == 401


def test_a_credential_that_is_not_required_is_not_asked_for_unless_one_is_set(make: Make, ask: Ask) -> None:
    optional = ('credential: "${SHOP_KEY}"}', 'credential: "${SHOP_KEY}", required: false}')
    assert ask(make(optional, credential=ANY_CREDENTIAL), body=GOOD).status == 200
    assert ask(make(optional, credential="k"), body=GOOD).status == 401


def test_another_credential_may_become_the_right_one(make: Make, ask: Ask) -> None:
    stub = make(credential="old")
    stub.accept("new")
    assert ask(stub, body=GOOD, headers={"authorization": "Bearer old"}).status == 401
    assert ask(stub, body=GOOD, headers={"authorization": "Bearer new"}).status == 200


def test_no_credential_gets_into_journal_or_answer(make: Make, ask: Ask) -> None:
    stub = make(credential="right-secret")
    answer = ask(stub, body=GOOD, headers={"authorization": "Bearer wrong-secret"})
    told = answer.body.decode() + repr(stub.journal) + repr(stub.journal[-1])
    assert "right-secret" not in told
    assert "wrong-secret" not in told


@pytest.mark.parametrize(
    ("given", "status", "body"),
    [("an invalid key", 401, b'{"detail":"Who are you?"}'), ("an outage", 503, b"given an outage"), ("too many requests", 429, None)],
)
def test_a_state_of_failure_answers_everything(make: Make, ask: Ask, given: str, status: int, body: bytes | None) -> None:
    stub = make(credential="k")
    stub.enter(given)
    answer = ask(stub, body=b"whatever")
    assert answer.status == status
    assert body is None or answer.body == body
    assert ask(stub, "/v1/orders/7", method="GET", headers={"authorization": "Bearer k"}).status == 200  # it declares no such state
    stub.enter(None)
    assert ask(stub, body=GOOD, headers={"authorization": "Bearer k"}).status == 200


def test_a_declared_header_is_sent_with_its_example(make: Make, ask: Ask) -> None:
    stub = make()
    stub.enter("too many requests")
    assert ask(stub, body=GOOD).header("Retry-After") == "3"


def test_an_unknown_state_says_which_exist(make: Make) -> None:
    with pytest.raises(
        ValueError, match="there are: an invalid key, an invalid request, an outage, too many requests; did you mean `an outage`"
    ):
        make().enter("an outtage")


def test_a_state_that_requests_lead_to_is_as_good_as_reached(make: Make, ask: Ask) -> None:
    stub = make(("errors:\n", "states: {stocked: [order/two_items]}\n\nerrors:\n"))
    stub.enter("stocked")
    assert ask(stub, body=GOOD).status == 200


def test_headers_of_a_good_answer_are_made_too(make: Make, ask: Ask) -> None:
    stub = make(
        (
            'stub: {body: \'{"prices": items',
            'headers: {X-Shop: {example: open}, X-Count: {}}\n        stub: {headers: {X-Count: string(size(items))}, body: \'{"prices": items',
        )
    )
    answer = ask(stub, body=GOOD)
    assert (answer.header("x-shop"), answer.header("x-count")) == ("open", "2")


def test_without_an_expression_an_example_is_the_answer(make: Make, ask: Ask) -> None:
    stub = make(("        stub: {body: '{\"prices\": items.map(i, facts.prices[i])}'}\n", ""))
    assert ask(stub, body={"items": ["pear", "pear"]}).json() == {"prices": [2, 3]}


def test_without_either_the_schema_says_what_an_answer_is(make: Make, ask: Ask) -> None:
    bare = (
        '200: {body: {$ref: "#/schemas/Receipt"}, stub: {body: \'{"prices": [int(request.path.number)]}\'}}',
        '200: {body: {$ref: "#/schemas/Receipt"}}',
    )
    assert ask(make(bare), "/v1/orders/7", method="GET").json() == {"prices": []}


def test_an_expression_without_a_value_is_told_and_is_no_crash(make: Make, ask: Ask) -> None:
    stub = make(("items.map(i, facts.prices[i])}'", "items.map(i, facts.costs[i])}'"))
    answer = ask(stub, body=GOOD)
    assert answer.status == 500
    assert b"the contract's own expression has no value for this request" in answer.body


@pytest.mark.parametrize(
    ("method", "target", "status", "said"),
    [
        ("GET", "/v1/orders", 405, "that path takes POST"),
        ("DELETE", "/v1/orders/7", 405, "that path takes GET"),
        ("POST", "/v1/order", 404, "the nearest is POST /v1/orders (order)"),
        ("POST", "/orders", 404, "the nearest is POST /v1/orders (order)"),
        ("GET", "/v1/orders/7/lines", 404, "the nearest is GET /v1/orders/{number} (look_up)"),
        ("GET", "/" + "x" * 5000, 404, "the contract has no operation"),
    ],
)
def test_a_near_miss_is_told(make: Make, ask: Ask, method: str, target: str, status: int, said: str) -> None:
    stub = make()
    answer = ask(stub, target, method=method)
    assert answer.status == status
    assert said in answer.body.decode()
    assert (stub.journal[-1].operation, stub.journal[-1].status) == (None, status)
    assert (answer.header("allow") is not None) == (status == 405)


def test_the_journal_has_everything_in_order_and_an_end(make: Make, ask: Ask) -> None:
    stub = make()
    ask(stub, body=GOOD)
    ask(stub, body={})
    assert [(entry.method, entry.target, entry.operation, entry.status) for entry in stub.journal] == [
        ("POST", "/v1/orders", "order", 200),
        ("POST", "/v1/orders", "order", 400),
    ]
    assert stub.journal[0].reason == ""
    for _ in range(JOURNAL_LENGTH + 10):
        ask(stub, "/x")
    assert len(stub.journal) == JOURNAL_LENGTH


def test_limits_are_kept_when_asked_for_and_only_then(make: Make, ask: Ask) -> None:
    now = 0.0
    stub = make(enforce_limits=True, clock=lambda: now)
    assert [ask(stub, body=GOOD).status for _ in range(4)] == [200, 200, 200, 429]
    now = 59.0
    limited = ask(stub, body=GOOD)
    assert (limited.status, limited.header("retry-after")) == (429, "2")
    now = 61.0
    assert ask(stub, body=GOOD).status == 200
    free = make()
    assert {ask(free, body=GOOD).status for _ in range(10)} == {200}


def test_a_refused_request_costs_nothing(make: Make, ask: Ask) -> None:
    stub = make(enforce_limits=True, clock=lambda: 0.0)
    assert [ask(stub, body={}).status for _ in range(5)] == [400] * 5
    assert ask(stub, body=GOOD).status == 200


@pytest.mark.parametrize(
    ("change", "kind", "status"),
    [
        ((", when: unauthenticated", ""), "unauthenticated", 401),
        ((", when: rate_limited", ""), "rate_limited", 429),
        ((", when: invalid_request", ""), "invalid_request", 400),
    ],
)
def test_what_names_no_occasion_has_the_usual_status(make: Make, ask: Ask, change: tuple[str, str], kind: str, status: int) -> None:
    stub = make(change, credential="k", enforce_limits=True, clock=lambda: 0.0)
    key = {"authorization": "Bearer k"} if kind != "unauthenticated" else {}
    body = {} if kind == "invalid_request" else GOOD
    answers = [ask(stub, body=body, headers=key) for _ in range(4)]
    assert answers[-1].status == status
    assert answers[-1].media_type == "application/json"


def test_an_error_with_a_body_of_its_own_is_answered_with_its_example(make: Make, ask: Ask) -> None:
    own = "404: {body: {type: object, required: [code]}, example: {code: 7}, given: no such order}"
    stub = make(("404: {error: detail, raises: NotFound}", own))
    stub.enter("no such order")
    answer = ask(stub, "/v1/orders/7", method="GET")
    assert (answer.status, answer.json()) == (404, {"code": 7})


def test_a_declared_failure_can_be_had_without_asking(make: Make) -> None:
    stub = make()
    assert stub.declared("order", 503, reason="Gone.").body == b"Gone."
    assert stub.declared("order", 400, reason="No.").json() == {"detail": "No."}
    assert stub.declared("order", 429, headers={"retry-after": "9"}).header("Retry-After") == "9"
    assert not stub.journal


@pytest.mark.parametrize(
    ("example", "pointer", "changed"),
    [
        ({"detail": "x"}, "/detail", {"detail": "new"}),
        ({"error": {"message": "x", "code": 1}}, "/error/message", {"error": {"message": "new", "code": 1}}),
        ({"a/b": "x"}, "/a~1b", {"a/b": "new"}),
        ("x", "", "new"),
        ({"code": 1}, "", {"code": 1}),
        ([1], "/detail", [1]),
    ],
)
def test_the_reason_stands_where_the_shape_has_its_text(example: object, pointer: str, changed: object) -> None:
    from harness.provider.stub import with_message

    assert with_message(example, pointer, "new") == changed


def test_a_contract_without_credential_or_limits_has_a_stub_too(make: Make, ask: Ask) -> None:
    open_shop = ('  auth: {scheme: bearer, credential: "${SHOP_KEY}"}\n', "")
    no_rate = ("  rate: [{requests: 3, per: 1m}]\n", "")
    stub = make(open_shop, no_rate, credential="k", enforce_limits=True)
    assert {ask(stub, body=GOOD).status for _ in range(5)} == {200}


def test_answers_of_all_shipped_stubs_to_their_examples_keep_the_contract(shipped: list[Agreement], ask: Ask) -> None:
    for agreement in shipped:
        stub = Stub(agreement)
        for name, terms in agreement.operations.items():
            for example_name, example in terms.model.examples.items():
                target = agreement.target(name, example.request.path, example.request.query)
                headers = {"content-type": terms.model.request.media_type, **{k.lower(): v for k, v in example.request.headers.items()}}
                body = json.dumps(example.request.body).encode() if terms.model.request.body is not None else b""
                answer = ask(stub, target, body, method=terms.model.method, headers=headers)
                assert answer.status == terms.success[0], f"{agreement.name} {name}/{example_name}: {stub.journal[-1].reason}"
