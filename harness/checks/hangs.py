"""Does every call of the client come to an end?"""

from collections.abc import Iterator

from harness.checks.judging import Judge
from harness.checks.sight import Sight
from harness.exchange import Failure, Unfinished
from harness.verdict import Judgement

CLAUSES = ("resilience.budget", "provider.timeout")


def check_hangs(sight: Sight) -> Iterator[Judgement]:
    """A call that had to be stopped has broken its budget, and its timeout too if it still waited for an answer."""
    if not sight.observation.hung:
        return
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="hangs")
    stuck = [call for call in sight.observation.calls if isinstance(call.ending, Unfinished)]
    last = next((call.exchanges[-1] for call in stuck if call.exchanges), None)
    waits = last is not None and last.failure is Failure.TIMEOUT and any(last.ended_s >= call.ended_s for call in stuck)
    clauses = CLAUSES if waits else CLAUSES[:1]
    known = [clause for clause in clauses if clause in sight.agreement.clauses] or ["provider.timeout"]
    for clause in known:
        yield judge.broken(clause, expected="the call comes to an end", actual=f"it hangs: {sight.observation.hung}", exchange=last)
