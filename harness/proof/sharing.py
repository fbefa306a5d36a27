"""Shares work among forked processes: what a task closes over is there already, and only results travel."""

import gc
import multiprocessing
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.util import Finalize
from typing import Generic, TypeVar, cast

T = TypeVar("T")
Task = Callable[[], T]

_tasks: Sequence[Task[object]] = ()


class Sharing(Generic[T]):
    """Runs tasks in so many processes, or in this one where there is one only or none can be forked.

    ``parting`` is called in each process when it is done: what it has opened, it closes.
    """

    def __init__(self, workers: int, *, parting: Callable[[], None]) -> None:
        self._workers = workers if "fork" in multiprocessing.get_all_start_methods() else 1
        self._parting = parting

    def results(self, tasks: Sequence[Task[T]]) -> Iterator[tuple[int, T]]:
        """Each task's number and result, as they come; what can't travel is made here."""
        if self._workers < 2 or len(tasks) < 2:
            yield from ((number, task()) for number, task in enumerate(tasks))
            return
        global _tasks  # noqa: PLW0603 - the way into a forked process, which is made from this one as it is now
        _tasks = tasks
        context = multiprocessing.get_context("fork")
        try:
            with ProcessPoolExecutor(self._workers, context, initializer=_begin, initargs=(self._parting,)) as pool:
                asked = {pool.submit(_done, number): number for number in range(len(tasks))}
                for future in as_completed(asked):
                    number, packed = asked.pop(future), future.result()
                    yield number, tasks[number]() if packed is None else cast(T, pickle.loads(packed))  # noqa: S301 - from our own process
        finally:
            _tasks = ()


def _begin(parting: Callable[[], None]) -> None:
    gc.freeze()  # what was there before lasts as long as the process: looking for garbage in it costs time, and copies its pages
    Finalize(None, parting, exitpriority=1)


def _done(number: int) -> bytes | None:
    """The result of a task, packed; None when it can't be."""
    result = _tasks[number]()
    try:
        return pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, TypeError, AttributeError):
        return None
