"""Requests arrive as the profile says, at moments that nothing in the run can move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract.promises import LoadProfile
from harness.suites.load.arrivals import TooManyArrivals, apportion, draw

OPERATIONS = ("a", "b", "c")
mixes = st.dictionaries(st.sampled_from(OPERATIONS), st.integers(1, 9))


def profile(rate: float = 50.0, duration: float = 2.0, mix: dict[str, int] | None = None) -> LoadProfile:
    return LoadProfile.model_construct(rate=rate, duration=duration, mix=mix or {})


@given(rate=st.floats(0.1, 200), duration=st.floats(0.1, 20), mix=mixes, seed=st.integers(0, 99))
def test_a_schedule_has_exactly_the_requests_of_its_rate_within_its_duration(
    rate: float, duration: float, mix: dict[str, int], seed: int
) -> None:
    schedule = draw(profile(rate, duration, mix), OPERATIONS, seed=seed)
    assert len(schedule) == round(rate * duration)
    assert (np.diff(schedule.starts_s) >= 0).all()
    assert ((schedule.starts_s >= 0) & (schedule.starts_s < duration)).all()


@given(mix=mixes, seed=st.integers(0, 99))
def test_operations_come_in_the_proportions_of_the_mix(mix: dict[str, int], seed: int) -> None:
    schedule = draw(profile(mix=mix), OPERATIONS, seed=seed)
    assert schedule.counts() == apportion(100, mix or dict.fromkeys(OPERATIONS, 1))


@given(parts=st.integers(1, 7), seed=st.integers(0, 9))
def test_the_parts_of_several_machines_make_up_the_whole_schedule(parts: int, seed: int) -> None:
    schedule = draw(profile(), OPERATIONS, seed=seed)
    shares = sorted(arrival for part in range(parts) for arrival in schedule.share(part, parts))
    assert shares == list(schedule.share(0, 1))
    assert [number for number, _, _ in shares] == list(range(100))


def test_the_same_seed_draws_the_same_moments_and_another_one_others() -> None:
    first, again, other = (draw(profile(), OPERATIONS, seed=seed) for seed in (1, 1, 2))
    assert (first.starts_s == again.starts_s).all() and (first.choices == again.choices).all()
    assert (first.starts_s != other.starts_s).any()


def test_arrivals_are_independent_of_each_other() -> None:
    gaps = np.diff(draw(profile(rate=1000, duration=20), OPERATIONS, seed=3).starts_s)
    assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.05)  # as it is in a Poisson process; 0 in a metronome


@given(count=st.integers(0, 10_000), weights=st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1))
def test_apportioning_gives_everything_out_and_nobody_a_whole_one_too_much(count: int, weights: dict[str, int]) -> None:
    shares = apportion(count, weights)
    assert sum(shares.values()) == count
    assert all(abs(share - count * weights[name] / sum(weights.values())) < 1 for name, share in shares.items())


def test_a_profile_that_no_machine_could_send_is_refused() -> None:
    with pytest.raises(TooManyArrivals, match="lower its rate or its duration"):
        draw(profile(rate=1e6, duration=3600), OPERATIONS, seed=0)
