"""Sliding windows: how much was taken in the last so many seconds, exactly."""

from collections import deque
from collections.abc import Callable, Sequence

from harness.contract.model import RateLimit


class Windows:
    """The rate limits of a contract, as a provider would keep them."""

    def __init__(self, limits: Sequence[RateLimit], *, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._taken: deque[tuple[float, float]] = deque()
        self._longest_s = max((limit.per for limit in limits), default=0.0)

    def take(self, *, tokens: float) -> float:
        """Take one request of so many tokens now, or say in how many seconds it could be taken."""
        now = self._clock()
        while self._taken and self._taken[0][0] <= now - self._longest_s:
            self._taken.popleft()
        wait_s = max((self._wait_s(limit, now, tokens) for limit in self._limits), default=0.0)
        if wait_s <= 0:
            self._taken.append((now, tokens))
        return wait_s

    def _wait_s(self, limit: RateLimit, now: float, tokens: float) -> float:
        inside = [(at, cost) for at, cost in self._taken if at > now - limit.per]
        waits = [0.0]
        if limit.requests is not None and len(inside) >= limit.requests:
            waits.append(inside[len(inside) - limit.requests][0] + limit.per - now)
        if limit.tokens is not None and tokens > limit.tokens:
            waits.append(limit.per)  # such a request is never taken, however long it waits
        elif limit.tokens is not None:
            spare = limit.tokens - tokens - sum(cost for _, cost in inside)
            for at, cost in inside:
                if spare >= 0:
                    break
                spare += cost
                waits.append(at + limit.per - now)
        return max(waits)
