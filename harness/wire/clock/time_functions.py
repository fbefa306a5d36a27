"""Stand-ins for what Python code reads the time from; in a thread of no run each is the original."""

import ctypes
import datetime as datetime_module
import functools
import gc
import math
import time
from collections.abc import Callable
from typing import Any, SupportsIndex

from harness.wire.clock.members import current
from harness.wire.clock.model import Means, VirtualClock, to_ns

Function = Callable[..., Any]


class StandIn:
    """Called like the built-in it stands for; being no function either, it is no method on a class."""

    def __init__(self, original: Function, call: Function) -> None:
        self.__call = call
        functools.update_wrapper(self, original)

    def __call__(self, *args: Any) -> Any:
        return self.__call(*args)

    def __repr__(self) -> str:
        return f"<virtual {self.__wrapped__!r}>"  # type: ignore[attr-defined]  # set by update_wrapper


def _reading(original: Function, read: Callable[[VirtualClock], float]) -> Function:
    def replacement() -> float:
        pacer = current()
        return original() if pacer is None else read(pacer.clock)

    return StandIn(original, replacement)


def _breaking_down(original: Function) -> Function:
    def replacement(*seconds: float | None) -> time.struct_time:
        pacer = current()
        if pacer is not None and (not seconds or seconds[0] is None):
            seconds = (pacer.clock.wall(),)
        return original(*seconds)  # type: ignore[no-any-return]  # as the original

    return StandIn(original, replacement)


_sleep = time.sleep


def _virtual_sleep(seconds: float, /) -> None:
    pacer = current()
    if pacer is None or not isinstance(seconds, SupportsIndex | float) or not 0 < seconds < math.inf:
        _sleep(seconds)  # which also words the refusal of what is not a number of seconds
        return
    since_ns = pacer.clock.now_ns
    pacer.wait(deadline_ns=since_ns + to_ns(seconds))
    pacer.clock.record(since_ns=since_ns, by=Means.SLEEP)


REPLACEMENTS: dict[Function, Function] = {
    time.time: _reading(time.time, VirtualClock.wall),
    time.time_ns: _reading(time.time_ns, VirtualClock.wall_ns),
    time.monotonic: _reading(time.monotonic, VirtualClock.monotonic),
    time.monotonic_ns: _reading(time.monotonic_ns, VirtualClock.monotonic_ns),
    time.perf_counter: _reading(time.perf_counter, VirtualClock.monotonic),
    time.perf_counter_ns: _reading(time.perf_counter_ns, VirtualClock.monotonic_ns),
    time.gmtime: _breaking_down(time.gmtime),
    time.localtime: _breaking_down(time.localtime),
    time.sleep: StandIn(time.sleep, _virtual_sleep),
}


_now = datetime_module.datetime.__dict__["now"]
_utcnow = datetime_module.datetime.__dict__["utcnow"]


def _virtual_now(
    cls: type[datetime_module.datetime], tz: datetime_module.tzinfo | None = None
) -> datetime_module.datetime:
    pacer = current()
    if pacer is None:
        return _now.__get__(None, cls)(tz)  # type: ignore[no-any-return]  # a datetime
    return cls.fromtimestamp(pacer.clock.wall(), tz)


def _virtual_utcnow(cls: type[datetime_module.datetime]) -> datetime_module.datetime:
    pacer = current()
    if pacer is None:
        return _utcnow.__get__(None, cls)()  # type: ignore[no-any-return]  # a datetime
    return cls.fromtimestamp(pacer.clock.wall(), datetime_module.UTC).replace(tzinfo=None)


def replace_datetime() -> Callable[[], None]:
    """Replace ``datetime.now`` and ``utcnow`` inside the class itself; returns what puts them back.

    The class object stays the same, so isinstance, pickles, subclasses and annotations are not disturbed. Its
    attributes are read-only to Python code, hence the way through the garbage collector to its dictionary.
    """
    (attributes,) = gc.get_referents(datetime_module.datetime.__dict__)

    def put(now: object, utcnow: object) -> None:
        attributes["now"], attributes["utcnow"] = now, utcnow
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime_module.datetime))

    put(classmethod(_virtual_now), classmethod(_virtual_utcnow))
    return lambda: put(_now, _utcnow)
