"""A loop of trio beside the harness's own, for a client that lives on one; it keeps the same time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

from harness.wire.clock import outlasting

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

LAST_WORDS_S = 60.0  # for what the client does when it is cancelled


@asynccontextmanager
async def trio_loop() -> AsyncIterator["BlockingPortal"]:
    """It runs in a thread; coroutine functions are called there by way of what this gives.

    Whatever ends this (the client's work is done, or cut short) cancels what still goes on there, and waits for it: a loop
    that just stops leaves coroutines behind, to be ended by the garbage collector in the middle of something else.
    """
    thread = _TrioThread()
    try:
        yield await thread.begun()
    finally:
        await thread.ended()


class _TrioThread:
    """A thread with a loop of trio, and the portal to it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._portal: asyncio.Future[BlockingPortal] = self._loop.create_future()
        self._over = asyncio.Event()
        self._cancel: Callable[[], None] | None = None
        self._unwanted = False
        Thread(target=self._run, daemon=True, name="trio").start()

    async def begun(self) -> "BlockingPortal":
        """The portal, once there is one."""
        return await self._portal

    async def ended(self) -> None:
        """Nothing goes on there any more."""
        self._unwanted = True
        if self._cancel is not None:
            self._cancel()
        until_s, cut_short = self._loop.time() + LAST_WORDS_S, None
        while not self._over.is_set() and (left_s := until_s - self._loop.time()) > 0:
            try:
                await asyncio.wait_for(self._over.wait(), left_s)
            except TimeoutError:
                break
            except asyncio.CancelledError as error:  # once for the call that was cut short, and once for all that is left
                cut_short = error
        if cut_short is not None:
            raise cut_short

    def _run(self) -> None:
        import trio  # hardly any client needs it

        try:
            with outlasting():
                trio.run(self._serve)
        except BaseException as error:  # noqa: BLE001 - whatever it is, who waits for the loop is told
            self._tell(self._fail, error)
        finally:
            self._tell(self._over.set)

    async def _serve(self) -> None:
        import trio
        from anyio.from_thread import BlockingPortal

        token = trio.lowlevel.current_trio_token()
        with trio.CancelScope() as scope:

            def cancel() -> None:
                with suppress(trio.RunFinishedError):
                    token.run_sync_soon(scope.cancel)

            self._cancel = cancel
            if self._unwanted:  # since before there was anything to cancel
                return
            async with BlockingPortal() as portal:
                self._tell(self._begin, portal)
                await portal.sleep_until_stopped()

    def _begin(self, portal: "BlockingPortal") -> None:
        if not self._portal.done():  # else nobody waits for it any more
            self._portal.set_result(portal)

    def _fail(self, error: BaseException) -> None:
        if not self._portal.done():
            self._portal.set_exception(error)

    def _tell(self, call: Callable[..., object], *args: object) -> None:
        with suppress(RuntimeError):  # the harness's loop is gone
            self._loop.call_soon_threadsafe(call, *args)
