"""Which threads live in virtual time, and in whose run; every other thread keeps the real one."""

import time
from _thread import get_ident, get_native_id
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.wire.clock.pacer import Pacer

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


def any_runs(pacer: "Pacer", *, besides: int) -> bool:
    """Whether a thread of a run but one is ready to run, although a busy machine may not let it; False where that is not told."""
    natives = [_natives[ident] for ident in idents(pacer) if ident != besides]
    return any(_state(native) == "R" for native in natives)


def _state(native: int) -> str:
    try:
        return Path(f"/proc/self/task/{native}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


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
