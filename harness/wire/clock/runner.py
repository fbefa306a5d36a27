"""Runs a client, of either kind, in virtual time and within a bound of real time."""

import asyncio
import contextvars
import ctypes
import threading
from _thread import get_ident
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Generic, TypeVar

from harness.wire.clock import members, patches, places, real
from harness.wire.clock.loop import VirtualLoop, wind_down
from harness.wire.clock.model import Abort, NestedRun, RealTimeExceeded, VirtualClock
from harness.wire.clock.pacer import Pacer

T = TypeVar("T")

REAL_LIMIT_S = 10.0
PATIENCE_S = 0.15
LAST_WORDS_S = (0.05, 0.1, 0.2, 0.2)  # for the client's finally blocks, between interruptions
SLICE_S = 0.0002
HEARING_S = 0.2


def run(
    coroutine_function: Callable[[], Coroutine[Any, Any, T]],
    *,
    clock: VirtualClock,
    real_limit_s: float = REAL_LIMIT_S,
    patience_s: float = PATIENCE_S,
) -> T:
    """The coroutine's result; it runs on an event loop of its own, in which time is the clock's.

    Servers in the same loop, and blocking code in ``asyncio.to_thread``, share that time exactly. For a peer
    elsewhere (a thread of real time, a process) the clock stands still for ``patience_s`` real seconds before
    it takes the peer's silence for a wait. ``real_limit_s`` are seconds of a machine that has nothing else to do.
    """
    _refuse_nesting()
    _check(real_limit_s=real_limit_s, patience_s=patience_s)
    return _Run(coroutine_function, clock=clock, real_limit_s=real_limit_s, patience_s=patience_s).result()


def run_sync(
    function: Callable[[], T],
    *,
    clock: VirtualClock,
    real_limit_s: float = REAL_LIMIT_S,
    patience_s: float = PATIENCE_S,
) -> T:
    """``run`` for a blocking function: sleeps, socket timeouts and waits of its threads pass on the clock."""

    async def in_thread() -> T:
        return await asyncio.to_thread(function)

    return run(in_thread, clock=clock, real_limit_s=real_limit_s, patience_s=patience_s)


@contextmanager
def outlasting() -> Iterator[None]:
    """The calling thread, in which a loop of the client's runs, is not ended with a verdict: who started it has it end in order."""
    pacer, ident = members.current(), get_ident()
    if pacer is None:
        yield
        return
    pacer.outlasting.add(ident)
    try:
        yield
    finally:
        pacer.outlasting.discard(ident)


