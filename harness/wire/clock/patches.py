"""Puts the stand-ins where Python code looks for the originals while a run is on, and takes them back."""

import selectors
import socket
import sys
import threading
from _thread import allocate_lock
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from harness.wire.clock import references, socket_functions, thread_functions, time_functions
from harness.wire.clock.references import Undo

REPLACEMENTS: dict[Any, Any] = {
    **time_functions.REPLACEMENTS,
    **socket_functions.REPLACEMENTS,
    **thread_functions.REPLACEMENTS,
}
# Real time is right for these: they wait for other processes, or they are the harness and its host.
_LEFT_ALONE = {"subprocess", "multiprocessing", "pytest", "_pytest", "xdist", "execnet"}
_OWN = "harness.wire.clock"
_METHODS: tuple[tuple[Any, Mapping[str, object]], ...] = (
    (threading, thread_functions.LOCKS),
    (threading.Thread, thread_functions.METHODS),
    (socket.socket, socket_functions.METHODS),
    (selectors.DefaultSelector, socket_functions.SELECTOR_METHODS),
)
_ABSENT: Any = object()

_to_virtual = references.Table(REPLACEMENTS)
_to_real = references.Table({replacement: original for original, replacement in REPLACEMENTS.items()})
_lock = allocate_lock()
_runs = 0
_undo: list[Undo] = []
_scanned: dict[str, ModuleType] = {}
_captured: list[references.Reference] = []


def install() -> None:
    """Patch, unless another run already did; ``restore`` has to follow."""
    global _runs  # noqa: PLW0603 - the patches are of the process, so their count is too
    with _lock:
        if _runs == 0:
            try:
                _patch()
            except BaseException:
                _take_back()
                raise
        _runs += 1


def restore() -> None:
    """Take the patches back when the last run that needs them ends."""
    global _runs  # noqa: PLW0603 - the patches are of the process, so their count is too
    with _lock:
        _runs -= 1
        if _runs == 0:
            _take_back()


def _patch() -> None:
    for module in _newcomers():
        _captured.extend(_to_virtual.find(module))
    _undo.append(time_functions.replace_datetime())
    _undo.extend(_set(owner, name, method) for owner, methods in _METHODS for name, method in methods.items())
    _undo.extend(reference.swap() for reference in _captured)


def _take_back() -> None:
    while _undo:
        _undo.pop()()
    for module in _newcomers(remember=False):  # imported during the run, they caught the stand-ins
        for reference in _to_real.find(module):
            reference.swap()


def _newcomers(*, remember: bool = True) -> list[ModuleType]:
    """The modules that came since the last scan."""
    # Who comes stands last, who was put in another's place came with others: to compare all takes longer than many a run.
    if len(sys.modules) == len(_scanned) and next(reversed(sys.modules.items()), None) == next(reversed(_scanned.items()), None):
        return []
    present = sys.modules.copy()
    modules = {name: module for name, module in present.items() if _scanned.get(name) is not module}
    if remember:
        _scanned.clear()
        _scanned.update(present)
    return [module for name, module in modules.items() if not _is_left_alone(name)]


def _is_left_alone(name: str) -> bool:
    return name.partition(".")[0] in _LEFT_ALONE or name == _OWN or name.startswith(f"{_OWN}.")


def _set(owner: Any, name: str, value: object) -> Undo:
    """Set an attribute; what undoes it also removes one that was only inherited before."""
    before = vars(owner).get(name, _ABSENT)
    setattr(owner, name, value)
    return lambda: delattr(owner, name) if before is _ABSENT else setattr(owner, name, before)
