"""Rules of a call under all policies, with the user's numbers, in virtual time."""

import asyncio
import dataclasses
import itertools
import math
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from adapters.errors import (
    AuthenticationFailed,
    CircuitOpen,
    DeadlineExceeded,
    IntegrationError,
    InvalidInput,
    InvalidRequest,
    InvalidResponse,
    ProviderTimeout,
    ProviderUnavailable,
    ProviderUnreachable,
    RateLimited,
)
from adapters.resilience import (
    BreakerPolicy,
    RateLimit,
    RatePolicy,
    Resilience,
    RetryPolicy,
    speaks_against_provider,
)
from adapters.resilience.breaker import State
from adapters.resilience.events import (
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    BreakerChanged,
    Event,
    GaveUp,
    Refused,
    RetryScheduled,
    Throttled,
)
from adapters.resilience.retry import Reason

Run = Callable[[Coroutine[Any, Any, Any]], Any]
RETRY = RetryPolicy(
    attempts=3,
    on_statuses=frozenset({429, 500, 502, 503, 504}),
    on_timeout=True,
    on_connection=True,
    never_statuses=frozenset({400, 401, 403}),
    wait_initial_s=1.0,
    wait_multiplier=2.0,
    wait_max_s=60.0,
    jitter_s=1.0,
    honour_retry_after=True,
    retry_after_extra_s=(1.0, 5.0),
)
DOWN = ProviderUnavailable(status=500, detail="down")


def resilience(**changed: Any) -> Resilience:
    rate = RatePolicy(
        limits=(
            RateLimit(unit="requests", amount=300, window_s=60.0),
            RateLimit(unit="tokens", amount=1_000_000, window_s=60.0),
        )
    )
    breaker = BreakerPolicy(failure_threshold=5, recovery_timeout_s=60.0, half_open_successes=3)
    users: dict[str, Any] = {
        "retry": RETRY,
        "breaker": breaker,
        "rate": rate,
        "budget_s": 180.0,
        "rng": random.Random(7),
    }
    return Resilience(**(users | changed))


class Provider:
    """Answers with what is on its list, then with "ok"; an exception is raised, a number is a silence."""

    def __init__(self, *script: object, takes_s: float = 0.0) -> None:
        self._script = list(script)
        self._takes_s = takes_s
        self.starts: list[float] = []
        self.under_way = self.most_under_way = 0

    async def __call__(self) -> str:
        self.starts.append(asyncio.get_running_loop().time() - 1000.0)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        step = self._script.pop(0) if self._script else "ok"
        try:
            await asyncio.sleep(step if isinstance(step, float) else self._takes_s)
        finally:
            self.under_way -= 1
        if isinstance(step, Exception):
            raise step
        return str(step)

    @property
    def waits(self) -> list[float]:
        return [later - sooner for sooner, later in itertools.pairwise(self.starts)]


def failing() -> Provider:
    return Provider(*[DOWN] * 1000)


async def outcome(call: Coroutine[Any, Any, Any]) -> Any:
    """What a call returns or raises."""
    try:
        return await call
    except Exception as error:
        return error


def now() -> float:
    return asyncio.get_running_loop().time() - 1000.0


def test_a_call_that_works_is_one_attempt(run: Run) -> None:
    provider = Provider("vectors")
    assert run(resilience().call(provider)) == "vectors"
    assert provider.starts == [0.0]


def test_after_two_failures_the_third_attempt_counts_and_the_waits_are_the_promised_ones(run: Run) -> None:
    provider = Provider(DOWN, ProviderUnreachable("reset"))
    assert run(resilience().call(provider)) == "ok"
    first, second = provider.waits
    assert 1.0 <= first <= 2.0
    assert 2.0 <= second <= 3.0


def test_after_three_attempts_the_last_error_is_raised_as_it_is(run: Run) -> None:
    last = ProviderTimeout("the last")
    provider = Provider(DOWN, DOWN, last)
    assert run(outcome(resilience().call(provider))) is last
    assert len(provider.starts) == 3


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest(status=400),
        AuthenticationFailed(status=401),
        InvalidResponse("garbage"),
        KeyError("a bug"),
    ],
)
def test_what_is_not_to_be_retried_is_raised_at_once(run: Run, error: Exception) -> None:
    provider = Provider(error)
    assert run(outcome(resilience().call(provider))) is error
    assert len(provider.starts) == 1


def test_a_hint_is_waited_for_with_one_to_five_seconds_more(run: Run) -> None:
    provider = Provider(RateLimited(status=429, retry_after_s=30.0))
    run(resilience().call(provider))
    [wait_s] = provider.waits
    assert 31.0 <= wait_s <= 35.0


