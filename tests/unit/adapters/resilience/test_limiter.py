"""Rules of the rate limits: no window ever holds more, first come first served, nothing gets lost."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from adapters.errors import InvalidInput
from adapters.resilience import RateLimit, RatePolicy
from adapters.resilience.limiter import Cost, Limiter, whole

Run = Callable[[Coroutine[Any, Any, Any]], Any]
AT_ONCE_S = 1e-4


def policy(*limits: tuple[str, float, float]) -> RatePolicy:
    return RatePolicy(
        limits=tuple(
            RateLimit(unit=unit, amount=amount, window_s=window_s) for unit, amount, window_s in limits
        )
    )


SMALL = policy(("requests", 3, 10.0), ("requests", 7, 31.0), ("tokens", 10, 10.0))
USERS = policy(("requests", 300, 60.0), ("tokens", 1_000_000, 60.0))


class Closable(Protocol):
    def close(self) -> None: ...


class Acquires(Protocol):
    async def acquire(self, cost: Cost, /) -> Closable: ...


@dataclass(frozen=True)
class Arrival:
    """Comes `gap_s` after the one before, and gives up after `patience_s` of waiting and working."""

    gap_s: float
    tokens: int
    takes_s: float
    patience_s: float


@dataclass(frozen=True)
class Use:
    number: int
    start_s: float
    end_s: float
    cost: dict[str, int]


async def used(limiter: Acquires, arrivals: list[Arrival]) -> list[Use]:
    """What was under way, from when to when, in the order of its start."""
    uses: list[Use] = []
    now = asyncio.get_running_loop().time

    async def one(number: int, arrival: Arrival) -> None:
        cost = {"requests": 1, "tokens": arrival.tokens}
        slot = await limiter.acquire(cost)
        place, use = len(uses), Use(number, now(), math.inf, cost)
        uses.append(use)
        try:
            await asyncio.sleep(arrival.takes_s)
        finally:
            slot.close()
            uses[place] = replace(use, end_s=now())

    tasks = []
    for number, arrival in enumerate(arrivals):
        await asyncio.sleep(arrival.gap_s)
        tasks.append(asyncio.create_task(asyncio.wait_for(one(number, arrival), arrival.patience_s)))
    await asyncio.gather(*tasks, return_exceptions=True)
    return uses


def no_window_holds_more(policy: RatePolicy, uses: list[Use]) -> None:
    """Wherever a provider lays its window, and whenever between start and end it counted each request."""
    for limit in policy.limits:
        for left_s in [use.end_s for use in uses] + [use.start_s - limit.window_s for use in uses]:
            seen = [use for use in uses if use.end_s >= left_s and use.start_s <= left_s + limit.window_s]
            total = sum(use.cost[limit.unit] for use in seen)
            assert total <= limit.amount, f"{total} {limit.unit} from {left_s} to {left_s + limit.window_s}"


arrival_lists = st.lists(
    st.builds(
        Arrival,
        gap_s=st.sampled_from([0.0, 0.0, 0.0, 0.1, 1.0, 5.0, 10.0]),
        tokens=st.integers(0, 10),
        takes_s=st.sampled_from([0.0, 0.1, 0.3, 2.0, 9.0]),
        patience_s=st.sampled_from([0.05, 5.0, 20.0, 1e6, 1e6, 1e6]),
    ),
    min_size=5,
    max_size=30,
)


def keeps_every_window(run: Run, make: Callable[[RatePolicy], Acquires], arrivals: list[Arrival]) -> None:
    no_window_holds_more(SMALL, run(used(make(SMALL), arrivals)))


@given(arrival_lists)
def test_no_window_ever_holds_more_than_its_limit(run: Run, arrivals: list[Arrival]) -> None:
    keeps_every_window(run, Limiter, arrivals)


@given(arrival_lists)
def test_whoever_is_patient_gets_through_and_in_the_order_of_arrival(
    run: Run, arrivals: list[Arrival]
) -> None:
    patient = [Arrival(one.gap_s, one.tokens, one.takes_s, 1e6) for one in arrivals]
    uses = run(used(Limiter(SMALL), patient))
    assert [use.number for use in uses] == list(range(len(patient)))


@given(arrival_lists)
def test_when_all_is_over_the_whole_limit_is_there_again(run: Run, arrivals: list[Arrival]) -> None:
    async def scenario() -> None:
        limiter = Limiter(SMALL)
        await used(limiter, arrivals)
        await asyncio.sleep(31.001)
        slots = [limiter.try_acquire({"requests": 1, "tokens": tokens}) for tokens in (0, 0, 10)]
        assert None not in slots

    run(scenario())


def test_the_users_numbers_pass_in_three_batches_of_three_hundred(run: Run) -> None:
    burst = [Arrival(0.0, 100, 0.5, 1e6)] * 700
    uses = run(used(Limiter(USERS), burst))
    starts = [round(use.start_s - 1000.0, 1) for use in uses]
    assert starts == [0.0] * 300 + [60.5] * 300 + [121.0] * 100
    no_window_holds_more(USERS, uses[:1] + uses[299:301] + uses[599:601])


def test_tokens_bind_when_they_are_scarcer(run: Run) -> None:
    uses = run(used(Limiter(USERS), [Arrival(0.0, 400_000, 0.0, 1e6)] * 5))
    assert [round(use.start_s - 1000.0, 1) for use in uses] == [0.0, 0.0, 60.0, 60.0, 120.0]


def test_what_is_under_way_counts_however_long_it_takes(run: Run) -> None:
    uses = run(
        used(Limiter(policy(("requests", 1, 10.0))), [Arrival(0, 0, 100.0, 1e6), Arrival(0, 0, 0.0, 1e6)])
    )
    assert uses[1].start_s == pytest.approx(1110.0, abs=0.01)


def test_a_cost_over_the_limit_is_refused_at_once(run: Run) -> None:
    async def scenario() -> None:
        with pytest.raises(InvalidInput, match="1000001 tokens at once, but 1e\\+06 are allowed in 60 s"):
            await Limiter(USERS).acquire({"tokens": 1_000_001})

    run(scenario())


@pytest.mark.parametrize("amount", [-1, math.nan, math.inf])
def test_a_cost_that_is_no_amount_is_refused(amount: float) -> None:
    with pytest.raises(InvalidInput, match="is no cost"):
        whole({"tokens": amount})


def test_a_fraction_costs_a_whole() -> None:
    assert whole({"tokens": 0.2, "requests": 1}) == {"tokens": 1, "requests": 1}


def test_without_limits_nobody_waits(run: Run) -> None:
    uses = run(used(Limiter(RatePolicy()), [Arrival(0.0, 10**9, 1.0, 1e6)] * 100))
    assert {use.start_s for use in uses} == {1000.0}


def test_what_was_used_less_makes_room_for_the_next(run: Run) -> None:
    async def scenario() -> None:
        limiter = Limiter(policy(("tokens", 100, 60.0)))
        first = await limiter.acquire({"tokens": 100})
        waiting = asyncio.create_task(limiter.acquire({"tokens": 70}))
        await asyncio.sleep(1.0)
        first.close()
        first.correct({"tokens": 30})
        await asyncio.wait_for(waiting, AT_ONCE_S)

    run(scenario())


def test_what_was_used_more_or_was_not_foreseen_counts(run: Run) -> None:
    async def scenario() -> None:
        limiter = Limiter(policy(("requests", 10, 60.0), ("tokens", 100, 60.0)))
        slot = await limiter.acquire({"requests": 1})
        slot.correct({"tokens": 95})
        slot.close()
        assert limiter.wait_s({"tokens": 5}) == 0.0
        assert limiter.wait_s({"tokens": 6}) == 60.0

    run(scenario())


@pytest.mark.parametrize("really", [30, 100])
def test_a_corrected_charge_is_forgotten_as_what_it_was_corrected_to(run: Run, really: int) -> None:
    async def scenario() -> None:
        limiter = Limiter(policy(("tokens", 100, 60.0)))
        slot = await limiter.acquire({"tokens": 60})
        slot.correct({"tokens": really})
        slot.close()
        slot.close()
        await asyncio.sleep(61.0)
        assert limiter.try_acquire({"tokens": 100}) is not None
        assert limiter.try_acquire({"tokens": 1}) is None

    run(scenario())


def test_a_correction_of_what_was_never_sent_changes_nothing(run: Run) -> None:
    async def scenario() -> None:
        limiter = Limiter(policy(("tokens", 100, 60.0)))
        slot = await limiter.acquire({"tokens": 60})
        slot.give_back()
        slot.correct({"tokens": 90})
        assert limiter.try_acquire({"tokens": 100}) is not None

    run(scenario())


def test_a_queue_that_is_cancelled_as_a_whole_is_empty(run: Run) -> None:
    async def scenario() -> None:
        limiter = Limiter(policy(("requests", 1, 60.0)))
        slot = await limiter.acquire({"requests": 1})
        queue = [asyncio.create_task(limiter.acquire({"requests": 1})) for _ in range(3)]
        await asyncio.sleep(0.0)
        for task in queue:
            task.cancel()
        await asyncio.wait(queue)
        assert all(task.cancelled() for task in queue)
        slot.give_back()
        assert limiter.try_acquire({"requests": 1}) is not None

    run(scenario())


def test_a_correction_that_comes_after_the_window_changes_nothing(run: Run) -> None:
    async def scenario() -> None:
        limiter = Limiter(policy(("tokens", 100, 60.0)))
        slot = await limiter.acquire({"tokens": 50})
        slot.close()
        await asyncio.sleep(61.0)
        slot.correct({"tokens": 0})
        assert limiter.try_acquire({"tokens": 100}) is not None

    run(scenario())


def test_what_was_never_sent_is_free_at_once_and_only_once(run: Run) -> None:
    async def scenario() -> None:
        limiter = Limiter(policy(("requests", 1, 60.0)))
        slot = await limiter.acquire({"requests": 1})
        waiting = asyncio.create_task(limiter.acquire({"requests": 1}))
        await asyncio.sleep(0.0)
        slot.give_back()
        slot.give_back()
        slot.close()
        await asyncio.wait_for(waiting, AT_ONCE_S)
        assert limiter.wait_s({"requests": 1}) > 0

    run(scenario())


def test_whoever_is_let_in_and_cancelled_in_the_same_moment_takes_nothing_away(run: Run) -> None:
    async def scenario() -> None:
        limiter = Limiter(policy(("requests", 1, 60.0)))
        slot = await limiter.acquire({"requests": 1})
        unlucky, lucky = (asyncio.create_task(limiter.acquire({"requests": 1})) for _ in range(2))
        await asyncio.sleep(0.0)
        slot.give_back()
        unlucky.cancel()
        await asyncio.wait_for(lucky, AT_ONCE_S)
        assert unlucky.cancelled()

    run(scenario())


def test_the_least_wait_is_known_before_waiting(run: Run) -> None:
    async def scenario() -> None:
        limiter = Limiter(policy(("tokens", 100, 60.0)))
        for tokens in (30, 30, 40):
            (await limiter.acquire({"tokens": tokens})).close()
            await asyncio.sleep(1.0)
        assert limiter.wait_s({"tokens": 60}) == 58.0
        assert limiter.wait_s({"tokens": 61}) == 59.0
        await asyncio.sleep(100.0)
        assert limiter.wait_s({"tokens": 100}) == 0.0

    run(scenario())


def test_a_limiter_outlives_the_loop_it_was_waited_on(run: Run) -> None:
    limiter = Limiter(policy(("requests", 1, 60.0)))

    async def cut_off() -> None:
        (await limiter.acquire({"requests": 1})).close()
        crowd = [asyncio.create_task(limiter.acquire({"requests": 1})) for _ in range(3)]
        await asyncio.sleep(1.0)
        assert not any(task.done() for task in crowd)

    async def again() -> float:
        await limiter.acquire({"requests": 1})
        return asyncio.get_running_loop().time()

    run(cut_off())
    assert run(again()) == pytest.approx(1060.0, abs=0.01)


def test_a_crowd_costs_no_more_per_head_than_a_few(run: Run) -> None:
    def looks(crowd: int) -> int:
        """How often the clock is read while a crowd passes."""
        count = 0

        def clock() -> float:
            nonlocal count
            count += 1
            return asyncio.get_running_loop().time()

        run(used(Limiter(policy(("requests", 10, 1.0)), clock=clock), [Arrival(0.0, 0, 0.1, 1e6)] * crowd))
        return count

    assert looks(1000) < 12 * looks(100)


class Slotless:
    """A slot of a limiter that does not care about ends."""

    def close(self) -> None:
        pass


class LeakyBucket:
    """Refills steadily: a full bucket and its refill pass within one window."""

    def __init__(self, policy: RatePolicy) -> None:
        self._policy = policy
        self._level = [0.0] * len(policy.limits)
        self._seen_s: float | None = None

    async def acquire(self, cost: Cost) -> Slotless:
        loop = asyncio.get_running_loop()
        while True:
            passed_s = loop.time() - (self._seen_s or loop.time())
            self._seen_s = loop.time()
            for place, limit in enumerate(self._policy.limits):
                self._level[place] = max(0.0, self._level[place] - passed_s * limit.amount / limit.window_s)
            asked = [cost[limit.unit] for limit in self._policy.limits]
            full = [limit.amount + 1e-9 for limit in self._policy.limits]
            if all(level + more <= most for level, more, most in zip(self._level, asked, full, strict=True)):
                self._level = [level + more for level, more in zip(self._level, asked, strict=True)]
                return Slotless()
            await asyncio.sleep(0.1)


class FromTheStart:
    """An exact sliding window, but over the starts: a slow request is counted later by the provider."""

    def __init__(self, policy: RatePolicy) -> None:
        self._policy = policy
        self._starts: deque[tuple[float, Cost]] = deque()

    async def acquire(self, cost: Cost) -> Slotless:
        loop = asyncio.get_running_loop()
        while not all(self._fits(limit, cost, loop.time()) for limit in self._policy.limits):
            await asyncio.sleep(0.1)
        self._starts.append((loop.time(), cost))
        return Slotless()

    def _fits(self, limit: RateLimit, cost: Cost, now_s: float) -> bool:
        left_s = self.left_s(limit, now_s)
        return (
            sum(past[limit.unit] for at, past in self._starts if at > left_s) + cost[limit.unit]
            <= limit.amount
        )

    def left_s(self, limit: RateLimit, now_s: float) -> float:
        return now_s - limit.window_s


class FixedWindow(FromTheStart):
    """Counts by the minute on the wall: twice the limit around each stroke."""

    def left_s(self, limit: RateLimit, now_s: float) -> float:
        return now_s // limit.window_s * limit.window_s - 1e-9


class RequestsOnly(Limiter):
    """Forgets the second unit."""

    def __init__(self, policy: RatePolicy) -> None:
        super().__init__(RatePolicy(limits=policy.limits[:2]))


class ShortWindowOnly(Limiter):
    """Forgets that two limits can be on the same unit."""

    def __init__(self, policy: RatePolicy) -> None:
        super().__init__(RatePolicy(limits=(policy.limits[0], policy.limits[2])))


@pytest.mark.parametrize("liar", [LeakyBucket, FromTheStart, FixedWindow, RequestsOnly, ShortWindowOnly])
def test_every_wrong_limiter_is_noticed(run: Run, liar: Callable[[RatePolicy], Acquires]) -> None:
    @settings(phases=[Phase.generate], derandomize=True, max_examples=500, deadline=None, database=None)
    @given(arrival_lists)
    def judged(arrivals: list[Arrival]) -> None:
        keeps_every_window(run, liar, arrivals)

    with pytest.raises(AssertionError):
        judged()
