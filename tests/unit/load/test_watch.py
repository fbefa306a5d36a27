"""What a request lost to a busy machine: no more than it lasted, and nothing on an idle one."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harness.suites.load.processors import ProviderWaits, listener
from harness.suites.load.watch import PERIOD_S, Watch

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def lost(watch: Watch, *requests: tuple[float, float]) -> list[float]:
    start_s, end_s = (np.array(column) for column in zip(*requests, strict=True))
    return [round(float(each), 6) for each in watch.lost_s(start_s, end_s)]


def rung(clock: Clock, watch: Watch, *pauses_s: float) -> Watch:
    for pause_s in pauses_s:
        clock.now_s += pause_s
        watch.ring()
    return watch


def test_on_an_idle_machine_nothing_is_lost() -> None:
    clock = Clock()
    watch = Watch(clock)
    watch.begin()
    rung(clock, watch, *[PERIOD_S + 0.002] * 50)
    assert (lost(watch, (0.0, 0.9), (0.5, 0.6)), watch.stalled_s) == ([0.0, 0.0], 0.0)


def test_a_sender_that_could_not_run_is_not_charged_to_the_requests_of_that_time() -> None:
    clock = Clock()
    watch = Watch(clock)
    watch.begin()
    rung(clock, watch, *[PERIOD_S] * 50, 0.523, *[PERIOD_S] * 100)  # from 1 s on it could not run for half a second
    while_it_stood, just_after, long_after, before = (1.1, 1.53), (1.55, 1.6), (3.0, 3.1), (0.1, 0.2)
    assert lost(watch, while_it_stood, just_after, long_after, before) == [0.43, 0.05, 0.0, 0.0]


def test_a_request_loses_no_more_than_it_lasted() -> None:
    clock = Clock()
    watch = Watch(clock, lambda: 9.0)
    watch.begin()
    rung(clock, watch, *[PERIOD_S] * 10)
    assert lost(watch, (0.05, 0.06), (0.1, 0.1)) == [0.01, 0.0]
    assert watch.starved_s == pytest.approx(0.2)  # nor is more lost than has passed


@dataclass
class Machine:
    """A process as Linux counts it, in a folder of our own."""

    proc: Path

    def count(self, *threads: tuple[float, float], used_s: float) -> None:
        """For each thread how long it ran and waited, and how long anybody ran."""
        for number, (ran_s, waited_s) in enumerate(threads):
            thread = self.proc / "7" / "task" / str(number)
            thread.mkdir(parents=True, exist_ok=True)
            (thread / "schedstat").write_text(f"{ran_s * 1e9:.0f} {waited_s * 1e9:.0f} 3\n")
        (self.proc / "stat").write_text(f"cpu  {used_s / TICK_S:.0f} 0 0 99999 0 0 0 0 0 0\ncpu0 0\n")


@pytest.mark.parametrize(
    ("ran_s", "used_s", "told_s"),
    [
        (0.1, 1.0, 0.4),  # others used nine tenths
        (0.95, 1.0, 0.0),  # it used the processors itself: whoever is too slow waits for itself
        (0.7, 1.0, 0.24),  # others used a part
        (0.0, 0.0, 0.0),
    ],
)
def test_a_wait_is_laid_to_others_by_what_they_used(tmp_path: Path, ran_s: float, used_s: float, told_s: float) -> None:
    machine, clock = Machine(tmp_path), Clock()
    machine.count((5.0, 1.0), (5.0, 1.0), used_s=50.0)
    waits = ProviderWaits(7, proc=tmp_path, clock=clock, own_s=lambda: 0.0)
    clock.now_s += 1.0
    machine.count((5.0, 1.0), (5.0 + ran_s, 1.0), used_s=50.0 + used_s)
    waits()
    machine.count((5.0, 1.1), (5.0 + ran_s, 1.4), used_s=50.0 + used_s)  # of two that wait beside one another, the longer wait
    assert waits() == pytest.approx(told_s, abs=0.01)


def test_before_the_first_look_at_who_uses_the_machine_a_wait_may_be_anybodys(tmp_path: Path) -> None:
    machine, clock = Machine(tmp_path), Clock()
    machine.count((5.0, 1.0), used_s=50.0)
    waits = ProviderWaits(7, proc=tmp_path, clock=clock, own_s=lambda: 0.0)
    clock.now_s += 0.1
    machine.count((5.0, 1.08), used_s=50.0)
    assert waits() == pytest.approx(0.08, abs=0.001)
    clock.now_s += 1.0
    machine.count((6.0, 1.08), used_s=51.0)  # by the provider alone
    assert waits() == 0.0
    machine.count((6.0, 1.3), used_s=51.0)
    assert waits() == 0.0


def test_of_a_process_that_has_ended_nothing_is_told(tmp_path: Path) -> None:
    waits = ProviderWaits(7, proc=tmp_path, clock=Clock(), own_s=lambda: 0.0)
    assert waits() == 0.0


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux says who listens")
def test_who_listens_on_a_port_is_found() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        assert listener(port) == os.getpid()
    assert listener(port) != os.getpid()
