"""The proof: every case once as it is, then for every mutant the cases that could notice it, until one does."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from operator import itemgetter
from time import perf_counter
from typing import Any, TypeVar

from harness.checks.parameters import parameter_breaches
from harness.checks.policies import STANDS_FOR
from harness.checks.registry import judge
from harness.checks.sight import Seen as Looked
from harness.contract.agreement import Agreement
from harness.contract.clauses import Clause
from harness.exchange import Level, Observation, Request
from harness.proof.consumer import distortions
from harness.proof.difference import told_apart
from harness.proof.excuses import excused, objections, waived
from harness.proof.lie import Lie
from harness.proof.mutant import Fate, Mutant, Party
from harness.proof.offers import Offers
from harness.proof.provider import lies
from harness.proof.result import ClauseProof, Proof, Standing
from harness.proof.sameness import exchanges_of, is_the_same
from harness.proof.sharing import Sharing
from harness.proof.spoken import OVER_GRPC, Spoken
from harness.proof.unprovable import why_none
from harness.provider.embedded import EmbeddedProvider
from harness.suites.case import Case, Setting, Skipped, Suite

MOST_TRIES = 12
HONEST_RUNS = 4  # a figure that differs from run to run may by chance be the same in two
HEAVY_BYTES = 400_000
LIGHT_BYTES = 4_000_000
MOST_EXCHANGES = 150
SMALL_BYTES, MOST_ANSWERS = 20_000, 40
FIRST = ("static", "conformance", "cassette", "fuzz", "fault", "stateful", "pact", "load")  # where a mutant is looked for first
Progress = Callable[[str, int, int], None]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A case as it went with nobody lying."""

    case: Case
    observation: Observation = field(repr=False)
    kept: frozenset[str]
    broken: Mapping[str, str]  # what was expected and what was seen, by clause
    weight: int


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What became of one mutant, and how much of the time the wire took."""

    mutants: tuple[Mutant, ...]
    wire_s: float
    judge_s: float


class Prover:
    """Proves one contract with one client and one provider; ``workers`` processes share the mutants.

    ``whole`` says that these are all suites, so that a clause which none of them touches is not excused.
    """

    def __init__(
        self,
        setting: Setting,
        suites: Iterable[Suite],
        *,
        whole: bool = True,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._setting = setting
        self._whole = whole
        self._suites = tuple(suites)
        self._workers = workers if workers is not None else min(2, os.cpu_count() or 1)
        self._progress = progress or (lambda stage, done, total: None)
        self._seen: list[Seen] = []
        self._touching: dict[str, list[Seen]] = {}
        self._forbidden: dict[str, Request] = {}
        self._honest: dict[str, list[Observation | None]] = {}
        self._answers: dict[tuple[str, str, bytes], list[Any]] = {}

    def prove(self) -> Proof:
        """Run everything; ERROR cases of the baseline are left out, and so are clauses that it found broken."""
        began = perf_counter()
        self._baseline()
        baseline_s = perf_counter() - began
        work: list[Callable[[], Trial]] = list(self._lying_clients())  # some of these take long: no one should wait for them at the end
        work.extend(partial(self._try_lie, lie, first) for lie, first in self.provider_mutants())
        trials = [trial for _, trial in self._shared("mutants", work)]
        mutants = tuple(mutant for trial in trials for mutant in trial.mutants)
        wire_s, judge_s = sum(trial.wire_s for trial in trials), sum(trial.judge_s for trial in trials)
        agreement = self._setting.agreement
        return Proof(
            contract=agreement.name,
            client=self._setting.binding.title,
            provider=self._setting.provider.name,
            required_score=agreement.contract.proof.score,
            clauses=tuple(self._standing(clause, mutants) for clause in agreement.clauses.values()),
            mutants=mutants,
            excused=excused(agreement),
            objections=tuple(objections(agreement, mutants, whole=self._whole)),
            cases=len(self._seen),
            whole=self._whole,
            seconds=perf_counter() - began,
            baseline_seconds=baseline_s,
            wire_share=wire_s / (wire_s + judge_s) if wire_s + judge_s else 0.0,
        )

    # The baseline

    def _baseline(self) -> None:
        cases = [case for suite in self._suites for case in suite.cases(self._setting)]
        cases.sort(key=lambda case: case.suite != "load")  # it waits most of its time, and others need not wait for it
        looks = [partial(_looked_into, self._setting.agreement, case) for case in cases]
        for number, look in self._shared("cases", looks):
            if look is not None:
                observation, kept, broken = look
                case = cases[number]
                self._seen.append(Seen(case=case, observation=observation, kept=kept, broken=broken, weight=_weight(observation)))
        self._seen.sort(key=lambda seen: (FIRST.index(seen.case.suite), seen.weight))
        for seen in self._seen:
            for clause in seen.kept:
                self._touching.setdefault(clause, []).append(seen)
            for clause, request in _rule_breakers(self._setting.agreement, seen.observation):
                self._forbidden.setdefault(clause, request)
            _note_answers(self._answers, seen.observation)

    # Lying providers

    def provider_mutants(self) -> Iterator[tuple[Lie, Seen]]:
        """Every lie of a provider, once, with the case that it was found in; the cases are run before, if they were not."""
        if not self._seen:
            self._baseline()
        offers, over_grpc = Offers(), Spoken(self._setting.agreement, self._setting.provider)
        for seen in self._seen:
            offers.bears_on = lambda clause, seen=seen: _bears_on(seen, clause)  # type: ignore[misc]
            own = seen.observation.level is not Level.RECORDED  # who is not asked can't lie
            if not own or seen.weight >= LIGHT_BYTES or _exchanges(seen.observation) > MOST_EXCHANGES:
                continue
            if seen.case.over_grpc:
                yield from ((lie, seen) for lie in over_grpc.lies(seen.case.id, seen.observation, seen.kept, self._answers))
                continue
            for lie in lies(self._setting.agreement, seen.case.id, seen.observation, self._answers, offers):
                if offers.choose(lie.clause, lie.kind):
                    yield lie, seen

    def noticing(self, lie: Lie, first: Seen) -> list[Seen]:
        """The cases that could notice a lie, those first where it is likely."""
        others = [seen for seen in self._touching.get(lie.clause, ()) if seen is not first and seen.case.over_grpc is lie.over_grpc]
        others.sort(key=lambda seen: not any(fnmatchcase(lie.clause, aim) for aim in seen.case.aims))  # what is there for it first
        return [first, *others][:MOST_TRIES]

    def lied_to(self, lie: Lie, seen: Seen) -> Observation | None:
        """What a case sees when the provider tells this lie; None when it does not come to that."""
        provider = lie.told_by(self._setting.provider)
        observation = _executed(self._again(seen.case, replace(self._setting, provider=provider)))
        provider.close()
        return observation if provider.changed else None

    def _try_lie(self, lie: Lie, first: Seen) -> Trial:
        changed, nearest, wire_s, judge_s = False, "", 0.0, 0.0
        diff: tuple[str, ...] = ()
        if lie.idle:
            return Trial(mutants=(self._mutant(lie, Fate.EQUIVALENT, nearest=lie.idle),), wire_s=0.0, judge_s=0.0)
        for seen in self.noticing(lie, first):
            began = perf_counter()
            observation = self.lied_to(lie, seen)
            wire_s += perf_counter() - began
            if observation is None:
                continue
            began = perf_counter()
            found = _findings(self._setting.agreement, observation)
            judge_s += perf_counter() - began
            named = lie.named_in(found)
            if named is not None:
                killed = self._mutant(lie, Fate.KILLED, by=f"{seen.case.id} ({found[named]})")
                return Trial(mutants=(killed,), wire_s=wire_s, judge_s=judge_s)
            changed = changed or not is_the_same(seen.observation, observation, *self._honest_runs(seen))
            nearest = nearest or f"{seen.case.id}: " + (", ".join(sorted(found)[:3]) or "no finding")
            diff = diff or told_apart(seen.observation, observation, answers=True)
        fate = Fate.SURVIVED if changed else Fate.EQUIVALENT
        nearest = nearest or "it was told in none of the cases that could notice it"
        return Trial(mutants=(self._mutant(lie, fate, nearest=nearest, diff=diff),), wire_s=wire_s, judge_s=judge_s)

    def _honest_runs(self, seen: Seen) -> list[Observation | None]:
        """The case again, as often as it takes to see what differs by itself; many a lie is found in one case, so they are kept."""
        if seen.case.id not in self._honest:
            self._honest[seen.case.id] = [_executed(self._again(seen.case, self._setting)) for _ in range(HONEST_RUNS)]
        return self._honest[seen.case.id]

    def _again(self, case: Case, setting: Setting) -> Case:
        """The same case in another setting."""
        suite = next(suite for suite in self._suites if suite.name == case.suite)
        return next(other for other in suite.cases(setting) if other.id == case.id)

    def _mutant(self, lie: Lie, fate: Fate, *, by: str = "", nearest: str = "", diff: tuple[str, ...] = ()) -> Mutant:
        place = str(self._setting.agreement.place(lie.clause))
        return Mutant(
            clause=lie.clause, place=place, party=Party.PROVIDER, kind=lie.kind, what=lie.what, fate=fate, killed_by=by, nearest=nearest,
            diff=diff if fate is Fate.SURVIVED else (),
        )

    # Lying clients

    def _lying_clients(self) -> Iterator[Callable[[], Trial]]:
        """A clause is broken in what was seen over HTTP, and once more in what was seen over gRPC."""
        for clause in self._setting.agreement.clauses.values():
            for where, over_grpc in (("", False), (OVER_GRPC, True)):
                touching = [seen for seen in self._touching.get(clause.id, ()) if seen.case.over_grpc is over_grpc]
                if touching:
                    yield partial(self._try_distortions, clause, touching, where)

    def _try_distortions(self, clause: Clause, touching: list[Seen], where: str) -> Trial:
        """Every kind of distortion of a clause, each until some case notices it."""
        agreement, began = self._setting.agreement, perf_counter()
        fates: dict[str, Mutant] = {}
        aliases = [
            alias
            for alias, meanings in STANDS_FOR.items()
            if alias in agreement.clauses and any(fnmatchcase(clause.id, m) for m in meanings)
        ]
        for seen in touching:
            if fates and all(mutant.fate is Fate.KILLED for mutant in fates.values()) and seen.weight > HEAVY_BYTES:
                break
            for distortion in distortions(agreement, clause, seen.observation, forbidden=self._forbidden):
                known = fates.get(distortion.kind)
                if known is not None and (known.fate is Fate.KILLED or known.nearest.count(";") >= MOST_TRIES):
                    continue
                found = _findings(agreement, distortion.observation)
                for name in (clause.id, *aliases):
                    key = distortion.kind if name == clause.id else f"{name}: {distortion.kind}"
                    killed = name in found
                    nearest = (
                        ""
                        if killed
                        else "; ".join(
                            filter(
                                None,
                                (
                                    fates[key].nearest if key in fates else "",
                                    f"{seen.case.id}: {', '.join(sorted(found)[:3]) or 'no finding'}",
                                ),
                            )
                        )
                    )
                    fates[key] = Mutant(
                        clause=name,
                        place=str(agreement.place(name)),
                        party=Party.CONSUMER,
                        kind=distortion.kind + where,
                        what=distortion.what,
                        fate=Fate.KILLED if killed else Fate.SURVIVED,
                        killed_by=f"{seen.case.id} ({found[name]})" if killed else "",
                        nearest=nearest,
                        diff=() if killed else told_apart(seen.observation, distortion.observation, answers=False),
                    )
        return Trial(mutants=tuple(fates.values()), wire_s=0.0, judge_s=perf_counter() - began)

    # Sharing the work

    def _shared(self, stage: str, work: Sequence[Callable[[], T]]) -> list[tuple[int, T]]:
        """What all tasks come to, in their order; what is not each process's own provider is asked by one process only."""
        provider = self._setting.provider
        workers = self._workers if not provider.remembers or provider.level is Level.EMBEDDED else 1
        if isinstance(provider, EmbeddedProvider) and provider.has_listened:
            workers = 1
        if workers > 1:
            provider.close()  # what has threads is not for forking; it is started again where it is needed
        found = []
        for number, result in Sharing[T](workers, parting=provider.close).results(work):
            found.append((number, result))
            self._progress(stage, len(found), len(work))
        return sorted(found, key=itemgetter(0))

    # What it comes to

    def _standing(self, clause: Clause, mutants: tuple[Mutant, ...]) -> ClauseProof:
        own = [mutant for mutant in mutants if mutant.clause == clause.id and mutant.fate is not Fate.EQUIVALENT]
        killed = sum(mutant.fate is Fate.KILLED for mutant in own)
        reason = waived(self._setting.agreement, clause.id)
        broken = next((f"{seen.case.id}: {seen.broken[clause.id]}" for seen in self._seen if clause.id in seen.broken), None)
        touched = bool(self._touching.get(clause.id))
        if broken is not None:
            standing, why = Standing.BROKEN, f"with nobody lying, {broken}"
        elif not touched:
            standing, why = (Standing.WAIVED, reason) if reason is not None else (Standing.UNCHECKED, "no case says anything about it")
        elif own and killed == len(own):
            standing, why = Standing.PROVEN, ""
        else:
            standing, why = Standing.CHECKED, f"{len(own) - killed} mutants survived" if own else why_none(clause)
        return ClauseProof(
            id=clause.id, kind=str(clause.kind), place=str(clause.place), standing=standing, made=len(own), killed=killed, why=why
        )


