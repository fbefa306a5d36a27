"""What holds for all tests: where liars are found, and that neither the machine nor chance decides."""

import ast
import gc
import os
import socket
import sys
from pathlib import Path
from random import SystemRandom
from threading import Lock
from typing import Any

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

ROOT = str(Path(__file__).parents[1])

# Last: what is installed comes before the folders harness/ and adapters/ beside the tests.
if ROOT not in sys.path:
    sys.path.append(ROOT)

# What is on this machine is asked for directly, by the processes that tests start too.
for _name in [name for name in os.environ if name.lower() in {"http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy"}]:
    del os.environ[_name]

pytest_plugins = ["pytester"]  # only the uppermost conftest may say so

# The same examples each time, however long they take. `--hypothesis-profile searching` looks for others.
_patient = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("same", derandomize=True, database=None, **_patient)
hypothesis.settings.register_profile("searching", **_patient)
hypothesis.settings.load_profile("same")
providers._get_local_constants = providers.Constants  # none: else the modules that happen to be loaded decide too


class Parsing:
    """Parses as Python does, but that the garbage collector does not come between.

    CPython 3.11 counts the depth of the tree that it makes once for all threads. What the collector runs (finalizers, the
    hook of Hypothesis) may parse as well, or leave the turn to a thread that does: then the count is wrong, and it raises
    a SystemError. Pytest parses whatever it rewrites, and so does a traceback that is written.
    """

    def __init__(self) -> None:
        self._parse, self._turn = ast.parse, Lock()
        self._inside, self._collects = 0, True

    def __call__(self, *args: Any, **kwargs: Any) -> ast.AST:
        with self._turn:
            if not self._inside:
                self._collects = gc.isenabled()
                gc.disable()
            self._inside += 1
        try:
            return self._parse(*args, **kwargs)
        finally:
            with self._turn:
                self._inside -= 1
                if not self._inside and self._collects:
                    gc.enable()


if sys.version_info < (3, 12) and not isinstance(ast.parse, Parsing):
    ast.parse = Parsing()


GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")  # to whoever does not ask for a certain port


@pytest.fixture
def own_port() -> int:
    """A free port that nobody else gets by chance, neither another connection nor another process of these tests."""
    lowest = int(GIVEN_AWAY.read_text().split()[0]) if GIVEN_AWAY.exists() else 32_768
    worker = int("0" + "".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))))
    while True:
        port = SystemRandom().randrange(lowest // 2 + worker % 64, lowest, 64)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def _measures(item: pytest.Item) -> bool:
    return "tests/suites/load" in item.nodeid


def pytest_configure(config: pytest.Config) -> None:
    """What measures times runs beside no other test, with -n 2 too."""
    from harness.plugin.quiet import keep_quiet

    keep_quiet(config, _measures)
