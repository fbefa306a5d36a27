"""Who uses the processors of this machine: what Linux counts for each thread, and for all of them together.

Where nothing is counted (another system, another machine, a container) nothing is known, and nothing is said.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, process_time
from urllib.parse import urlsplit

from harness.provider.url import is_local

PROC = Path("/proc")
LISTENS = "0A"
NOTICEABLE = 0.15  # of what is used at all: the kernel counts in hundredths of a second
LOOK_EVERY_S = 0.25  # at how much is used by whom


class ProviderWaits:
    """How long a process of this machine waited for a processor because others used it; call it again for what was added.

    Of its threads the one counts that waited longest: those that answer nobody wait beside it, not before it.
    """

    def __init__(
        self, process: int, *, proc: Path = PROC, clock: Callable[[], float] = monotonic, own_s: Callable[[], float] = process_time
    ) -> None:
        self._threads, self._stat = proc / str(process) / "task", proc / "stat"
        self._clock, self._own_s = clock, own_s
        self._ticks_s = os.sysconf("SC_CLK_TCK")
        self._waited = {name: waited for name, (_, waited) in self._counted().items()}
        self._looked_s, self._used = clock(), self._usage()
        self._share = 1.0  # until the first look any of it may be the others' doing

    def __call__(self) -> float:
        counted = self._counted()
        longest_s = max((waited - self._waited.get(name, waited) for name, (_, waited) in counted.items()), default=0.0)
        self._waited = {name: waited for name, (_, waited) in counted.items()}
        if self._clock() - self._looked_s >= LOOK_EVERY_S:
            self._look()
        return longest_s * self._share

    def _look(self) -> None:
        """How much of what is used others use; twice that share of a wait is laid to them, at most all of it."""
        self._looked_s, before, self._used = self._clock(), self._used, self._usage()
        used_s, ours_s = (now - then for now, then in zip(self._used, before, strict=True))
        others = max(0.0, used_s - ours_s) / used_s if used_s > 0 else 0.0
        self._share = min(1.0, 2 * others) if others > NOTICEABLE else 0.0

    def _counted(self) -> dict[str, tuple[float, float]]:
        """For each thread of the process: how long it ran and waited, in seconds."""
        found = {}
        try:
            for thread in self._threads.iterdir():
                ran, waited = (thread / "schedstat").read_text().split()[:2]
                found[thread.name] = int(ran) / 1e9, int(waited) / 1e9
        except (OSError, ValueError):
            pass  # a thread or the process has ended
        return found

    def _usage(self) -> tuple[float, float]:
        """Seconds that anybody ran, and that the process and we did."""
        try:
            used = [int(ticks) for ticks in self._stat.read_text().split("\n", 1)[0].split()[1:9]]
        except (OSError, ValueError):
            return 0.0, 0.0
        ours_s = sum(ran for ran, _ in self._counted().values()) + self._own_s()
        return (sum(used) - used[3] - used[4]) / self._ticks_s, ours_s


def provider_waits(base_url: str) -> ProviderWaits | None:
    """The waits of the process that listens at a URL, if it is one of this machine that may be looked at."""
    split = urlsplit(base_url)
    if not is_local(base_url) or split.port is None:
        return None
    process = listener(split.port)
    return ProviderWaits(process) if process is not None else None


def listener(port: int, *, proc: Path = PROC) -> int | None:
    """The process that listens on a port of this machine."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port, proc)}
    if not sockets:
        return None
    deadline_s = process_time() + 1.0  # a machine with very many open files is not searched to the end
    for process in proc.iterdir():
        if not process.name.isdecimal() or process_time() > deadline_s:
            continue
        try:
            if any(str(descriptor.readlink()) in sockets for descriptor in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue  # it has ended, or is somebody else's
    return None


def _listening(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            rows = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            cells = row.split()
            if cells[3] == LISTENS and int(cells[1].rpartition(":")[2], 16) == port and cells[9] != "0":
                yield cells[9]
