"""How much of a response time was not the provider's: the sender could not run, or others held the processors.

What is measured on a busy machine is the machine. So the sender watches itself (a timer that rings late says
that it could not run) and, where the provider is a process of this machine, how long that process waited for
a processor while others used them. Both are an upper bound of what a request was delayed by.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERIOD_S = 0.02  # between two rings of the timer
SLACK_S = 0.003  # a timer may ring that late on an idle machine
AFTER_EFFECT_S = 0.2  # requests that were held back are sent at once, and stand in the way of those after them


@dataclass
class Watch:
    """Keeps account of lost time, in seconds of ``clock`` since ``begin_s``."""

    clock: Callable[[], float]
    waited_s: Callable[[], float] | None = None  # how long the provider waited for a processor since this was last asked
    stalled_s: float = 0.0
    starved_s: float = 0.0
    begin_s: float = 0.0
    _rang_s: float = 0.0
    _times_s: list[float] = field(default_factory=lambda: [0.0])
    _stalled_s: list[float] = field(default_factory=lambda: [0.0])
    _starved_s: list[float] = field(default_factory=lambda: [0.0])

    def begin(self) -> float:
        """Start the account; when that was."""
        self.begin_s = self._rang_s = self.clock()
        if self.waited_s is not None:
            self.waited_s()
        return self.begin_s

    def ring(self) -> None:
        """To be called every ``PERIOD_S``, and once before the account is asked for."""
        now_s = self.clock()
        passed_s, self._rang_s = now_s - self._rang_s, now_s
        self.stalled_s += max(0.0, passed_s - PERIOD_S - SLACK_S)
        self.starved_s += min(self.waited_s(), passed_s) if self.waited_s is not None else 0.0
        self._times_s.append(now_s - self.begin_s)
        self._stalled_s.append(self.stalled_s)
        self._starved_s.append(self.starved_s)

    def lost_s(self, start_s: NDArray[Any], end_s: NDArray[Any]) -> NDArray[np.float64]:
        """For each request, from when it was due to its end: the time that was lost then, or so shortly before that it mattered."""
        times_s = np.array(self._times_s)
        last = np.minimum(np.searchsorted(times_s, end_s), len(times_s) - 1)
        first, before = (
            np.maximum(np.searchsorted(times_s, moment_s, side="right") - 1, 0) for moment_s in (start_s, start_s - AFTER_EFFECT_S)
        )
        stalled_s, starved_s = np.array(self._stalled_s), np.array(self._starved_s)
        lost_s = stalled_s[last] - stalled_s[before] + starved_s[last] - starved_s[first]
        capped: NDArray[np.float64] = np.clip(lost_s, 0.0, np.maximum(end_s - start_s, 0.0))
        return capped
