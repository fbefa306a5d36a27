"""Answers kept for a while, and one question asked only once at a time."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from adapters.resilience.clock import Clock, loop_time
from adapters.resilience.policy import CachePolicy

if TYPE_CHECKING:
    from numpy.typing import NDArray

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Load = Callable[[tuple[K, ...]], Awaitable[Sequence[V]]]
"""Gets the values of some keys, one for each, in their order."""


class _Flight(Generic[K, V]):
    """One load under way; empty when it landed with an error."""

    def __init__(self) -> None:
        self.landed = asyncio.Event()
        self.loaded: dict[K, V] = {}


class Cache(Generic[K, V]):
    """The most recently used answers, each for at most `ttl_s`; the caller makes the keys.

    `own` makes a value that nobody else can change; it is applied to what is kept and to what is handed out.
    """

    def __init__(
        self, policy: CachePolicy, *, own: Callable[[V], V] = deepcopy, clock: Clock = loop_time
    ) -> None:
        self._policy = policy
        self._own = own
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._flights: dict[K, _Flight[K, V]] = {}
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget every answer."""
        self._kept.clear()

    async def fetch(self, keys: Sequence[K], load: Load[K, V]) -> list[V]:
        """The values of `keys`, in order; `load` is asked once for those that nobody has or is loading.

        When another caller's load fails or is cancelled, this one loads for itself.
        """
        found: dict[K, V] = {}
        asked = tuple(dict.fromkeys(keys))
        while missing := self._look_up(asked, found):
            mine = tuple(key for key in missing if key not in self._flights)
            flights = [self._flights[key] for key in missing if key in self._flights]
            # Own keys first, others' after: two callers that wait for each other both make progress.
            if mine:
                flights.append(await self._load(mine, load))
            for flight in flights:
                await flight.landed.wait()
                found.update((key, flight.loaded[key]) for key in missing if key in flight.loaded)
        return [self._own(found[key]) for key in keys]

    def _look_up(self, keys: tuple[K, ...], found: dict[K, V]) -> tuple[K, ...]:
        """Put what is kept into `found`; the keys that are still missing."""
        missing = tuple(key for key in keys if key not in found)
        now_s = self._clock()
        for key in missing:
            if key in self._kept and self._kept[key][0] <= now_s:
                del self._kept[key]
            if key in self._kept:
                self._kept.move_to_end(key)
                found[key] = self._kept[key][1]
                self.hits += 1
        return tuple(key for key in missing if key not in found)

    async def _load(self, keys: tuple[K, ...], load: Load[K, V]) -> "_Flight[K, V]":
        flight: _Flight[K, V] = _Flight()
        self._flights.update(dict.fromkeys(keys, flight))
        self.misses += len(keys)
        try:
            values = await load(keys)
            if len(values) != len(keys):
                raise ValueError(f"{len(values)} values were loaded for {len(keys)} keys")
            flight.loaded = {key: self._own(value) for key, value in zip(keys, values, strict=True)}
            self._keep(flight.loaded)
        finally:
            for key in keys:
                del self._flights[key]
            flight.landed.set()
        return flight

    def _keep(self, loaded: dict[K, V]) -> None:
        expires_s = self._clock() + self._policy.ttl_s
        for key, value in loaded.items():
            self._kept[key] = (expires_s, value)
        while len(self._kept) > self._policy.entries:
            self._kept.popitem(last=False)


def readonly(array: "NDArray[Any]") -> "NDArray[Any]":
    """An array that nobody can write to: itself when it is one already, else a copy. For `Cache(own=…)`."""
    if array.flags.writeable or not (array.flags.owndata or isinstance(array.base, bytes)):  # bytes never change
        array = array.copy()
        array.flags.writeable = False
    return array
