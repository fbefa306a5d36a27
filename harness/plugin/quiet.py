"""Measurements want a quiet machine: with several processes, a case that measures runs while no other runs anything.

Two locks between the processes: whoever wants to be alone takes the gate, so that nobody else begins, and waits
for the room to become empty. A third one is for cases that would write into each other's collections, as those do
that share one provider at a URL: these take turns. The system takes a lock back from a process that ends, however it ends.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from harness.plugin.items import CaseItem

try:
    import fcntl
except ImportError:  # another system than a Unix: cases that measure may be disturbed, and then say so themselves
    fcntl = None  # type: ignore[assignment]  # looked at before use

NAME = "contract-quiet"
POLL_S = 0.05
MOST_S = 900.0  # longer than any case runs: then the machine is not quiet, but nobody waits forever


class Quiet:
    """Three lock files; ``pause`` is called between two tries."""

    def __init__(
        self, folder: Path, name: str, *, pause: Callable[[], object] = lambda: time.sleep(POLL_S), most_s: float = MOST_S
    ) -> None:
        self._pause, self._most_s = pause, most_s
        self._gate, self._room, self._turn = (folder / f"contract-{name}.{part}" for part in ("gate", "room", "turn"))

    @contextmanager
    def among_others(self) -> Iterator[None]:
        """Beside others of this kind, and never beside one that is alone."""
        with ExitStack() as held:
            with self._locked(self._gate, exclusive=False):
                held.enter_context(self._locked(self._room, exclusive=False))
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Beside nobody: who is there is waited for, who comes has to wait."""
        with self._locked(self._gate, exclusive=True), self._locked(self._room, exclusive=True):
            yield

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Beside others, and never beside one that is in its turn too."""
        with self.among_others(), self._locked(self._turn, exclusive=True):
            yield

    def forget(self) -> None:
        """Remove the files, when nobody is left who could use them."""
        for path in (self._gate, self._room, self._turn):
            path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, path: Path, *, exclusive: bool) -> Iterator[None]:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            self._wait_for(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # also in a child that has a copy of the descriptor
            os.close(descriptor)

    def _wait_for(self, descriptor: int, kind: int) -> None:
        deadline_s = time.monotonic() + self._most_s
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                return
            if time.monotonic() >= deadline_s:
                return
            self._pause()


class QuietPlugin:
    """Lets each test of a worker run among others, and each of which ``alone`` says so by itself; who shares takes turns."""

    def __init__(self, quiet: Quiet, alone: Callable[[pytest.Item], bool]) -> None:
        self._quiet, self._alone = quiet, alone

    def _entry(self, item: pytest.Item) -> AbstractContextManager[None]:
        if self._alone(item):
            return self._quiet.alone()
        return self._quiet.in_turn() if shares(item) else self._quiet.among_others()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        with self._entry(item):
            return (yield)


class Forgetting:
    """Removes what the workers of a session locked, when they have all ended."""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        nodes = getattr(session.config.pluginmanager.get_plugin("dsession"), "nodemanager", None)
        if nodes is not None:
            Quiet(Path(tempfile.gettempdir()), nodes.testrunuid).forget()


def measures(item: pytest.Item) -> bool:
    """Whether it is a case that measures times."""
    return isinstance(item, CaseItem) and item.alone


def shares(item: pytest.Item) -> bool:
    """Whether it is a case whose provider remembers what a case in another process does."""
    return isinstance(item, CaseItem) and item.shares


def keep_quiet(config: pytest.Config, alone: Callable[[pytest.Item], bool] = measures) -> None:
    """With several processes, have them take turns; a single one is alone anyway."""
    if fcntl is None or config.pluginmanager.hasplugin(NAME):
        return
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.pluginmanager.register(QuietPlugin(Quiet(Path(tempfile.gettempdir()), worker["testrunuid"]), alone), NAME)
    elif getattr(config.option, "dist", "no") != "no":  # xdist registers itself later than this
        config.pluginmanager.register(Forgetting(), NAME)
