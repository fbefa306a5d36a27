"""Clients whose circuit breaker opens too late or too early, lets the wrong ones through, or never closes."""

import time
from collections.abc import Mapping
from typing import Any

from tests.miniatures.clients import over_aiohttp, over_requests, over_urllib
from tests.miniatures.clients.sound import Work


class NeverOpens(over_urllib.Honest):
    """Has no breaker worth the name."""

    threshold = 1_000_000


class OpensEarly(over_aiohttp.Honest):
    """Opens at the third failure."""

    threshold = 3


class OpensOneLate(over_requests.Honest):
    """Opens at the sixth failure."""

    threshold = 6


class NeverCloses(over_aiohttp.Honest):
    """Is never content with its probes."""

    probes_wanted = 1_000_000

    def _admit(self, error: Exception | None) -> None:
        if self._opened_s is not None and self._successes >= 3:
            self._opened_s = time.monotonic()
        super()._admit(error)


class Sulks(over_urllib.Honest):
    """Stays open for ten minutes."""

    recovery_s = 600.0


class Forgives(over_aiohttp.Honest):
    """Is open for twenty seconds only."""

    recovery_s = 20.0


class ForgivesASecondEarly(over_aiohttp.Honest):
    """Its minute has 59 seconds."""

    recovery_s = 59.0


class SulksASecondLonger(over_urllib.Honest):
    """Its minute has 61 seconds."""

    recovery_s = 61.0


class OneForEachOperation(over_aiohttp.Honest):
    """Goes on to ask for something else when the provider is known to be down."""

    def _asked(self, operation: str, body: Mapping[str, Any], deadline_s: float) -> Work:
        circuits = self.__dict__.setdefault("_circuits", {})
        self.__dict__.update(circuits.get(operation, {"_failures": 0, "_successes": 0, "_probes": 0, "_opened_s": None}))
        try:
            value = yield from super()._asked(operation, body, deadline_s)
            return value
        finally:
            circuits[operation] = {name: self.__dict__[name] for name in ("_failures", "_successes", "_probes", "_opened_s")}


class FloodsWhenHalfOpen(over_aiohttp.Honest):
    """Lets everybody through once the circuit has rested."""

    def _admit(self, error: Exception | None) -> None:
        self._probes = 0
        super()._admit(error)


class EasilyContent(over_requests.Honest):
    """Closes after a single probe."""

    probes_wanted = 1


class TakesRefusalsAmiss(over_urllib.Honest):
    """Counts a 400 as a failure of the provider."""

    def _note(self, *, failed: bool | None) -> None:
        super()._note(failed=True if failed is None else failed)


class ForgetsNothing(over_aiohttp.Honest):
    """Counts all failures there ever were, in a row or not."""

    def _note(self, *, failed: bool | None) -> None:
        before = self._failures
        super()._note(failed=failed)
        if failed is False:
            self._failures = before


class BlindToTimeouts(over_urllib.Honest):
    """Counts only failures that came with a status."""

    def _note(self, *, failed: bool | None) -> None:
        super()._note(failed=failed)

    def _attempt(self, operation, content, deadline_s):  # type: ignore[no-untyped-def]  # as in the class above it
        before = self._failures
        answer, error = yield from super()._attempt(operation, content, deadline_s)
        if answer is None and self._opened_s is None:
            self._failures = before
        elif answer is None and before < self.threshold:
            self._opened_s, self._failures = None, before
        return answer, error
