"""All that a client shows to whoever looks on: log records, output, warnings, its own representation."""

import io
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from harness.client.traces import trace_of

STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
OWN = "harness"


class Overheard:
    """Keeps what is shown while ``listening``, so that it can be searched for a credential."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def since(self, mark: int) -> list[str]:
        """What was shown after so many lines."""
        return self.lines[mark:]

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Every record of every logger, down to DEBUG, and everything printed; what is printed is still printed."""
        factory, root, before = logging.getLogRecordFactory(), logging.getLogger(), logging.getLogger().level
        handlers = root.handlers[:]
        out, err = sys.stdout, sys.stderr

        def note(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = factory(*args, **kwargs)
            self._log(record)
            return record

        logging.setLogRecordFactory(note)
        root.setLevel(logging.DEBUG)
        root.handlers[:] = [quiet := logging.NullHandler()]  # what is noted need not be written elsewhere, which takes longer
        sys.stdout, sys.stderr = _Tee(out, self.lines), _Tee(err, self.lines)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                warnings.showwarning = self._warn  # type: ignore[assignment]  # takes less than a warning has
                yield
        finally:
            sys.stdout, sys.stderr = out, err
            root.handlers[:] = [*handlers, *(added for added in root.handlers if added is not quiet)]
            root.setLevel(before)
            logging.setLogRecordFactory(factory)

    def _warn(self, message: Any, category: Any, *_: Any) -> None:
        self.lines.append(f"{category.__name__}: {message}")

    def _log(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] == OWN:
            return
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            text = f"{record.msg} {record.args}"
        extra = [f"{name}={value}" for name, value in vars(record).items() if name not in STANDARD]
        error = record.exc_info[1] if record.exc_info else None
        self.lines.append(" ".join((text, *extra, *([trace_of(error)] if error else []))))


class _Tee(io.TextIOBase):
    """A stream that is also noted."""

    def __init__(self, stream: TextIO, lines: list[str]) -> None:
        self._stream = stream
        self._lines = lines

    def write(self, text: str) -> int:
        self._lines.append(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has it writable
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


def shown(client: Any) -> str:
    """How a client represents itself."""
    try:
        return f"{client!r} {client}"
    except Exception:  # noqa: BLE001 - a client may refuse to be shown
        return ""
