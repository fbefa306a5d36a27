"""``harness explain``."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from harness.checks.kinds import JUDGED_BY
from harness.contract.clauses import Kind

Harness = Callable[..., Result]


def test_a_clause_is_shown_with_its_place_lines_parties_and_judges(harness: Harness) -> None:
    text = harness("explain", "resilience.retry.attempts", "--contract", "shop").output
    assert "resilience.retry.attempts  (shop)" in text
    assert "retry, at contracts/shop.yaml:" in text
    assert "|     attempts: 3" in text
    assert "kept by    consumer" in text
    assert "judged by  attempts" in text
    assert "broken by  an attempt too many" in text


def test_a_clause_of_several_contracts_is_explained_for_each(harness: Harness) -> None:
    text = harness("explain", "sla.throughput").output
    assert [line for line in text.splitlines() if line.startswith("sla.")] == [
        "sla.throughput  (shop)",
        "sla.throughput  (store@v2)",
        "sla.throughput  (store@v1)",
    ]


@pytest.mark.parametrize("end", ["retry.attempts", "attempts", "one_price_per_item", "order.responses.429", "retry.on.timeout", "on.503"])
def test_the_end_of_an_id_is_enough_if_it_is_unique(harness: Harness, end: str) -> None:
    result = harness("explain", end, "--contract", "shop")
    assert result.exit_code == 0
    assert result.output.splitlines()[0].endswith(f"{end}  (shop)")


def test_an_ambiguous_end_lists_what_it_may_mean(harness: Harness) -> None:
    result = harness("explain", "type", "--contract", "shop")
    assert result.exit_code == 2
    assert "may mean any of these; give more of the id" in result.stderr
    assert "shop: errors.detail.body.type" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("resilience.retry.atempts", "did you mean `resilience.retry.attempts`?"),
        ("retry.atempts", "did you mean `resilience.retry.attempts`?"),
        ("atempts", "did you mean `attempts`?"),
        ("circuit", "the contract shop has no clause `circuit`"),
        ("cache", "there are: "),
        ("", "has no clause ``"),
        ("*", "has no clause `*`"),
        ("x" * 5000, "has no clause"),
    ],
)
def test_an_unknown_clause_is_told_the_nearest(harness: Harness, text: str, said: str) -> None:
    result = harness("explain", text, "--contract", "shop")
    assert result.exit_code == 2
    assert said in result.stderr


def test_every_clause_of_a_contract_can_be_explained(harness: Harness, read: Callable[..., object]) -> None:
    for clause in read().clauses:  # type: ignore[attr-defined]  # an agreement
        result = harness("explain", clause, "--contract", "shop")
        assert result.exit_code == 0, clause
        assert result.output.startswith(f"{clause}  (shop)")


def test_every_kind_of_clause_has_its_judges() -> None:
    assert set(JUDGED_BY) == set(Kind)
    names = {name for judges in JUDGED_BY.values() for name in judges}
    source = "".join(path.read_text() for path in (Path(__file__).parents[3] / "harness" / "checks").glob("*.py"))
    assert all(f'check="{name}"' in source for name in names)


def test_an_unreadable_contract_is_left_out_unless_it_is_named(harness: Harness, repository: Path) -> None:
    (repository / "contracts" / "shop.yaml").write_text("contract: 1\n")
    result = harness("explain", "sla.throughput")
    assert result.exit_code == 0
    assert "shop is left out" in result.stderr
    assert "(store@v2)" in result.stdout
    assert harness("explain", "sla.throughput", "--contract", "shop").exit_code == 2
