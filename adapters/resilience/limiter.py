"""The queue before the rate limits: first come, first served, over all units at once."""

import asyncio
import math
from collections import deque
from collections.abc import Mapping

from adapters.errors import InvalidInput
from adapters.resilience.clock import Clock, loop_time
from adapters.resilience.policy import RatePolicy
from adapters.resilience.window import Charge, Window

Cost = Mapping[str, float]
"""How much of each unit one attempt uses up, such as `{"requests": 1, "tokens": 812}`."""

_LATE_S = 1e-3  # aim a little after a charge expires: timers fire early by the clock's resolution


class Slot:
    """Room for one attempt, from `acquire` until it is closed."""

    __slots__ = ("_charges", "_limiter", "_open")

    def __init__(self, limiter: "Limiter", charges: list[tuple[Window, Charge]]) -> None:
        self._limiter = limiter
        self._charges = charges
        self._open = True

    def close(self) -> None:
        """The attempt has ended; what it used is free again one window from now."""
        if self._open:
            self._open = False
            self._limiter._close(self._charges)

    def give_back(self) -> None:
        """Nothing was sent; what was reserved is free at once."""
        if self._open:
            self._open = False
            self._limiter._give_back(self._charges)
            self._charges = []

    def correct(self, actual: Cost) -> None:
        """What the attempt really used, of the units named; also after it was closed."""
        self._limiter._correct(self._charges, whole(actual))


class Limiter:
    """Lets attempts start so that no window of any limit ever holds more than its amount."""

    def __init__(self, policy: RatePolicy, *, clock: Clock = loop_time) -> None:
        self._windows = [Window(limit) for limit in policy.limits]
        self._clock = clock
        # Who gave up waiting stays in the queue, done, until it is passed over.
        self._queue: deque[tuple[asyncio.Future[Slot], dict[str, int]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def amounts(self, cost: Cost) -> dict[str, int]:
        """The cost in whole units; InvalidInput when no wait would ever make room for it."""
        amounts = whole(cost)
        for window in self._windows:
            limit = window.limit
            if amounts.get(limit.unit, 0) > limit.amount:
                allowed = f"{limit.amount:g} are allowed in {limit.window_s:g} s"
                raise InvalidInput(f"{amounts[limit.unit]} {limit.unit} at once, but {allowed}")
        return amounts

    def wait_s(self, cost: Cost) -> float:
        """The least wait for `cost` from now; what is under way and who waits already can make it longer."""
        return self._wait_s(self.amounts(cost))

    def try_acquire(self, cost: Cost) -> Slot | None:
        """Take room for `cost` if there is some now and nobody waits."""
        amounts = self.amounts(cost)
        return self._take(amounts) if not self._queue and self._fits(amounts) else None

    async def acquire(self, cost: Cost) -> Slot:
        """Wait for room for `cost` and take it; close the slot when the attempt has ended."""
        if slot := self.try_acquire(cost):
            return slot
        amounts = self.amounts(cost)
        place: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        self._queue.append((place, amounts))
        if len(self._queue) == 1:
            self._serve()
        try:
            return await place
        except asyncio.CancelledError:
            self._leave(place)
            raise

    def _leave(self, place: asyncio.Future[Slot]) -> None:
        if not place.cancelled():  # it was let in and cancelled in the same turn of the loop
            place.result().give_back()
        elif self._queue and self._queue[0][0].done():
            self._serve()

    def _serve(self) -> None:
        """Let in everyone at the head of the queue who fits, and wake up again for the next."""
        while self._queue and (self._queue[0][0].done() or self._fits(self._queue[0][1])):
            place, amounts = self._queue.popleft()
            if not place.done():
                place.set_result(self._take(amounts))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._queue:
            late_s = self._wait_s(self._queue[0][1]) + _LATE_S
            self._timer = asyncio.get_running_loop().call_later(late_s, self._serve)

    def _fits(self, amounts: Mapping[str, int]) -> bool:
        now_s = self._clock()
        return all(window.fits(amounts.get(window.unit, 0), now_s=now_s) for window in self._windows)

    def _wait_s(self, amounts: Mapping[str, int]) -> float:
        now_s = self._clock()
        free = [window.free_s(amounts.get(window.unit, 0), now_s=now_s) for window in self._windows]
        return max(free, default=now_s) - now_s

    def _take(self, amounts: Mapping[str, int]) -> Slot:
        charges = [(window, window.start(amounts.get(window.unit, 0))) for window in self._windows]
        return Slot(self, charges)

    def _close(self, charges: list[tuple[Window, Charge]]) -> None:
        now_s = self._clock()
        for window, charge in charges:
            window.end(charge, now_s=now_s)
        # Nothing is free yet: the timer of whoever waits fires before this does, and is set again then.

    def _give_back(self, charges: list[tuple[Window, Charge]]) -> None:
        for window, charge in charges:
            window.cancel(charge)
        self._serve()

    def _correct(self, charges: list[tuple[Window, Charge]], actual: Mapping[str, int]) -> None:
        now_s = self._clock()
        for window, charge in charges:
            if window.unit in actual:
                window.correct(charge, actual[window.unit], now_s=now_s)
        if self._queue:
            self._serve()


def whole(cost: Cost) -> dict[str, int]:
    """The cost in whole units, rounded up; InvalidInput when an amount is not a number from 0."""
    for unit, amount in cost.items():
        if not 0 <= amount < math.inf:
            raise InvalidInput(f"{amount!r} {unit} is no cost")
    return {unit: math.ceil(amount) for unit, amount in cost.items()}
