"""With several processes, a case that measures runs alone, and nobody waits for one that is gone."""

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread

import pytest

from harness.contract.catalog import load
from harness.plugin.quiet import Quiet
from harness.provider.stub import Stub
from harness.provider.stubbed import CREDENTIAL
from harness.wire.server import Server, ThreadedServer

pytest.importorskip("fcntl")
TAKES_IT = "import sys; from pathlib import Path; from harness.plugin.quiet import Quiet\nwith Quiet(Path(sys.argv[1]), 'q').alone(): print('mine', flush=True); sys.stdin.read()"
PATIENCE_S = 60.0


class Guest:
    """Somebody who wants in, in a thread."""

    def __init__(self, folder: Path, way: Callable[[Quiet], AbstractContextManager[None]]) -> None:
        self.waits, self.inside, self._leave = Event(), Event(), Event()
        self._entry = way(Quiet(folder, "q", pause=self._pause))
        self._thread = Thread(target=self._visit, daemon=True)
        self._thread.start()

    def _pause(self) -> None:
        self.waits.set()
        self._leave.wait(0.001)

    def _visit(self) -> None:
        with self._entry:
            self.inside.set()
            self._leave.wait(PATIENCE_S)

    def leave(self) -> None:
        self._leave.set()
        self._thread.join(PATIENCE_S)


def test_who_measures_waits_for_the_others_and_has_those_wait_who_come_later(tmp_path: Path) -> None:
    first = Guest(tmp_path, Quiet.among_others)
    assert first.inside.wait(PATIENCE_S)
    second = Guest(tmp_path, Quiet.among_others)
    assert second.inside.wait(PATIENCE_S)  # beside the first
    measuring = Guest(tmp_path, Quiet.alone)
    assert measuring.waits.wait(PATIENCE_S)
    late = Guest(tmp_path, Quiet.among_others)
    assert late.waits.wait(PATIENCE_S)  # though there is only one of its kind inside: else there might always be one
    first.leave()
    assert not measuring.inside.is_set()
    second.leave()
    assert measuring.inside.wait(PATIENCE_S)
    assert not late.inside.is_set()
    measuring.leave()
    assert late.inside.wait(PATIENCE_S)
    late.leave()


def test_who_shares_something_takes_turns_beside_the_others(tmp_path: Path) -> None:
    first, other = Guest(tmp_path, Quiet.in_turn), Guest(tmp_path, Quiet.among_others)
    assert first.inside.wait(PATIENCE_S)
    assert other.inside.wait(PATIENCE_S)
    second = Guest(tmp_path, Quiet.in_turn)
    assert second.waits.wait(PATIENCE_S)
    assert not second.inside.is_set()
    measuring = Guest(tmp_path, Quiet.alone)
    assert measuring.waits.wait(PATIENCE_S)
    first.leave()
    assert second.inside.wait(PATIENCE_S)
    for guest in (second, other):
        guest.leave()
    assert measuring.inside.wait(PATIENCE_S)
    measuring.leave()


def test_the_lock_of_a_process_that_dies_is_free(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", TAKES_IT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"mine\n"
    waiting = Guest(tmp_path, Quiet.among_others)
    assert waiting.waits.wait(PATIENCE_S)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert waiting.inside.wait(PATIENCE_S)
    waiting.leave()


def test_nobody_waits_forever(tmp_path: Path) -> None:
    with Quiet(tmp_path, "q").alone(), Quiet(tmp_path, "q", most_s=0.0).alone():
        pass


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    quiet = Quiet(tmp_path, "q")
    with quiet.among_others():
        pass
    quiet.forget()
    assert list(tmp_path.iterdir()) == []


NEIGHBOURS = """
import pytest

@pytest.mark.parametrize("number", range(40))
def test_of_a_neighbour(number):
    pass
"""
DIARY = """
import os, time
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    begin = time.monotonic()
    while item.name.startswith("test_of") and time.monotonic() < begin + 0.02:
        pass
    try:
        return (yield)
    finally:
        with open("diary.txt", "a") as diary:
            diary.write(f"{item.nodeid.rpartition('::')[2]} {begin} {time.monotonic()}\\n")
"""


def _diary(pytester: pytest.Pytester) -> list[list[str]]:
    return [line.rsplit(" ", 2) for line in (pytester.path / "diary.txt").read_text().splitlines()]


def test_a_load_runs_beside_no_other_test_and_a_busy_neighbour_breaks_no_objective(
    pytester: pytest.Pytester, contracts: Path, change: Callable[..., None]
) -> None:
    pytest.importorskip("xdist")
    change(("\nschemas:", "\nsla: {response_time_p95: 2s}\nload: {smoke: {rate: 20/s, duration: 1s}}\n\nschemas:"))
    pytester.makepyfile(test_neighbour=NEIGHBOURS)
    pytester.makeconftest(DIARY)
    idle = [part for name in ("schemathesis", "locust", "langsmith", "pact", "randomly") for part in ("-p", f"no:{name}")]
    result = pytester.runpytest_subprocess(
        *idle, "--contract", "greeter", "--suite", "load", "test_neighbour.py", "-n", "2", "--dist", "load"
    )
    result.assert_outcomes(passed=41)
    diary = _diary(pytester)
    ((begin, end),) = [(float(first), float(last)) for name, first, last in diary if name == "smoke"]
    assert all(float(last) <= begin or float(first) >= end for name, first, last in diary if name != "smoke")


def test_processes_that_share_a_provider_that_remembers_take_turns(
    pytester: pytest.Pytester, contracts: Path, change: Callable[..., None]
) -> None:
    pytest.importorskip("xdist")
    ada = "ada: {request: {body: {name: Ada}}}"
    change(
        ("\nschemas:", "\nstates: {a greeting before: [greet/ada]}\n\nschemas:"),
        (ada, f"{ada}\n      bob: {{given: a greeting before, request: {{body: {{name: Bob}}}}}}"),
    )
    pytester.makeconftest(DIARY.replace('item.name.startswith("test_of")', "True"))
    stub = Stub(load(contracts / "greeter.yaml", root=contracts.parent), credential=CREDENTIAL)
    idle = [part for name in ("schemathesis", "locust", "langsmith", "pact", "randomly") for part in ("-p", f"no:{name}")]
    with ThreadedServer(Server(answer=stub.answer_now)) as server:
        asked = ["--contract", "greeter", "--suite", "conformance,fault", "--provider", server.origin + "/v1"]
        result = pytester.runpytest_subprocess(*idle, *asked, "-n", "2", "--dist", "load")
    assert result.ret == pytest.ExitCode.OK
    diary = sorted((float(first), float(last)) for _, first, last in _diary(pytester))
    assert all(later >= end for (_, end), (later, _) in pairwise(diary))


def test_a_single_process_takes_no_turns(pytester: pytest.Pytester, contracts: Path) -> None:
    pytester.makeconftest("def pytest_unconfigure(config):\n    assert not config.pluginmanager.hasplugin('contract-quiet')")
    pytester.runpytest_inprocess("--contract", "greeter", "--suite", "conformance", "-p", "no:randomly").assert_outcomes(passed=7)
