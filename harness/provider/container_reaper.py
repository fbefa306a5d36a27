"""Removes a run's containers when the run is gone, however it ended: ``python container_reaper.py LABEL``.

A process of its own that waits for its standard input to end. The usual reaper is an image, which can't be had
where no registry is reached.
"""

import contextlib
import subprocess
import sys

_DISMISSED = "removed"
_LEAVING_S = 20.0


class Reaper:
    """The process that watches over everything with a label, from before anything has it."""

    def __init__(self, label: str) -> None:
        # -I: a folder that the run happens to stand in is no place to import from.
        self._process = subprocess.Popen(  # noqa: S603 - this Python, this file
            [sys.executable, "-I", __file__, label], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def dismiss(self) -> None:
        """End it: everything is removed already."""
        self._end(_DISMISSED)

    def reap(self) -> None:
        """Have it remove what there is, and wait for that."""
        self._end("")

    def _end(self, word: str) -> None:
        with contextlib.suppress(BrokenPipeError, subprocess.TimeoutExpired):
            self._process.communicate(word, timeout=_LEAVING_S)


def main(label: str) -> None:
    """Wait, and then remove what carries the label, unless told that it is removed."""
    if sys.stdin.read() == _DISMISSED:
        return
    import docker

    client = docker.from_env()
    for container in client.containers.list(all=True, filters={"label": label}):
        container.remove(force=True, v=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
