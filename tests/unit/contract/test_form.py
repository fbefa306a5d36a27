"""The form of a contract: unknown keys, wrong types, missing and empty parts, each with what is allowed."""

from collections.abc import Callable

import pytest

from harness.contract.agreement import Agreement
from harness.contract.coherence import agree, read_outline
from harness.contract.problems import ContractError, Problem
from harness.contract.reader import parse_document

Change = tuple[str, str]
Only = Callable[..., Problem]


def test_the_contract_is_right(read: Callable[..., Agreement]) -> None:
    agreement = read()
    assert agreement.contract.resilience.retry is not None
    assert agreement.contract.resilience.retry.wait.jitter == 0.5
    assert agreement.contract.sla.availability == pytest.approx(0.999)
    assert set(agreement.operations) == {"order", "look_up"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("    idempotent: true\n    cached", "    idempotant: true\n    idempotent: true\n    cached"), "did you mean `idempotent`?"),
        (("limits:", "limit: 1\nlimits:"), "`limit` is unknown here; allowed: contract, service"),
        (("entries: 10}", "entries: 10, size: 3}"), "`size` is unknown in `resilience.cache`; allowed: ttl, entries"),
        (
            ("attempts: 3", "attempts: '3'"),
            "`3` is wrong in `resilience.retry.attempts`; allowed: a whole number; it is written without quotes",
        ),
        (("attempts: 3", "attempts: 3.0"), "allowed: a whole number"),
        (("attempts: 3", "attempts: true"), "`true` is wrong"),
        (("attempts: 3", "attempts: 0"), "allowed: 1 or more"),
        (("attempts: 3", "attempts: [3]"), "a list is wrong in `resilience.retry.attempts`"),
        (("version: v1", "version: 1.8"), 'as text it is written "1.8"'),
        (("title: A shop", "title: true"), 'as text it is written "true"'),
        (("title: A shop", "title:"), "`title` is empty; give it a value"),
        (("resilience:\n  patterns", "resilience:\n  circuit_breaker:\n  patterns"), "`resilience.circuit_breaker` is empty"),
        (("idempotent: true\n    cached", "idempotent: yes\n    cached"), "allowed: `true` or `false`"),
        (("method: POST", "method: post"), "`post` is not allowed in `operations.order.method`; allowed: GET, POST"),
        (("method: POST", "method: post"), "did you mean `POST`?"),
        (("path: /orders\n", "path: orders\n"), "allowed: a path such as /items/{id}"),
        (("path: /orders/{number}", "path: /orders/{number"), "allowed: a path such as /items/{id}"),
        (("path: /orders\n", "path: /orders?x=1\n"), "allowed: a path such as"),
        (("service: shop", "service: My Shop"), "allowed: lower-case letters"),
        (("adapter: package.module:Client", "adapter: package.module.Client"), "allowed: package.module:Class"),
        (("https://shop.example/v1", "https://shop.example/v1/"), "without credential, query and last `/`"),
        (("https://shop.example/v1", "https://user:pass@shop.example/v1"), "without credential"),
        (("https://shop.example/v1", "ftp://shop.example/v1"), "allowed: a URL such as"),
        (("timeout: 60s", "timeout: 60"), "`60` is not a duration in `provider.timeout`; allowed: a number with its unit, such as `60s`"),
        (("timeout: 60s", "timeout: 0s"), "is no time at all"),
        (("99.9%", "0.999"), "`0.999` is not a percentage"),
        (("1000/min}", "1000}"), "`1000` is not a rate"),
        (("on: [429, 503, timeout]", "on: [429, 503, timeut]"), "did you mean `timeout`?"),
        (("on: [429, 503, timeout]", "on: [429, 503, 99]"), "`99` is nothing to retry on in `resilience.retry.on.2`"),
        (("never: [400, 401]", "never: [400, 4010]"), "allowed: 599 or less"),
        (("added: [1s, 5s]", "added: [1s]"), "allowed: at least 2"),
        (("patterns: [retry_with_backoff, cached]", "patterns: [retry-with-backoff, cached]"), "did you mean `retry_with_backoff`?"),
        (("      404: {", "      4040: {"), "`4040` is not an HTTP status in `operations.look_up.responses`; allowed: 100 to 599"),
        (
            ("cost: {items:", "cost: {item:"),
            "the key `item` is not allowed in `operations.order.cost`; allowed: items, tokens; did you mean `items`?",
        ),
        (("accepted: 2026-11-20", "accepted: 20.11.2026"), "is not a date"),
        (("accepted: 2026-11-20", "accepted: 2026-02-30"), "`2026-02-30` is not a date"),
        (("contract: 1\n", "contract: 2\n"), "`2` is no version of the format in `contract`; allowed: 1"),
        (("contract: 1\n", "contract: true\n"), "`true` is no version of the format"),
        (("mix: {order: 1}", "mix: {order: 0}"), "allowed: 1 or more"),
        (("query: {verbose: true}", "query: {verbose: [true]}"), "allowed: text or a whole number or a number or `true` or `false`"),
        (("facts:\n  prices", "facts:\n  the prices: 1\n  prices"), "allowed: a name"),
        (("title: A shop", "title: {a: b}"), "a mapping is wrong in `title`; allowed: text"),
        (("split: {argument: items, items: items}", "split: items"), "allowed: a mapping of `key: value`"),
        (("provider:\n  base_url", "provider:\n  protocol: smtp\n  base_url"), "allowed: http, http+grpc"),
    ],
)
def test_a_wrong_part_is_named_with_what_is_allowed(only_problem: Only, line_of: Callable[[str], int], change: Change, said: str) -> None:
    problem = only_problem(change)
    assert said in str(problem)
    start, end = line_of(change[0]), line_of(change[0]) + change[1].count("\n")
    assert start <= problem.place.line <= end


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("title: A shop\n", "`title` is missing here"),
        ("  timeout: 60s\n", "`timeout` is missing in `provider`"),
        ("    method: POST\n", "`method` is missing in `operations.order`"),
        ("    attempts: 3\n", "`attempts` is missing in `resilience.retry`"),
    ],
)
def test_a_missing_part_is_named(only_problem: Only, line: str, said: str) -> None:
    assert said in str(only_problem((line, "")))


