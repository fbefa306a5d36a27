"""Rules of the circuit breaker: opens, probes and closes exactly as promised, also under a crowd."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from adapters.errors import CircuitOpen
from adapters.resilience import BreakerPolicy
from adapters.resilience.breaker import TRANSITIONS, Breaker, Cue, Permit, State

POLICY = BreakerPolicy(failure_threshold=5, recovery_timeout_s=60.0, half_open_successes=3)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


MakeBreaker = Callable[[BreakerPolicy, Hand], Breaker]


def make(policy: BreakerPolicy, clock: Hand) -> Breaker:
    return Breaker(policy, clock=clock)


def opened(make: MakeBreaker = make) -> tuple[Breaker, Hand]:
    clock = Hand()
    breaker = make(POLICY, clock)
    for _ in range(POLICY.failure_threshold):
        breaker.admit().failed()
    return breaker, clock


def half_open(make: MakeBreaker = make) -> tuple[Breaker, Hand]:
    breaker, clock = opened(make)
    clock.now_s += POLICY.recovery_timeout_s
    return breaker, clock


def is_in(breaker: Breaker, state: State) -> bool:
    return breaker.state is state


def admitted(breaker: Breaker, crowd: int) -> list[Permit]:
    permits = []
    for _ in range(crowd):
        try:
            permits.append(breaker.admit())
        except CircuitOpen:
            continue
    return permits


def test_the_table_leads_from_every_state_to_every_other_it_may() -> None:
    assert {(before, after) for (before, _), after in TRANSITIONS.items()} == {
        (State.CLOSED, State.OPEN),
        (State.OPEN, State.HALF_OPEN),
        (State.HALF_OPEN, State.OPEN),
        (State.HALF_OPEN, State.CLOSED),
    }
    assert {cue for _, cue in TRANSITIONS} == set(Cue)


def test_it_opens_at_the_threshold_and_not_before() -> None:
    breaker = make(POLICY, Hand())
    for _ in range(4):
        breaker.admit().failed()
    assert is_in(breaker, State.CLOSED)
    breaker.admit().failed()
    assert is_in(breaker, State.OPEN)


def test_only_consecutive_failures_count() -> None:
    breaker = make(POLICY, Hand())
    for _ in range(20):
        for _ in range(4):
            breaker.admit().failed()
        breaker.admit().succeeded()
    assert is_in(breaker, State.CLOSED)


def test_what_says_nothing_about_the_provider_counts_neither_way() -> None:
    breaker = make(POLICY, Hand())
    for _ in range(4):
        breaker.admit().failed()
        breaker.admit().released()
    assert is_in(breaker, State.CLOSED)
    breaker.admit().failed()
    assert is_in(breaker, State.OPEN)


def test_open_it_refuses_and_says_for_how_long() -> None:
    breaker, clock = opened()
    clock.now_s = 20.0
    with pytest.raises(CircuitOpen) as refusal:
        breaker.admit()
    assert refusal.value.retry_in_s == 40.0
    assert breaker.refused_s() == 40.0


def test_it_probes_when_recovery_is_due_and_not_before() -> None:
    breaker, clock = opened()
    clock.now_s = 59.99
    assert is_in(breaker, State.OPEN)
    clock.now_s = 60.0
    assert is_in(breaker, State.HALF_OPEN)
    assert breaker.refused_s() == 0.0


def test_who_comes_back_exactly_when_told_is_not_refused_by_a_rounding() -> None:
    breaker, clock = opened()
    clock.now_s = 0.1 + 0.2
    with pytest.raises(CircuitOpen) as refusal:
        breaker.admit()
    assert refusal.value.retry_in_s is not None
    clock.now_s += refusal.value.retry_in_s - 1e-9  # asyncio's timers fire this much early
    breaker.admit()


def test_enough_successful_probes_close_it() -> None:
    breaker, _ = half_open()
    for state in (State.HALF_OPEN, State.HALF_OPEN, State.CLOSED):
        breaker.admit().succeeded()
        assert is_in(breaker, state)


def test_one_failed_probe_opens_it_for_the_whole_time_again() -> None:
    breaker, clock = half_open()
    breaker.admit().succeeded()
    breaker.admit().failed()
    assert breaker.refused_s() == 60.0
    clock.now_s += 60.0
    assert len(admitted(breaker, 50)) == 3


def test_refused_probes_are_not_told_a_time() -> None:
    breaker, _ = half_open()
    admitted(breaker, 3)
    with pytest.raises(CircuitOpen) as refusal:
        breaker.admit()
    assert refusal.value.retry_in_s is None


def test_looking_takes_no_place() -> None:
    breaker, _ = half_open()
    for _ in range(10):
        breaker.check()
    assert len(admitted(breaker, 50)) == 3


def test_a_permit_counts_once() -> None:
    breaker = make(POLICY, Hand())
    permit = breaker.admit()
    for _ in range(10):
        permit.failed()
    assert is_in(breaker, State.CLOSED)


def test_whoever_asks_is_told_each_change_once() -> None:
    clock, seen = Hand(), list[tuple[State, State]]()
    breaker = Breaker(POLICY, clock=clock, on_change=lambda before, after: seen.append((before, after)))
    for _ in range(5):
        breaker.admit().failed()
    clock.now_s = 60.0
    for _ in range(3):
        breaker.admit().succeeded()
    assert seen == [
        (State.CLOSED, State.OPEN),
        (State.OPEN, State.HALF_OPEN),
        (State.HALF_OPEN, State.CLOSED),
    ]


def lets_only_the_needed_probes_through(make: MakeBreaker) -> None:
    breaker, _ = half_open(make)
    first = admitted(breaker, 50)
    assert len(first) == 3
    first[0].succeeded()
    assert admitted(breaker, 50) == []  # two more successes are needed, and two probes are under way
    first[1].released()
    assert len(admitted(breaker, 50)) == 1


def ignores_late_results(make: MakeBreaker) -> None:
    clock = Hand()
    breaker = make(POLICY, clock)
    late = [breaker.admit() for _ in range(20)]
    for permit in late[:5]:
        permit.failed()
    clock.now_s = 60.0
    assert is_in(breaker, State.HALF_OPEN)
    for permit in late[5:10]:
        permit.succeeded()
    assert is_in(breaker, State.HALF_OPEN)
    late[10].failed()
    assert is_in(breaker, State.HALF_OPEN)
    late[11].released()
    assert len(admitted(breaker, 50)) == 3


@dataclass
class Model:
    """The promise once more, as simply as possible: what the outside may expect of a breaker."""

    policy: BreakerPolicy
    state: State = State.CLOSED
    era: int = 0
    failures: int = 0
    successes: int = 0
    until_s: float = 0.0
    probes: set[int] = field(default_factory=set)

    def enter(self, state: State, now_s: float) -> None:
        self.state, self.era = state, self.era + 1
        self.failures, self.successes, self.probes = 0, 0, set()
        self.until_s = now_s + self.policy.recovery_timeout_s

    def admits(self, number: int, now_s: float) -> bool:
        if self.state is State.OPEN and now_s >= self.until_s:
            self.enter(State.HALF_OPEN, now_s)
        if self.state is State.HALF_OPEN:
            if len(self.probes) + self.successes >= self.policy.half_open_successes:
                return False
            self.probes.add(number)
        return self.state is not State.OPEN

    def ends(self, number: int, era: int, ending: str, now_s: float) -> None:
        if era != self.era:
            return
        self.probes.discard(number)
        if ending == "failed":
            self.failures += 1
            if self.state is State.HALF_OPEN or self.failures >= self.policy.failure_threshold:
                self.enter(State.OPEN, now_s)
        elif ending == "succeeded":
            self.failures = 0
            self.successes += self.state is State.HALF_OPEN
            if self.state is State.HALF_OPEN and self.successes >= self.policy.half_open_successes:
                self.enter(State.CLOSED, now_s)


Step = tuple[str, int]
endings = st.sampled_from(["succeeded", "failed", "failed", "released"])
steps = st.lists(
    st.tuples(st.just("admit"), st.just(0))
    | st.tuples(endings, st.integers(0, 9))
    | st.tuples(st.just("wait"), st.sampled_from([1, 30, 59, 60, 61])),
    min_size=40,
    max_size=120,
)
small_policies = st.builds(
    BreakerPolicy,
    failure_threshold=st.integers(1, 4),
    recovery_timeout_s=st.just(60.0),
    half_open_successes=st.integers(1, 3),
)


def behaves_like_the_model(make: MakeBreaker, policy: BreakerPolicy, steps: list[Step]) -> None:
    clock, model = Hand(), Model(policy)
    breaker = make(policy, clock)
    under_way: list[tuple[int, int, Permit]] = []
    for number, (step, which) in enumerate(steps):
        if step == "wait":
            clock.now_s += which
        elif step == "admit":
            permits = admitted(breaker, 1)
            assert bool(permits) is model.admits(number, clock.now_s), f"step {number} in {model.state}"
            under_way += [(number, model.era, permit) for permit in permits]
        elif under_way:
            begun, era, permit = under_way.pop(which % len(under_way))
            getattr(permit, step)()
            model.ends(begun, era, step, clock.now_s)


def test_half_open_a_crowd_of_fifty_gets_three_probes_through() -> None:
    lets_only_the_needed_probes_through(make)


def test_results_from_before_a_change_of_state_do_not_count_in_the_new_one() -> None:
    ignores_late_results(make)


@given(small_policies, steps)
def test_whatever_happens_it_admits_exactly_whom_it_promised(
    policy: BreakerPolicy, steps: list[Step]
) -> None:
    behaves_like_the_model(make, policy, steps)


class LetsACrowdThrough(Breaker):
    def admit(self) -> Permit:
        if self.state is State.HALF_OPEN:
            return Permit(self, self._generation)
        return super().admit()


class NeverOpens(Breaker):
    def _failure(self) -> None:
        pass


class NeverCloses(Breaker):
    def _success(self) -> None:
        if self._state is State.HALF_OPEN:
            self._probes -= 1


class NeverRecovers(Breaker):
    @property
    def state(self) -> State:
        return self._state


class CountsAllFailures(Breaker):
    def _success(self) -> None:
        failures = self._failures
        super()._success()
        self._failures = failures


class OpensOneTooLate(Breaker):
    def __init__(self, policy: BreakerPolicy, clock: Hand) -> None:
        late = BreakerPolicy(
            failure_threshold=policy.failure_threshold + 1,
            recovery_timeout_s=policy.recovery_timeout_s,
            half_open_successes=policy.half_open_successes,
        )
        super().__init__(late, clock=clock)


class RecoversTooSoon(Breaker):
    def _remaining_s(self) -> float:
        return super()._remaining_s() - 2.0


class KeepsThePlaceOfTheCancelled(Breaker):
    def _release(self) -> None:
        pass


class ForgivesAFailedProbe(Breaker):
    def _failure(self) -> None:
        if self._state is State.HALF_OPEN:
            self._probes -= 1
        else:
            super()._failure()


class CountsLateResults(Breaker):
    def admit(self) -> Permit:
        permit = super().admit()
        permit.__class__ = Unbound
        return permit


class Unbound(Permit):
    __slots__ = ()

    def _spent(self) -> Breaker | None:
        breaker, self._breaker = self._breaker, None
        return breaker


LIARS = [
    LetsACrowdThrough,
    NeverOpens,
    NeverCloses,
    NeverRecovers,
    CountsAllFailures,
    OpensOneTooLate,
    RecoversTooSoon,
    KeepsThePlaceOfTheCancelled,
    ForgivesAFailedProbe,
    CountsLateResults,
]


@pytest.mark.parametrize("liar", LIARS)
def test_every_wrong_breaker_is_noticed(liar: type[Breaker]) -> None:
    @settings(phases=[Phase.generate], derandomize=True, max_examples=2000, database=None)
    @given(small_policies, steps)
    def judged(policy: BreakerPolicy, steps: list[Step]) -> None:
        behaves_like_the_model(lambda policy, clock: liar(policy, clock=clock), policy, steps)

    with pytest.raises(AssertionError):
        judged()


def test_a_crowd_and_late_results_are_noticed_by_their_own_rules_too() -> None:
    with pytest.raises(AssertionError):
        lets_only_the_needed_probes_through(lambda policy, clock: LetsACrowdThrough(policy, clock=clock))
    with pytest.raises(AssertionError):
        ignores_late_results(lambda policy, clock: CountsLateResults(policy, clock=clock))
