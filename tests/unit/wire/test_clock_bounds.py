"""A client that hangs, spins or hides from the clock is found out within the bound; nothing is left of the run."""

import asyncio
import os
import select
import selectors
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise

import pytest

from harness.wire.clock import NestedRun, RealTimeExceeded, Stalled, VirtualClock, run, run_sync

LIMIT_S = 0.1
BEHIND: list[Callable[[], object]] = []  # lets those go that no interruption reaches


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    while BEHIND:
        BEHIND.pop()()
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
    assert set(threading.enumerate()) <= before


# liars that hang


def test_a_coroutine_that_waits_for_ever_has_stalled(clock: VirtualClock) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Stalled, match=r"test_clock_bounds\.py:\d+ in hang"):
        run(hang, clock=clock)


def test_a_coroutine_that_sleeps_for_ever_has_stalled(clock: VirtualClock) -> None:
    with pytest.raises(Stalled):
        run(lambda: asyncio.sleep(float("inf")), clock=clock)


def test_blocking_code_that_waits_for_ever_has_stalled(clock: VirtualClock) -> None:
    def hang() -> None:
        threading.Event().wait()

    with pytest.raises(Stalled, match=r"test_clock_bounds\.py:\d+ in hang"):
        run_sync(hang, clock=clock)


def test_a_coroutine_that_blocks_its_loop_for_ever_has_stalled(clock: VirtualClock) -> None:
    async def hang() -> None:
        threading.Event().wait()

    with pytest.raises(Stalled):
        run(hang, clock=clock)


def test_a_client_that_swallows_every_exception_still_has_stalled(clock: VirtualClock) -> None:
    async def hang() -> str:
        try:
            await asyncio.Event().wait()
        except BaseException:  # the liar swallows cancellation too
            return "all is well"
        return ""

    with pytest.raises(Stalled):
        run(hang, clock=clock)


def test_a_task_that_outlives_its_cancellation_has_stalled(clock: VirtualClock) -> None:
    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    async def leave_it() -> None:
        asyncio.get_running_loop().stubborn = asyncio.ensure_future(stubborn())  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    with pytest.raises(Stalled):
        run(leave_it, clock=clock)


def test_the_finally_blocks_of_a_stalled_client_run(clock: VirtualClock) -> None:
    said: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            said.append("closed")

    with pytest.raises(Stalled):
        run(hang, clock=clock)
    assert said == ["closed"]


# liars that spin, or wait where no clock reaches


def spin() -> None:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        pass


def spin_and_swallow() -> None:
    for _ in range(2):
        try:
            spin()
        except BaseException:  # the liar takes every interruption for an error of the server
            print("retry")


MADE_BEFORE = select.poll()


def poll_with_what_is_older_than_the_run() -> None:
    reading, writing = os.pipe()
    BEHIND.append(lambda: os.write(writing, b"x"))
    MADE_BEFORE.register(reading, select.POLLIN)
    try:
        MADE_BEFORE.poll(60_000)
    finally:
        MADE_BEFORE.unregister(reading)
        os.close(reading)
        os.close(writing)


def spin_in_a_thread() -> None:
    thread = threading.Thread(target=spin)
    thread.start()
    thread.join()


def lock_itself_in() -> None:
    lock = threading.Lock()
    lock.acquire()
    BEHIND.append(lock.release)
    lock.acquire(timeout=60)


def beat_for_ever() -> None:
    while True:
        time.sleep(60)


LIARS = [spin, spin_and_swallow, poll_with_what_is_older_than_the_run, spin_in_a_thread, lock_itself_in, beat_for_ever]


@pytest.mark.parametrize("liar", LIARS)
def test_blocking_code_out_of_the_clocks_reach_meets_the_bound(
    liar: Callable[[], None], clock: VirtualClock
) -> None:
    with pytest.raises(
        RealTimeExceeded, match=r"still running after 0\.1 s of real time.*test_clock_bounds\.py"
    ):
        run_sync(liar, clock=clock, real_limit_s=LIMIT_S)


@pytest.mark.parametrize("liar", LIARS)
def test_a_coroutine_out_of_the_clocks_reach_meets_the_bound(
    liar: Callable[[], None], clock: VirtualClock
) -> None:
    async def call() -> None:
        liar()

    with pytest.raises(RealTimeExceeded, match=r"still running after 0\.1 s of real time"):
        run(call, clock=clock, real_limit_s=LIMIT_S)


def test_a_coroutine_that_polls_without_end_meets_the_bound(clock: VirtualClock) -> None:
    async def poll() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(RealTimeExceeded, match="in poll"):
        run(poll, clock=clock, real_limit_s=LIMIT_S)


