"""Whether the disk has room for what the engine is about to write.

It writes into mapped files that are longer than what is in them yet. Where such a file can't grow any more, nothing
can be answered: the system kills the process. So what the files lack is kept free, and an update is refused before.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

MIB = 1024**2
BEGUN = 256 * MIB  # what the files of a new collection, and the next ones of an old one, may be longer than they are full
AHEAD = 64 * MIB  # what an update may add to that


class Full(Exception):
    """The disk has no room; the message says how much there is and how much it takes."""


def free_bytes(root: Path) -> int:
    """What is left on the disk of a folder."""
    return shutil.disk_usage(root).free


def lacking_bytes(root: Path) -> int:
    """By how much the files in a folder are longer than they are full."""
    lacking = 0
    for path in root.rglob("*"):
        try:
            found = path.stat()
        except FileNotFoundError:  # the engine replaces files as it goes
            continue
        lacking += max(0, found.st_size - found.st_blocks * 512) if path.is_file() else 0
    return lacking


def assure(root: Path, *, collections: int, more: int, free: Callable[[Path], int] | None = None) -> None:
    """Full unless all collections and ``more`` bytes fit; the files are looked at only where it may be close."""
    left = (free or free_bytes)(root)
    if left >= BEGUN * (collections + 1):
        return
    needed = lacking_bytes(root) + more
    if left < needed:
        raise Full(f"{left // MIB} MiB are free in {root}, and it takes {-(-needed // MIB)}")
