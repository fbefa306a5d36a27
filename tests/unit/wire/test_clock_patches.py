"""Whatever name the client knows the time by, it reads the clock; and every name is put back."""

import datetime
import email.utils
import importlib
import pickle
import queue
import select
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from harness.wire.clock import RealTimeExceeded, VirtualClock, run_sync

EPOCH_S = 1_767_225_600.0
CLIENT = """
import datetime
import time
from datetime import datetime as moment
from time import monotonic, monotonic as ticks, sleep
from time import time as now

class Limiter:
    clock = time.monotonic
    rest = staticmethod(time.sleep)

    def __init__(self, timer=time.monotonic, *, sleep=sleep):
        self.timer, self.sleep = timer, sleep

def pause(seconds, sleep=time.sleep):
    sleep(seconds)

def readings():
    limiter = Limiter()
    return [monotonic(), ticks(), limiter.timer(), limiter.clock(), Limiter.clock(), time.perf_counter()]

def epochs():
    return [now(), time.time_ns() / 1e9, moment.now().timestamp(), moment.now(datetime.UTC).timestamp()]

def waits():
    limiter = Limiter()
    return [sleep, pause, limiter.sleep, limiter.rest, Limiter.rest, time.sleep]
"""


@pytest.fixture
def write_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A module of the client's that took the functions by value."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str) -> None:
        (tmp_path / f"{name}.py").write_text(CLIENT)
        importlib.invalidate_caches()
        names.append(name)

    names: list[str] = []
    yield write
    for name in names:
        sys.modules.pop(name, None)


def patched_names() -> dict[str, object]:
    owners: dict[str, object] = {
        "time": time,
        "select": select,
        "queue": queue,
        "threading": threading,
        "Thread": threading.Thread,
        "socket": socket.socket,
        "datetime": datetime.datetime,
        "selector": selectors.DefaultSelector,
    }
    return {
        f"{owner_name}.{name}": value
        for owner_name, owner in owners.items()
        for name, value in vars(owner).items()
        if name != "__warningregistry__"  # python's own: it comes with any warning while a line of the module runs
    }


def test_every_name_reads_the_clock(write_client: Callable[[str], None]) -> None:
    write_client("early_client")
    client = importlib.import_module("early_client")
    clock = VirtualClock()

    def read() -> tuple[list[float], list[float]]:
        time.sleep(100)
        return client.readings(), client.epochs()

    readings, epochs = run_sync(read, clock=clock)
    assert readings == [clock.monotonic()] * 6
    assert epochs == [EPOCH_S + 100] * 4


def test_every_name_of_sleep_waits_on_the_clock(write_client: Callable[[str], None]) -> None:
    write_client("sleepy_client")
    client = importlib.import_module("sleepy_client")
    clock = VirtualClock()
    run_sync(lambda: [wait(60) for wait in client.waits()], clock=clock)
    assert [wait.seconds for wait in clock.waits] == [60.0] * 6


def test_a_module_that_the_client_imports_in_the_run_reads_the_clock_then_and_the_real_time_after(
    write_client: Callable[[str], None],
) -> None:
    write_client("late_client")

    def read() -> tuple[ModuleType, list[float]]:
        client = importlib.import_module("late_client")
        time.sleep(100)
        return client, client.epochs()

    client, epochs = run_sync(read, clock=VirtualClock())
    assert epochs == [EPOCH_S + 100] * 4
    assert (client.sleep, client.now, client.ticks) == (time.sleep, time.time, time.monotonic)
    assert client.Limiter.clock is time.monotonic
    assert client.pause.__defaults__ == (time.sleep,)


@pytest.mark.parametrize("end", ["return", "raise", "exceed"])
def test_everything_is_put_back_exactly_however_the_run_ends(end: str) -> None:
    def client() -> None:
        if end == "raise":
            raise LookupError
        while end == "exceed":
            pass

    before = patched_names()
    try:
        run_sync(client, clock=VirtualClock(), real_limit_s=0.05)
    except (LookupError, RealTimeExceeded):
        pass
    after = patched_names()
    assert after.keys() == before.keys()
    assert [name for name, value in after.items() if value is not before[name]] == []


def test_the_date_is_the_clocks_in_every_form() -> None:
    def read() -> list[object]:
        return [
            datetime.datetime.now(datetime.UTC),
            datetime.datetime.utcnow().replace(tzinfo=datetime.UTC),  # clients still do
            datetime.datetime.fromtimestamp(time.time(), datetime.UTC),
            datetime.datetime.today().astimezone(datetime.UTC),
        ]

    assert run_sync(read, clock=VirtualClock()) == [datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)] * 4
    assert run_sync(lambda: time.gmtime(), clock=VirtualClock())[:3] == (2026, 1, 1)
    assert run_sync(datetime.date.today, clock=VirtualClock(start_epoch_s=0)).year in {1969, 1970}


def test_a_date_is_still_a_date() -> None:
    class Moment(datetime.datetime):
        """A subclass, as pendulum has one."""

    def read() -> tuple[datetime.datetime, Moment, type]:
        now = datetime.datetime.now(datetime.UTC)
        assert isinstance(now, datetime.datetime)
        assert pickle.loads(pickle.dumps(now)) == now
        return now, Moment.now(datetime.UTC), datetime.datetime

    now, moment, cls = run_sync(read, clock=VirtualClock())
    assert type(now) is datetime.datetime is cls
    assert type(moment) is Moment
    assert moment == now


def test_a_retry_after_given_as_a_date_means_the_same_wait_to_a_client_that_compares_dates() -> None:
    clock = VirtualClock()

    def obey() -> None:
        time.sleep(1000)
        header = email.utils.formatdate(time.time() + 60, usegmt=True)
        wait = email.utils.parsedate_to_datetime(header) - datetime.datetime.now(datetime.UTC)
        time.sleep(wait.total_seconds())

    run_sync(obey, clock=clock)
    assert clock.now_s == 1060.0


def test_a_class_made_in_the_run_can_hold_a_reading_function() -> None:
    def client() -> float:
        class Limiter:
            clock = time.monotonic

        return Limiter().clock() - Limiter.clock()  # type: ignore[misc]  # a built-in is no method

    assert run_sync(client, clock=VirtualClock()) == 0.0


def test_the_stand_ins_tell_what_they_stand_for() -> None:
    said = run_sync(lambda: (repr(time.sleep), time.sleep.__name__, time.time.__doc__), clock=VirtualClock())
    assert said == ("<virtual <built-in function sleep>>", "sleep", time.time.__doc__)


def test_a_queue_made_in_the_run_works_after_it() -> None:
    letters: queue.SimpleQueue[int] = run_sync(queue.SimpleQueue, clock=VirtualClock())
    letters.put(1)
    assert letters.get() == 1
