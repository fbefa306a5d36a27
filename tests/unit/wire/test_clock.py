"""Time passes when somebody waits for it, exactly as long as they wait, and for nobody else."""

import asyncio
import math
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.wire.clock import Means, VirtualClock, Wait, run, run_sync

# the clock by itself


def test_a_clock_begins_at_nought_and_at_the_start_of_2026() -> None:
    clock = VirtualClock()
    assert (clock.now_s, clock.wall(), clock.waits) == (0.0, 1_767_225_600.0, [])


def test_its_date_can_be_set() -> None:
    assert VirtualClock(start_epoch_s=86_400).wall() == 86_400.0


@pytest.mark.parametrize("seconds", [-1, math.inf, math.nan])
def test_time_goes_neither_back_nor_on_for_ever(seconds: float) -> None:
    with pytest.raises(ValueError, match="finite number of seconds"):
        VirtualClock().advance(seconds)


def test_a_clock_keeps_its_time_between_runs() -> None:
    clock = VirtualClock()
    run(lambda: asyncio.sleep(3), clock=clock)
    clock.advance(30)
    run(lambda: asyncio.sleep(3), clock=clock)
    assert clock.now_s == 36.0
    assert [wait.at_s for wait in clock.waits] == [0.0, 33.0]


@settings(deadline=None)  # a busy machine is no finding
@given(waits=st.lists(st.integers(1, 10**7).map(lambda ms: ms / 1000), min_size=1, max_size=20))
def test_many_waits_add_up_without_an_error(waits: list[float]) -> None:
    clock = VirtualClock()
    for seconds in waits:
        clock.advance(seconds)
    assert clock.now_ns == sum(round(seconds * 1000) for seconds in waits) * 1_000_000


# coroutines


def test_a_sleep_takes_exactly_its_seconds_and_is_recorded() -> None:
    clock = VirtualClock()

    async def sleep() -> tuple[float, float]:
        started = time.monotonic()
        await asyncio.sleep(0.7)
        await asyncio.sleep(60.1)
        return time.monotonic() - started, time.time()

    took, wall = run(sleep, clock=clock)
    assert took == pytest.approx(60.8, abs=1e-9)
    assert wall == pytest.approx(1_767_225_660.8)
    assert clock.waits == [
        Wait(at_s=0.0, seconds=0.7, by=Means.ASYNC_SLEEP),
        Wait(at_s=0.7, seconds=60.1, by=Means.ASYNC_SLEEP),
    ]


@settings(deadline=None)
@given(seconds=st.floats(1e-9, 1e6))
def test_any_sleep_ends_within_a_nanosecond_of_what_was_asked(seconds: float) -> None:
    clock = VirtualClock()
    run(lambda: asyncio.sleep(seconds), clock=clock)
    assert clock.now_s == pytest.approx(seconds, abs=2e-9)


def test_the_loop_and_the_time_module_tell_the_same_time() -> None:
    async def read() -> tuple[float, float, float]:
        await asyncio.sleep(0.123456789)
        return asyncio.get_running_loop().time(), time.monotonic(), time.perf_counter()

    assert len(set(run(read, clock=VirtualClock()))) == 1


def test_concurrent_sleeps_overlap() -> None:
    clock = VirtualClock()

    async def both() -> None:
        await asyncio.gather(asyncio.sleep(60), asyncio.sleep(45))

    run(both, clock=clock)
    assert clock.now_s == 60.0
    assert sorted(wait.seconds for wait in clock.waits) == [45.0, 60.0]


def test_callbacks_keep_the_order_of_the_stock_loop() -> None:
    async def order() -> list[str]:
        said: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(2, said.append, "second")
        loop.call_later(1, said.append, "first")
        loop.call_later(2, said.append, "third")
        loop.call_soon(said.append, "at once")
        await asyncio.sleep(2)
        return said

    assert run(order, clock=VirtualClock()) == ["at once", "first", "second", "third"]


def test_a_sleep_cut_short_counts_for_what_it_lasted() -> None:
    clock = VirtualClock()

    async def cut_short() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.sleep(60)

    run(cut_short, clock=clock)
    assert Wait(at_s=0.0, seconds=5.0, by=Means.ASYNC_SLEEP) in clock.waits


