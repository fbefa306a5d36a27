"""A loop of trio beside the harness's own, for a client that lives on one; it keeps the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal


@asynccontextmanager
async def trio_loop() -> AsyncIterator["BlockingPortal"]:
    """It runs in a thread; coroutine functions are called there by way of what this gives."""
    from anyio.from_thread import start_blocking_portal  # loads trio with it, which hardly any client needs

    manager = start_blocking_portal("trio")
    portal = await asyncio.to_thread(manager.__enter__)
    try:
        yield portal
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)
