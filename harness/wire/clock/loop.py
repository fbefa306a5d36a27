"""An asyncio event loop in which time is the virtual clock's, and the executor for its blocking calls."""

import asyncio
import contextlib
import math
import selectors
from asyncio import futures
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextvars import Context
from heapq import heappush
from itertools import count
from threading import Thread
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack

from harness.wire.clock.model import BOOT_NS, SECOND_NS, Abort, Means, VirtualClock, wake_unrecorded
from harness.wire.clock.pacer import Pacer
from harness.wire.clock.real import RealSelector

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")
Ready = list[tuple[selectors.SelectorKey, int]]

_unrecorded: object = wake_unrecorded
_wake_sleep: object = getattr(
    futures, "_set_result_unless_cancelled", None
)  # what asyncio.sleep asks the loop to call


class VirtualSelector(RealSelector):
    """Reports real traffic, and lets the pacer move the clock where a real selector would wait."""

    def __init__(self, pacer: Pacer) -> None:
        super().__init__()
        self._pacer = pacer
        self.next_timer: Callable[[], float | None] = lambda: None
        self.own: set[int] = set()
        self.register(pacer.watched, selectors.EVENT_READ)
        self.own.add(pacer.watched.fileno())

    def select(self, timeout: float | None = None) -> Ready:
        if timeout is not None and timeout <= 0:
            return self._poll(0)
        return (
            self._pacer.dispatch(self._poll, deadline_ns=self._deadline_ns(), descriptors=self._foreign) or []
        )

    def _deadline_ns(self) -> int | None:
        when = self.next_timer()
        if when is None or math.isinf(when):
            return None
        # A loop that is told "now" while its timer is a rounding error ahead would never get there.
        return max(round(when * SECOND_NS) - BOOT_NS, self._pacer.clock.now_ns + 1)

    def _poll(self, timeout_s: float) -> Ready:
        events = super().select(timeout_s)
        traffic = [event for event in events if event[0].fileobj is not self._pacer.watched]
        if len(traffic) < len(events):
            self._pacer.wake_ready()
        return traffic

    def _foreign(self) -> list[int]:
        return list(self.descriptors() - self.own)

    def descriptors(self) -> set[int]:
        return {key.fd for key in self.get_map().values()}


class Timer(asyncio.TimerHandle):
    """A timer that knows how long it waited, and its place among those due at the same moment.

    Real time never stands still between two calls, so a stock loop has no need to order equals.
    """

    __slots__ = ("_clock", "_means", "_order", "_since_ns")

    def __init__(self, clock: VirtualClock, order: int, *args: Any) -> None:
        super().__init__(*args)
        self._clock = clock
        self._order = order
        self._since_ns = clock.now_ns
        callback: object = args[1]
        sleep = Means.ASYNC_SLEEP if callback is _wake_sleep else Means.TIMER
        self._means: Means | None = None if callback is _unrecorded else sleep

    def __lt__(self, other: asyncio.TimerHandle) -> bool:
        if isinstance(other, Timer) and self.when() == other.when():
            return self._order < other._order
        return super().__lt__(other)

    def ended(self, *, cut_short: bool) -> None:
        """Record the wait, once; a timeout that was not needed is none."""
        if self._means is not None and not (cut_short and self._means is Means.TIMER):
            self._clock.record(since_ns=self._since_ns, by=self._means)
        self._means = None

    def _run(self) -> None:
        self.ended(cut_short=False)
        super()._run()


class VirtualLoop(asyncio.SelectorEventLoop):
    """The stock selector loop, with another clock and a record of what was waited for."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._order = count()
        selector = VirtualSelector(pacer)
        before = selector.descriptors()
        super().__init__(selector)
        selector.own |= selector.descriptors() - before  # the pipe by which other threads wake the loop
        selector.next_timer = lambda: self._timers[0].when() if self._timers else None
        pacer.notify = self._write_to_self  # type: ignore[attr-defined]  # asyncio's own, not in typeshed
        self.set_default_executor(Workers())

    @property
    def _timers(self) -> list[asyncio.TimerHandle]:
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]  # as above
        return scheduled  # a new list now and then

    def time(self) -> float:
        return self._pacer.clock.monotonic()

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        self._check_closed()  # type: ignore[attr-defined]  # as above
        timer = Timer(self._pacer.clock, next(self._order), when, callback, args, self, context)
        heappush(self._timers, timer)
        timer._scheduled = True  # type: ignore[attr-defined]  # as above
        return timer

    def run_in_executor(  # type: ignore[override]  # typeshed has it async; asyncio returns a future
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        if executor is not None:
            func = self._lent(func)
        return super().run_in_executor(executor, func, *args)

    def _lent(self, func: Callable[P, T]) -> Callable[P, T]:
        """For a pool that may be older than the run: its threads live in the run while they work for it."""

        def work(*args: P.args, **kwargs: P.kwargs) -> T:
            with self._pacer.lent():
                return func(*args, **kwargs)

        return work

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if isinstance(handle, Timer):
            handle.ended(cut_short=True)
        super()._timer_handle_cancelled(handle)  # type: ignore[misc]  # as above


class Workers(ThreadPoolExecutor):
    """Gives each job a daemon thread of its own: one that never ends cannot hold up the process."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except Abort:
                future.set_exception(CancelledError())
            except BaseException as error:  # noqa: BLE001  # whatever it is, the waiting task gets it
                future.set_exception(error)

        Thread(target=work, daemon=True, name="client").start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing is kept between jobs."""


def wind_down(loop: VirtualLoop) -> None:
    """Cancel what is left, as asyncio.run does, and close the loop."""
    try:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        with contextlib.suppress(Exception):
            loop.close()
