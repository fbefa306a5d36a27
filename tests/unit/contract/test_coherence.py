"""A contract whose parts do not agree: each contradiction at its place, and all of them at once."""

from collections.abc import Callable

import pytest

from harness.contract.agreement import Agreement
from harness.contract.problems import Problem

Change = tuple[str, str]
DRILL = "{operation: look_up, path: {number: 7}, settled: false}"
ROWS = """
tasks:
  stock_up: {call: stock_up, examples: {fruit: {items: [apple]}}}
sequences:
  stocked: {steps: {stocked: stock_up/fruit, found: look_up/first}, promises: {all: stocked.returned == true && found.response.status == 200}}
stateful:
  model: a:B
  given: open
  operations: [look_up]
  questions: {look_up: '{"path": {"number": size(items)}}'}
  drill:
    changes: [{operation: look_up, path: {number: 7}, settled: false}]
    questions: [{operation: look_up, path: {number: 8}}]
states: {open: []}
errors:
  detail:"""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [("400: {error: detail", "400: {error: detial")],
            "there is no error shape `detial`; allowed: detail, opaque; did you mean `detail`?",
        ),
        ([("400: {error: detail", "400: {body: {}, error: detail")], "is one too many; `error:` says what the body is"),
        ([("404: {error", "404: {when: outage, stub: {body: '1'}, error")], "makes a body that the response does not declare"),
        ([("      200: {body: {$ref", "      302: {body: {$ref")], "declares no status of success; allowed: 200 to 299"),
        ([('stub: {body: \'{"prices": [int', 'when: outage, stub: {body: \'{"prices": [int')], "says when a request fails"),
        ([("status: 400, because", "status: 422, because")], "the operation declares no status 422; allowed: 200, 400, 401, 429, 503"),
        ([("defaults: {currency: EUR}", "defaults: {curency: EUR}")], "the request has no field `curency`"),
        ([("defaults: {currency: EUR}", "defaults: {currency: GBP}")], "breaks its schema"),
        (
            [("probe: order/two_items", "probe: order/two_itms")],
            "`order` has no example `two_itms`; allowed: two_items; did you mean `two_items`?",
        ),
        (
            [("probe: order/two_items", "probe: oder/two_items")],
            "there is no operation `oder`; allowed: order, look_up; did you mean `order`?",
        ),
        ([("mix: {order: 1}", "mix: {ordr: 1}")], "there is no operation `ordr`"),
        (
            [("  probe: order/two_items", "  probe: order/two_items\n  grpc: {messages: a:B, operations: {ordr: /a.B/Order}}")],
            "there is no operation `ordr`; allowed: order, look_up; did you mean `order`?",
        ),
        (
            [("patterns: [retry_with_backoff, cached]", "patterns: [circuit_breaker]")],
            "`circuit_breaker` needs `resilience.circuit_breaker`",
        ),
        ([("server_error: retry_limited", "timeout: circuit_breaker")], "`circuit_breaker` needs `resilience.circuit_breaker`"),
        ([("never: [400, 401]", "never: [400, 429]")], "429 is retried too; it stands under `on`"),
        ([("max: 60s", "max: 500ms")], "is shorter than `initial`"),
        ([("retry_after: {on: [429]", "retry_after: {on: [500]")], "500 is not retried; allowed: 429, 503, timeout"),
        ([("added: [1s, 5s]", "added: [5s, 1s]")], "ends before it begins"),
        ([("split: {argument: items", "split: {argument: itms")], "there is no argument `itms`; allowed: items; did you mean `items`?"),
        ([("  cache: {ttl: 1h, entries: 10}\n", ""), ("[retry_with_backoff, cached]", "[]")], "needs `resilience.cache`"),
        ([("expires: 2027-05-20", "expires: 2026-05-20")], "lies before `accepted`"),
        ([("rate: [{requests: 3, per: 1m}]", "rate: [{per: 1m}]")], "limits nothing; allowed: `requests`, `tokens` or both"),
        ([("batch: {items: 10}", "batch: {tokens: 10}")], "no operation says under `cost:` what its tokens are; such as `cost: {tokens: tokens("),
        ([("rate: [{requests: 3,", "rate: [{tokens: 3,")], "no operation says under `cost:` what its tokens are; such as `cost: {tokens: tokens("),
        (
            [("path: /orders/{number}", "path: /orders/{nummer}")],
            "the path parameter `nummer` is not declared; allowed: number; did you mean `number`?",
        ),
        ([("path: /orders/{number}", "path: /orders/{number}/{number}")], "`{number}` stands twice in the path"),
        ([("path: /orders/{number}", "path: /orders")], "the path has no `{number}`"),
        ([("  probe:", "  default: container\n  probe:")], "needs `provider.container`"),
        ([("sla:", "waivers: [{clause: sla.troughput, because: x, until: 2027-01-01}]\nsla:")], "did you mean `sla.throughput`?"),
        ([("request: {body: {items: [apple", "given: stocked\n        request: {body: {items: [apple")], "there is no state `stocked`"),
    ],
)
def test_a_contradiction_is_told_at_its_place(problems: Callable[..., tuple[Problem, ...]], changes: list[Change], said: str) -> None:
    found = problems(*changes)
    assert any(said in str(problem) for problem in found), "\n".join(map(str, found))
    assert len(found) <= 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("stocked: stock_up/fruit", "stocked: stock_up/furit"), "`stock_up` has no example `furit`; allowed: fruit"),
        (("stocked: stock_up/fruit", "stocked: stockup/fruit"), "there is no operation `stockup`"),
        (("stocked: stock_up/fruit, ", ""), "is a step of no sequence, so nothing is promised of it"),
        (("  stock_up: {call", "  order: {call"), "there is an operation `order` too; give it another name"),
        ((DRILL, DRILL.replace("look_up", "lookup", 1)), "there is no operation `lookup`"),
        (("questions: [{operation: look_up", "questions: [{operation: order"), "`order` is none of the operations that the model knows"),
        ((DRILL, DRILL.replace("number: 7", "number: seven")), "breaks its schema"),
        ((DRILL, DRILL.replace("path: {number: 7}, ", "")), "lacks the path parameter `number`"),
        (("questions: {look_up", "questions: {lookup"), "`lookup` is none of the operations that the model knows; allowed: look_up"),
        (("size(items)}}'", "size(itms)}}'"), "can't be parsed"),
    ],
)
def test_a_task_and_a_question_agree_with_the_rest(problems: Callable[..., tuple[Problem, ...]], change: Change, said: str) -> None:
    found = problems(("\nerrors:\n  detail:", ROWS), change)
    assert any(said in str(problem) for problem in found), "\n".join(map(str, found))