def test_the_bound_holds_in_any_thread(clock: VirtualClock) -> None:
    def in_thread() -> BaseException | None:
        try:
            run_sync(spin, clock=clock, real_limit_s=LIMIT_S)
        except RealTimeExceeded as error:
            return error
        return None

    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool.submit(in_thread).result(), RealTimeExceeded)


def test_an_interrupt_from_the_keyboard_ends_the_run(clock: VirtualClock) -> None:
    def interrupt() -> None:
        signal.pthread_kill(main, signal.SIGINT)  # as a keyboard does it: the waiting thread is the one that is woken
        while True:  # a wait without an end would be called a stall before a busy machine delivers the signal
            time.sleep(3600)

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    main = threading.get_ident()
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what runs behind it ignore the keyboard
    try:
        with pytest.raises(KeyboardInterrupt):
            run_sync(interrupt, clock=clock)
    finally:
        signal.signal(signal.SIGINT, handler)
    before = clock.now_s
    run_sync(lambda: time.sleep(60), clock=clock)
    assert clock.now_s == pytest.approx(before + 60)


def test_a_clock_can_be_used_again_after_a_run_that_was_ended(clock: VirtualClock) -> None:
    with pytest.raises(RealTimeExceeded):
        run_sync(spin, clock=clock, real_limit_s=LIMIT_S)
    before = clock.now_s
    run_sync(lambda: time.sleep(60), clock=clock)
    assert clock.now_s == before + 60


# what is within reach, though it looks like a liar


def test_a_select_without_descriptors_is_a_sleep(clock: VirtualClock) -> None:
    run_sync(lambda: select.select([], [], [], 5), clock=clock)
    assert clock.now_s == 5.0


@pytest.mark.parametrize("kind", ["poll", "epoll", "PollSelector", "EpollSelector", "SelectSelector", "DefaultSelector"])
def test_every_way_to_wait_for_traffic_waits_on_the_clock(kind: str, clock: VirtualClock) -> None:
    """For nothing at all, for what does not come, and for what comes while it waits."""
    if not hasattr(select, kind) and not hasattr(selectors, kind):
        pytest.skip(f"no {kind} here")

    def wait() -> list[float]:
        here, there = socket.socketpair()
        with here, there:
            if hasattr(selectors, kind):
                selector = getattr(selectors, kind)()
                selector.register(here, selectors.EVENT_READ)
                ask, close = selector.select, selector.close
            else:
                polled = getattr(select, kind)()
                polled.register(here.fileno(), select.POLLIN)
                ask, close = lambda seconds: polled.poll(seconds * (1000 if kind == "poll" else 1)), getattr(polled, "close", bool)
            moments = [time.monotonic()]
            assert not ask(60)
            moments.append(time.monotonic())
            threading.Timer(5, lambda: there.send(b"x")).start()
            assert ask(60)
            moments.append(time.monotonic())
            assert ask(60)  # it is still there
            moments.append(time.monotonic())
            close()
        return [after - before for before, after in pairwise(moments)]

    assert run_sync(wait, clock=clock) == pytest.approx([60, 5, 0])


def test_an_epoll_that_tells_once_waits_for_what_it_is_asked_for_anew(clock: VirtualClock) -> None:
    if not hasattr(select, "epoll"):
        pytest.skip("no epoll here")

    def wait() -> tuple[float, float]:
        here, there = socket.socketpair()
        with here, there, select.epoll() as polled:
            there.send(b"x")
            polled.register(here.fileno(), select.EPOLLIN | select.EPOLLONESHOT)
            assert polled.poll(60)
            assert not polled.poll(60)
            silent = time.monotonic()
            polled.modify(here.fileno(), select.EPOLLIN | select.EPOLLONESHOT)
            assert polled.poll(60)
            return silent, time.monotonic()

    silent, told = run_sync(wait, clock=clock)
    assert (clock.now_s, told - silent) == (60, 0)


def test_a_thread_that_sleeps_for_the_client_sleeps_on_the_clock(clock: VirtualClock) -> None:
    def sleep() -> None:
        thread = threading.Thread(target=time.sleep, args=(60,))
        thread.start()
        thread.join()

    run_sync(sleep, clock=clock)
    assert clock.now_s == 60.0


def test_a_thread_that_the_client_leaves_asleep_ends_with_the_run(clock: VirtualClock) -> None:
    ended = threading.Event()

    def leave_it() -> None:
        def sleep() -> None:
            try:
                time.sleep(3600)
            finally:
                ended.set()

        threading.Thread(target=sleep).start()

    run_sync(leave_it, clock=clock)
    assert ended.wait(60)
    assert clock.now_s == 0.0


