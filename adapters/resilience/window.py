"""What was used of one rate limit: an exact ledger of a sliding window, without I/O and without a clock."""

import math
from collections import deque

from adapters.resilience.policy import RateLimit


class Charge:
    """An amount that counts against a limit until it expires; under way it never does."""

    __slots__ = ("amount", "expires_s")

    def __init__(self, amount: int) -> None:
        self.amount = amount
        self.expires_s = math.inf


class Window:
    """The charges of one limit; every `now_s` is on the same clock, and never smaller than the last.

    A charge counts from its start until one window after its end. The provider sees the request somewhere
    between the two, so wherever it lays its window, it can't count more than the limit.
    """

    __slots__ = ("_ended", "_used", "limit", "unit")

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self.unit = limit.unit
        self._ended: deque[Charge] = deque()
        self._used = 0  # whole numbers only: a sum of floats would not come back to 0

    def fits(self, amount: int, *, now_s: float) -> bool:
        """Whether this much may start now."""
        self._forget(now_s)
        return self._used + amount <= self.limit.amount

    def start(self, amount: int) -> Charge:
        """Charge what starts now."""
        self._used += amount
        return Charge(amount)

    def end(self, charge: Charge, *, now_s: float) -> None:
        """What was charged has ended now."""
        charge.expires_s = now_s + self.limit.window_s
        self._ended.append(charge)

    def correct(self, charge: Charge, amount: int, *, now_s: float) -> None:
        """What was charged turned out to be another amount."""
        if charge.expires_s >= now_s:
            self._used += amount - charge.amount
            charge.amount = amount

    def cancel(self, charge: Charge) -> None:
        """What was charged was never sent, and has not been ended."""
        self._used -= charge.amount

    def free_s(self, amount: int, *, now_s: float) -> float:
        """No moment before this one allows this much to start; what is under way is taken to end now."""
        self._forget(now_s)
        missing = self._used + amount - self.limit.amount
        if missing <= 0:
            return now_s
        for charge in self._ended:
            missing -= charge.amount
            if missing <= 0:
                return charge.expires_s
        return now_s + self.limit.window_s

    def _forget(self, now_s: float) -> None:
        # Still counted at the very moment it expires: the provider's window may include both its ends.
        while self._ended and self._ended[0].expires_s < now_s:
            self._used -= self._ended.popleft().amount
