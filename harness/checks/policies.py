"""The platform's names for what the client does: a pattern or policy is kept if what it stands for is."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache

from harness.checks.judging import Judge
from harness.checks.sight import Sight
from harness.contract.agreement import Agreement
from harness.verdict import Finding, Judgement

STANDS_FOR: dict[str, tuple[str, ...]] = {
    "resilience.patterns.circuit_breaker": ("resilience.circuit_breaker.failure_threshold",),
    "resilience.patterns.retry_with_backoff": ("resilience.retry.wait.initial", "resilience.retry.wait.multiplier"),
    "resilience.patterns.batch_processing": ("limits.batch.items",),
    "resilience.patterns.rate_limited": ("limits.rate.*",),
    "resilience.patterns.cached": ("operations.*.cached", "resilience.cache.ttl"),
    "resilience.policies.rate_limit": ("resilience.retry.on.429",),
    "resilience.policies.timeout": ("resilience.retry.on.timeout", "provider.timeout"),
    "resilience.policies.server_error": ("resilience.retry.on.5*", "resilience.retry.attempts"),
    "resilience.policies.connection_error": ("resilience.retry.on.connection",),
}


def follow_up(agreement: Agreement, judgements: Iterable[Judgement]) -> Iterator[Judgement]:
    """The judgements, and after them those on the patterns and policies that they speak for."""
    seen: dict[str, Finding | None] = {}
    for judgement in judgements:
        yield judgement
        seen[judgement.clause] = seen.get(judgement.clause) or judgement.finding
    named = [known for known in seen if _names_for(known)]
    for clause in STANDS_FOR:
        if clause not in agreement.clauses:
            continue
        about = [seen[known] for known in named if clause in _names_for(known)]
        first = next((found for found in about if found), None)
        if first is not None:
            hint = f"it stands for {first.clause}, which is broken"
            yield Judgement(
                clause=clause,
                check="policies",
                finding=replace(first, clause=clause, check="policies", place=str(agreement.place(clause)), hint=hint),
            )
        elif about:
            yield Judgement(clause=clause, check="policies")


@lru_cache(maxsize=16_384)
def _names_for(clause: str) -> frozenset[str]:
    """What the platform calls it that this clause is kept."""
    return frozenset(name for name, meanings in STANDS_FOR.items() if any(fnmatchcase(clause, meaning) for meaning in meanings))


def check_refresh(sight: Sight) -> Iterator[Judgement]:
    """After a refused credential it is read again, once, and the request repeated if it has changed."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="refresh")
    auth = sight.agreement.contract.provider.auth
    if auth is None or "credential_changed_to" not in sight.observation.measured:
        return
    newest = sight.observation.secrets[int(sight.observation.measured["credential_changed_to"])]
    for _, sent in sight.by_call:
        fresh = [newest in (seen.exchange.request.header(auth.header) or "") for seen in sent]
        if fresh and fresh[0]:
            yield from judge.kept("resilience.policies.auth_failure")  # it had the new one before it was refused the old
        elif sent and sent[0].trouble in (401, 403):
            yield from judge.expect(
                "resilience.policies.auth_failure",
                fresh == [False, True],
                expected="one repeat, with the credential as it now stands in the environment",
                actual=f"{len(sent) - 1} repeats, {sum(fresh)} with the new credential",
                exchange=sent[0].exchange,
            )