def test_a_step_of_a_sequence_may_be_a_task(read: Callable[..., Agreement]) -> None:
    agreement = read(("\nerrors:\n  detail:", ROWS))
    assert agreement.tasks_of(agreement.sequences["stocked"]) == {"stocked": "stock_up"}


def test_two_operations_never_answer_the_same_request(only_problem: Callable[..., Problem], contract: str) -> None:
    look_up = contract[contract.index("  look_up:") : contract.index("\nerrors:")]
    again = look_up.replace("look_up", "find").replace("number", "id")
    problem = only_problem(("\nerrors:", f"{again}\nerrors:"))
    assert "`look_up` has this method and path already" in str(problem)


def test_two_versions_of_an_interface_may_share_a_path_with_different_methods(read: Callable[..., object], contract: str) -> None:
    look_up = contract[contract.index("  look_up:") : contract.index("\nerrors:")]
    read(("\nerrors:", f"{look_up.replace('look_up', 'remove').replace('GET', 'DELETE')}\nerrors:"))


EVERYTHING: dict[Change, str] = {
    ("timeout: 60s", "timeout: 60"): "`60` is not a duration",
    ("attempts: 3", "attempts: '3'"): "allowed: a whole number",
    ("    idempotent: true\n    cached", "    idempotant: true\n    cached"): "did you mean `idempotent`?",
    ("    method: GET\n", ""): "`method` is missing",
    ("400: {error: detail", "400: {error: detial"): "did you mean `detail`?",
    ("size(response.body.prices) == size(items)", "size(response.body.prices) = size(items)"): "can't be parsed: unexpected `=`",
    ("result: response.body.prices", "result: respnse.body.prices"): "did you mean `response`?",
    ("mix: {order: 1}", "mix: {ordr: 1}"): "did you mean `order`?",
    ('items: {$ref: "#/schemas/Price"}', 'items: {$ref: "#/schemas/Prize"}'): "did you mean `Price`?",
    ("items: {type: string, minLength: 1}", "items: {type: string, minLenght: 1}"): "did you mean `minLength`?",
    ("example: {detail: It can't be done.}", "example: {detail: 5}"): "breaks its schema",
    ("path: {number: 1}", "path: {number: 0}"): "breaks its schema",
    ("999%", "999"): "",
    ("throughput: 1000/min", "throughput: 1000"): "`1000` is not a rate",
    ("expires: 2027-05-20", "expires: soon"): "`soon` is not a date",
}


def test_everything_that_is_wrong_is_told_at_once(problems: Callable[..., tuple[Problem, ...]]) -> None:
    changes = {change: said for change, said in EVERYTHING.items() if said}
    told = list(map(str, problems(*changes)))
    for said in changes.values():
        assert sum(said in line for line in told) >= 1, (said, told)


def test_what_stands_in_for_an_unreadable_part_is_never_complained_of(problems: Callable[..., tuple[Problem, ...]], contract: str) -> None:
    broken = [
        ("  probe: order/two_items", "  probe: 5"),
        ("    cost: {items: size(items)}", "    cost: 5"),
        ("      items: request.body.items", "      items: 5"),
        ("errors:\n", "errors:\n  x: 5\n"),
        ("  retry:\n    attempts: 3\n", "  retry:\n    attempts: [3]\n"),
        ("        request: {body: {items: [apple, pear]}}", "        request: 5"),
        ("schemas:\n", "schemas:\n  X: 5\n"),
        ("      404: {error: detail, raises: NotFound}", "      404: 5"),
        ("    responses:\n      200: {body", "    respones:\n      200: {body"),
    ]
    for change in broken:
        found = problems(change)
        form = [problem for problem in found if "unknown" in str(problem) or "missing" in str(problem) or "is wrong" in str(problem)]
        assert list(found) == form, "\n".join(map(str, found))
