"""On a busy machine time passes as on a quiet one: who is held up is waited for, and what was sent is heard."""

import asyncio
import select
import socket
import threading
from collections.abc import Iterator

import pytest

from harness.wire.clock import RealTimeExceeded, VirtualClock, members, real, run
from harness.wire.clock.pacer import OUTSIDE_SEEN

Pair = tuple[socket.socket, socket.socket]


class Looks:
    """Stands in for a look at who works: it says so a few times, sends something, and then nobody does."""

    def __init__(self, works: int, there: socket.socket) -> None:
        self.works, self.there = works, there

    def others_work(self, *_: int) -> bool:
        self.works -= 1
        if self.works == 0:
            self.there.send(b"x")
        return self.works > 0

    def outside_waits(self) -> bool:
        if self.works:
            self.others_work()
        return True


@pytest.fixture
def pair() -> Iterator[Pair]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


async def read(here: socket.socket) -> bytes:
    here.setblocking(False)
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(here, 9), 60)


def test_time_waits_for_threads_beside_the_run_that_a_busy_machine_holds_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, looks = VirtualClock(), Looks(3, pair[1])
    monkeypatch.setattr(members, "others_work", looks.others_work)
    assert run(lambda: read(pair[0]), clock=clock, patience_s=0.01) == b"x"
    assert clock.now_s == 0
    assert looks.works <= 0


def test_what_is_sent_while_its_sender_is_looked_at_is_heard(pair: Pair) -> None:
    clock, looks = VirtualClock(), Looks(OUTSIDE_SEEN, pair[1])
    clock.outside_waits, clock.outside_step_s = looks.outside_waits, 0.001
    assert run(lambda: read(pair[0]), clock=clock) == b"x"
    assert clock.now_s == 0


def test_a_library_that_waits_in_real_time_is_waited_for_while_threads_beside_it_work(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """As gRPC's do: the client's own thread waits where no clock reaches, for what others do."""
    clock, looks = VirtualClock(), Looks(3, pair[1])
    monkeypatch.setattr(members, "others_work", looks.others_work)
    older = select.poll()  # than the run
    older.register(pair[0], select.POLLIN)

    async def call() -> object:
        return await asyncio.wait_for(asyncio.to_thread(older.poll, 10_000), 60)

    assert run(call, clock=clock) == [(pair[0].fileno(), select.POLLIN)]
    assert clock.now_s == 0
    assert looks.works <= 0


async def spin(turns: int) -> int:
    """Takes a second of real time and more for so many turns, whatever the machine is."""
    for _ in range(turns):
        until_s = real.monotonic() + 0.02
        while real.monotonic() < until_s:
            pass
        await asyncio.sleep(1)
    return turns


def test_time_that_others_had_of_the_machine_does_not_count_towards_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "held_up_s", lambda: 1000 * real.monotonic())  # all of it
    assert run(lambda: spin(25), clock=VirtualClock(), real_limit_s=0.3) == 25


def test_time_that_a_client_had_itself_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "held_up_s", lambda: 7.0)
    with pytest.raises(RealTimeExceeded):
        run(lambda: spin(10_000), clock=VirtualClock(), real_limit_s=0.1)


def test_whoever_waits_for_the_end_of_a_run_does_no_work_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    left_out: list[tuple[int, ...]] = []

    def others_work(*besides: int) -> bool:
        left_out.append(besides)
        if len(left_out) == 1:
            lock.release()
        return True

    monkeypatch.setattr(members, "others_work", others_work)
    lock = threading.Lock()
    lock.acquire()

    async def call() -> None:
        await asyncio.wait_for(asyncio.to_thread(lock.acquire, timeout=60), 60)

    run(call, clock=VirtualClock())
    assert set(left_out) == {(threading.get_native_id(),)}
