"""Does the client try as often as the contract says, wait as long, give up when it must, and not before?"""

from collections.abc import Iterator
from itertools import pairwise

from harness.checks.circuit import may_refuse
from harness.checks.groups import Group, group, names_of
from harness.checks.judging import Judge
from harness.checks.rate import is_pressed
from harness.checks.sight import Seen, Sight
from harness.checks.waits import Span, longest_wait_s, wait_span
from harness.contract.model import Retry
from harness.exchange import Exchange, Failure, Raised, Unfinished
from harness.verdict import Judgement

SLACK_S = 0.005
ALIKE_S = 0.001
ENOUGH_WAITS = 6  # that so many of them agree by chance does not happen, even where a client counts in milliseconds
ROUNDED_S = 0.999  # some HTTP stacks round their timers up to a whole second


def check_attempts(sight: Sight) -> Iterator[Judgement]:
    """Attempts, retries and waits of every logical request of every call."""
    retry = sight.agreement.contract.resilience.retry
    judge = _Attempts(sight)
    for call, sent in sight.by_call:
        if call.operation not in sight.agreement.operations:
            continue  # a monitor's run is many calls
        yield from judge.budget(call.started_s, call.ended_s)
        for each in group(call, sent):
            yield from judge.timeouts(each)
            for attempts in each.runs(judge.auth_header) if retry is not None else ():
                assert retry is not None
                yield from judge.count(each, attempts, retry)
                yield from judge.waits(attempts, retry)
    if retry is not None:
        yield from judge.spread(retry)


