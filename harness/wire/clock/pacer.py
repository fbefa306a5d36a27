"""Decides when virtual time may pass: once every thread of the run waits and no traffic is on its way."""

import os
from _thread import get_ident
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from threading import Event, Thread
from typing import TypeVar

from harness.wire.clock import members, peers, places, real
from harness.wire.clock.model import Abort, Stalled, VirtualClock

T = TypeVar("T")

LOOPBACK_GRACE_S = 0.001  # the kernel's share in delivering what a socket of this process already sent
OUTSIDE_S = 5.0  # of the processor, that a process outside, or threads of real time, may use without a word
OUTSIDE_SEEN = 5  # times in a row that it has to be seen waiting
STALL_S = 0.1
STEP_S = 0.02
SLICE_S = 0.001
Watch = tuple[int, int]  # file descriptor and selectors.EVENT_* mask


class Reason(Enum):
    """Why a waiting thread goes on."""

    DUE = auto()
    READY = auto()
    RELEASED = auto()
    ENDED = auto()


class Parked:
    """One thread that waits: for a time, for descriptors, for a release, or for several of them."""

    __slots__ = ("counted", "deadline_ns", "descriptors", "gate", "outlasts", "reason")

    def __init__(self) -> None:
        self.counted = False
        self.outlasts = False
        self.deadline_ns: int | None = None
        self.descriptors: list[int] = []
        self.reason: Reason | None = None
        self.gate = real.allocate_lock()
        self.gate.acquire()


