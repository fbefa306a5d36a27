"""Searches that are asked at the same time, given to the engine together: it then reads its vectors once for all of them.

A search that is alone is asked at once; those that come meanwhile are the next bundle.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from threading import Lock
from time import perf_counter, sleep
from typing import Final

from harness.provider.qdrant_engine.answers import Answer
from harness.provider.qdrant_engine.collection import Ask, Found
from harness.provider.qdrant_engine.errors import Kind, Refused

MOST: Final = 16  # of 2048 components, among 5,000 points, more gain nothing; and each waits for all of them
PAUSE_S: Final = 0.0002  # in which a thread reads a request
WORTH_S: Final = 5 * PAUSE_S
AskAll = Callable[[str, Sequence[Ask]], list[Found]]
logger = logging.getLogger("harness.qdrant")


def brought(found: Found) -> list[Answer]:
    """What a search brought; its refusal is raised."""
    if isinstance(found, Refused):
        raise found
    return found


class _Waiting:
    """A search that waits for its turn."""

    __slots__ = ("ask", "found", "name")

    def __init__(self, name: str, ask: Ask) -> None:
        self.name = name
        self.ask = ask
        self.found: Found | None = None


class ThreadQueue:
    """Searches of several threads: the one whose turn it is asks for all that wait."""

    def __init__(self, ask_all: AskAll) -> None:
        self._ask_all = ask_all
        self._waiting: deque[_Waiting] = deque()
        self._turn = Lock()
        self._took_s = 0.0  # the last bundle

    def found(self, name: str, ask: Ask) -> Found:
        mine = _Waiting(name, ask)
        self._waiting.append(mine)
        alone = self._turn.acquire(blocking=False)
        if not alone:
            self._turn.acquire()
        try:
            if not alone and mine.found is None and self._took_s > WORTH_S:
                self._let_others_come()
            while mine.found is None:
                self._serve()
        finally:
            self._turn.release()
        return mine.found

    def _let_others_come(self) -> None:
        """The engine has held Python's lock until now, so what came meanwhile has not been read yet."""
        known = 0
        while known < len(self._waiting) < MOST:
            known = len(self._waiting)
            sleep(PAUSE_S)

    def _serve(self) -> None:
        bundle = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        began_s = perf_counter()
        _serve(bundle, self._ask_all)
        self._took_s = perf_counter() - began_s


class LoopQueue:
    """Searches of one event loop: all that came in a turn of it are asked for at the beginning of its next."""

    def __init__(self, ask_all: AskAll) -> None:
        self._ask_all = ask_all
        self._waiting: deque[tuple[_Waiting, asyncio.Future[Found]]] = deque()

    def found(self, name: str, ask: Ask) -> "asyncio.Future[Found]":
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._serve)
        future: asyncio.Future[Found] = loop.create_future()
        self._waiting.append((_Waiting(name, ask), future))
        return future

    def _serve(self) -> None:
        bundle = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._serve)
        wanted = [(waiting, future) for waiting, future in bundle if not future.done()]  # a client that left has cancelled its own
        _serve([waiting for waiting, _ in wanted], self._ask_all)
        for waiting, future in wanted:
            assert waiting.found is not None
            future.set_result(waiting.found)


def _serve(waiting: list[_Waiting], ask_all: AskAll) -> None:
    """All of them get an answer, whatever happens."""
    for name, group in groupby(waiting, key=lambda each: each.name):
        together = list(group)
        for each, found in zip(together, _asked(name, together, ask_all), strict=True):
            each.found = found


def _asked(name: str, together: list[_Waiting], ask_all: AskAll) -> Sequence[Found]:
    try:
        return ask_all(name, [each.ask for each in together])
    except Refused as refusal:  # there is no such collection
        return [Refused(refusal.kind, refusal.detail) for _ in together]
    except Exception as error:
        logger.exception("no answer to a search of %s", name)
        return [Refused(Kind.INTERNAL, f"{type(error).__name__}: the log of the server says more") for _ in together]