def _executed(case: Case) -> Observation | None:
    try:
        seen = case.execute()
    except Exception:  # noqa: BLE001 - a case that can't run can't notice anything
        return None
    return None if isinstance(seen, Skipped) else seen


def _looked_into(agreement: Agreement, case: Case) -> tuple[Observation, frozenset[str], Mapping[str, str]] | None:
    """What a case sees, with the clauses that it finds kept and broken; None if it sees nothing."""
    observation = _executed(case)
    if observation is None:
        return None
    judgements = list(judge(agreement, observation))
    found = [judgement.finding for judgement in judgements if judgement.finding]
    broken = {finding.clause: f"expected {finding.expected}, saw {finding.actual}" for finding in found}
    return observation, frozenset(judgement.clause for judgement in judgements) - broken.keys(), broken


def _findings(agreement: Agreement, observation: Observation) -> dict[str, str]:
    """The clauses that are found broken, each with the check that says so."""
    try:
        return {judgement.clause: judgement.check for judgement in judge(agreement, observation) if judgement.finding}
    except Exception as error:  # noqa: BLE001 - a check that gives up has noticed nothing
        return {f"a check failed: {type(error).__name__}: {error}": ""}


def _bears_on(seen: Seen, clause: str) -> bool:
    """Whether a case that saw a clause kept would see it broken: of what is promised across exchanges, only one that is there for it."""
    across = clause.startswith("sequences.") or ".relations." in clause
    return clause in seen.kept and (not across or any(fnmatchcase(clause, aim) for aim in seen.case.aims))


