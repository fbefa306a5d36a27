"""Does the client ask only for what it does not hold, and hold it as long and as much as the contract says?"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.checks.circuit import may_refuse
from harness.checks.groups import group
from harness.checks.items import Key, asked, carried
from harness.checks.judging import Judge, shown
from harness.checks.sight import Seen, Sight
from harness.contract.agreement import OperationTerms
from harness.contract.model import Cache
from harness.exchange import Call, Raised, Returned
from harness.verdict import Judgement

TTL, ENTRIES = "resilience.cache.ttl", "resilience.cache.entries"
SLACK_S = 0.005


def check_cache(sight: Sight) -> Iterator[Judgement]:
    """Every call of a cached operation, beside a cache as the contract describes it."""
    policy = sight.agreement.contract.resilience.cache
    if policy is None:
        return
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="cache")
    oracle = _Oracle(sight, judge, policy)
    for call, sent in sight.by_call:
        terms = sight.agreement.operations.get(call.operation)
        if terms is not None and terms.model.cached and terms.bind is not None:
            yield from oracle.see(call, terms, sent)


@dataclass
class _Oracle:
    sight: Sight
    judge: Judge
    policy: Cache
    held: OrderedDict[str, float] = field(default_factory=OrderedDict)
    evicted: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    hits: int = 0
    busy_until_s: float = 0.0

    def see(self, call: Call, terms: OperationTerms, sent: tuple[Seen, ...]) -> Iterator[Judgement]:
        overlaps, self.busy_until_s = call.started_s < self.busy_until_s, max(self.busy_until_s, call.ended_s)
        wanted, fetched = asked(call, terms), set(carried(call, terms, sent))
        if not overlaps:  # what another call is just fetching may be shared or fetched twice
            yield from self._judge(call, terms, wanted, fetched)
            yield from self._failure_kept(call, terms, sent)
        if isinstance(call.ending, Returned) and all(each.succeeded for each in group(call, sent)):
            self._hold(wanted, fetched, call.ended_s)

    def _failure_kept(self, call: Call, terms: OperationTerms, sent: tuple[Seen, ...]) -> Iterator[Judgement]:
        """A failure that comes again without having been asked for again, where nothing else excuses that."""
        if not isinstance(call.ending, Raised) or may_refuse(self.sight, call.ended_s):
            return
        key = "\n".join(sorted(asked(call, terms)))
        if sent:
            self.failed[key] = call.ending.type
        elif self.failed.get(key) == call.ending.type:
            yield self.judge.broken(
                f"operations.{terms.name}.cached",
                expected="results are kept, failures are not",
                actual=f"{call.ending.type} again, and nothing was sent",
            )

    def _judge(self, call: Call, terms: OperationTerms, wanted: list[Key], sent: set[Key]) -> Iterator[Judgement]:
        clause = f"operations.{terms.name}.cached"
        for key in dict.fromkeys(wanted):
            stored = self.held.get(key)
            fresh = stored is not None and call.started_s < stored + self.policy.ttl - SLACK_S
            if fresh and key in sent:
                yield self.judge.broken(
                    self._loss(clause, call.started_s - (stored or 0.0)),
                    expected=f"{shown(key, most=60)} comes from the cache",
                    actual=f"it was asked for again after {call.started_s - (stored or 0.0):g} s",
                )
            elif not isinstance(call.ending, Returned):
                continue  # it was refused, or failed on something else: that says nothing about what is held
            elif fresh:
                self.hits += 1
                yield from self.judge.kept(clause)
                if len(self.held) >= self.policy.entries:
                    yield from self.judge.kept(ENTRIES)
            elif stored is not None:
                yield from self._stale(key, TTL, key in sent, f"older than {self.policy.ttl:g} s")
            elif key in self.evicted:
                yield from self._stale(key, ENTRIES, key in sent, f"pushed out by {self.policy.entries} newer ones")

    def _loss(self, clause: str, age_s: float) -> str:
        """The clause that a lost entry speaks against: none is ever kept, not so many, or not so long."""
        if not self.hits:
            return clause
        return ENTRIES if len(self.held) > self.policy.entries // 2 and age_s < self.policy.ttl / 2 else TTL

    def _stale(self, key: Key, clause: str, asked_again: bool, why: str) -> Iterator[Judgement]:
        yield from self.judge.expect(
            clause, asked_again, expected=f"{shown(key, most=60)} is asked for again: it is {why}", actual="it came from the cache"
        )

    def _hold(self, wanted: list[Key], sent: set[Key], at_s: float) -> None:
        for key in wanted:
            if key in sent or key not in self.held:
                self.held[key] = at_s
                self.evicted.discard(key)
            self.held.move_to_end(key)
        while len(self.held) > self.policy.entries:
            self.evicted.add(self.held.popitem(last=False)[0])
