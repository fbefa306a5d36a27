"""Sliding windows: no window of the length of a limit ever sees more than it allows."""

from hypothesis import given
from hypothesis import strategies as st

from harness.contract.model import RateLimit
from harness.provider.windows import Windows


class Clock:
    """Goes forward when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def windows(*limits: tuple[int | None, int | None, str]) -> tuple[Windows, Clock]:
    clock = Clock()
    found = [RateLimit.model_validate({k: v for k, v in (("requests", r), ("tokens", t), ("per", per)) if v}) for r, t, per in limits]
    return Windows(found, clock=clock), clock


def test_a_window_is_full_until_its_oldest_leaves_it() -> None:
    taking, clock = windows((2, None, "10s"))
    assert taking.take(tokens=0) == 0
    clock.now = 4
    assert taking.take(tokens=0) == 0
    assert taking.take(tokens=0) == 6
    clock.now = 9.75
    assert taking.take(tokens=0) == 0.25
    clock.now = 10
    assert taking.take(tokens=0) == 0


def test_tokens_count_by_their_number() -> None:
    taking, clock = windows((None, 100, "10s"))
    assert taking.take(tokens=60) == 0
    clock.now = 1
    assert taking.take(tokens=40) == 0
    clock.now = 2
    assert taking.take(tokens=1) == 8
    assert taking.take(tokens=70) == 9
    clock.now = 10
    assert taking.take(tokens=60) == 0


def test_a_request_over_the_limit_is_never_taken() -> None:
    taking, clock = windows((None, 100, "10s"))
    assert taking.take(tokens=101) == 10
    clock.now = 1000
    assert taking.take(tokens=101) == 10
    assert taking.take(tokens=100) == 0


def test_the_longest_wait_counts() -> None:
    taking, _ = windows((1, None, "1s"), (1, None, "60s"))
    assert taking.take(tokens=0) == 0
    assert taking.take(tokens=0) == 60


def test_without_limits_everything_is_taken() -> None:
    taking, _ = windows()
    assert [taking.take(tokens=10**9) for _ in range(5)] == [0] * 5


@given(steps=st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0, 3.0, 9.5]), st.integers(0, 60)), max_size=40))
def test_no_window_ever_sees_more_and_a_wait_that_was_told_is_enough(steps: list[tuple[float, int]]) -> None:
    taking, clock = windows((3, 100, "10s"))
    taken: list[tuple[float, int]] = []
    for pause, tokens in steps:
        clock.now += pause
        wait = taking.take(tokens=tokens)
        if wait > 0:
            clock.now += wait
            assert taking.take(tokens=tokens) == 0
        taken.append((clock.now, tokens))
    for at, _ in taken:
        inside = [tokens for when, tokens in taken if at - 10 < when <= at]
        assert len(inside) <= 3
        assert sum(inside) <= 100
