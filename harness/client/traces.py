"""An error as Python prints it, told without parsing any code."""

import traceback


def trace_of(error: BaseException) -> str:
    """The error as Python prints it, but for the marks below the lines: to place them, Python 3.11 parses each line anew.

    That takes long, and is told in the middle of a client's work: there it may come between another thread's parsing,
    or, from the garbage collector, between this one's, and that Python does not bear either.
    """
    told = traceback.TracebackException.from_exception(error)
    _unmark(told)
    return "".join(told.format())


def _unmark(told: traceback.TracebackException | None) -> None:
    if told is None:
        return
    for frame in told.stack:
        frame.colno = frame.end_colno = None
    for inner in (told.__cause__, told.__context__, *(told.exceptions or ())):
        _unmark(inner)
