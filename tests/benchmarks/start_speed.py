"""What the plugin adds to pytest's start where no contract is asked for."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tests.benchmarks.measure import Finding, Measure, Options
from tests.benchmarks.processes import children_cpu_s


def findings(options: Options) -> Iterator[Finding]:
    """The fastest of several starts with the plugin and without it, by CPU time: nothing in them waits."""
    taken_s: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as empty:
        for _ in range(2 + 2 * options.rounds):
            for with_plugin, starts_s in taken_s.items():
                starts_s.append(_start(empty, with_plugin))
    ours_s, bare_s = min(taken_s[True]), min(taken_s[False])
    yield Measure(
        what="pytest's start, plugin installed and not used",
        ours=f"{ours_s * 1e3:.0f} ms",
        peer=f"{bare_s * 1e3:.0f} ms",
        figure=(ours_s - bare_s) * 1e3,
        target=30.0,
        unit="ms",
    )


def _start(folder: str, with_plugin: bool) -> float:
    """CPU seconds; other plugins are left out, which may take seconds and would hide what ours takes."""
    plugin = ["-p", "harness.plugin"] if with_plugin else []
    before_s = children_cpu_s()
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *plugin]
    subprocess.run(command, cwd=folder, check=False, capture_output=True, timeout=60, env=environment)
    return children_cpu_s() - before_s
