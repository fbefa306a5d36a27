"""A result is read back whole or not at all, and means the same wherever it is judged."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.indicators import Fate, Samples, Terms, measure
from harness.contract.agreement import Agreement
from harness.exchange import Exchange, Level, Request, Response
from harness.suites.load.conclusion import Status, conclude
from harness.suites.load.order import order_for
from harness.suites.load.result import LoadResult, ResultUnreadable, packed, read_result, unpacked, write_result
from harness.suites.load.run import Run, grace_s, report
from harness.suites.load.watch import Watch

Sampled = Callable[[list[Any]], Samples]
Make = Callable[..., Terms]
EMBED = Request(
    method="POST",
    target="/v1/embeddings",
    headers=(("content-type", "application/json"),),
    body=b'{"input": ["a"], "model": "voyage-code-3"}',
)
LIE = Exchange(operation="embed", request=EMBED, response=Response(status=200, headers=(("content-type", "text/html"),), body=b"\xff<b>"))


@pytest.fixture
def result(sampled: Sampled, terms: Make) -> LoadResult:
    rows = [(0, Fate.VERIFIED, number / 20, 0.1) for number in range(200)]
    return LoadResult(contract="voyage_ai", profile="smoke", provider="stub", measured=measure(sampled(rows), terms(200)))


def test_a_result_is_read_as_it_was_written(result: LoadResult, tmp_path: Path) -> None:
    path = tmp_path / "build" / "result.json"
    written = replace(result, breaking=(LIE,))
    write_result(path, written)
    assert read_result(path) == written
    assert [each.name for each in path.parent.iterdir()] == ["result.json"]


def test_no_part_of_a_result_is_taken_for_one(result: LoadResult, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_result(path, replace(result, breaking=(LIE,)))
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ResultUnreadable):
            read_result(path)


@pytest.mark.parametrize("change", [{"format": 2}, {"measured": None}, {"measured": {"load.samples": "many"}}, {"breaking": [{}]}])
def test_a_result_of_another_make_is_refused(result: LoadResult, tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "result.json"
    write_result(path, result)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ResultUnreadable):
        read_result(path)


def test_where_there_is_no_result_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(ResultUnreadable, match="left no result at"):
        read_result(tmp_path / "result.json")


@given(body=st.binary(max_size=200), status=st.integers(200, 599))
def test_an_exchange_survives_the_way_to_another_process(body: bytes, status: int) -> None:
    exchange = Exchange(operation="embed", request=EMBED, response=Response(status=status, body=body))
    assert unpacked(json.loads(json.dumps(packed(exchange)))) == exchange


# The verdict


def test_a_good_run_is_kept(voyage: Agreement, result: LoadResult) -> None:
    conclusion = conclude(voyage, result, level=Level.STUB)
    assert conclusion.status is Status.KEPT
    assert "sla.throughput is kept: expected ≥ 1000/min, actual 1200/min" in list(conclusion.lines())


def test_a_missed_objective_is_said_with_its_place(voyage: Agreement, result: LoadResult) -> None:
    slow = replace(result, measured={**result.measured, "load.p95_s": 3.1})
    conclusion = conclude(voyage, slow, level=Level.STUB)
    place = voyage.place("sla.response_time_p95")
    assert conclusion.status is Status.MISSED
    assert f"{place}: sla.response_time_p95 is missed: expected ≤ 2 s, actual 3.1 s" in list(conclusion.lines())


def test_an_answer_that_breaks_the_contract_breaks_it_though_the_objectives_are_kept(voyage: Agreement, result: LoadResult) -> None:
    conclusion = conclude(voyage, replace(result, breaking=(LIE, LIE)), level=Level.STUB)
    assert (conclusion.status, [finding.clause for finding in conclusion.findings]) == (Status.BROKEN, ["operations.embed.responses.200"])


def test_a_run_without_a_sample_is_missed_even_where_nothing_was_promised(voyage: Agreement, result: LoadResult, terms: Make) -> None:
    bare = replace(voyage, contract=voyage.contract.model_copy(update={"sla": type(voyage.contract.sla)()}))
    nothing = replace(result, measured=measure(Samples(), terms(0)))
    assert conclude(bare, nothing, level=Level.STUB).status is Status.MISSED
    conclusion = conclude(bare, result, level=Level.STUB)
    assert conclusion.status is Status.KEPT
    assert any("nothing was judged" in line for line in conclusion.lines())


def test_the_page_shows_every_objective_and_lets_nothing_in(voyage: Agreement, result: LoadResult) -> None:
    html = conclude(voyage, replace(result, provider="<script>", breaking=(LIE,)), level=Level.STUB).html()
    assert "<script>" not in html and "<b>" not in html.replace("<b>kept</b>", "")
    assert html.count("sla.response_time_p95") == 2  # all requests, and the one operation that was asked
    assert str(voyage.place("sla.availability")) in html


# A run


@pytest.fixture
def run(voyage: Agreement) -> Run:
    order = order_for(voyage, duration="1s")
    return Run(voyage, order, Level.STUB, order.schedule(voyage))


def told(run: Run, stream: str, count: int, *, finished: bool = True) -> dict[str, Any]:
    samples = Samples()
    for number in range(count):
        samples.add(0, Fate.VERIFIED, start_s=number / 20, lag_s=0.0, response_s=0.1)
    return report(stream, samples, [LIE], watch=Watch(lambda: 0.0), finished=finished)


def test_a_run_is_over_when_every_stream_has_finished(run: Run) -> None:
    run.begin(["a", "b"])
    run.take(told(run, "a", 10))
    assert not run.over(1.0) and not run.complete
    run.take(told(run, "b", 4, finished=False))
    assert not run.over(1.0)
    run.take(told(run, "b", 6))
    assert run.over(1.0) and run.complete
    assert (run.result().measured["load.samples"], run.result().measured["load.complete"], len(run.result().breaking)) == (20, 1, 3)


def test_a_run_does_not_wait_for_who_is_lost_and_is_not_complete_without_them(run: Run) -> None:
    run.begin(["a", "b"])
    run.take(told(run, "a", 10))
    assert run.over(1.0, lost={"b"})
    assert not run.complete


def test_a_run_waits_no_longer_than_an_answer_can_take(run: Run) -> None:
    run.begin(["a"])
    assert not run.over(61.0)
    assert run.over(1.0 + 60.0 + 16.0)


def test_a_run_with_nobody_to_send_is_over_and_not_complete(run: Run) -> None:
    run.begin([])
    assert run.over(0.0)
    assert not run.complete


def test_another_run_asks_for_other_texts(run: Run) -> None:
    run.begin(["a"])
    again = run.renewed()
    assert again.order.first_number >= run.order.first_number + len(run.schedule)
    assert not again.begun


def test_the_grace_is_the_slowest_response_time_that_is_promised(voyage: Agreement) -> None:
    assert grace_s(voyage) == 2.0
    bare = replace(voyage, contract=voyage.contract.model_copy(update={"sla": type(voyage.contract.sla)()}))
    assert grace_s(bare) == 60.0