def test_every_way_of_asyncio_to_give_up_does_so_on_time() -> None:
    clock = VirtualClock()

    async def give_up() -> list[float]:
        at: list[float] = []
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 10)
        at.append(clock.now_s)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
        at.append(clock.now_s)
        await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=10)
        at.append(clock.now_s)
        return at

    assert run(give_up, clock=clock) == [10.0, 20.0, 30.0]


def test_anyio_lives_in_the_same_time() -> None:
    clock = VirtualClock()

    async def wait() -> list[float]:
        await anyio.sleep(60)
        at = [clock.now_s]
        with pytest.raises(TimeoutError):
            with anyio.fail_after(5):
                await anyio.sleep_forever()
        with anyio.move_on_after(2.5):
            await anyio.sleep(9)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep, 1)
            tasks.start_soon(anyio.sleep, 2)
        return [*at, clock.now_s]

    assert run(wait, clock=clock) == [60.0, 69.5]


def test_a_coroutine_that_blocks_the_loop_with_a_sleep_makes_time_pass_too() -> None:
    clock = VirtualClock()

    async def block() -> float:
        other = asyncio.ensure_future(asyncio.sleep(2))
        await asyncio.sleep(0)
        time.sleep(10)  # noqa: ASYNC251  # the mistake that this is about
        await other
        return clock.now_s

    assert run(block, clock=clock) == 10.0
    assert clock.waits[0] == Wait(at_s=0.0, seconds=10.0, by=Means.SLEEP)


def test_time_stands_still_while_a_thread_works_for_the_loop() -> None:
    clock = VirtualClock()

    async def work() -> tuple[bool, float]:
        timer = asyncio.ensure_future(asyncio.sleep(60))
        total = await asyncio.to_thread(sum, range(2_000_000))
        timer.cancel()
        return total > 0, clock.now_s

    assert run(work, clock=clock) == (True, 0.0)


def test_sleeping_threads_of_the_loop_sleep_side_by_side() -> None:
    clock = VirtualClock()

    async def sleep() -> None:
        await asyncio.gather(
            asyncio.to_thread(time.sleep, 60), anyio.to_thread.run_sync(time.sleep, 50), asyncio.sleep(40)
        )

    run(sleep, clock=clock)
    assert clock.now_s == 60.0


def test_a_pool_older_than_the_run_works_in_its_time() -> None:
    clock = VirtualClock()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()

        async def sleep() -> None:
            loop = asyncio.get_running_loop()
            await asyncio.gather(loop.run_in_executor(pool, time.sleep, 60), asyncio.sleep(0))

        run(sleep, clock=clock)
    assert clock.now_s == 60.0


def test_a_name_is_resolved_before_time_passes() -> None:
    clock = VirtualClock()

    async def resolve() -> float:
        async with asyncio.timeout(0.5):
            await asyncio.get_running_loop().getaddrinfo("localhost", 80)
        return clock.now_s

    assert run(resolve, clock=clock) == 0.0


def test_a_server_lets_time_elapse_without_leaving_a_wait() -> None:
    clock = VirtualClock()
    run(lambda: clock.elapse(5), clock=clock)
    assert (clock.now_s, clock.waits) == (5.0, [])


# blocking code


def test_a_blocking_sleep_takes_exactly_its_seconds_and_is_recorded() -> None:
    clock = VirtualClock()

    def sleep() -> float:
        started = time.monotonic()
        time.sleep(60.1)
        return time.monotonic() - started

    assert run_sync(sleep, clock=clock) == pytest.approx(60.1, abs=1e-9)
    assert clock.waits == [Wait(at_s=0.0, seconds=60.1, by=Means.SLEEP)]


@pytest.mark.parametrize("seconds", [-1, math.nan, "1", math.inf])
def test_what_sleep_refuses_it_still_refuses(seconds: float) -> None:
    def attempt() -> BaseException | None:
        try:
            time.sleep(seconds)
        except (TypeError, ValueError, OverflowError) as error:
            return error
        return None

    real = attempt()
    virtual = run_sync(attempt, clock=VirtualClock())
    assert (type(virtual), str(virtual)) == (type(real), str(real))


