"""An error as Python prints it, told without parsing any code."""

import traceback
from collections.abc import Iterator

BETWEEN = {
    "cause": "\nThe above exception was the direct cause of the following exception:\n\n",
    "context": "\nDuring handling of the above exception, another exception occurred:\n\n",
}


def trace_of(error: BaseException) -> str:
    """The error as Python prints it, but for the marks below the lines: to place them, Python 3.11 parses each line anew.

    That takes long, and is told in the middle of a client's work: there it may come between another thread's parsing,
    or, from the garbage collector, between this one's, and that Python does not bear either.
    """
    return "".join(_told(error, set()))


def _told(error: BaseException, known: set[int]) -> Iterator[str]:
    known.add(id(error))
    context = None if error.__suppress_context__ else error.__context__
    for how, earlier in (("cause", error.__cause__), ("context", context if error.__cause__ is None else None)):
        if earlier is not None and id(earlier) not in known:
            yield from _told(earlier, known)
            yield BETWEEN[how]
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        yield from traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__)).format()
    yield from traceback.format_exception_only(error)
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            if id(each) not in known:
                yield from _told(each, known)