class Pacer:
    """The scheduler of one run; the thread of its event loop waits in ``dispatch``, all others in ``wait``."""

    def __init__(self, clock: VirtualClock, *, patience_s: float) -> None:
        self.clock = clock
        self.patience_s = patience_s
        self.verdict: Exception | None = None
        self.loop_ident = 0
        self.attendant = 0  # the native thread that waits for the end: it looks at its watch now and then, and that is no work
        self.notify: Callable[[], None] = lambda: None  # wakes the loop's thread out of a real wait
        self.whereabouts: Callable[[], list[str]] = list  # where the loop's tasks wait, for a message
        self.dispatching = False
        self.ends: dict[Thread, Event] = {}
        self.outlasting: set[int] = set()  # threads that are ended by whoever started them, and not by a verdict
        self.watched = real.RealSelector()
        self._lock = real.reentrant_lock()  # the garbage collector may release a waiting thread at any time
        self._parked: dict[Parked, None] = {}
        self._running = 0
        self._changes = 0
        self._aborting = False
        self._ending = False
        self._moved_while_busy = False
        self._idle = (0, 0, 0.0, 0.0)  # used by the run, changes, used by all when both were first seen so, and since when nobody works

    @property
    def is_quiet(self) -> bool:
        """Whether every thread of the run but the loop's waits or has ended."""
        return self._running <= 0

    # threads that come and go

    def begin(self) -> None:
        """Count one more thread that can act: time stands still for it."""
        with self._lock:
            self._running += 1
            self._changes += 1

    def end(self) -> None:
        with self._lock:
            self._running -= 1
            self._changes += 1
        self._nudge()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """The calling thread, one of real time, lives in the run for a while."""
        if members.current() is not None:
            yield
            return
        self.begin()
        members.enrol(self)
        try:
            yield
        finally:
            members.leave()
            self.end()

    # waiting

    def wait(
        self, *, deadline_ns: int | None, watch: Sequence[Watch] = (), parked: Parked | None = None
    ) -> Reason:
        """Block the calling thread until the deadline, a ready descriptor, or the release of ``parked``."""
        parked = parked or Parked()
        in_loop = get_ident() == self.loop_ident
        parked.deadline_ns = deadline_ns
        parked.counted = not in_loop and members.current() is self
        parked.outlasts = get_ident() in self.outlasting
        self._park(parked, watch, in_loop)
        reason = self._wait_in_loop(parked) if in_loop else self._wait_for_gate(parked)
        if reason is Reason.ENDED and (in_loop or parked.counted):  # a server's thread is not the client's
            raise Abort
        return reason

    def release(self, parked: Parked) -> None:
        """Let a thread go on that is parked, or about to be; from any thread, also one in real time."""
        with self._lock:
            self._wake(parked, Reason.RELEASED)
        self._nudge()

    def dispatch(
        self, poll: Callable[[float], T], *, deadline_ns: int | None, descriptors: Callable[[], Sequence[int]]
    ) -> T | None:
        """In the loop's thread: the first truthy ``poll(real seconds)``, or None at the deadline."""
        self.dispatching = True
        try:
            while True:
                self._raise_if_aborted()
                seen, busy = self._changes, not self.is_quiet
                if ready := poll(STEP_S if busy else 0.0):
                    return ready
                if self._changes != seen or (busy and not self._is_stuck()):
                    continue
                grace_s = 0.0 if busy else self._grace_s(descriptors())
                if grace_s and (given := self._given(grace_s, poll)):
                    return given
                if (busy or grace_s > LOOPBACK_GRACE_S) and (ready := poll(0.0)):  # sent just before its sender was seen to wait
                    return ready
                if self._move(seen, deadline_ns):
                    self._moved_while_busy = busy
                    if deadline_ns is not None and self.clock.now_ns >= deadline_ns:
                        return None
                elif self._changes == seen and not busy:
                    if given := self._heard(max(STALL_S, 10 * self.patience_s if grace_s > LOOPBACK_GRACE_S else 0), poll):
                        return given
                    if self._changes == seen:
                        self._stall()
        finally:
            self.dispatching = False

    def wake_ready(self, timeout_s: float = 0.0) -> None:
        """Wake the threads whose descriptors are ready, after at most this many real seconds."""
        if events := self.watched.select(timeout_s):
            with self._lock:
                for key, _ in events:
                    self._wake(key.data, Reason.READY)

    # the end

    def abort(self, verdict: Exception) -> None:
        """End the run with this verdict, from any thread."""
        with self._lock:
            self.verdict = self.verdict or verdict
            self._aborting = True
            for parked in [parked for parked in self._parked if not parked.outlasts]:
                self._wake(parked, Reason.ENDED)
        self.notify()

    def claim(self) -> bool:
        """Whether the loop's thread has still to hear of an abort; who asks first has to end it."""
        with self._lock:
            unheard, self._aborting = self._aborting, False
        return unheard

    def finish(self) -> None:
        """End threads that wait for a time or a peer, now or later; those idle in a queue stay as they are."""
        with self._lock:
            self._ending = True
            for parked in list(self._parked):
                if self._is_over_for(parked):
                    self._wake(parked, Reason.ENDED)

    def passed_by(self) -> str:
        """Where a thread is that did nothing when time was last let pass, though it did not wait for that."""
        idents = (ident for ident in members.idents(self) if ident != self.loop_ident)
        return "; ".join(dict.fromkeys(places.of_threads(idents))) if self._moved_while_busy else ""

    def close(self) -> None:
        self.watched.close()

    # inside the lock, or in the loop's thread

    def _park(self, parked: Parked, watch: Sequence[Watch], in_loop: bool) -> None:
        with self._lock:
            if parked.reason is not None:  # released before it could park
                return
            for descriptor, mask in watch:  # first: whoever sees the change may be sure that its descriptors are looked at
                self._watch(parked, descriptor, mask)
            self._parked[parked] = None
            self._running -= parked.counted
            self._changes += 1
            if not in_loop and self._is_over_for(parked):
                self._wake(parked, Reason.ENDED)

    def _is_over_for(self, parked: Parked) -> bool:
        timed = parked.deadline_ns is not None or bool(parked.descriptors)
        return (self.verdict is not None and not parked.outlasts) or (self._ending and timed)

    def _watch(self, parked: Parked, descriptor: int, mask: int) -> None:
        own = os.dup(descriptor)  # two threads may wait for one socket, and a third may close it
        parked.descriptors.append(own)
        self.watched.register(own, mask, parked)

    def _wake(self, parked: Parked, reason: Reason) -> None:
        if parked.reason is not None:
            return
        parked.reason = reason
        parked.gate.release()
        self._changes += 1
        if parked in self._parked:
            del self._parked[parked]
            self._running += parked.counted
            for descriptor in parked.descriptors:
                self.watched.unregister(descriptor)
                os.close(descriptor)

    def _move(self, seen: int, deadline_ns: int | None) -> bool:
        """Go to the next moment at which something is due, unless something happened since ``seen``."""
        with self._lock:
            if self._changes != seen:
                return False
            moments = [parked.deadline_ns for parked in self._parked if parked.deadline_ns is not None]
            if deadline_ns is not None:
                moments.append(deadline_ns)
            if not moments:
                return False
            self._changes += 1
            self.clock.move_to(min(moments))
            for parked in [parked for parked in self._parked if parked.deadline_ns is not None]:
                if parked.deadline_ns is not None and parked.deadline_ns <= self.clock.now_ns:
                    self._wake(parked, Reason.DUE)
            return True

    def _wait_for_gate(self, parked: Parked) -> Reason:
        if not self._running:
            self._nudge()
        parked.gate.acquire()
        return parked.reason or Reason.ENDED

    def _wait_in_loop(self, parked: Parked) -> Reason:
        def poll(timeout_s: float) -> Reason | None:
            seen, end_s = self._changes, real.monotonic() + timeout_s
            while True:
                self.wake_ready(min(SLICE_S, timeout_s))
                if parked.reason or self._changes != seen or real.monotonic() >= end_s:
                    return parked.reason

        try:
            return self.dispatch(poll, deadline_ns=None, descriptors=tuple) or Reason.ENDED
        finally:
            with self._lock:
                self._wake(parked, Reason.ENDED)
            if parked.reason is Reason.ENDED:
                self.claim()

    def _nudge(self) -> None:
        if self.dispatching:
            self.notify()

    def _grace_s(self, polled: Sequence[int]) -> float:
        watched = [descriptor for parked in list(self._parked) for descriptor in parked.descriptors]
        if not polled and not watched:
            return 0.0
        return self.patience_s if peers.any_outside(polled, watched) else LOOPBACK_GRACE_S

    def _given(self, grace_s: float, poll: Callable[[float], T]) -> T | None:
        """What traffic comes within so many real seconds, or until a process outside is seen to wait, if that can be seen."""
        outside_waits = self.clock.outside_waits
        if grace_s <= LOOPBACK_GRACE_S:
            return poll(grace_s)
        if outside_waits is None:
            return self._heard(grace_s, poll)
        seen, end_s = 0, self.clock.outside_used_s() + OUTSIDE_S
        while seen < OUTSIDE_SEEN and self.clock.outside_used_s() < end_s:
            if ready := poll(self.clock.outside_step_s):
                return ready
            seen = seen + 1 if outside_waits() else 0
        return None

    def _heard(self, seconds: float, poll: Callable[[float], T]) -> T | None:
        """What comes within so many real seconds, or later, from threads of this process that a busy machine holds up."""
        ready: T | None = poll(seconds)
        end_s = real.used_s() + OUTSIDE_S
        while not ready and members.others_work(self.attendant) and real.used_s() < end_s:
            ready = poll(STEP_S)
        return ready

    def _is_stuck(self) -> bool:
        """Whether the threads that could act have not, for as long as a peer outside is given.

        They wait where no patch reaches: for a lock that a sleeping thread holds, in a library's own poll.
        """
        used_ns, changes, begun_s, still_s = self._idle
        now_s, now_used_ns = real.monotonic(), members.cpu_ns(self, besides=self.loop_ident)
        if now_used_ns is None or (now_used_ns, self._changes) != (used_ns, changes):
            self._idle = (now_used_ns or 0, self._changes, real.used_s(), now_s)
            return False
        waits_for_others = real.used_s() - begun_s < OUTSIDE_S and members.others_work(self.attendant)
        if waits_for_others or members.any_works(self, besides=self.loop_ident):
            self._idle = (used_ns, changes, begun_s, now_s)
            return False
        return now_s - still_s >= self.patience_s

    def _raise_if_aborted(self) -> None:
        if self._aborting and self.claim():
            raise Abort

    def _stall(self) -> None:
        threads = places.of_threads(ident for ident in members.idents(self) if ident != self.loop_ident)
        where = "; ".join(dict.fromkeys([*self.whereabouts(), *threads]))
        self.abort(Stalled(f"all of it waits, and no timer or traffic will end that: {where}"))
        self._raise_if_aborted()
