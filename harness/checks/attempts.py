"""Does the client try as often as the contract says, wait as long, give up when it must, and not before?"""

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import pairwise

from harness.checks.groups import Group, group
from harness.checks.judging import Judge
from harness.checks.sight import Seen, Sight
from harness.contract.agreement import Agreement
from harness.contract.model import Retry
from harness.exchange import Failure
from harness.verdict import Judgement

SLACK_S = 0.005


@dataclass(frozen=True, kw_only=True)
class Span:
    """How long a wait may be, in seconds, and which clause says so below and above."""

    least_s: float
    most_s: float
    too_short: str
    too_long: str
    hinted: bool


def check_attempts(sight: Sight) -> Iterator[Judgement]:
    """Attempts, retries and waits of every logical request of every call."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="attempts")
    retry = sight.agreement.contract.resilience.retry
    for call, sent in sight.by_call:
        if call.operation not in sight.agreement.operations:
            continue  # a monitor's run is many calls
        yield from _budget(judge, call.started_s, call.ended_s)
        for each in group(call, sent):
            yield from _timeouts(judge, each)
            if retry is not None:
                yield from _count(judge, each, retry)
                yield from _waits(judge, each, retry)


def _budget(judge: Judge, started_s: float, ended_s: float) -> Iterator[Judgement]:
    budget_s = judge.agreement.contract.resilience.budget
    if budget_s is not None:
        spent = ended_s - started_s
        yield from judge.expect(
            "resilience.budget", spent <= budget_s + SLACK_S, expected=f"at most {budget_s:g} s for one call", actual=f"{spent:.3f} s"
        )


def _timeouts(judge: Judge, each: Group) -> Iterator[Judgement]:
    limit_s = judge.agreement.contract.provider.timeout
    budget_s = judge.agreement.contract.resilience.budget
    for seen in each.attempts:
        if seen.exchange.failure is not Failure.TIMEOUT:
            continue
        took = seen.exchange.ended_s - seen.exchange.started_s
        at_deadline = budget_s is not None and seen.exchange.ended_s - each.call.started_s >= budget_s - SLACK_S
        yield from judge.expect(
            "provider.timeout",
            took <= limit_s + SLACK_S and (took >= limit_s - SLACK_S or at_deadline),
            expected=f"an attempt is given up after {limit_s:g} s",
            actual=f"after {took:.3f} s",
            exchange=seen.exchange,
        )


# How often


def _count(judge: Judge, each: Group, retry: Retry) -> Iterator[Judgement]:
    made, last = len(each.attempts), each.last
    clause = "resilience.retry.attempts"
    if made > retry.attempts:
        yield judge.broken(clause, expected=f"at most {retry.attempts} attempts", actual=f"{made} attempts", exchange=last.exchange)
    elif made == retry.attempts and last.trouble is not None:
        yield from judge.kept(clause)
    for seen, _ in pairwise(each.attempts):
        yield from _repeated(judge, seen, retry)
    if last.trouble is not None and made < retry.attempts:
        yield from _given_up(judge, each, retry)


def _repeated(judge: Judge, seen: Seen, retry: Retry) -> Iterator[Judgement]:
    """An attempt that was followed by another one."""
    trouble = seen.trouble
    idempotent = seen.terms is None or seen.terms.model.idempotent
    if trouble in retry.never:
        clause = f"resilience.retry.never.{trouble}"
        if not _credential_was_read_again(judge, seen):
            yield judge.broken(clause, expected=f"no retry after status {trouble}", actual="it was sent again", exchange=seen.exchange)
    elif trouble in retry.on:
        yield from judge.kept(f"resilience.retry.on.{trouble}")
        if seen.terms is not None and not idempotent:
            clause = f"operations.{seen.terms.name}.idempotent"
            if trouble in ("timeout", "connection"):
                yield judge.broken(clause, expected="no repeat, because it may have been done already", actual=f"sent again after {trouble}", exchange=seen.exchange)
        elif seen.terms is not None:
            yield from judge.kept(f"operations.{seen.terms.name}.idempotent")
    elif trouble is not None and trouble != "protocol":
        yield judge.broken("resilience.retry.attempts", expected=f"no retry after {trouble}, which is not listed", actual="it was sent again", exchange=seen.exchange)
    elif trouble is None and seen.exchange.response is not None and seen.exchange.response.status < 300:
        yield judge.broken("resilience.retry.attempts", expected="no repeat after an answer", actual="it was sent again after a success", exchange=seen.exchange)


def _credential_was_read_again(judge: Judge, seen: Seen) -> bool:
    """Under ``refresh_token`` one repeat with another credential is what the contract asks for."""
    policies, auth = judge.agreement.contract.resilience.policies, judge.agreement.contract.provider.auth
    if policies.auth_failure != "refresh_token" or auth is None or seen.call is None:
        return False
    sent = {exchange.request.header(auth.header) for exchange in seen.call.exchanges}
    return len(sent) == 2 and len(seen.call.exchanges) == 2


def _given_up(judge: Judge, each: Group, retry: Retry) -> Iterator[Judgement]:
    """The last attempt failed, and no further one was made although there were some left."""
    last, made = each.last, len(each.attempts)
    trouble = last.trouble
    if trouble in retry.never:
        yield from judge.kept(f"resilience.retry.never.{trouble}")
        return
    if trouble not in retry.on or _may_give_up(judge, each, retry):
        return
    clause = f"resilience.retry.on.{trouble}" if made == 1 else "resilience.retry.attempts"
    yield judge.broken(
        clause, expected=f"{retry.attempts} attempts when {trouble} goes on", actual=f"{made}, then it gave up", exchange=last.exchange
    )


def _may_give_up(judge: Judge, each: Group, retry: Retry) -> bool:
    """The budget would not hold the next wait, the circuit is open, or a repeat might do it twice."""
    contract, last = judge.agreement.contract, each.last
    budget_s = contract.resilience.budget
    spent = last.exchange.ended_s - each.call.started_s
    if budget_s is not None and spent + longest_wait_s(judge.agreement, last, len(each.attempts)) >= budget_s - SLACK_S:
        return True
    if _circuit_has_opened(judge, last):
        return True
    others_failed = any(exchange.failure or exchange.response and exchange.response.status >= 400 for exchange in each.call.exchanges if exchange not in [s.exchange for s in each.attempts])
    return others_failed or (last.terms is not None and not last.terms.model.idempotent)


def _circuit_has_opened(judge: Judge, last: Seen) -> bool:
    """Whether so many failures in a row were seen, up to this one, that no further attempt may be let through."""
    breaker = judge.agreement.contract.resilience.circuit_breaker
    if breaker is None:
        return False
    ended = sorted(
        (exchange for call in judge.observation.calls for exchange in call.exchanges if exchange.ended_s <= last.exchange.ended_s),
        key=lambda exchange: exchange.ended_s,
    )
    in_a_row = 0
    for exchange in ended:
        failed = exchange.failure is not None or (exchange.response is not None and exchange.response.status >= 500)
        in_a_row = in_a_row + 1 if failed else 0
        if in_a_row >= breaker.failure_threshold:
            return True
    return False


# How long


def _waits(judge: Judge, each: Group, retry: Retry) -> Iterator[Judgement]:
    for index, (seen, following) in enumerate(pairwise(each.attempts)):
        if seen.trouble not in retry.on:
            continue
        span = wait_span(judge.agreement, seen, index, retry)
        waited = following.exchange.started_s - seen.exchange.ended_s
        what = "the provider's hint and what is added to it" if span.hinted else f"back-off number {index + 1}"
        expected = f"a wait of {span.least_s:g} to {span.most_s:g} s ({what})"
        if waited < span.least_s - SLACK_S:
            yield judge.broken(_too_short(span, waited, retry), expected=expected, actual=f"{waited:.3f} s", exchange=seen.exchange)
        elif waited > span.most_s + SLACK_S and not _rate_limited(judge):
            yield judge.broken(_too_long(span, waited, retry), expected=expected, actual=f"{waited:.3f} s", exchange=seen.exchange)
        else:
            yield from _wait_kept(judge, span, index)


def _too_short(span: Span, waited: float, retry: Retry) -> str:
    if span.hinted and retry.retry_after and waited >= span.least_s - retry.retry_after.added[0] - SLACK_S:
        return "resilience.retry.retry_after.added"
    return span.too_short


def _too_long(span: Span, waited: float, retry: Retry) -> str:
    if not span.hinted and waited > retry.wait.max + retry.wait.jitter + SLACK_S:
        return "resilience.retry.wait.max"
    return span.too_long


def _wait_kept(judge: Judge, span: Span, index: int) -> Iterator[Judgement]:
    if span.hinted:
        clauses = [span.too_short, "resilience.retry.retry_after.added"]
    else:
        clauses = ["resilience.retry.wait.initial" if index == 0 else "resilience.retry.wait.multiplier"]
        clauses += ["resilience.retry.wait.jitter", "resilience.retry.wait.max"]
    for clause in clauses:
        yield from judge.kept(clause)


def wait_span(agreement: Agreement, seen: Seen, index: int, retry: Retry) -> Span:
    """How long the wait after the failed attempt number ``index`` (from 0) may be."""
    hint_s = retry_hint_s(seen)
    if retry.retry_after and seen.trouble in retry.retry_after.on and hint_s is not None:
        least, most = retry.retry_after.added
        return Span(
            least_s=hint_s + least,
            most_s=hint_s + most,
            too_short=f"resilience.retry.retry_after.on.{seen.trouble}",
            too_long="resilience.retry.retry_after.added",
            hinted=True,
        )
    wait = retry.wait
    least = min(wait.initial * wait.multiplier**index, wait.max)
    clause = "resilience.retry.wait.initial" if index == 0 else "resilience.retry.wait.multiplier"
    return Span(least_s=least, most_s=least + wait.jitter, too_short=clause, too_long="resilience.retry.wait.jitter", hinted=False)


def longest_wait_s(agreement: Agreement, seen: Seen | None, made: int) -> float:
    """The longest wait, in seconds, that the contract allows after ``made`` attempts."""
    retry = agreement.contract.resilience.retry
    if retry is None or seen is None:
        return 0.0
    return wait_span(agreement, seen, max(0, made - 1), retry).most_s


def retry_hint_s(seen: Seen) -> float | None:
    """The provider's `Retry-After` in seconds: a number, or an HTTP date less the response's own `Date`."""
    response = seen.exchange.response
    text = response.header("retry-after") if response is not None else None
    if response is None or text is None:
        return None
    try:
        seconds = float(text)
        return seconds if 0 <= seconds < 10**7 else None
    except ValueError:
        pass
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(response.header("date") or "")
    except (TypeError, ValueError):
        return None
    return max(0.0, (until - now).total_seconds())


def _rate_limited(judge: Judge) -> bool:
    """Whether so much was sent that the client's own budget may have lengthened a wait."""
    limits = judge.agreement.contract.limits.rate
    sent = sum(len(call.exchanges) for call in judge.observation.calls)
    return any(limit.requests is not None and sent >= limit.requests for limit in limits)
