"""Clients that try too often, too seldom, too soon or too late."""

from collections.abc import Mapping
from typing import Any

from adapters import errors
from tests.miniatures.clients import over_aiohttp, over_requests, over_urllib
from tests.miniatures.clients.sound import Answer, Work


class OneTooMany(over_urllib.Honest):
    """Tries four times."""

    attempts = 4


class OneTooFew(over_aiohttp.Honest):
    """Tries twice."""

    attempts = 2


class Never(over_requests.Honest):
    """Tries once."""

    attempts = 1


class Forever(over_urllib.Honest):
    """Does not give up, and never mind the deadline."""

    attempts = 1_000_000
    budget_s = 1e9


class AtOnce(over_aiohttp.Honest):
    """Does not wait before it tries again."""

    def _wait_s(self, retry: int, answer: Answer | None) -> float:
        return 0.0


class Evenly(over_urllib.Honest):
    """Waits the same time before each attempt."""

    def _wait_s(self, retry: int, answer: Answer | None) -> float:
        return super()._wait_s(0, answer)


class Sluggishly(over_aiohttp.Honest):
    """Adds up to ten seconds of jitter instead of one."""

    def _wait_s(self, retry: int, answer: Answer | None) -> float:
        return super()._wait_s(retry, answer) + 9


class DeafToHints(over_requests.Honest):
    """Never looks at `Retry-After`."""

    def _hint_s(self, answer: Answer) -> float | None:
        return None


class DeafToDates(over_aiohttp.Honest):
    """Reads `Retry-After` only where it is a number."""

    def _hint_s(self, answer: Answer) -> float | None:
        return super()._hint_s(answer) if answer.headers.get("retry-after", "").isdigit() else None


class OnTheDot(over_urllib.Honest):
    """Comes back just when the provider said, as everybody else does."""

    def _wait_s(self, retry: int, answer: Answer | None) -> float:
        hint_s = self._hint_s(answer) if answer is not None and answer.status == 429 else None
        return super()._wait_s(retry, answer) if hint_s is None else hint_s


class Impatient(over_aiohttp.Honest):
    """Waits half a minute at most, whatever the provider says."""

    def _hint_s(self, answer: Answer) -> float | None:
        hint_s = super()._hint_s(answer)
        return None if hint_s is None else min(hint_s, 30.0)


class Stubborn(over_requests.Honest):
    """Sends again what was refused as invalid."""

    retried = over_requests.Honest.retried | {400}


class Particular(over_urllib.Honest):
    """Does not take a 500 for something that may pass."""

    retried = over_urllib.Honest.retried - {500}


class Resigned(over_aiohttp.Honest):
    """Gives up at the first timeout."""

    def _may_retry(self, error: Exception) -> bool:
        return super()._may_retry(error) and not isinstance(error, errors.ProviderTimeout)


class Doubting(over_urllib.Honest):
    """Asks again what has just been answered well."""

    def _asked(self, operation: str, body: Mapping[str, Any], deadline_s: float) -> Work:
        yield from super()._asked(operation, body, deadline_s)
        value = yield from super()._asked(operation, body, deadline_s)
        return value


class InStep(over_aiohttp.Honest):
    """Waits as long as all the others that failed with it."""

    def _wait_s(self, retry: int, answer: Answer | None) -> float:
        waits_s = super()._wait_s(retry, answer)
        return waits_s if answer is not None and answer.status == 429 else float(2**retry + 0.5)
