"""The clock that a client sees while the harness drives it, and the waits it was seen to make."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.wire.clock import real

if TYPE_CHECKING:
    from harness.wire.clock.pacer import Pacer

START_OF_2026_S = 1_767_225_600.0
SECOND_NS = 1_000_000_000
OUTSIDE_STEP_S = 0.004
BOOT_NS = 1024 * SECOND_NS  # time.monotonic() is never 0 on a real machine: nothing may take it for "unset"


class Stalled(Exception):
    """Everything in the run waits for something that no timer and no peer will bring: a hang, found at once."""


class RealTimeExceeded(Exception):
    """The run used up its bound of real seconds: it busy-waits, or blocks where the clock cannot reach."""


class OutOfReach(Exception):
    """The client waits in real time, where the clock does not reach: what it would do in its own time is not known."""


class NestedRun(RuntimeError):
    """A run was started where another one already drives the thread, the event loop or the clock."""


class Abort(SystemExit):
    """Raised inside the client's threads to end them; not an Exception, so that no retry swallows it."""


class Means(StrEnum):
    """The call by which a thread or task waited."""

    ASYNC_SLEEP = "asyncio.sleep"
    SLEEP = "time.sleep"
    TIMER = "loop timer"
    THREADING = "threading"
    SOCKET = "socket timeout"
    SELECT = "select"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Seconds that passed on the clock because somebody waited for just that; ``at_s`` is when it began."""

    at_s: float
    seconds: float
    by: Means


def to_ns(seconds: float) -> int:
    """Whole nanoseconds; a positive wait is never rounded to none, or a loop on it would not end."""
    return max(1, round(seconds * SECOND_NS)) if seconds > 0 else 0


class VirtualClock:
    """Seconds that pass only when a run, or ``advance``, lets them; counted in whole nanoseconds, so exact."""

    def __init__(self, *, start_epoch_s: float = START_OF_2026_S) -> None:
        if not math.isfinite(start_epoch_s):
            raise ValueError(f"start_epoch_s must be a finite number of seconds, not {start_epoch_s!r}")
        self._start_ns = round(start_epoch_s * SECOND_NS)
        self._now_ns = 0
        self._pacer: Pacer | None = None
        self.waits: list[Wait] = []
        self.outside_waits: Callable[[], bool] | None = None  # tells whether a process outside can do nothing but wait
        self.outside_step_s = OUTSIDE_STEP_S  # real seconds between two looks at it
        self.outside_used_s: Callable[[], float] = real.used_s  # of the processor, by what is outside: it may be held up for long

    @property
    def now_ns(self) -> int:
        return self._now_ns

    @property
    def now_s(self) -> float:
        """Seconds since the clock was made."""
        return self._now_ns / SECOND_NS

    def wall(self) -> float:
        """Seconds since the epoch, as ``time.time()`` gives them to the client."""
        return self.wall_ns() / SECOND_NS

    def wall_ns(self) -> int:
        return self._start_ns + self._now_ns

    def monotonic(self) -> float:
        """What ``time.monotonic()`` and the event loop's ``time()`` give to the client."""
        return self.monotonic_ns() / SECOND_NS

    def monotonic_ns(self) -> int:
        return BOOT_NS + self._now_ns

    def advance(self, seconds: float) -> None:
        """Let time pass without recording a wait.

        Outside a run at once. In a run the calling thread, a server's for instance, is held until the client
        can do nothing but wait and this much time has passed for it: a timeout of the client's comes first
        when it is shorter.
        """
        if not math.isfinite(seconds) or seconds < 0:
            raise ValueError(f"a clock advances by a finite number of seconds >= 0, not {seconds!r}")
        if self._pacer is None:
            self._now_ns += to_ns(seconds)
        elif seconds > 0:
            self._pacer.wait(deadline_ns=self._now_ns + to_ns(seconds))

    async def elapse(self, seconds: float) -> None:
        """``advance`` for a coroutine in the run's own event loop, such as a server that answers late."""
        loop = asyncio.get_running_loop()
        passed = loop.create_future()
        timer = loop.call_later(seconds, wake_unrecorded, passed)
        try:
            await passed
        finally:
            timer.cancel()

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Make this thread (a server's, for one) part of the run: it sees its time, which waits for its work."""
        pacer = self._pacer
        if pacer is None:
            yield
        else:
            with pacer.lent():
                yield

    @property
    def passed_by(self) -> str:
        """Where a thread is that the clock has just passed by: it waits where no patch reaches. Empty for none."""
        return self._pacer.passed_by() if self._pacer is not None else ""

    def stop(self, verdict: Exception) -> None:
        """End the run that this clock is driven by, with this verdict; nothing outside of a run."""
        if self._pacer is not None:
            self._pacer.abort(verdict)

    def record(self, *, since_ns: int, by: Means) -> None:
        """Note that somebody waited from ``since_ns`` until now."""
        if (passed_ns := self._now_ns - since_ns) > 0:
            self.waits.append(Wait(at_s=since_ns / SECOND_NS, seconds=passed_ns / SECOND_NS, by=by))

    def move_to(self, now_ns: int) -> None:
        """For the pacer of a run only: time never goes back."""
        self._now_ns = max(self._now_ns, now_ns)

    def drive(self, pacer: "Pacer | None") -> None:
        """For a run only: take hold of the clock, or let go of it with None."""
        if pacer is not None and self._pacer is not None:
            raise NestedRun("this clock is driven by another run already: give each run a clock of its own")
        self._pacer = pacer


def wake_unrecorded(passed: "asyncio.Future[None]") -> None:
    if not passed.done():
        passed.set_result(None)
