"""Says where in its code a client is, for the message of a run that had to be ended."""

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

_OWN = str(Path(__file__).parent)
_STDLIB = str(Path(os.__file__).parent)


def of_threads(idents: Iterable[int]) -> list[str]:
    """The place of each thread in the innermost code that is its author's."""
    frames = sys._current_frames()
    return [place for ident in idents if (place := _place(_outward(frames.get(ident))))]


def of_tasks(loop: asyncio.AbstractEventLoop) -> list[str]:
    """The place at which each unfinished task of the loop is suspended."""
    chains = [[*_inward(task.get_coro())] for task in asyncio.all_tasks(loop)]
    return [place for chain in chains if (place := _place(reversed(chain)))]


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


def _place(innermost_first: Iterable[FrameType]) -> str | None:
    frame = next((frame for frame in innermost_first if _is_the_authors(frame)), None)
    return frame and f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


def _is_the_authors(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    return not path.startswith(_OWN) and (
        "site-packages" in path or not path.startswith((_STDLIB, "<frozen"))
    )
