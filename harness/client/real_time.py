"""A clock for a play at the provider's own pace."""

import asyncio
import time

from harness.wire.clock import VirtualClock


class RealClock(VirtualClock):
    """Time as it is."""

    def __init__(self) -> None:
        super().__init__()
        self._began_s = time.monotonic()

    @property
    def now_s(self) -> float:
        return time.monotonic() - self._began_s

    def wall(self) -> float:
        return time.time()

    def advance(self, seconds: float) -> None:
        time.sleep(seconds)

    async def elapse(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