def test_a_hint_beyond_the_budget_ends_the_call_at_once(run: Run) -> None:
    async def scenario() -> None:
        hint = RateLimited(status=429, detail="slow down", retry_after_s=200.0)
        error = await outcome(resilience().call(Provider(hint)))
        assert isinstance(error, DeadlineExceeded)
        assert error.__cause__ is hint
        assert now() == 0.0
        assert "last error: the provider answered 429: slow down (retry after 200 s)" in str(error)

    run(scenario())


def test_an_attempt_under_way_at_the_deadline_is_cancelled(run: Run) -> None:
    async def scenario() -> None:
        provider = Provider(ProviderTimeout("60 s"), 1e6)
        error = await outcome(resilience().call(provider))
        assert isinstance(error, DeadlineExceeded)
        assert isinstance(error.__cause__, ProviderTimeout)
        assert now() == pytest.approx(180.0)
        assert provider.under_way == 0
        assert str(error) == "180 s of 180 s used up, it was not done in time; last error: 60 s"

    run(scenario())


def test_an_attempt_that_dresses_its_cancellation_up_is_late_all_the_same(run: Run) -> None:
    async def dresses_up() -> None:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            raise ProviderTimeout("cancelled") from None

    error = run(outcome(resilience().call(dresses_up)))
    assert isinstance(error, DeadlineExceeded)


def test_a_timeout_of_the_attempts_own_is_not_taken_for_the_deadline(run: Run) -> None:
    own = TimeoutError("its own")
    assert run(outcome(resilience().call(Provider(own)))) is own


def test_several_calls_can_share_one_deadline(run: Run) -> None:
    async def scenario() -> None:
        part = resilience()
        deadline = part.deadline()
        await part.call(Provider(100.0), deadline=deadline)
        error = await outcome(part.call(Provider(100.0), deadline=deadline))
        assert isinstance(error, DeadlineExceeded)
        assert now() == pytest.approx(180.0)
        late = Provider()
        assert isinstance(await outcome(part.call(late, deadline=deadline)), DeadlineExceeded)
        assert late.starts == []

    run(scenario())


def test_a_deadline_cannot_stretch_the_budget(run: Run) -> None:
    async def scenario() -> None:
        await outcome(resilience().call(Provider(1e6), deadline=1e9))
        assert now() == pytest.approx(180.0)

    run(scenario())


def test_a_call_may_have_a_retry_policy_of_its_own(run: Run) -> None:
    provider = failing()
    run(outcome(resilience().call(provider, retry=dataclasses.replace(RETRY, attempts=1))))
    assert len(provider.starts) == 1


def test_five_failures_in_a_row_open_the_circuit_whichever_call_they_are_of(run: Run) -> None:
    async def scenario() -> None:
        part, provider = resilience(), failing()
        first, second, third = [await outcome(part.call(provider)) for _ in range(3)]
        assert first is DOWN
        assert second is DOWN, "the call that opened the circuit says what the provider did"
        assert isinstance(third, CircuitOpen)
        assert third.retry_in_s == pytest.approx(60.0)
        assert len(provider.starts) == 5
        assert part.breaker.state is State.OPEN

    run(scenario())


def test_nobody_sleeps_before_a_circuit_that_will_refuse_him(run: Run) -> None:
    async def scenario() -> None:
        part, provider = resilience(), failing()
        await outcome(part.call(provider))
        opened_s = now()
        await outcome(part.call(provider))
        assert now() - opened_s <= 2.0  # one wait, not the second

    run(scenario())


def test_four_hundreds_never_open_the_circuit(run: Run) -> None:
    async def scenario() -> None:
        part = resilience()
        for error in (InvalidRequest(status=400), RateLimited(status=429), InvalidResponse("x")) * 4:
            await outcome(part.call(Provider(*[error] * 3)))
        assert part.breaker.state is State.CLOSED

    run(scenario())


def test_silence_until_the_deadline_counts_as_a_failure(run: Run) -> None:
    async def scenario() -> None:
        part = resilience(budget_s=10.0)
        errors = [await outcome(part.call(Provider(1e6))) for _ in range(6)]
        assert [type(error) for error in errors] == [DeadlineExceeded] * 5 + [CircuitOpen]

    run(scenario())


def test_what_counts_is_the_callers_decision() -> None:
    assert speaks_against_provider(ProviderTimeout())
    assert speaks_against_provider(DOWN)
    assert not speaks_against_provider(RateLimited(status=429))
    assert not speaks_against_provider(InvalidResponse())


