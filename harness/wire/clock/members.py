"""Which threads live in virtual time, and in whose run; every other thread keeps the real one."""

import time
from _thread import get_ident, get_native_id
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.wire.clock.pacer import Pacer

TASKS = Path("/proc/self/task")
WORKING = ("R", "D")  # on a processor or waiting for one, or for a disk

_pacers: "dict[int, Pacer]" = {}
_natives: dict[int, int] = {}


def current() -> "Pacer | None":
    """The pacer of the run that the calling thread belongs to, or None for a thread in real time."""
    return _pacers.get(get_ident())


def enrol(pacer: "Pacer") -> None:
    ident = get_ident()
    _natives[ident] = get_native_id()
    _pacers[ident] = pacer


def leave() -> None:
    """Take the calling thread back to real time."""
    _pacers.pop(get_ident(), None)


def expel(pacer: "Pacer") -> None:
    """Take every thread of an ended run back to real time."""
    for ident in idents(pacer):
        _pacers.pop(ident, None)


def idents(pacer: "Pacer") -> list[int]:
    return [ident for ident, owner in list(_pacers.items()) if owner is pacer]


def any_works(pacer: "Pacer", *, besides: int) -> bool:
    """Whether a thread of a run but one has something to do, although a busy machine may not let it; False where that is not told."""
    return any(_works(TASKS / str(_natives[ident])) for ident in idents(pacer) if ident != besides)


def others_work(*besides: int) -> bool:
    """Whether any other thread of this process has something to do, in a run or in real time; False where that is not told."""
    left_out = {str(native) for native in (*besides, get_native_id())}
    try:
        return any(_works(task) for task in TASKS.iterdir() if task.name not in left_out)
    except OSError:
        return False


def _works(task: Path) -> bool:
    try:
        return (task / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] in WORKING
    except (OSError, IndexError):
        return False  # it has just ended


def held_up_s() -> float:
    """How long other threads of this process have waited for a processor so far; 0 where that is not told."""
    own = str(get_native_id())
    try:
        return sum(_held_up_ns(task) for task in TASKS.iterdir() if task.name != own) / 1e9
    except OSError:
        return 0.0


def _held_up_ns(task: Path) -> int:
    try:
        return int((task / "schedstat").read_text("utf-8", "replace").split()[1])
    except (OSError, IndexError, ValueError):
        return 0  # it has just ended


def cpu_ns(pacer: "Pacer", *, besides: int) -> int | None:
    """What the threads of a run but one have used of the processor; None where the platform does not tell."""
    used_ns = 0
    for ident in idents(pacer):
        if ident == besides:
            continue
        clock_id = (
            ~_natives[ident] << 3
        ) | 6  # how Linux names the clock of any thread; an ended one is refused
        try:
            used_ns += time.clock_gettime_ns(clock_id)
        except (AttributeError, OSError):
            return None
    return used_ns
