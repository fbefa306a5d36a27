"""Says where in its code a client is, for the message of a run that had to be ended."""

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

_OWN = os.path.dirname(__file__)
_STDLIB = os.path.dirname(os.__file__)


def of_threads(idents: Iterable[int]) -> list[str]:
    """The place of each thread in the innermost code that somebody wrote for it."""
    frames = sys._current_frames()
    return [_telling([*_outward(frames[ident])]) for ident in idents if ident in frames]


def of_tasks(loop: asyncio.AbstractEventLoop) -> list[str]:
    """The place at which each unfinished task of the loop is suspended."""
    chains = [[*_inward(task.get_coro())] for task in asyncio.all_tasks(loop)]
    return [_telling(chain[::-1]) for chain in chains if chain]


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _inward(awaited: Any) -> Iterator[FrameType]:
    """Follows the chain of awaits."""
    while awaited is not None:
        if frame := getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None):
            yield frame
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)


def _telling(innermost_first: list[FrameType]) -> str:
    frame = next((frame for frame in innermost_first if _is_written_for_it(frame)), innermost_first[0])
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def _is_written_for_it(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    return not path.startswith(_OWN) and (
        "site-packages" in path or not path.startswith((_STDLIB, "<frozen"))
    )