def test_waiting_for_another_thread_times_out_on_the_clock() -> None:
    clock = VirtualClock()

    def wait() -> list[float]:
        at: list[float] = []
        threading.Event().wait(10)
        at.append(clock.now_s)
        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(timeout=10)
        at.append(clock.now_s)
        condition = threading.Condition()
        with condition:
            condition.wait_for(lambda: False, timeout=10)
        at.append(clock.now_s)
        threading.Semaphore(0).acquire(timeout=10)
        return [*at, clock.now_s]

    assert run_sync(wait, clock=clock) == [10.0, 20.0, 30.0, 40.0]
    assert {wait.by for wait in clock.waits} == {Means.THREADING}


def test_threads_of_the_client_live_in_its_time() -> None:
    clock = VirtualClock()

    def fan_out() -> tuple[list[float], float]:
        def wait(seconds: float) -> float:
            time.sleep(seconds)
            return clock.now_s

        with ThreadPoolExecutor(2) as pool:
            ended = list(pool.map(wait, (60, 20, 5)))
        return ended, clock.now_s

    assert run_sync(fan_out, clock=clock) == ([60.0, 20.0, 25.0], 60.0)


def test_a_thread_is_joined_when_it_ends_on_the_clock() -> None:
    clock = VirtualClock()

    def join() -> tuple[bool, float, float]:
        thread = threading.Thread(target=time.sleep, args=(60,))
        thread.start()
        thread.join(10)
        alive, at = thread.is_alive(), clock.now_s
        thread.join()
        return alive, at, clock.now_s

    assert run_sync(join, clock=clock) == (True, 10.0, 60.0)


def test_a_message_between_threads_arrives_at_the_time_it_was_sent() -> None:
    clock = VirtualClock()

    def exchange() -> tuple[float, float]:
        letters: queue.Queue[float] = queue.Queue()

        def send() -> None:
            time.sleep(7)
            letters.put(clock.now_s)

        threading.Thread(target=send).start()
        return letters.get(timeout=60), clock.now_s

    assert run_sync(exchange, clock=clock) == (7.0, 7.0)


def test_a_timer_thread_fires_on_the_clock() -> None:
    clock = VirtualClock()

    def fire() -> float:
        fired = threading.Event()
        threading.Timer(30, fired.set).start()
        assert fired.wait(60)
        return clock.now_s

    assert run_sync(fire, clock=clock) == 30.0


def test_an_event_loop_inside_a_blocking_client_lives_in_its_time() -> None:
    clock = VirtualClock()

    def facade() -> float:
        async def inner() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 5)
            await asyncio.sleep(60)

        asyncio.run(inner())
        return clock.now_s

    assert run_sync(facade, clock=clock) == pytest.approx(65.0, abs=0.01)  # epoll counts whole milliseconds


# what runs beside it


def test_other_threads_keep_the_real_time() -> None:
    clock = VirtualClock()
    asked, answers = threading.Event(), queue.Queue[float]()

    def outside() -> None:
        asked.wait()
        answers.put(time.time())

    thread = threading.Thread(target=outside, daemon=True)
    thread.start()

    def client() -> float:
        asked.set()
        time.sleep(60)
        return time.time()

    before = time.time()
    assert run_sync(client, clock=clock) == 1_767_225_660.0
    thread.join()
    assert before <= answers.get() <= time.time()


def test_two_runs_in_two_threads_do_not_mix() -> None:
    clocks = [VirtualClock(), VirtualClock()]

    def many(clock: VirtualClock, seconds: float) -> None:
        for _ in range(20):
            run_sync(lambda: time.sleep(seconds), clock=clock)

    threads = [threading.Thread(target=many, args=(clock, n + 1)) for n, clock in enumerate(clocks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [clock.now_s for clock in clocks] == [20.0, 40.0]


def test_a_lock_held_through_a_sleep_holds_the_other_threads_on_the_clock() -> None:
    clock = VirtualClock()

    def take_turns() -> list[float]:
        lock, at = threading.Lock(), list[float]()

        def turn(_: int) -> None:
            with lock:
                time.sleep(20)
                at.append(clock.now_s)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(turn, range(3)))
        return at

    assert run_sync(take_turns, clock=clock, patience_s=0.05) == [20.0, 40.0, 60.0]
