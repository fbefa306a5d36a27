"""Lying clients under failure: attempts, waits, breaker, limits, cache, deadline, monitor."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from harness.checks.groups import Group, group, names_of
from harness.checks.sight import Seen, Sight
from harness.checks.waits import wait_span
from harness.contract.agreement import Agreement
from harness.contract.clauses import Clause
from harness.exchange import Call, Exchange, Failure, Raised, Returned, Unfinished
from harness.proof.mutant import Distortion, Distortions
from harness.proof.scene import Scene

FAR_S = 10_000.0


def _groups(agreement: Agreement, scene: Scene) -> Iterator[tuple[int, Group]]:
    sight = Sight(agreement, scene.observation)
    for number, (call, sent) in enumerate(sight.by_call):
        if call.operation in agreement.operations:
            for each in group(call, sent):
                yield number, each


def _place(scene: Scene, number: int, seen: Seen) -> int:
    return scene.observation.calls[number].exchanges.index(seen.exchange)


# Retry


def retry(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    name = clause.id.removeprefix("resilience.retry.")
    policy = agreement.contract.resilience.retry
    assert policy is not None
    if name == "attempts":
        yield from _attempts(agreement, scene, policy.attempts)
    elif name.startswith("on."):
        yield from _never_retried(agreement, scene, name.removeprefix("on."))
    elif name.startswith("never."):
        yield from _retried_all_the_same(agreement, scene, name.removeprefix("never."))
    else:
        yield from _waits(agreement, clause, scene, name)


def _attempts(agreement: Agreement, scene: Scene, most: int) -> Distortions:
    yield from _repeated(scene)
    for number, each in _groups(agreement, scene):
        if len(each.attempts) != most or each.last.trouble is None:
            continue
        last, call = each.last.exchange, scene.observation.calls[number]
        wait_s = 30.0
        again = replace(last, started_s=last.ended_s + wait_s, ended_s=2 * last.ended_s - last.started_s + wait_s)
        yield Distortion(
            kind="one attempt too many", what=f"{most + 1} attempts",
            observation=scene.with_exchanges(number, (*call.exchanges, again), ended_s=again.ended_s),
        )
        if len(call.exchanges) == most > 2:
            yield Distortion(
                kind="one attempt too few", what=f"{most - 1} attempts",
                observation=scene.with_exchanges(number, call.exchanges[:-1], ended_s=call.exchanges[-2].ended_s),
            )
            return


def _repeated(scene: Scene) -> Distortions:
    """The same once more, although it was answered well."""
    for number, call in scene.calls:
        if len(call.exchanges) == 1 and isinstance(call.ending, Returned):
            last = call.exchanges[0]
            again = replace(last, started_s=last.ended_s + 1, ended_s=last.ended_s + 1)
            made = scene.with_exchanges(number, (last, again), ended_s=again.ended_s)
            yield Distortion(kind="repeat after an answer", what="sent again after a success", observation=made)
            return


def _never_retried(agreement: Agreement, scene: Scene, trouble: str) -> Distortions:
    for number, each in _groups(agreement, scene):
        first = each.attempts[0]
        if str(first.trouble) == trouble and len(each.attempts) > 1 and scene.observation.calls[number].exchanges[0] is first.exchange:
            call = scene.observation.calls[number]
            ending = Raised(type="Exception") if isinstance(call.ending, Returned) else call.ending
            gone = replace(call, exchanges=(first.exchange,), ending=ending, ended_s=first.exchange.ended_s)
            yield Distortion(kind="no retry", what=f"it gives up after {trouble}", observation=scene.with_call(number, gone))
            return


def _retried_all_the_same(agreement: Agreement, scene: Scene, trouble: str) -> Distortions:
    for number, each in _groups(agreement, scene):
        if str(each.last.trouble) == trouble:
            call, last = scene.observation.calls[number], each.last.exchange
            again = replace(last, started_s=last.ended_s + 1.5, ended_s=last.ended_s + 1.5)
            made = scene.with_exchanges(number, (*call.exchanges, again), ended_s=again.ended_s)
            yield Distortion(kind="retry of what must not be", what=f"sent again after {trouble}", observation=made)
            return


def _waits(agreement: Agreement, clause: Clause, scene: Scene, name: str) -> Distortions:
    policy = agreement.contract.resilience.retry
    assert policy is not None
    for number, each in _groups(agreement, scene):
        for index, (seen, following) in enumerate(pairwise(each.attempts)):
            if seen.trouble not in policy.on:
                continue
            span = wait_span(agreement, seen, index, policy)
            waited = following.exchange.started_s - seen.exchange.ended_s
            made = False
            for kind, wanted in _wrong_waits(name, index, span.least_s, span.most_s, span.hinted, policy):
                made = True
                moved = scene.later_from(seen.exchange.ended_s, wanted - waited, number, _place(scene, number, following))
                yield Distortion(kind=kind, what=f"a wait of {wanted:g} s instead of {waited:.3g} s", observation=moved)
            if made:
                return


def _wrong_waits(name: str, index: int, least: float, most: float, hinted: bool, policy: Any) -> Iterator[tuple[str, float]]:
    """The waits that break a clause of the waits, where this one bears on it."""
    if name.startswith("retry_after.on") and hinted and least > policy.retry_after.added[0]:
        yield "hint ignored", 0.0
        yield "hint cut short", (least - policy.retry_after.added[0]) * 0.9
    elif name == "retry_after.added" and hinted:
        if policy.retry_after.added[0] > 0:
            yield "nothing added", least - policy.retry_after.added[0]
        yield "too much added", most + 1
    elif name == "wait.initial" and not hinted and index == 0:
        yield "no wait", 0.0
        yield "wait too short", least * 0.9
        if (too_long := 2 * most) <= policy.wait.max + policy.wait.jitter:
            yield "wait too long", too_long
    elif name == "wait.multiplier" and not hinted and index == 1:
        yield "wait does not grow", least / policy.wait.multiplier
        yield "no second wait", 0.0
    elif name == "wait.jitter" and not hinted:
        yield "too much jitter", most + 0.5
    elif name == "wait.max" and not hinted:
        yield "wait beyond the cap", policy.wait.max + policy.wait.jitter + 1


def timeout(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    limit_s = float(agreement.contract.provider.timeout)
    for number, index, exchange in scene.sent:
        if exchange.failure is not Failure.TIMEOUT or abs(exchange.ended_s - exchange.started_s - limit_s) > 0.01:
            continue
        for kind, took in (("timeout too long", 2 * limit_s), ("timeout too short", limit_s / 2)):
            changed = replace(exchange, ended_s=exchange.started_s + took)
            later = scene.later_from(exchange.ended_s, took - limit_s, number, index + 1)
            moved = Scene(later).with_exchange(number, index, changed)
            yield Distortion(kind=kind, what=f"given up after {took:g} s", observation=moved)
        return


def budget(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    budget_s = agreement.contract.resilience.budget
    for number, call in scene.calls:
        if budget_s is not None and call.exchanges and call.operation in agreement.operations:
            late = replace(call, ended_s=call.started_s + budget_s + 1)
            yield Distortion(kind="deadline overrun", what=f"a call of {budget_s + 1:g} s", observation=scene.with_call(number, late))
            stuck = replace(scene.with_call(number, replace(call, ending=Unfinished())), hung="in a wait that nobody ends")
            yield Distortion(kind="hang", what="a call that does not come to an end", observation=stuck)
            return


def failure(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """Another error than the one declared for a failure, and none at all."""
    for number, call in scene.calls:
        if isinstance(call.ending, Raised) and clause.value in names_of(call.ending):
            other = replace(call.ending, type="RuntimeError", bases=("Exception",))
            yield Distortion(
                kind="another error",
                what=f"RuntimeError for {clause.value}",
                observation=scene.with_call(number, replace(call, ending=other)),
            )
            swallowed = replace(call, ending=Returned(value=[]))
            yield Distortion(kind="failure swallowed", what="an empty list is returned", observation=scene.with_call(number, swallowed))
            return


# The circuit breaker


def breaker(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    opened = agreement.contract.failures.circuit_open
    policy = agreement.contract.resilience.circuit_breaker
    assert policy is not None
    refused = [
        (number, call) for number, call in scene.calls
        if not call.exchanges and isinstance(call.ending, Raised) and opened and opened.raises in names_of(call.ending)
    ]
    pattern = next((exchange for _, _, exchange in scene.sent), None)
    if pattern is None:
        return
    if clause.id.endswith("failure_threshold") and not refused and opened:
        yield from _opened_by_refusals(scene, opened.raises)
    elif clause.id.endswith("failure_threshold") and refused:
        never = scene
        for number, call in refused:
            never = Scene(_sent_anyway(never, number, call, pattern))
        yield Distortion(kind="breaker never opens", what="every refused call is sent", observation=never.observation)
        yield from _opened_early(scene, refused[0][1], pattern)
    elif clause.id.endswith("recovery_timeout") and refused:
        number, call = refused[-1]
        if len(refused) > 1:
            yield Distortion(
                kind="breaker recovers early", what="a request while it is open", observation=_sent_anyway(scene, number, call, pattern)
            )
        later = [(n, c) for n, c in scene.calls if n > number and c.exchanges and isinstance(c.ending, Returned)]
        if later:
            position, probe = later[0]
            shut = replace(probe, exchanges=(), ending=call.ending)
            yield Distortion(kind="breaker never recovers", what="the first probe is refused", observation=scene.with_call(position, shut))
    elif clause.id.endswith("half_open_successes"):
        yield from _reopening(scene, refused)
        yield from _probing(scene, refused, policy.half_open_successes)


def _sent_anyway(scene: Scene, number: int, call: Call, pattern: Exchange) -> Any:
    begun = call.started_s + 1  # well after whatever opened the circuit
    made = replace(pattern, started_s=begun, ended_s=begun)
    return scene.with_call(number, replace(call, exchanges=(made,), ending=Returned(), ended_s=begun))


def _opened_early(scene: Scene, refusal: Call, pattern: Exchange) -> Distortions:
    """The first call is refused although nothing has failed yet."""
    first = scene.observation.calls[0]
    if first.exchanges:
        early = replace(first, exchanges=(), ending=refusal.ending, ended_s=first.started_s)
        yield Distortion(kind="breaker opens early", what="the first call is refused", observation=scene.with_call(0, early))


def _opened_by_refusals(scene: Scene, error: str) -> Distortions:
    """What the provider refuses is counted as if it had failed."""
    calls = scene.observation.calls
    statuses = [exchange.response.status if exchange.response else 0 for _, _, exchange in scene.sent]
    last = calls[-1]
    if len(calls) > 1 and last.exchanges and statuses and all(400 <= status < 500 for status in statuses):
        shut = replace(last, exchanges=(), ending=Raised(type=error), ended_s=last.started_s)
        yield Distortion(
            kind="breaker counts refusals", what=f"open after {len(calls) - 1} refusals", observation=scene.with_call(len(calls) - 1, shut)
        )


def _reopening(scene: Scene, refused: list[tuple[int, Call]]) -> Distortions:
    """A probe fails, and the next call is let through all the same."""
    calls = scene.observation.calls
    for number, _ in refused:
        probe = calls[number - 1] if number else None
        was_open = any(earlier < number - 1 for earlier, _ in refused)
        if probe is not None and was_open and probe.exchanges and isinstance(probe.ending, Raised):
            sent = scene
            for later, each in refused:
                if later >= number:
                    sent = Scene(_sent_anyway(sent, later, each, probe.exchanges[-1]))
            yield Distortion(kind="failed probe ignored", what="requests right after a failed probe", observation=sent.observation)
            return


def _probing(scene: Scene, refused: list[tuple[int, Call]], wanted: int) -> Distortions:
    """A crowd is let through when half-open; or the breaker does not close again."""
    running = [(number, call) for number, call in scene.calls if call.exchanges and call.ended_s > call.started_s]
    for number, call in refused:
        together = [each for _, each in running if each.started_s <= call.started_s < each.ended_s]
        if len(together) >= wanted:
            probe = together[0].exchanges[0]
            crowd = replace(call, exchanges=(probe,), ending=together[0].ending, ended_s=probe.ended_s)
            yield Distortion(kind="crowd of probes", what=f"{wanted + 1} probes at once", observation=scene.with_call(number, crowd))
            break
    last_number, last = list(scene.calls)[-1]
    if refused and last.exchanges and isinstance(last.ending, Returned) and last_number > refused[-1][0] + wanted:
        shut = replace(last, exchanges=(), ending=refused[0][1].ending)
        yield Distortion(
            kind="breaker never closes", what="a call is refused after enough successes", observation=scene.with_call(last_number, shut)
        )


# Cache


def cache(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    asked: dict[str, Call] = {}
    for number, call in scene.calls:
        key = json.dumps([call.operation, dict(call.arguments)], default=repr, sort_keys=True)
        before = asked.get(key)
        if before is not None and before.exchanges:
            again = before.exchanges[-1]
            took = again.ended_s - again.started_s
            if not call.exchanges:
                sent = replace(again, started_s=call.started_s, ended_s=call.started_s + took)
                yield Distortion(
                    kind="not from the cache", what="asked for again", observation=scene.with_call(number, replace(call, exchanges=(sent,)))
                )
            elif clause.id.endswith("cached") and isinstance(before.ending, Raised) and before.exchanges:
                kept = replace(call, exchanges=(), ending=before.ending)
                yield Distortion(kind="failure from the cache", what="the same error again", observation=scene.with_call(number, kept))
            elif not clause.id.endswith("cached"):
                stale = replace(call, exchanges=(), ending=before.ending)
                yield Distortion(kind="stale from the cache", what="not asked for again", observation=scene.with_call(number, stale))
        asked.setdefault(key, call)
        if call.exchanges:
            asked[key] = call
    if clause.id.endswith("entries"):
        yield from _evictions(scene)


def _evictions(scene: Scene) -> Distortions:
    """The oldest entry is kept beyond the bound; the newest is lost."""
    calls = scene.observation.calls
    if len(calls) > 3 and calls[-1].exchanges and not calls[-3].exchanges:
        kept = replace(calls[-1], exchanges=())
        yield Distortion(kind="cache unbounded", what="the oldest entry is still there", observation=scene.with_call(len(calls) - 1, kept))


# Policies and patterns stand for other clauses: whoever breaks those breaks them


def policy(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    if clause.id != "resilience.policies.auth_failure":
        return
    for number, call in scene.calls:
        if len(call.exchanges) == 2 and call.exchanges[0].response is not None and call.exchanges[0].response.status in (401, 403):
            once = replace(call, exchanges=call.exchanges[:1], ending=Raised(type="AuthenticationFailed"))
            yield Distortion(kind="credential not read again", what="no repeat", observation=scene.with_call(number, once))
            thrice = scene.with_exchanges(number, (*call.exchanges, call.exchanges[1]))
            yield Distortion(kind="repeated again and again", what="two repeats", observation=thrice)
            old = replace(call.exchanges[1], request=call.exchanges[0].request)
            yield Distortion(
                kind="old credential repeated", what="the same credential twice", observation=scene.with_exchange(number, 1, old)
            )
            return


def monitoring(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    for number, call in scene.calls:
        if call.operation in agreement.operations or not isinstance(call.ending, Returned):
            continue
        report = dict(call.ending.value) if isinstance(call.ending.value, Mapping) else {}
        if clause.id.endswith("interval") and len(call.exchanges) > 2:
            yield Distortion(
                kind="health check skipped", what="every other one", observation=scene.with_exchanges(number, call.exchanges[::2])
            )
            yield Distortion(
                kind="no health check", what="none but the first", observation=scene.with_exchanges(number, call.exchanges[:1])
            )
        else:
            name = "alerts" if clause.id.endswith("alert_on_failure") else "metrics"
            if name == "alerts" and not any(exchange.injected for exchange in call.exchanges):
                loud = replace(call, ending=Returned(value={**report, name: 1}))
                yield Distortion(kind="alert for nothing", what="while all is well", observation=scene.with_call(number, loud))
                continue
            if name == "metrics" and report.get("metrics_before") is not None:
                stuck = replace(call, ending=Returned(value={**report, name: report["metrics_before"]}))
                yield Distortion(kind="metrics that count nothing", what="as before", observation=scene.with_call(number, stuck))
            silent = replace(call, ending=Returned(value={**report, name: 0 if name == "alerts" else {}}))
            yield Distortion(kind=f"no {name}", what=f"no {name}", observation=scene.with_call(number, silent))