def test_a_job_that_outlives_its_timeout_ends_with_the_run(clock: VirtualClock) -> None:
    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(time.sleep, 60), 5)

    run(give_up, clock=clock)
    assert clock.now_s == 5.0


# order


def test_a_run_inside_a_run_is_refused(clock: VirtualClock) -> None:
    def nest() -> None:
        run_sync(int, clock=VirtualClock())

    async def nest_in_loop() -> None:
        nest()

    with pytest.raises(NestedRun, match="in virtual time already"):
        run_sync(nest, clock=clock)
    with pytest.raises(NestedRun, match="in virtual time already"):
        run(nest_in_loop, clock=clock)


def test_a_run_inside_a_real_event_loop_is_refused(clock: VirtualClock) -> None:
    async def nest() -> None:
        run_sync(int, clock=clock)

    with pytest.raises(NestedRun, match="an event loop is running"):
        asyncio.run(nest())


def test_a_clock_is_driven_by_one_run_at_a_time(clock: VirtualClock) -> None:
    started, ended = threading.Event(), threading.Event()

    async def hold() -> None:
        started.set()
        while not ended.is_set():
            await asyncio.sleep(0)

    thread = threading.Thread(target=run, args=(hold,), kwargs={"clock": clock})
    thread.start()
    assert started.wait(60)
    with pytest.raises(NestedRun, match="driven by another run"):
        run_sync(int, clock=clock)
    ended.set()
    thread.join()


@pytest.mark.parametrize("runner", [run, run_sync])
def test_what_the_client_raises_comes_out_as_it_is(
    runner: Callable[..., object], clock: VirtualClock
) -> None:
    error = LookupError("the client's own")

    def fail() -> None:
        raise error

    async def fail_async() -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        runner(fail_async if runner is run else fail, clock=clock)
    assert caught.value is error


def test_a_client_that_failed_before_it_hung_is_blamed_for_both(clock: VirtualClock) -> None:
    async def fail_and_hang() -> None:
        try:
            raise LookupError
        finally:
            await asyncio.Event().wait()

    async def leave_a_hang() -> None:
        async def never_mind() -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await asyncio.Event().wait()

        kept.append(asyncio.ensure_future(never_mind()))
        await asyncio.sleep(0)
        raise LookupError

    kept: list[object] = []
    with pytest.raises(Stalled):
        run(fail_and_hang, clock=clock)
    with pytest.raises(Stalled) as caught:
        run(leave_a_hang, clock=clock)
    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_bound_is_a_positive_number_of_seconds(seconds: float, clock: VirtualClock) -> None:
    with pytest.raises(ValueError, match="real_limit_s must be a positive"):
        run_sync(int, clock=clock, real_limit_s=seconds)
    with pytest.raises(ValueError, match="patience_s must be a positive"):
        run_sync(int, clock=clock, patience_s=seconds)


def test_leftover_tasks_are_cancelled_and_generators_closed(clock: VirtualClock) -> None:
    said: list[str] = []

    async def numbers() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            said.append("generator closed")

    async def sleeper() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            said.append("task cancelled")

    async def leave_them() -> None:
        kept.append(asyncio.ensure_future(sleeper()))
        generator = numbers()
        kept.append(generator)
        await anext(generator)

    kept: list[object] = []
    run(leave_them, clock=clock)
    assert sorted(said) == ["generator closed", "task cancelled"]
    assert clock.now_s == 0.0


def open_descriptors() -> Counter[str]:
    folder = "/proc/self/fd"
    return Counter(
        os.readlink(f"{folder}/{name}") for name in os.listdir(folder) if os.path.exists(f"{folder}/{name}")
    )


def connect_in_vain() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = socket.create_connection(listener.getsockname(), timeout=60)
        with connection, pytest.raises(TimeoutError):
            connection.recv(1)


@pytest.mark.parametrize(
    "end", [int, connect_in_vain, spin, spin_and_swallow, threading.Event().wait, "not callable"]
)
def test_no_descriptor_is_left_however_a_run_ends(end: Callable[[], None], clock: VirtualClock) -> None:
    async def call() -> None:
        end()

    before = open_descriptors()
    with suppress(Stalled, RealTimeExceeded, TypeError):
        run(call, clock=clock, real_limit_s=LIMIT_S)
    with suppress(Stalled, RealTimeExceeded, TypeError):
        run_sync(end, clock=clock, real_limit_s=LIMIT_S)
    with pytest.raises(NestedRun):
        run_sync(lambda: run_sync(int, clock=clock), clock=clock)
    assert not open_descriptors() - before
