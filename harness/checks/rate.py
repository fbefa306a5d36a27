"""Does the client stay within its budget in any window, however it is called?"""

from collections import deque
from collections.abc import Iterator

from harness.checks.judging import Judge
from harness.checks.requests import cost_of
from harness.checks.sight import Sight
from harness.contract.model import RateLimit
from harness.exchange import Exchange
from harness.verdict import Judgement

SLACK_S = 1e-6
PRESSING = 0.5  # from this share of a budget on a careful client may begin to hold back,
LARGE = 20  # unless it is so small that a share of it says nothing

Arrivals = list[tuple[float, float, Exchange]]  # when, how much, what


def check_rate(sight: Sight) -> Iterator[Judgement]:
    """The requests and tokens that arrive in every window; judged only where the budget was put to the test."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="rate")
    for index, limit in enumerate(sight.agreement.contract.limits.rate):
        for unit, most in (("requests", limit.requests), ("tokens", limit.tokens)):
            if most is not None:
                yield from _window(judge, f"limits.rate.{index}.{unit}", _arrivals(sight, unit), most, limit, unit)


def is_pressed(sight: Sight, exchange: Exchange) -> bool:
    """Whether so much was sent before an exchange that the budget may have been what held it back."""
    for limit in sight.agreement.contract.limits.rate:
        for unit, most in (("requests", limit.requests), ("tokens", limit.tokens)):
            if most is not None and _used_before(sight, exchange, unit, 2 * limit.per) >= (most * PRESSING if most >= LARGE else most):
                return True
    return False


def _used_before(sight: Sight, exchange: Exchange, unit: str, span_s: float) -> float:
    since_s = exchange.started_s - span_s
    return sum(cost for at_s, cost, each in _arrivals(sight, unit) if since_s <= at_s <= exchange.started_s and each is not exchange)


def _arrivals(sight: Sight, unit: str) -> Arrivals:
    known = sight.memory.get(f"arrivals of {unit}")
    if isinstance(known, list):
        return known
    found = [(seen.exchange.started_s, 1.0 if unit == "requests" else cost_of(seen, unit) or 0.0, seen.exchange) for seen in sight.sent]
    sight.memory[f"arrivals of {unit}"] = found = sorted(found, key=lambda arrival: arrival[0])
    return found


def _window(judge: Judge, clause: str, arrivals: Arrivals, most: int, limit: RateLimit, unit: str) -> Iterator[Judgement]:
    if sum(cost for _, cost, _ in arrivals) <= most:
        return
    inside: deque[tuple[float, float]] = deque()
    total = 0.0
    for at_s, cost, exchange in arrivals:
        inside.append((at_s, cost))
        total += cost
        while inside[0][0] <= at_s - limit.per + SLACK_S:
            total -= inside.popleft()[1]
        if total > most:
            yield judge.broken(
                clause,
                expected=f"at most {most} {unit} in any {limit.per:g} s",
                actual=f"{total:g} in the window up to {at_s:.3f} s",
                exchange=exchange,
            )
            return
    yield from judge.kept(clause)