async def recovering(part: Resilience) -> None:
    """Open the circuit and wait until it may be probed."""
    for _ in range(2):
        await outcome(part.call(failing()))
    assert part.breaker.state is State.OPEN
    await asyncio.sleep(60.0)


def test_of_fifty_at_once_only_the_needed_probes_reach_the_provider(run: Run) -> None:
    async def scenario() -> None:
        part, provider = resilience(), Provider(takes_s=1.0)
        await recovering(part)
        outcomes = await asyncio.gather(*(outcome(part.call(provider)) for _ in range(50)))
        assert outcomes[:3] == ["ok"] * 3
        assert [type(each) for each in outcomes[3:]] == [CircuitOpen] * 47
        assert (len(provider.starts), provider.most_under_way) == (3, 3)
        assert part.breaker.state is State.CLOSED

    run(scenario())


def test_a_refusal_costs_nothing_of_the_rate(run: Run) -> None:
    async def scenario() -> None:
        part = resilience()
        await recovering(part)
        await asyncio.sleep(60.0)  # so that only probes are on the ledger
        await asyncio.gather(*(outcome(part.call(Provider(takes_s=1.0))) for _ in range(500)))
        assert part.limiter.wait_s({"requests": 297}) == 0.0
        assert part.limiter.wait_s({"requests": 298}) > 0.0

    run(scenario())


def test_a_cancelled_probe_frees_its_place_and_one_failed_probe_opens_again(run: Run) -> None:
    async def scenario() -> None:
        part = resilience()
        await recovering(part)
        probes = [asyncio.create_task(part.call(Provider(1e6))) for _ in range(3)]
        await asyncio.sleep(1.0)
        assert isinstance(await outcome(part.call(Provider())), CircuitOpen)
        probes[0].cancel()
        await asyncio.wait(probes[:1])
        assert await outcome(part.call(failing())) is DOWN
        assert part.breaker.state is State.OPEN
        for probe in probes[1:]:
            probe.cancel()

    run(scenario())


def test_who_waited_for_the_rate_while_the_circuit_opened_is_refused(run: Run) -> None:
    async def scenario() -> None:
        lasting = BreakerPolicy(failure_threshold=5, recovery_timeout_s=600.0, half_open_successes=3)
        part, provider = resilience(breaker=lasting), Provider(*[DOWN] * 1000, takes_s=1.0)
        outcomes = await asyncio.gather(*(outcome(part.call(provider)) for _ in range(310)))
        assert len(provider.starts) == 300
        assert [type(each) for each in outcomes[300:]] == [CircuitOpen] * 10

    run(scenario())


def test_nobody_queues_for_the_rate_only_to_be_refused(run: Run) -> None:
    async def scenario() -> None:
        tight = RatePolicy(limits=(RateLimit(unit="requests", amount=5, window_s=600.0),))
        part = resilience(rate=tight, budget_s=1e6, retry=dataclasses.replace(RETRY, attempts=1))
        for _ in range(5):
            await outcome(part.call(failing()))
        assert isinstance(await outcome(part.call(Provider())), CircuitOpen)
        assert now() == 0.0

    run(scenario())


def test_without_a_budget_a_call_may_take_as_long_as_it_takes(run: Run) -> None:
    assert run(resilience(budget_s=math.inf).call(Provider(1e6))) == "1000000.0"


def test_the_rate_limits_hold_for_attempts_not_for_calls(run: Run) -> None:
    async def scenario() -> None:
        tight = RatePolicy(limits=(RateLimit(unit="requests", amount=2, window_s=60.0),))
        provider = Provider(ProviderUnreachable("x"), ProviderUnreachable("x"))
        assert await resilience(rate=tight).call(provider) == "ok"
        assert provider.starts[2] > 60.0

    run(scenario())


def test_a_wait_for_the_rate_that_would_overrun_the_budget_is_not_begun(run: Run) -> None:
    async def scenario() -> None:
        part = resilience(budget_s=50.0)
        await part.call(Provider(), cost={"tokens": 999_999})
        provider = Provider()
        error = await outcome(part.call(provider, cost={"tokens": 2}))
        assert isinstance(error, DeadlineExceeded)
        assert (now(), provider.starts) == (0.0, [])

    run(scenario())


def test_a_wait_for_the_rate_ends_at_the_deadline(run: Run) -> None:
    async def scenario() -> None:
        part = resilience()
        crowd = [asyncio.create_task(outcome(part.call(Provider()))) for _ in range(1000)]
        late = asyncio.create_task(outcome(part.call(Provider())))
        assert isinstance(await late, DeadlineExceeded)
        assert now() == pytest.approx(180.0)
        assert {await each for each in crowd[:900]} == {"ok"}

    run(scenario())


