"""Clients that send too much: in one request, in one minute, or both."""

import time
from collections.abc import Mapping
from typing import Any

from aiolimiter import AsyncLimiter

from adapters.voyage_ai import VoyageAI
from tests.miniatures.clients import over_aiohttp, over_requests, over_urllib
from tests.miniatures.clients.sound import Sleep, Work


class AllAtOnce(over_urllib.Honest):
    """Puts whatever it is given into one request."""

    batch_items = 1_000_000

    def _check_request(self, operation: str, body: Mapping[str, Any]) -> None:
        """Checks nothing either."""


class CountsTextsOnly(over_aiohttp.Honest):
    """Splits by items and never by tokens."""

    batch_tokens = 10**9

    def _check_request(self, operation: str, body: Mapping[str, Any]) -> None:
        """Checks nothing either."""


class Unlimited(over_requests.Honest):
    """Knows of no rate limit."""

    most_requests, most_tokens = 10**9, 10**12


class Leaky(VoyageAI):
    """Limits its rate with a leaky bucket: up to twice the rate goes through in one window."""

    def __init__(self, *, base_url: str | None = None, credential: str | None = None) -> None:
        super().__init__(base_url=base_url, credential=credential)
        self._bucket: AsyncLimiter | None = None
        self._endpoint.resilience.limiter._windows.clear()

    async def _through(self, call: Any) -> Any:
        if self._bucket is None:
            self._bucket = AsyncLimiter(300, 60)
        await self._bucket.acquire()
        return await call

    async def embed(self, *args: Any, **options: Any) -> Any:
        return await self._through(super().embed(*args, **options))

    async def embed_contextualized(self, *args: Any, **options: Any) -> Any:
        return await self._through(super().embed_contextualized(*args, **options))

    async def rerank(self, *args: Any, **options: Any) -> Any:
        return await self._through(super().rerank(*args, **options))


class ByTheMinute(over_aiohttp.Honest):
    """Begins to count anew with each minute of the clock: twice the rate fits around its turn."""

    def _room(self, tokens: float, deadline_s: float) -> Work:
        while True:
            minute = time.time() // 60
            if not self._sent or self._sent[-1][0] != minute:
                self._sent.clear()
            if len(self._sent) < self.most_requests:
                self._sent.append((minute, tokens))
                return
            yield Sleep((minute + 1) * 60 - time.time() + 0.001)


class CountsRequestsOnly(over_urllib.Honest):
    """Has no budget of tokens."""

    most_tokens = 10**12


class CountsCallsOnly(over_aiohttp.Honest):
    """Takes no account of what it sends again."""

    def _asked(self, operation: str, body: Mapping[str, Any], deadline_s: float) -> Work:
        yield from super()._room(self._tokens(operation, body), deadline_s)
        value = yield from super()._asked(operation, body, deadline_s)
        return value

    def _room(self, tokens: float, deadline_s: float) -> Work:
        return
        yield  # a generator, as the others are


class RetriesForFree(CountsCallsOnly):
    """Charges a request's tokens once, however often they are sent."""


class OneBudgetEach(over_aiohttp.Honest):
    """Gives each operation a rate limit of its own."""

    def _asked(self, operation: str, body: Mapping[str, Any], deadline_s: float) -> Work:
        budgets = self.__dict__.setdefault("_budgets", {})
        self._sent = budgets.setdefault(operation, type(self._sent)())
        value = yield from super()._asked(operation, body, deadline_s)
        return value