class _Attempts:
    """The judgements on the attempts of one observation."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._contract = sight.agreement.contract
        self._judge = Judge(agreement=sight.agreement, observation=sight.observation, check="attempts")
        self.auth_header = self._contract.provider.auth.header if self._contract.provider.auth else ""
        self._beyond: list[float] = []  # how far each wait of a back-off went beyond the least

    def budget(self, started_s: float, ended_s: float) -> Iterator[Judgement]:
        budget_s, spent = self._contract.resilience.budget, ended_s - started_s
        if budget_s is not None:
            yield from self._judge.expect(
                "resilience.budget", spent <= budget_s + ROUNDED_S, expected=f"at most {budget_s:g} s for one call", actual=f"{spent:.3f} s"
            )

    def timeouts(self, each: Group) -> Iterator[Judgement]:
        limit_s = self._contract.provider.timeout
        for seen in each.attempts:
            took, gave_up = seen.exchange.ended_s - seen.exchange.started_s, seen.exchange.failure is Failure.TIMEOUT
            too_early = gave_up and took < limit_s - SLACK_S and not self._may_leave_early(each, seen)
            if gave_up or (took > limit_s and self._contract.provider.timeout_of == "answer"):
                yield from self._judge.expect(
                    "provider.timeout",
                    took <= limit_s + ROUNDED_S and not too_early,
                    expected=f"an attempt is given up after {limit_s:g} s",
                    actual=f"after {took:.3f} s" if gave_up else f"its answer was waited for, {took:.3f} s long",
                    exchange=seen.exchange,
                )

    def _may_leave_early(self, each: Group, seen: Seen) -> bool:
        """The budget is used up, something else in this call has failed, or the harness ended it all."""
        budget_s, ended_s = self._contract.resilience.budget, seen.exchange.ended_s
        if budget_s is not None and ended_s - each.call.started_s >= budget_s - SLACK_S:
            return True
        if isinstance(each.call.ending, Unfinished):
            return ended_s >= each.call.ended_s
        return isinstance(each.call.ending, Raised) and any(
            _failed(exchange) and exchange.ended_s <= ended_s for exchange in each.call.exchanges if exchange is not seen.exchange
        )

    # How often

    def count(self, each: Group, attempts: tuple[Seen, ...], retry: Retry) -> Iterator[Judgement]:
        """One run of attempts; ``each`` is the logical request that they are all for."""
        made, last = len(attempts), attempts[-1]
        clause = "resilience.retry.attempts"
        if made > retry.attempts:
            yield self._judge.broken(
                clause, expected=f"at most {retry.attempts} attempts", actual=f"{made} attempts", exchange=last.exchange
            )
        elif made == retry.attempts and last.trouble is not None:
            yield from self._judge.kept(clause)
        for seen, _ in pairwise(attempts):
            yield from self._repeated(seen, retry)
        is_over = attempts[-1] is each.last and not isinstance(each.call.ending, Unfinished)
        if last.trouble is not None and made < retry.attempts and is_over:
            yield from self._given_up(each, attempts, retry)

    def _repeated(self, seen: Seen, retry: Retry) -> Iterator[Judgement]:
        """An attempt that was followed by another one with the same credential."""
        trouble, terms = seen.trouble, seen.terms
        if trouble in retry.never:
            yield self._sent_again(f"resilience.retry.never.{trouble}", f"no retry after status {trouble}", seen)
        elif trouble in retry.on:
            yield from self._judge.kept(f"resilience.retry.on.{trouble}")
            if terms is not None and terms.model.idempotent:
                yield from self._judge.kept(f"operations.{terms.name}.idempotent")
            elif terms is not None and trouble in ("timeout", "connection"):
                yield self._sent_again(f"operations.{terms.name}.idempotent", "no repeat, because it may have been done already", seen)
        elif trouble is None:
            yield self._sent_again("resilience.retry.attempts", "no repeat after an answer", seen)
        elif trouble != "protocol":
            yield self._sent_again("resilience.retry.attempts", f"no retry after {trouble}, which is not listed", seen)

    def _sent_again(self, clause: str, expected: str, seen: Seen) -> Judgement:
        status = seen.exchange.response.status if seen.exchange.response else seen.trouble
        return self._judge.broken(clause, expected=expected, actual=f"it was sent again after {status}", exchange=seen.exchange)

    def _given_up(self, each: Group, attempts: tuple[Seen, ...], retry: Retry) -> Iterator[Judgement]:
        """The last attempt failed, and no further one was made although there were some left."""
        made, last = len(attempts), attempts[-1]
        trouble = last.trouble
        if trouble in retry.never:
            yield from self._judge.kept(f"resilience.retry.never.{trouble}")
        elif trouble == "connection" and trouble in retry.on and last.terms is not None and not last.terms.model.idempotent:
            yield from self._judge.kept(f"operations.{last.terms.name}.idempotent")
        elif trouble in retry.on and not self._may_give_up(each, made):
            known = any(seen.trouble == trouble for seen in attempts[:-1])  # else it never was what the client tried again after
            clause = "resilience.retry.attempts" if known else f"resilience.retry.on.{trouble}"
            yield self._judge.broken(
                clause,
                expected=f"{retry.attempts} attempts when {trouble} goes on",
                actual=f"{made}, then it gave up",
                exchange=last.exchange,
            )

    def _may_give_up(self, each: Group, made: int) -> bool:
        """No time is left for another attempt, the circuit is open, a repeat might do it twice, or all is lost already."""
        last, ended_s = each.last, each.last.exchange.ended_s
        wait_s = longest_wait_s(self._sight.agreement, last, made)
        budget_s = self._contract.resilience.budget
        needed_s = ended_s - each.call.started_s + wait_s
        if self._says_deadline(each) and last.trouble == "timeout":
            needed_s += self._contract.provider.timeout  # it may take care not to begin what it can't end
        if budget_s is not None and needed_s >= budget_s - SLACK_S:
            return True
        if may_refuse(self._sight, ended_s, ended_s + wait_s):
            return True
        own = {id(seen.exchange) for seen in each.attempts}
        others_failed = any(_failed(exchange) for exchange in each.call.exchanges if id(exchange) not in own)
        return others_failed or (last.terms is not None and not last.terms.model.idempotent)

    def _says_deadline(self, each: Group) -> bool:
        deadline = self._contract.failures.deadline
        return deadline is not None and deadline.raises in names_of(each.call.ending)

    # How long

    def waits(self, attempts: tuple[Seen, ...], retry: Retry) -> Iterator[Judgement]:
        in_bounds = True
        for index, (seen, following) in enumerate(pairwise(attempts)):
            if seen.trouble not in retry.on and seen.trouble != "protocol":
                continue
            span = wait_span(self._sight.agreement, seen, index, retry)
            waited = following.exchange.started_s - seen.exchange.ended_s
            what = "the provider's hint and what is added to it" if span.hinted else f"back-off number {index + 1}"
            expected = f"a wait of {span.least_s:g} to {span.most_s:g} s ({what})"
            if waited < span.least_s - SLACK_S:
                yield self._judge.broken(
                    _too_short(span, waited, retry), expected=expected, actual=f"{waited:.3f} s", exchange=seen.exchange
                )
            elif waited <= span.most_s + SLACK_S:
                yield from self._wait_kept(span, index)
                self._beyond += [] if span.hinted else [waited - span.least_s]
                continue
            elif not is_pressed(self._sight, following.exchange):
                for clause in _too_long(span, waited, retry, grown=in_bounds):
                    yield self._judge.broken(clause, expected=expected, actual=f"{waited:.3f} s", exchange=seen.exchange)
            in_bounds = False

    def spread(self, retry: Retry) -> Iterator[Judgement]:
        """Jitter is there so that clients who failed together do not come back together: waits that agree have none."""
        if retry.wait.jitter <= ALIKE_S or len(self._beyond) < ENOUGH_WAITS:
            return
        yield from self._judge.expect(
            "resilience.retry.wait.jitter",
            max(self._beyond) - min(self._beyond) > ALIKE_S,
            expected=f"waits that differ, by up to {retry.wait.jitter:g} s at random",
            actual=f"{len(self._beyond)} waits, each {self._beyond[0]:.3f} s beyond the least",
        )

    def _wait_kept(self, span: Span, index: int) -> Iterator[Judgement]:
        if span.hinted:
            clauses = [span.too_short, "resilience.retry.retry_after.added"]
        else:
            clauses = ["resilience.retry.wait.initial" if index == 0 else "resilience.retry.wait.multiplier"]
            clauses += ["resilience.retry.wait.jitter", "resilience.retry.wait.max"]
        for clause in clauses:
            yield from self._judge.kept(clause)


def _failed(exchange: Exchange) -> bool:
    return exchange.failure is not None or (exchange.response is not None and exchange.response.status >= 400)


def _too_short(span: Span, waited: float, retry: Retry) -> str:
    if span.hinted and retry.retry_after and waited >= span.least_s - retry.retry_after.added[0] - SLACK_S:
        return "resilience.retry.retry_after.added"
    return span.too_short


def _too_long(span: Span, waited: float, retry: Retry, *, grown: bool) -> list[str]:
    """The clauses that may be what is broken: too long a start or too much jitter, and, after a good start, too much growth."""
    if span.hinted:
        return [span.too_long]
    if waited > retry.wait.max + retry.wait.jitter + SLACK_S:
        return ["resilience.retry.wait.max"]
    return [span.too_short, span.too_long] if grown else [span.too_long]
