"""However a loop of trio is left, what went on there ends in order, and nothing is left of it."""

import asyncio
import gc
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest

from harness.client.trio_loop import trio_loop
from harness.wire.clock import RealTimeExceeded, Stalled, VirtualClock, run

trio = pytest.importorskip("trio", reason="trio is not installed: pip install trio")

Drive = Callable[[Callable[[], Coroutine[Any, Any, None]]], None]


def in_real_time(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


def in_virtual_time(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run(main, clock=VirtualClock())


both = pytest.mark.parametrize("drive", [in_real_time, in_virtual_time])


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    gc.collect()
    threads, unraisable = set(threading.enumerate()), list[object]()
    monkeypatch.setattr(sys, "unraisablehook", lambda left: unraisable.append((left.exc_value, left.object)))
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(60)
        assert not thread.is_alive(), thread
    gc.collect()
    assert unraisable == []


class Client:
    """Works for ever, in layers that each have something to close."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def work(self) -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                with trio.fail_after(float("inf")):
                    await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(0.001)
            self.said.append("closed")

    async def spin(self) -> None:
        while True:
            await trio.lowlevel.checkpoint()


@both
def test_what_goes_on_when_the_client_is_left_is_cancelled(drive: Drive) -> None:
    client = Client()

    async def leave() -> None:
        async with trio_loop() as portal:
            await asyncio.to_thread(portal.start_task_soon, client.work)
            await asyncio.to_thread(portal.call, trio.sleep, 0.01)

    drive(leave)
    assert client.said == ["closed"]


@both
def test_a_call_that_is_given_up_is_cancelled(drive: Drive) -> None:
    client = Client()

    async def give_up() -> None:
        async with trio_loop() as portal:
            call = asyncio.ensure_future(asyncio.to_thread(portal.call, client.work))
            await asyncio.to_thread(portal.call, trio.sleep, 0.01)
            call.cancel()
            raise LookupError

    with pytest.raises(LookupError):
        drive(give_up)
    assert client.said == ["closed"]


@both
@pytest.mark.parametrize("turns", range(8))
def test_a_loop_that_is_left_while_it_begins_ends_too(turns: int, drive: Drive) -> None:
    async def enter() -> None:
        async with trio_loop():
            await asyncio.Event().wait()

    async def leave() -> None:
        task = asyncio.ensure_future(enter())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    drive(leave)


def test_a_client_that_hangs_says_its_last_words() -> None:
    client, clock = Client(), VirtualClock()

    async def hang() -> None:
        asyncio.get_running_loop().call_later(600, clock.stop, Stalled("it hangs"))
        async with trio_loop() as portal:
            await asyncio.to_thread(portal.call, client.work)

    with pytest.raises(Stalled):
        run(hang, clock=clock)
    assert client.said == ["closed"]


def test_a_client_that_runs_in_a_circle_is_ended() -> None:
    client = Client()

    async def circle() -> None:
        async with trio_loop() as portal:
            await asyncio.to_thread(portal.call, client.spin)

    with pytest.raises(RealTimeExceeded):
        run(circle, clock=VirtualClock(), real_limit_s=0.3)


def test_what_the_loop_itself_fails_of_is_told() -> None:
    async def twice() -> None:
        async with trio_loop() as portal:
            await asyncio.to_thread(portal.call, trio.run, trio.sleep, 0)

    with pytest.raises(RuntimeError, match="inside a run"):
        in_virtual_time(twice)
