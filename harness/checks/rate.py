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


def check_rate(sight: Sight) -> Iterator[Judgement]:
    """The requests and tokens that arrive in every window; judged only where the budget was put to the test."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="rate")
    limits = sight.agreement.contract.limits.rate
    sent = sum(len(call.exchanges) for call in sight.observation.calls) if limits else 0
    if not sent:
        return
    arrivals = sorted(
        ((seen.exchange.started_s, cost_of(seen, "tokens") or 0.0, seen.exchange) for seen in sight.sent), key=lambda arrival: arrival[0]
    )
    for index, limit in enumerate(limits):
        for unit, most in (("requests", limit.requests), ("tokens", limit.tokens)):
            if most is not None:
                costs = [(at, 1.0 if unit == "requests" else tokens, exchange) for at, tokens, exchange in arrivals]
                yield from _window(judge, f"limits.rate.{index}.{unit}", costs, most, limit, unit)


def _window(
    judge: Judge, clause: str, costs: list[tuple[float, float, Exchange]], most: int, limit: RateLimit, unit: str
) -> Iterator[Judgement]:
    if sum(cost for _, cost, _ in costs) <= most:
        return
    inside: deque[tuple[float, float]] = deque()
    total = 0.0
    for at_s, cost, exchange in costs:
        inside.append((at_s, cost))
        total += cost
        while inside[0][0] <= at_s - limit.per + SLACK_S:
            total -= inside.popleft()[1]
        if total > most:
            yield judge.broken(
                clause, expected=f"at most {most} {unit} in any {limit.per:g} s", actual=f"{total:g} in the window up to {at_s:.3f} s", exchange=exchange
            )
            return
    yield from judge.kept(clause)
