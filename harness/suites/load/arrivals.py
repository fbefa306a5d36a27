"""When requests start under load: an open model, drawn before the run and never waiting for an answer.

Users of an integration do not know of each other, so they arrive as a Poisson process; and since the profile
says how many there are, as one with its count given: so many moments, each anywhere in the duration.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.contract.promises import LoadProfile

MOST_ARRIVALS = 10_000_000  # 100 MB; more than an hour of what one machine can send


class TooManyArrivals(ValueError):
    """A profile asks for more requests than can be kept in memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Schedule:
    """The moments at which requests start, in order, and which operation each of them asks for (by its place)."""

    operations: tuple[str, ...]
    starts_s: NDArray[np.float64]
    choices: NDArray[np.uint8]
    duration_s: float

    def __len__(self) -> int:
        return len(self.starts_s)

    def share(self, part: int, parts: int) -> Iterator[tuple[int, float, int]]:
        """Every ``parts``-th arrival: its number, its moment, its operation. All parts together are the schedule."""
        for number in range(part, len(self), parts):
            yield number, float(self.starts_s[number]), int(self.choices[number])

    def counts(self) -> dict[str, int]:
        """How often each operation is asked for."""
        return {name: int((self.choices == place).sum()) for place, name in enumerate(self.operations)}


def draw(profile: LoadProfile, operations: Sequence[str], *, seed: int) -> Schedule:
    """The schedule of a profile; the same for the same seed. Without a mix, each of ``operations`` weighs the same."""
    count = round(profile.rate * profile.duration)
    if count > MOST_ARRIVALS:
        raise TooManyArrivals(f"the profile asks for {count:,} requests; {MOST_ARRIVALS:,} is the most: lower its rate or its duration")
    mix = {name: weight for name, weight in profile.mix.items() if name in operations} or dict.fromkeys(operations, 1)
    random = np.random.default_rng(seed)
    starts_s = np.sort(random.uniform(0, profile.duration, count))
    choices = np.repeat(np.arange(len(mix), dtype=np.uint8), list(apportion(count, mix).values()))
    return Schedule(operations=tuple(mix), starts_s=starts_s, choices=random.permutation(choices), duration_s=profile.duration)


def apportion(count: int, weights: Mapping[str, int]) -> dict[str, int]:
    """``count`` shared out by weight, by the method of largest remainders."""
    total = sum(weights.values())
    exact = {name: count * weight / total for name, weight in weights.items()}
    whole = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: whole[name] - exact[name])
    for name in by_remainder[: count - sum(whole.values())]:
        whole[name] += 1
    return whole
