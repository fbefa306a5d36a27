"""The engine: from a setting to cases, from a case to its verdict."""

import importlib
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from harness.checks.registry import judge
from harness.client.bound import UnknownClient
from harness.client.command import OwnTime
from harness.contract.agreement import Agreement
from harness.contract.problems import ContractError, nearest
from harness.events import ClauseListed, RunStarted
from harness.exchange import Observation
from harness.extras import installed_by
from harness.provider.had import ProviderUnavailable
from harness.suites.case import Case, Setting, Skipped, Suite
from harness.verdict import Outcome, SkipReason, Verdict, fold

SUITES = ("static", "conformance", "pact", "fuzz", "stateful", "cassette", "fault", "load")


class UnknownSuite(LookupError):
    """No suite goes by that name; the message says which exist."""


def find_suites(names: Iterable[str]) -> tuple[Suite, ...]:
    """The suites by name, in the order in which they run; all of them when none is named."""
    wanted = list(names) or list(SUITES)
    for name in wanted:
        if name not in SUITES:
            hint = nearest(name, SUITES)
            raise UnknownSuite(f"there is no suite `{name}`; there are: {', '.join(SUITES)}" + (f"; {hint}" if hint else ""))
    return tuple(importlib.import_module(f"harness.suites.{name}").SUITE for name in SUITES if name in wanted)


def all_cases(setting: Setting, suites: Iterable[Suite]) -> Iterator[Case]:
    """The cases of all suites, each with an id of its own."""
    for suite in suites:
        yield from suite.cases(setting)


def run_case(setting: Setting, case: Case) -> Verdict:
    """Execute a case and judge what it saw. Whatever goes wrong in the harness itself is a verdict too: ERROR."""
    try:
        seen = case.execute()
    except OwnTime as error:
        return _undecided(case, Outcome.INCONCLUSIVE, str(error))
    except Exception as error:  # noqa: BLE001 - a case that can't be judged must not end the run
        return _undecided(case, Outcome.ERROR, _told(error))
    if isinstance(seen, Skipped):
        verdict = _undecided(case, Outcome.SKIPPED, f"{seen.reason}: {seen.detail}" if seen.detail else str(seen.reason))
        return replace(verdict, beyond=case.aims) if seen.reason is SkipReason.NOT_FOR_THIS_PROVIDER else verdict
    return verdict_on(setting.agreement, case, seen)


def verdict_on(agreement: Agreement, case: Case, seen: Observation) -> Verdict:
    """The verdict on what a case saw."""
    exchanges = len(seen.exchanges) + sum(len(call.exchanges) for call in seen.calls)
    try:
        judgements = list(judge(agreement, seen))
    except Exception as error:  # noqa: BLE001 - as above
        return _undecided(case, Outcome.ERROR, f"a check failed: {_told(error)}")
    verdict = fold(judgements, case=case.id, suite=case.suite, level=seen.level, operation=case.operation, exchanges=exchanges)
    return replace(verdict, note=seen.note) if seen.note else verdict


def _told(error: Exception) -> str:
    if isinstance(error, ProviderUnavailable | ContractError | UnknownClient):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"{error}: {installed_by(error.name)}"
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = " < ".join(f"{frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})" for frame in reversed(frames))
    return f"{type(error).__name__}: {error} in {where}"


def _undecided(case: Case, outcome: Outcome, reason: str) -> Verdict:
    return Verdict(case=case.id, suite=case.suite, operation=case.operation, outcome=outcome, reason=reason)


def started(setting: Setting, *, partial: bool) -> RunStarted:
    """The event that a run begins with."""
    agreement = setting.agreement
    waivers = [waiver for waiver in agreement.contract.waivers if waiver.until >= date.today()]  # noqa: DTZ011 - the day where it is run
    return RunStarted(
        contract=agreement.name,
        title=agreement.contract.title,
        file=agreement.document.file,
        client=setting.binding.title,
        provider=setting.provider.name,
        level=setting.provider.level,
        seed=setting.seed,
        partial=partial,
        clauses=tuple(
            ClauseListed(
                id=clause.id,
                kind=clause.kind,
                place=str(clause.place),
                waived=next((waiver.because for waiver in waivers if fnmatchcase(clause.id, waiver.clause)), ""),
            )
            for clause in agreement.clauses.values()
        ),
    )
