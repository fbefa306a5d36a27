"""One call under all policies: waits for its turn, passes the breaker, tries again, keeps its deadline."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from adapters.errors import (
    CircuitOpen,
    DeadlineExceeded,
    IntegrationError,
    ProviderError,
    TransportError,
)
from adapters.resilience.breaker import Breaker, Permit, State
from adapters.resilience.clock import Clock, loop_time
from adapters.resilience.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BreakerChanged,
    Event,
    GaveUp,
    Observer,
    Refused,
    RetryScheduled,
    Throttled,
    tell,
)
from adapters.resilience.limiter import Cost, Limiter, Slot
from adapters.resilience.policy import BreakerPolicy, RatePolicy, RetryPolicy
from adapters.resilience.retry import Reason, RetryIn, decide

T = TypeVar("T")


def speaks_against_provider(error: BaseException) -> bool:
    """No answer and 5xx do; what the caller did wrong, and a rate limit that is used up, do not."""
    return isinstance(error, TransportError) or (isinstance(error, ProviderError) and error.status >= 500)


class Resilience:
    """What all calls of one client share: one breaker, one set of rate limits, one retry policy, one budget.

    `budget_s` covers everything between `call` and its result: waits for the rate limits, attempts, back-off.
    `counts` says which errors the breaker counts as failures; the others count neither for nor against.
    """

    def __init__(
        self,
        *,
        retry: RetryPolicy,
        breaker: BreakerPolicy,
        rate: RatePolicy,
        budget_s: float,
        clock: Clock = loop_time,
        rng: random.Random | None = None,
        on_event: Observer | None = None,
        counts: Callable[[BaseException], bool] = speaks_against_provider,
    ) -> None:
        if not budget_s > 0:
            raise ValueError(f"budget_s must be above 0, not {budget_s!r}")
        self.retry = retry
        self.budget_s = budget_s
        self.clock = clock
        self.rng = rng or random.Random()  # noqa: S311 - it spreads waits, and hides nothing
        self.on_event = on_event
        self.counts = counts
        self.limiter = Limiter(rate, clock=clock)
        self.breaker = Breaker(breaker, clock=clock, on_change=self._breaker_changed)

    def deadline(self) -> float:
        """The moment a call that starts now must be over; several calls given one deadline share a budget."""
        return self.clock() + self.budget_s

    async def call(
        self,
        attempt: Callable[[], Awaitable[T]],
        *,
        cost: Cost | None = None,
        actual: Callable[[T], Cost] | None = None,
        deadline: float = math.inf,
        retry: RetryPolicy | None = None,
    ) -> T:
        """The first result that `attempt` brings, tried as the policies allow, and at most until `deadline`.

        An attempt costs one request and what `cost` adds; `actual` says afterwards what it really was.
        Raises the last attempt's error, CircuitOpen or InvalidInput (nothing was sent), or DeadlineExceeded
        (caused by the last error, if there was one). An attempt under way at the deadline is cancelled.
        """
        whole_cost = {"requests": 1} if cost is None else {"requests": 1, **cost}
        run = _Run(self, attempt, actual, cost=whole_cost, retry=retry or self.retry, deadline=deadline)
        return await run.result()

    def _breaker_changed(self, before: State, after: State) -> None:
        tell(self.on_event, BreakerChanged(before=before, after=after))


class _Run(Generic[T]):
    """One call on its way: how many attempts it took, when it must be over, what went wrong last."""

    def __init__(
        self,
        shared: Resilience,
        attempt: Callable[[], Awaitable[T]],
        actual: Callable[[T], Cost] | None,
        *,
        cost: Cost,
        retry: RetryPolicy,
        deadline: float,
    ) -> None:
        self._shared = shared
        self._attempt = attempt
        self._actual = actual
        self._cost = cost
        self._retry = retry
        self._started_s = shared.clock()
        self._budget_s = min(shared.budget_s, deadline - self._started_s)
        self._number = 0
        self._error: IntegrationError | None = None

    async def result(self) -> T:
        """The result of the first attempt that has one, in time."""
        if self._budget_s <= 0:
            raise self._overdue("no time was left for it")
        try:
            async with asyncio.timeout(self._budget_s if self._budget_s < math.inf else None) as self._scope:
                return await self._persist()
        except Exception:  # an attempt may turn its cancellation into an error of its own
            if not self._scope.expired():
                raise
        raise self._overdue("it was not done in time") from self._error

    async def _persist(self) -> T:
        while True:
            slot, permit = await self._admitted()
            self._number += 1
            try:
                return await self._run(slot, permit)
            except IntegrationError as error:
                self._error = error
            await asyncio.sleep(self._wait_s(self._error))

    async def _admitted(self) -> tuple[Slot, Permit]:
        breaker = self._shared.breaker
        try:
            breaker.check()  # so that nobody waits in the queue for a refusal
            slot = self._shared.limiter.try_acquire(self._cost) or await self._queued()
            try:
                return slot, breaker.admit()
            except CircuitOpen:
                slot.give_back()
                raise
        except CircuitOpen:
            self._tell(Refused(attempts=self._number))
            if self._error is None:
                raise
            # What the provider did says more than that it isn't asked again.
            raise self._error from self._error.__cause__

    async def _queued(self) -> Slot:
        limiter, since_s = self._shared.limiter, self._shared.clock()
        least_s = limiter.wait_s(self._cost)
        if since_s + least_s >= self._started_s + self._budget_s:
            raise self._overdue(f"the rate limits ask for a wait of {least_s:.3g} s") from self._error
        slot = await limiter.acquire(self._cost)
        self._tell(Throttled(wait_s=self._shared.clock() - since_s))
        return slot

    async def _run(self, slot: Slot, permit: Permit) -> T:
        shared, since_s = self._shared, self._shared.clock()
        try:
            if shared.on_event is not None:
                self._tell(AttemptStarted(number=self._number))
            result = await self._attempt()
        except BaseException as error:
            # Cut off by our own deadline: the provider has not answered in all that time.
            if self._scope.expired() or shared.counts(error):
                permit.failed()
            else:
                permit.released()
            self._tell(AttemptFailed(number=self._number, took_s=shared.clock() - since_s, error=error))
            raise
        finally:
            slot.close()
        permit.succeeded()
        if self._actual is not None:
            slot.correct(self._actual(result))
        if shared.on_event is not None:
            self._tell(AttemptSucceeded(number=self._number, took_s=shared.clock() - since_s))
        return result

    def _wait_s(self, error: IntegrationError) -> float:
        decision = decide(
            self._retry,
            attempt=self._number,
            error=error,
            elapsed_s=self._shared.clock() - self._started_s,
            budget_s=self._budget_s,
            refused_s=self._shared.breaker.refused_s(),
            rng=self._shared.rng,
        )
        if isinstance(decision, RetryIn):
            self._tell(RetryScheduled(number=self._number + 1, wait_s=decision.seconds))
            return decision.seconds
        if decision.reason is Reason.BUDGET:
            raise self._overdue(f"the next attempt is {decision.wait_s:.3g} s away") from error
        self._tell(GaveUp(attempts=self._number, reason=decision.reason))
        raise error

    def _overdue(self, why: str) -> DeadlineExceeded:
        self._tell(GaveUp(attempts=self._number, reason=Reason.BUDGET))
        spent_s = self._shared.clock() - self._started_s
        last = "" if self._error is None else f"; last error: {self._error}"
        return DeadlineExceeded(f"{spent_s:.3g} s of {self._budget_s:.3g} s used up, {why}{last}")

    def _tell(self, event: Event) -> None:
        tell(self._shared.on_event, event)