def test_a_cost_that_no_wait_makes_room_for_is_refused_before_anything_is_sent(run: Run) -> None:
    provider = Provider()
    error = run(outcome(resilience().call(provider, cost={"tokens": 1_000_001})))
    assert isinstance(error, InvalidInput)
    assert provider.starts == []


def test_what_an_attempt_really_used_corrects_the_estimate(run: Run) -> None:
    async def scenario() -> None:
        part = resilience()
        await part.call(Provider(), cost={"tokens": 900_000}, actual=lambda answer: {"tokens": 100})
        assert part.limiter.wait_s({"tokens": 999_900}) == 0.0
        assert part.limiter.wait_s({"tokens": 999_901}) > 0.0

    run(scenario())


@pytest.mark.parametrize("script", [(1e6,), (DOWN,)], ids=["in an attempt", "in a back-off"])
def test_a_cancelled_call_stops_and_leaves_nothing_behind(run: Run, script: tuple[object, ...]) -> None:
    async def scenario() -> None:
        part, provider = resilience(), Provider(*script)
        call = asyncio.create_task(part.call(provider))
        await asyncio.sleep(0.5)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        assert (provider.under_way, len(provider.starts)) == (0, 1)
        await asyncio.sleep(60.5)
        assert part.limiter.wait_s({"requests": 300}) == 0.0

    run(scenario())


def test_an_observer_sees_a_call_from_end_to_end(run: Run) -> None:
    events: list[Event] = []
    error = ProviderUnreachable("reset")
    run(resilience(on_event=events.append, rng=random.Random(1)).call(Provider(error, takes_s=0.25)))
    assert [type(event) for event in events] == [
        AttemptStarted,
        AttemptFailed,
        RetryScheduled,
        AttemptStarted,
        AttemptSucceeded,
    ]
    assert events[1] == AttemptFailed(number=1, took_s=0.25, error=error)
    assert isinstance(events[2], RetryScheduled)
    assert events[2].number == 2
    assert 1.0 <= events[2].wait_s <= 2.0
    assert events[4] == AttemptSucceeded(number=2, took_s=0.25)


def test_an_observer_sees_why_calls_end(run: Run) -> None:
    async def scenario() -> list[Event]:
        events: list[Event] = []
        part = resilience(on_event=events.append)
        for error in (InvalidRequest(status=400), *[DOWN] * 3, RateLimited(status=429, retry_after_s=500.0)):
            await outcome(part.call(Provider(*[error] * 3)))
        return [event for event in events if isinstance(event, GaveUp | Refused | BreakerChanged)]

    assert run(scenario()) == [
        GaveUp(attempts=1, reason=Reason.FORBIDDEN),
        GaveUp(attempts=3, reason=Reason.ATTEMPTS),
        BreakerChanged(before=State.CLOSED, after=State.OPEN),
        GaveUp(attempts=2, reason=Reason.CIRCUIT),
        Refused(attempts=0),
        Refused(attempts=0),
    ]


def test_an_observer_is_told_of_throttling_and_of_overrun_budgets(run: Run) -> None:
    async def scenario() -> list[Event]:
        events: list[Event] = []
        tight = RatePolicy(limits=(RateLimit(unit="requests", amount=1, window_s=60.0),))
        part = resilience(rate=tight, on_event=events.append)
        for provider in (Provider(), Provider(), Provider(1e6)):
            await outcome(part.call(provider))
        return [event for event in events if isinstance(event, Throttled | GaveUp)]

    first, second, third = run(scenario())
    assert first.wait_s == second.wait_s == pytest.approx(60.0, abs=0.01)
    assert third == GaveUp(attempts=1, reason=Reason.BUDGET)


def test_an_observer_that_fails_is_logged_and_harms_nobody(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: Event) -> None:
        raise RuntimeError("the metrics are down")

    assert run(resilience(on_event=broken).call(Provider(DOWN))) == "ok"
    assert "an observer failed on AttemptStarted" in caplog.text


def test_a_budget_of_nothing_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="budget_s must be above 0"):
        resilience(budget_s=0.0)


def test_every_failure_a_call_can_end_with_is_an_integration_error(run: Run) -> None:
    async def scenario() -> None:
        part = resilience()
        for provider in (failing(), Provider(1e6), failing(), failing()):
            assert isinstance(await outcome(part.call(provider)), IntegrationError)

    run(scenario())
