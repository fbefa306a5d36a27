"""Threads and their conditions in virtual time: who is started in a run belongs to it, and waits in it."""

import queue
import threading
from _thread import get_ident
from collections.abc import Callable
from types import GenericAlias
from typing import Any

from harness.wire.clock import members, real
from harness.wire.clock.model import Abort, Means, to_ns
from harness.wire.clock.pacer import Pacer, Parked, Reason

_start = threading.Thread.start
_join = threading.Thread.join
_simple_queue = queue.SimpleQueue


class Waiter:
    """The lock on which ``threading.Condition`` lets a thread wait; with it Event, Queue and Future do."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._parked = Parked()
        self._held = False
        self._released = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Taken at once the first time; the second one waits for ``release``, as of a lock."""
        if not self._held:
            self._held = True
            return True
        if not self._released and blocking:
            self._wait(None if timeout < 0 else timeout)
        return self._released

    def release(self) -> None:
        if self._released:
            raise RuntimeError("release unlocked lock")
        self._released = True
        self._pacer.release(self._parked)

    def _wait(self, timeout_s: float | None) -> None:
        since_ns = self._pacer.clock.now_ns
        deadline_ns = None if timeout_s is None else since_ns + to_ns(timeout_s)
        if self._pacer.wait(deadline_ns=deadline_ns, parked=self._parked) is Reason.DUE:
            self._pacer.clock.record(since_ns=since_ns, by=Means.THREADING)


def _allocate_lock() -> Any:
    pacer = members.current()
    return real.allocate_lock() if pacer is None else Waiter(pacer)


def _virtual_start(self: threading.Thread) -> None:
    pacer = members.current()
    if pacer is None:
        _start(self)
        return
    members.leave()  # the start itself waits for the new thread, in real time
    pacer.begin()
    pacer.ends[self] = threading.Event()
    self.run = _adopted(pacer, self, self.run)  # type: ignore[method-assign]  # for this thread only
    try:
        _start(self)
    except BaseException:
        del self.run, pacer.ends[self]
        pacer.end()
        raise
    finally:
        members.enrol(pacer)


def _adopted(pacer: Pacer, thread: threading.Thread, run: Callable[[], None]) -> Callable[[], None]:
    def work() -> None:
        members.enrol(pacer)
        try:
            run()
        except Abort:
            return
        finally:
            members.leave()
            del thread.run
            pacer.ends.pop(thread).set()
            pacer.end()

    return work


def _virtual_join(self: threading.Thread, timeout: float | None = None) -> None:
    pacer = members.current()
    ended = pacer.ends.get(self) if pacer is not None and self.ident != get_ident() else None
    if ended is None or ended.wait(timeout):
        _join(self, timeout)


class _SimpleQueue:
    """The C queue waits where no patch reaches; in a run its Python twin, built on Condition, serves."""

    __class_getitem__: Any = classmethod(GenericAlias)

    def __new__(cls) -> Any:
        twin = getattr(queue, "_PySimpleQueue")  # noqa: B009  # private to queue, and not in typeshed
        return _simple_queue() if members.current() is None else twin()


METHODS = {"start": _virtual_start, "join": _virtual_join}
REPLACEMENTS: dict[Any, Any] = {queue.SimpleQueue: _SimpleQueue}
LOCKS = {"_allocate_lock": _allocate_lock}
