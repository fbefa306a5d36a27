"""The examples of a contract keep its schemas, and falsify none of its promises."""

from collections.abc import Callable

import pytest

from harness.contract.problems import Problem

Change = tuple[str, str]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("{items: [apple, pear]}", "{items: []}"), "breaks its schema"),
        (("{items: [apple, pear]}", "{items: [apple, pear], size: 3}"), "breaks its schema"),
        (("request: {body: {items: [apple, pear]}}", "request: {}"), "breaks its schema"),
        (("{items: [apple, pear]}", "{items: [apple, plum]}"), "falsifies `rules.known_items`: items.all(i, i in facts.prices)"),
        (("prices: [2, 3]", "prices: [2, -3]"), "-3 is less than the minimum of 0"),
        (("prices: [2, 3]", "prices: [2]"), "falsifies `invariants.one_price_per_item`"),
        (
            ("status: 200, body: {prices", "status: 201, body: {prices"),
            "the operation declares no status 201; allowed: 200, 400, 401, 429, 503",
        ),
        (("path: {number: 1}", "path: {number: 0}"), "breaks its schema: 0 is less than the minimum of 1"),
        (("path: {number: 1}, query", "query"), "lacks the path parameter `number`"),
        (("query: {verbose: true}", "query: {verbose: 3}"), "breaks its schema"),
        (("query: {verbose: true}", "query: {verbos: true}"), "the operation declares no query parameter `verbos`; allowed: verbose"),
        (("request: {path", "request: {body: {}, path"), "the operation takes no body"),
        (("example: {detail: It can't be done.}", "example: {message: no}"), "breaks its schema"),
        (("example: {detail: Who are you?}", "example: {detail: 5}"), "breaks its schema"),
        (('example: "3"', "example: x\n        "), ""),
        (("message: /detail", "message: /text"), "`/text` points at no text in the example"),
        (("schema: {type: string}, example", "schema: {type: string, maxLength: 0}, example"), "breaks its schema"),
        (
            ("one_price_per_item: size(response.body.prices)", "one_price_per_item: size(response.body.costs)"),
            "can't be judged by this example",
        ),
        (("response: {status: 200, body: {prices: [2, 3]}}", "response: {status: 400, body: {text: no}}"), "breaks its schema"),
    ],
)
def test_a_wrong_example_is_told_at_its_place(problems: Callable[..., tuple[Problem, ...]], change: Change, said: str) -> None:
    if not said:
        return
    found = problems(change)
    assert len(found) == 1, "\n".join(map(str, found))
    assert said in str(found[0])


def test_a_breach_points_at_the_value_and_names_the_line_of_the_schema(
    only_problem: Callable[..., Problem], line_of: Callable[[str], int]
) -> None:
    problem = only_problem(("prices: [2, 3]", "prices: [2, -3]"))
    assert (problem.place.line, problem.place.column) == (line_of("response: {status"), 52)
    assert problem.hint == f"the schema says so in line {line_of('  Price: {type')}"


def test_a_header_that_is_required_is_asked_of_examples(problems: Callable[..., tuple[Problem, ...]]) -> None:
    required = ("200:\n        body", "200:\n        headers: {X-Count: {required: true}}\n        body")
    assert "lacks the header `X-Count`" in str(problems(required)[0])
    with_it = ("response: {status: 200, body", 'response: {status: 200, headers: {x-count: "2"}, body')
    with pytest.raises(pytest.fail.Exception):  # nothing is wrong any more
        problems(required, with_it)


def test_a_long_wrong_value_is_told_briefly(problems: Callable[..., tuple[Problem, ...]]) -> None:
    items = ", ".join(["5"] * 500)
    assert len(problems(("{items: [apple, pear]}", f"{{items: [{items}]}}"))) <= 20


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (
            (
                "one_price_per_item: size(response.body.prices) == size(items)",
                "one_price_per_item: size(response.body.prices) == sise(items)",
            ),
            61,
        ),
        (
            (
                "one_price_per_item: size(response.body.prices) == size(items)",
                "one_price_per_item: >-\n            1 ==\n            sise(items)",
            ),
            13,
        ),
        (('rule: "items.all(i, i in facts.prices)"', 'rule: "items.all(i, i inn facts.prices)"'), 49),
        (("result: response.body.prices", "result: response.body.prices +"), 37),
    ],
)
def test_an_expression_that_cant_be_parsed_has_its_own_line_and_column(
    only_problem: Callable[..., Problem], change: Change, column: int
) -> None:
    problem = only_problem(change)
    assert problem.message.startswith("can't be parsed: ")
    assert problem.place.column == column


@pytest.mark.parametrize("name", ["request", "my-items", "in", "true", "facts"])
def test_a_definition_needs_a_name_of_its_own(problems: Callable[..., tuple[Problem, ...]], name: str) -> None:
    found = problems(("    let:\n", f"    let:\n      {name}: '1'\n"))
    assert "name" in str(found[0])
    assert len(found) == 1


def test_a_definition_sees_only_those_before_it(problems: Callable[..., tuple[Problem, ...]]) -> None:
    found = problems(("      items: request.body.items", "      first: items[0]\n      items: request.body.items"))
    assert "unknown name `items`" in str(found[0])