def _rule_breakers(agreement: Agreement, observation: Observation) -> Iterator[tuple[str, Request]]:
    """Requests that the harness itself sent to see them refused for a rule or a parameter, each with the clause that it breaks."""
    for exchange in observation.exchanges:
        seen = Looked(agreement, exchange, None)
        if seen.terms is None or exchange.response is None or not 400 <= exchange.response.status < 500 or seen.request_violations:
            continue
        for name in seen.broken_rules:
            yield f"operations.{seen.terms.name}.request.rules.{name}", exchange.request
        for clause, _ in parameter_breaches(seen):
            yield clause, exchange.request


def _note_answers(known: dict[tuple[str, str, bytes], list[Any]], observation: Observation) -> None:
    """What each request was answered well, as far as answers differ."""
    for exchange in observation.exchanges:
        request, response = exchange.request, exchange.response
        if response is not None and response.status < 300 and len(response.body) < SMALL_BYTES and response.media_type.endswith("json"):
            bodies = known.setdefault((request.method, request.target, request.body), [])
            with suppress(ValueError):
                if len(bodies) < MOST_ANSWERS and response.json() not in bodies:
                    bodies.append(response.json())


def _exchanges(observation: Observation) -> int:
    return len(exchanges_of(observation))


def _weight(observation: Observation) -> int:
    """Roughly what it costs to judge: bytes, and something for each exchange and call."""
    exchanges = exchanges_of(observation)
    size = sum(len(exchange.request.body) + len(exchange.response.body if exchange.response else b"") for exchange in exchanges)
    return size + 2000 * (len(exchanges) + len(observation.calls))