@pytest.mark.parametrize(
    ("text", "said"), [("", "the file is empty"), ("- a\n- b", "a list is wrong here"), ("word", "`word` is wrong here")]
)
def test_a_contract_is_a_mapping(text: str, said: str, tmp_path: object) -> None:
    document = parse_document(text.encode(), file="shop.yaml")
    with pytest.raises(ContractError, match=f"^shop.yaml:1:1: {said}; allowed: a mapping") as caught:
        agree(document, path=tmp_path)  # type: ignore[arg-type]  # never looked at
    assert len(caught.value.problems) == 1


SECRET = "pa-Zx81kd02mslq73hdkw92ndk"


@pytest.mark.parametrize(
    "change",
    [
        ('credential: "${SHOP_KEY}"', f"credential: {SECRET}"),
        ('credential: "${SHOP_KEY}"', "credential: 1234567"),
        ('auth: {scheme: bearer, credential: "${SHOP_KEY}"}', f"auth: {SECRET}"),
        ("scheme: bearer", f"scheme: {SECRET}"),
        ("title: A shop", f"{SECRET}: A shop\ntitle: A shop"),
        ("timeout: 60s", f"timeout: {SECRET}"),
        ("title: A shop", f"title: The key is {SECRET}"),
        ("facts:", f"settings: {{key: {SECRET}}}\nfacts:"),
        ("{items: [apple, pear]}}\n", f"{{items: [apple, pear]}}, headers: {{Authorization: Bearer {SECRET}}}}}\n"),
        ("request: {path: {number: 1}", f"request: {{headers: {{x-api-key: {SECRET}}}, path: {{number: 1}}"),
        ("adapter: package.module:Client", f"adapter: {SECRET}"),
        ("because: the shop sells nothing else", f"because: {SECRET}"),
    ],
)
def test_a_literal_secret_is_an_error_and_is_never_printed(problems: Callable[..., tuple[Problem, ...]], change: Change) -> None:
    text = "\n".join(map(str, problems(change)))
    assert SECRET not in text
    assert "1234567" not in text


def test_an_example_carries_no_credential_even_if_it_does_not_look_like_one(problems: Callable[..., tuple[Problem, ...]]) -> None:
    found = problems(("request: {path: {number: 1}", "request: {headers: {Authorization: me}, path: {number: 1}"))
    assert any("an example carries no `Authorization`" in str(problem) for problem in found)


def test_an_outline_needs_the_right_form_only(tmp_path: object, contract: str) -> None:
    path = tmp_path / "shop.yaml"  # type: ignore[operator]  # tmp_path is a Path
    path.write_text(contract.replace("size(items)", "size(nothing"))
    assert read_outline(path).contract.title == "A shop"
    path.write_text(contract.replace("title:", "titel:"))
    with pytest.raises(ContractError, match="did you mean `title`"):
        read_outline(path)
