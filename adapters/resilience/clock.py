"""The clock of all policies: the running event loop's own, so that who drives the loop drives them."""

import asyncio
from collections.abc import Callable

Clock = Callable[[], float]


def loop_time() -> float:
    """Seconds on the running event loop's clock."""
    return asyncio.get_running_loop().time()
