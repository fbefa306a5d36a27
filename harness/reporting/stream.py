"""The event stream in a file: written whole or not at all, read back only when complete."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from harness.events import Event, StreamError, read_lines, to_line


def write_stream(path: Path, events: Iterable[Event]) -> None:
    """Write the events, one JSON line each; OSError when the place can't be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            for event in events:
                file.write(to_line(event) + "\n")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def read_stream(path: Path) -> list[Event]:
    """The events of a complete stream; StreamError when it is cut short, unreadable or not there."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StreamError(f"{path}: can't be read: {error}") from None
    if text and not text.endswith("\n"):
        raise StreamError(f"{path}: the last line has no end: it was cut short, and can't be read as a result; run it again")
    return list(read_lines(text.splitlines(), source=str(path)))
