"""An error's trace has what Python's own has, but for the marks."""

import re
import traceback
from collections.abc import Callable

import pytest

from harness.client.traces import trace_of


def chained() -> None:
    try:
        raise KeyError("the first")
    except KeyError as first:
        raise ValueError("the second") from first


def followed() -> None:
    try:
        chained()
    except ValueError:
        raise OSError(7, "the third")  # noqa: B904 - what this is about


def silenced() -> None:
    try:
        chained()
    except ValueError:
        raise OSError("alone") from None


def noted() -> None:
    error = RuntimeError("with a note")
    error.add_note("the note")
    raise error


def circular() -> None:
    first, second = KeyError("one"), ValueError("two")
    first.__context__, second.__context__ = second, first
    raise first


@pytest.mark.parametrize("fail", [chained, followed, silenced, noted, circular], ids=lambda fail: fail.__name__)
def test_a_trace_reads_as_pythons_own_without_its_marks(fail: Callable[[], None]) -> None:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - several
        fail()
    own = "".join(traceback.format_exception(caught.value))
    assert trace_of(caught.value) == re.sub(r"^ +[~^]+\n", "", own, flags=re.MULTILINE)


def test_a_group_names_what_is_in_it() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        raise ExceptionGroup("several", [ValueError("inner one"), KeyError("inner two")])
    told = trace_of(caught.value)
    assert all(text in told for text in ("several (2 sub-exceptions)", "ValueError: inner one", "KeyError: 'inner two'"))
