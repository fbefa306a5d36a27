"""Which threads live in virtual time, and in whose run; every other thread keeps the real one."""

from _thread import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.wire.clock.pacer import Pacer

_pacers: "dict[int, Pacer]" = {}


def current() -> "Pacer | None":
    """The pacer of the run that the calling thread belongs to, or None for a thread in real time."""
    pacer = _pacers.get(get_ident())
    return None if pacer is None or pacer.closed else pacer


def enrol(pacer: "Pacer") -> None:
    _pacers[get_ident()] = pacer


def leave() -> "Pacer | None":
    """Take the calling thread back to real time; returns the run that it belonged to."""
    return _pacers.pop(get_ident(), None)


def idents(pacer: "Pacer") -> list[int]:
    return [ident for ident, owner in list(_pacers.items()) if owner is pacer]
