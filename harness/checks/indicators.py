"""What a load run measures: the fate of each request, and the indicators that objectives are held against.

The one place where the words of `sla:` are defined. Times count from the moment when a request was *meant*
to start, so that a provider that stalls is charged for those who would have asked meanwhile (coordinated
omission: Tene, "How NOT to Measure Latency").

availability
    The share of requests that were answered, in time and not with a 5xx (the SRE Workbook, appendix A: "any
    HTTP status other than 500-599 is considered successful"). No answer at all is not available.
error_rate
    The share of requests that did not get what the contract promises: the above, refusals (4xx) and answers
    that break the contract. Of the answers only a sample may have been read whole; its share speaks for all.
response_time_pNN
    Nearest rank over the requests that were served, and over those that waited in vain, with the time that
    they waited. What failed at once is no quick answer; it counts above.
throughput
    Good answers per second of the profile. One that came after its end counts if a response time objective
    would have let it come so late.

What was measured may not be the provider's alone: ``excused_s`` is how much of a response time the sender or
other programs may have caused. Each indicator has a second value *at best*, with that taken off; an objective
that is missed, but not at best, can't be told.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

PREFIX = "load"
AT_BEST = "load.at_best"
RELEVANT = 0.5  # of the patience, taken by others: who knows what the rest would have brought
QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


class Fate(IntEnum):
    """What came of a request."""

    VERIFIED = 0  # answered, read whole, and keeps the contract
    UNVERIFIED = 1  # answered, status and media type are right, the rest was not looked at
    WRONG = 2  # answered, read whole, and breaks the contract
    UNEXPECTED = 3  # answered with a status or media type that is none of a success
    REFUSED = 4  # 4xx
    FAILED = 5  # 5xx
    LOST = 6  # the connection was refused or broke
    LATE = 7  # no answer within the timeout


UNAVAILABLE = (Fate.FAILED, Fate.LOST, Fate.LATE)
TIMED = (Fate.VERIFIED, Fate.UNVERIFIED, Fate.WRONG, Fate.UNEXPECTED, Fate.LATE)
_COLUMNS = (("operation", "B"), ("fate", "B"), ("start_s", "d"), ("lag_s", "d"), ("response_s", "d"), ("excused_s", "d"))


class Samples:
    """One row a request, in the order of its end; packs into bytes and takes in what another process packed.

    ``start_s`` is when it was meant to start, from the start of the run; ``lag_s`` how much later it was sent;
    ``response_s`` the time from when it was meant to start until its end; ``excused_s`` see above.
    """

    def __init__(self) -> None:
        self._columns: dict[str, array[Any]] = {name: array(code) for name, code in _COLUMNS}

    def __len__(self) -> int:
        return len(self._columns["fate"])

    def add(self, operation: int, fate: Fate, *, start_s: float, lag_s: float, response_s: float, excused_s: float = 0.0) -> None:
        """One more; ``operation`` by its place in the list of operations."""
        for (name, _), value in zip(_COLUMNS, (operation, int(fate), start_s, lag_s, response_s, excused_s), strict=True):
            self._columns[name].append(value)

    def excuse(self, excused_s: NDArray[np.float64]) -> None:
        """Say how much of each response time may not be the provider's."""
        self._columns["excused_s"] = array("d", excused_s.tobytes())

    def pack(self) -> dict[str, bytes]:
        return {name: column.tobytes() for name, column in self._columns.items()}

    def take(self, packed: Mapping[str, bytes]) -> None:
        """Rows that another one packed; ValueError when they are not whole."""
        read: dict[str, array[Any]] = {name: array(code) for name, code in _COLUMNS}
        for name, column in read.items():
            column.frombytes(packed[name])
        if len({len(column) for column in read.values()}) != 1:
            raise ValueError("the columns of the samples differ in length")
        for name, column in read.items():
            self._columns[name].extend(column)

    def column(self, name: str) -> NDArray[np.float64]:
        return np.array(self._columns[name], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a run was meant to do: so many requests, evenly over a duration; ``grace_s`` is how late after its
    end an answer may come and still count as put through."""

    operations: Sequence[str]
    planned: int
    duration_s: float
    grace_s: float


def measure(samples: Samples, terms: Terms) -> dict[str, float]:
    """Every indicator by name, ``load.p95_s`` for all requests and ``load.embed.p95_s`` for one operation's.

    An indicator without a sample has no entry; ``load.samples`` is always there.
    """
    columns = {name: samples.column(name) for name, _ in _COLUMNS}
    found = _by_operation(columns, terms, PREFIX)
    if columns["excused_s"].any():
        found |= _by_operation(_at_best(columns), terms, AT_BEST)
    counts = np.bincount(columns["fate"].astype(int), minlength=len(Fate))
    found |= {f"{PREFIX}.fate.{fate.name.lower()}": float(counts[fate]) for fate in Fate}
    found[f"{PREFIX}.planned"] = float(terms.planned)
    found[f"{PREFIX}.target_rate_per_s"] = terms.planned / terms.duration_s
    return found


def _by_operation(columns: Mapping[str, NDArray[np.float64]], terms: Terms, prefix: str) -> dict[str, float]:
    """The indicators of all requests, and of those of each operation."""
    found = {f"{prefix}.{name}": value for name, value in _indicators(columns, terms).items()}
    for number, operation in enumerate(terms.operations):
        own = columns["operation"] == number
        part = {name: column[own] for name, column in columns.items()}
        found.update({f"{prefix}.{operation}.{name}": value for name, value in _indicators(part, terms).items()})
    return found


def _at_best(columns: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """The same requests, had nobody but the provider kept them waiting."""
    response_s, excused_s = columns["response_s"], columns["excused_s"]
    given_up = (columns["fate"] == Fate.LATE) & (excused_s > RELEVANT * response_s)
    fate = np.where(given_up, float(Fate.UNVERIFIED), columns["fate"])
    return {**columns, "fate": fate, "response_s": response_s - excused_s}


def _indicators(columns: Mapping[str, NDArray[np.float64]], terms: Terms) -> dict[str, float]:
    fate, response_s = columns["fate"], columns["response_s"]
    total = len(fate)
    if not total:
        return {"samples": 0.0}
    keeps = _share_that_keeps(fate)
    good = float(keeps[fate.astype(int)].sum())
    in_time = columns["start_s"] + response_s <= terms.duration_s + terms.grace_s
    found = {
        "samples": float(total),
        "read": float(np.isin(fate, (Fate.VERIFIED, Fate.WRONG)).sum()),
        "availability": 1 - float(np.isin(fate, UNAVAILABLE).sum()) / total,
        "error_rate": 1 - good / total,
        "throughput_per_s": float(keeps[fate[in_time].astype(int)].sum()) / terms.duration_s,
        "lag_p99_s": nearest_rank(columns["lag_s"], 0.99),
    }
    timed = response_s[np.isin(fate, TIMED)]
    if len(timed):
        found |= {f"{name}_s": nearest_rank(timed, quantile) for name, quantile in QUANTILES.items()}
        found["max_s"] = float(timed.max())
    return found


def _share_that_keeps(fate: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each fate, how much of a good answer it is worth: of those that were not read, as many as of those that were."""
    verified, wrong = (int((fate == which).sum()) for which in (Fate.VERIFIED, Fate.WRONG))
    worth = np.zeros(len(Fate))
    worth[Fate.VERIFIED] = 1.0
    worth[Fate.UNVERIFIED] = verified / (verified + wrong) if verified + wrong else 1.0
    return worth


def nearest_rank(values: NDArray[np.float64], quantile: float) -> float:
    """The smallest value that so great a share of all values does not exceed."""
    rank = max(1, int(np.ceil(round(quantile * len(values), 9))))
    return float(np.partition(values, rank - 1)[rank - 1])