class _Run(Generic[T]):
    """One run: the calling thread keeps the bound, so that the client's may get stuck in any way."""

    def __init__(
        self,
        coroutine_function: Callable[[], Coroutine[Any, Any, T]],
        *,
        clock: VirtualClock,
        real_limit_s: float,
        patience_s: float,
    ) -> None:
        self._coroutine_function = coroutine_function
        self._clock = clock
        self._real_limit_s = real_limit_s
        self._pacer = Pacer(clock, patience_s=patience_s)
        self._done = real.allocate_lock()
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._ended = False

    def result(self) -> T:
        with ExitStack() as undo:
            undo.callback(self._pacer.close)
            self._clock.drive(self._pacer)
            undo.callback(self._clock.drive, None)
            patches.install()
            undo.callback(patches.restore)
            self._attend()
        if self._pacer.verdict is not None:
            raise self._pacer.verdict from (None if isinstance(self._error, Abort) else self._error)
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _attend(self) -> None:
        context = contextvars.copy_context()
        self._pacer.attendant = threading.get_native_id()
        self._done.acquire()
        host = threading.Thread(target=context.run, args=(self._host,), daemon=True, name="virtual-time")
        try:
            host.start()  # which waits for it to have begun: an interruption may come then too
            if not self._is_done_within(self._real_limit_s):
                self._interrupt(RealTimeExceeded(self._complaint()))
            self._is_gone_within(LAST_WORDS_S[0])
        except BaseException as error:  # Ctrl-C in the calling thread
            self._interrupt(RealTimeExceeded(f"interrupted by {type(error).__name__}"))
            raise
        finally:
            members.expel(self._pacer)
        if self._ended:
            host.join()

    def _is_done_within(self, seconds: float) -> bool:
        """In slices: a signal that comes just before a wait is heard only after it."""
        first_s = min(HEARING_S, seconds)
        if self._done.acquire(timeout=first_s):
            return True
        bound = _Bound(seconds - first_s)
        while not bound.is_reached():
            if self._done.acquire(timeout=min(HEARING_S, bound.left_s)):
                return True
        return False

    def _interrupt(self, verdict: RealTimeExceeded) -> None:
        """Whoever waits is told by the pacer; others get an exception, again and again, or are left behind."""
        self._pacer.abort(verdict)
        for attempt, last_words_s in enumerate(LAST_WORDS_S):
            if self._is_gone_within(last_words_s):
                return
            for ident in members.idents(self._pacer):
                if ident in self._pacer.outlasting and attempt <= 1:
                    continue
                if ident != self._pacer.loop_ident or self._pacer.claim() or attempt > 1:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Abort))
        self._is_gone_within(LAST_WORDS_S[-1])
        self._pacer.finish()

    def _is_gone_within(self, seconds: float) -> bool:
        bound: _Bound | None = None
        while not (self._ended and self._pacer.is_quiet):
            bound = bound or _Bound(seconds)
            if bound.is_reached():
                return False
            real.sleep(SLICE_S)
        return True

    def _complaint(self) -> str:
        idents = set(members.idents(self._pacer))
        if self._pacer.dispatching:  # the loop's thread only waits for the others
            idents.discard(self._pacer.loop_ident)
        at = places.of_threads(idents) or self._pacer.whereabouts()
        return (
            f"still running after {self._real_limit_s:g} s of real time and {self._clock.now_s:g} s on its clock, "
            f"at {'; '.join(dict.fromkeys(at)) or 'a place unknown'}"
        )

    def _host(self) -> None:
        pacer = self._pacer
        pacer.loop_ident = threading.get_ident()
        members.enrol(pacer)
        try:
            self._drive_loop()
        except BaseException as error:  # noqa: BLE001  # as above
            self._error = self._error or error
        finally:
            pacer.notify = _nobody
            pacer.finish()
            members.leave()
            self._ended = True
            self._done.release()

    def _drive_loop(self) -> None:
        loop = VirtualLoop(self._pacer)
        self._pacer.whereabouts = lambda: places.of_tasks(loop)
        try:
            self._results.append(loop.run_until_complete(self._coroutine_function()))
        except BaseException as error:  # noqa: BLE001  # whatever it is, the caller gets it
            self._error = error
        finally:
            self._pacer.claim()
            wind_down(loop)


class _Bound:
    """Real seconds, but for those in which others had the machine."""

    def __init__(self, seconds: float) -> None:
        self._began_s, self._held_up_s = real.monotonic(), members.held_up_s()
        self._end_s = self._began_s + seconds

    @property
    def left_s(self) -> float:
        return max(0.0, self._end_s - real.monotonic())

    def is_reached(self) -> bool:
        now_s = real.monotonic()
        if now_s < self._end_s:
            return False
        held_up_s = members.held_up_s()
        self._end_s += max(0.0, min(held_up_s - self._held_up_s, now_s - self._began_s))
        self._began_s, self._held_up_s = now_s, held_up_s
        return now_s >= self._end_s


def _check(**seconds: float) -> None:
    for name, value in seconds.items():
        if not 0 < value <= threading.TIMEOUT_MAX:
            raise ValueError(f"{name} must be a positive, finite number of seconds, not {value!r}")


def _refuse_nesting() -> None:
    if members.current() is not None:
        raise NestedRun("this thread is in virtual time already: a run cannot be started inside another")
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise NestedRun(
        "an event loop is running in this thread, and a run would block it: call run from plain code"
    )


def _nobody() -> None:
    """The loop is gone."""
