"""Rules of the cache: fresh, bounded, asked once, and nobody can spoil it for the others."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.resilience import Cache, CachePolicy, readonly

Run = Callable[[Coroutine[Any, Any, Any]], Any]
POLICY = CachePolicy(ttl_s=60.0, entries=100)


class Source:
    """Loads `key * 10` as a list after a second, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []
        self.errors: list[Exception] = []

    async def __call__(self, keys: tuple[int, ...]) -> Sequence[list[int]]:
        self.asked.append(keys)
        await asyncio.sleep(1.0)
        if self.errors:
            raise self.errors.pop(0)
        return [[key * 10] for key in keys]


def test_values_come_in_the_order_of_their_keys_and_each_is_loaded_once(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        assert await cache.fetch([3, 1, 3], source) == [[30], [10], [30]]
        assert await cache.fetch([1, 2, 3], source) == [[10], [20], [30]]
        assert source.asked == [(3, 1), (2,)]
        assert (cache.hits, cache.misses) == (2, 3)

    run(scenario())


def test_nothing_asked_is_nothing_loaded(run: Run) -> None:
    source = Source()
    assert run(Cache[int, list[int]](POLICY).fetch([], source)) == []
    assert source.asked == []


def test_an_answer_is_good_until_its_time_and_not_after(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        await cache.fetch([1], source)
        await asyncio.sleep(59.0)
        await cache.fetch([1], source)
        assert len(source.asked) == 1
        await asyncio.sleep(1.0)
        await cache.fetch([1], source)
        assert len(source.asked) == 2

    run(scenario())


def test_the_least_recently_used_go_first(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](CachePolicy(ttl_s=60.0, entries=2)), Source()
        for key in (1, 2, 1, 3, 1, 2):
            await cache.fetch([key], source)
        assert source.asked == [(1,), (2,), (3,), (2,)]
        assert len(cache) == 2

    run(scenario())


def test_more_keys_than_places_are_still_all_answered(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](CachePolicy(ttl_s=60.0, entries=2)), Source()
        both = await asyncio.gather(cache.fetch(range(9), source), cache.fetch(range(9), source))
        assert [*both] == [[[key * 10] for key in range(9)]] * 2
        assert len(source.asked) == 1
        assert len(cache) == 2

    run(scenario())


@given(st.lists(st.lists(st.integers(0, 6), max_size=6), max_size=12), st.integers(1, 5))
def test_whatever_is_asked_the_answer_is_right_and_the_cache_is_bounded(
    run: Run, questions: list[list[int]], entries: int
) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](CachePolicy(ttl_s=3.0, entries=entries)), Source()
        answers = await asyncio.gather(*(cache.fetch(keys, source) for keys in questions))
        assert answers == [[[key * 10] for key in keys] for keys in questions]
        assert len(cache) <= entries
        loaded = [key for keys in source.asked for key in keys]
        assert len(loaded) == len(set(loaded)), "the same question was under way twice"

    run(scenario())


def test_the_same_question_is_asked_once_at_a_time(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        assert await asyncio.gather(*(cache.fetch([7], source) for _ in range(50))) == [[[70]]] * 50
        assert source.asked == [(7,)]

    run(scenario())


def test_two_that_need_each_others_keys_both_finish(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        await asyncio.gather(
            cache.fetch([1, 2, 3], source), cache.fetch([3, 4], source), cache.fetch([4, 1], source)
        )
        assert source.asked == [(1, 2, 3), (4,)]

    run(scenario())


def test_who_waits_for_a_load_that_fails_loads_for_himself(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        source.errors = [OSError("the first only")]
        first, *rest = await asyncio.gather(
            *(cache.fetch([7], source) for _ in range(5)), return_exceptions=True
        )
        assert isinstance(first, OSError)
        assert rest == [[[70]]] * 4
        assert source.asked == [(7,), (7,)]

    run(scenario())


def test_who_waits_for_a_load_that_is_cancelled_loads_for_himself(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        leader, follower = (asyncio.create_task(cache.fetch([7], source)) for _ in range(2))
        await asyncio.sleep(0.5)
        leader.cancel()
        assert await follower == [[70]]
        assert leader.cancelled()

    run(scenario())


def test_who_waits_and_is_cancelled_disturbs_nobody(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        leader, follower, other = (asyncio.create_task(cache.fetch([7], source)) for _ in range(3))
        await asyncio.sleep(0.5)
        follower.cancel()
        assert await leader == await other == [[70]]
        assert source.asked == [(7,)]

    run(scenario())


def test_an_error_is_not_kept(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        source.errors = [OSError("once")]
        with pytest.raises(OSError, match="once"):
            await cache.fetch([7], source)
        assert await cache.fetch([7], source) == [[70]]

    run(scenario())


def test_a_load_that_brings_another_number_of_values_is_refused(run: Run) -> None:
    async def short(keys: tuple[int, ...]) -> list[list[int]]:
        return [[0]]

    cache = Cache[int, list[int]](POLICY)
    with pytest.raises(ValueError, match="1 values were loaded for 2 keys"):
        run(cache.fetch([1, 2], short))
    assert len(cache) == 0


def test_nobody_can_change_what_the_others_get(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        for _ in range(3):
            [answer] = await cache.fetch([7], source)
            assert answer == [70]
            answer.append(0)

    run(scenario())


def test_arrays_are_shared_but_cannot_be_written(run: Run) -> None:
    async def scenario() -> None:
        matrix = np.ones((2, 3), dtype=np.float32)

        async def load(keys: tuple[str, ...]) -> list[Any]:
            return list(matrix)

        cache = Cache[str, Any](POLICY, own=readonly)
        first, _ = await cache.fetch(["a", "b"], load)
        [again, _] = await cache.fetch(["a", "b"], load)
        assert again is first
        matrix[:] = 0.0
        assert again.tolist() == [1.0, 1.0, 1.0]
        with pytest.raises(ValueError, match="read-only"):
            again[0] = 5.0

    run(scenario())


def test_an_array_is_copied_unless_nobody_can_write_to_it() -> None:
    writable = np.ones(3)
    view = writable[:]
    view.flags.writeable = False
    assert readonly(writable) is not writable
    assert readonly(view).base is None
    closed = readonly(writable)
    assert readonly(closed) is closed


def test_what_is_forgotten_is_loaded_again(run: Run) -> None:
    async def scenario() -> None:
        cache, source = Cache[int, list[int]](POLICY), Source()
        await cache.fetch([7], source)
        cache.clear()
        await cache.fetch([7], source)
        assert len(source.asked) == 2

    run(scenario())
