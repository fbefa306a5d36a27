"""Requests that were made up once, kept from one run to the next: to draw them again takes seconds and gives the same ones."""

import json
import os
import shutil
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.exchange import Request

ENGINES = ("schemathesis", "hypothesis")


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What was drawn for one contract as it is now, in files below ``folder``.

    ``decided_by`` is all that decides what is drawn, beside the versions of the engines; ``made_by`` is the code that draws.
    Whatever can't be read or written is drawn instead, or not kept.
    """

    folder: Path
    contract: str
    decided_by: object
    made_by: Path

    def requests(self, name: str, draw: Callable[[], list[Request]]) -> list[Request]:
        """The requests that are kept under a name; else they are drawn, and kept."""
        path = self._folder / f"{name}.json"
        try:
            return [_read(entry) for entry in json.loads(path.read_bytes())]
        except (OSError, ValueError, TypeError, KeyError):
            found = draw()
        self._keep(path, found)
        return found

    @cached_property
    def _folder(self) -> Path:
        engines = {name: version(name) for name in ENGINES}
        decided = json.dumps([self.decided_by, engines, sys.version, self.made_by.read_text()], sort_keys=True, default=repr)
        return self.folder / self.contract / sha256(decided.encode()).hexdigest()[:32]

    def _keep(self, path: Path, found: list[Request]) -> None:
        draft = path.with_suffix(f".{os.getpid()}")
        try:
            if not path.parent.exists():
                shutil.rmtree(path.parent.parent, ignore_errors=True)  # of the contract as it was
                path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps([_written(request) for request in found]))
            draft.replace(path)
        except OSError:  # it may not be written to, or another process cleared it just now
            with suppress(OSError):
                draft.unlink()


def _written(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": b64encode(request.body).decode("ascii"),
    }


def _read(entry: Any) -> Request:
    return Request(
        method=entry["method"],
        target=entry["target"],
        headers=tuple((name, value) for name, value in entry["headers"]),
        body=b64decode(entry["body"], validate=True),
    )
