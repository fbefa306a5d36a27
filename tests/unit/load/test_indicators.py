"""What a load run measures, on samples whose indicators are known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.indicators import Fate, Samples, Terms, measure, nearest_rank

Row = tuple[int, Fate, float, float]
Sampled = Callable[[list[Row]], Samples]
Make = Callable[..., Terms]

rows = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(Fate), st.floats(0, 10), st.floats(0, 20, width=32)), min_size=1, max_size=60
)


def many(count: int, fate: Fate = Fate.VERIFIED, *, operation: int = 0, response_s: float = 0.1) -> list[Row]:
    return [(operation, fate, 10.0 * number / count, response_s) for number in range(count)]


@given(values=st.lists(st.floats(0, 1e3), min_size=1), quantile=st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(values: list[float], quantile: float) -> None:
    found = nearest_rank(np.array(values), quantile)
    not_above = sum(value <= found for value in values)
    below = sum(value < found for value in values)
    assert found in values
    assert not_above >= quantile * len(values) - 1e-6 and below < quantile * len(values) + 1e-6


@given(rows=rows, cut=st.integers(0, 60))
def test_it_does_not_matter_which_process_measured_what(rows: list[Row], cut: int, sampled: Sampled, terms: Make) -> None:
    merged = Samples()
    for part in (rows[cut:], rows[:cut]):
        merged.take(sampled(part).pack())
    expected, found = (measure(samples, terms(len(rows))) for samples in (sampled(rows), merged))
    assert found == pytest.approx(expected)


@given(rows=rows)
def test_indicators_stay_within_their_bounds(rows: list[Row], sampled: Sampled, terms: Make) -> None:
    found = measure(sampled(rows), terms(len(rows)))
    assert 0 <= found["load.availability"] <= 1
    assert 1 - found["load.availability"] <= found["load.error_rate"] + 1e-9 <= 1 + 2e-9
    assert found["load.throughput_per_s"] <= len(rows) / 10 + 1e-9
    assert sum(value for name, value in found.items() if name.startswith("load.fate.")) == len(rows)
    if "load.p50_s" in found:
        assert found["load.p50_s"] <= found["load.p95_s"] <= found["load.p99_s"] <= found["load.max_s"]


def test_refusals_and_wrong_answers_are_errors_of_a_provider_that_is_available(sampled: Sampled, terms: Make) -> None:
    found = measure(sampled(many(90) + many(5, Fate.REFUSED) + many(5, Fate.UNEXPECTED)), terms(100))
    assert (found["load.availability"], round(found["load.error_rate"], 9)) == (1.0, 0.1)


@pytest.mark.parametrize("fate", [Fate.FAILED, Fate.LOST, Fate.LATE])
def test_failures_and_silence_are_not_available(fate: Fate, sampled: Sampled, terms: Make) -> None:
    found = measure(sampled(many(98) + many(2, fate)), terms(100))
    assert [found["load.availability"], found["load.throughput_per_s"] / 10] == pytest.approx([0.98, 0.98])


def test_wrong_answers_among_those_that_were_read_speak_for_those_that_were_not(sampled: Sampled, terms: Make) -> None:
    found = measure(sampled(many(15) + many(5, Fate.WRONG) + many(80, Fate.UNVERIFIED)), terms(100))
    assert found["load.error_rate"] == pytest.approx(0.25)
    assert found["load.read"] == 20


def test_failing_fast_is_no_quick_answer(sampled: Sampled, terms: Make) -> None:
    fast = many(900, Fate.FAILED, response_s=0.001) + many(900, Fate.LOST, response_s=0.001)
    found = measure(sampled(many(100, response_s=3.0) + fast), terms(1900))
    assert found["load.p50_s"] == 3.0


def test_who_waited_in_vain_counts_with_the_time_they_waited(sampled: Sampled, terms: Make) -> None:
    found = measure(sampled(many(90) + many(10, Fate.LATE, response_s=60.0)), terms(100))
    assert [found["load.p50_s"], found["load.p95_s"]] == pytest.approx([0.1, 60.0])


def test_a_provider_that_falls_behind_is_not_credited_with_what_it_does_afterwards(sampled: Sampled, terms: Make) -> None:
    half_speed = [(0, Fate.VERIFIED, number / 10, number / 10) for number in range(100)]  # answers 5 a second of 10 that are asked
    assert measure(sampled(half_speed), terms(100))["load.throughput_per_s"] == pytest.approx(6.1)  # 5 a second, until 2 s after the end


def test_without_a_sample_there_is_no_indicator(terms: Make) -> None:
    found = measure(Samples(), terms(100))
    assert found["load.samples"] == 0
    assert not {"load.availability", "load.p95_s", "load.error_rate"} & found.keys()


@given(rows=rows)
def test_samples_survive_the_way_to_another_process(rows: list[Row], sampled: Sampled) -> None:
    copy = Samples()
    copy.take(sampled(rows).pack())
    assert copy.pack() == sampled(rows).pack()
    assert len(copy) == len(rows)


def test_samples_that_are_not_whole_are_refused(sampled: Sampled) -> None:
    packed = sampled(many(3)).pack()
    for name, column in packed.items():
        for cut in (column[:-1], column[: len(column) // 3 * 2]):
            samples = Samples()
            with pytest.raises(ValueError, match="."):
                samples.take({**packed, name: cut})
            assert len(samples) == 0


def test_a_lag_is_measured_apart_from_what_is_charged(terms: Make) -> None:
    samples = Samples()
    samples.add(0, Fate.VERIFIED, start_s=0.0, lag_s=0.25, response_s=0.5)
    found = measure(samples, terms(1))
    assert (found["load.lag_p99_s"], found["load.p50_s"]) == (0.25, 0.5)
    assert math.isclose(found["load.target_rate_per_s"], 0.1)
