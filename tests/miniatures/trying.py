"""Runs the cases that could notice a liar, and gives what they found."""

from collections.abc import Iterable
from functools import cache

from harness.client.binding import bind
from harness.engine import find_suites, run_case
from harness.provider.had import Provider
from harness.provider.stubbed import StubProvider
from harness.suites.case import Case, Setting
from harness.verdict import Finding, Outcome, Verdict
from tests.miniatures.clients.sound import ROOT, agreement
from tests.miniatures.providers import LyingProvider

REAL_LIMIT_S = 30.0  # a bound for hangs, far above what a case takes on a machine that does other things too


def verdicts(
    cases: Iterable[str], *, client: str | None = None, lie: str | None = None, real_limit_s: float = REAL_LIMIT_S
) -> list[Verdict]:
    """The verdicts of the cases with these ids, on a client and a provider; the honest ones by default."""
    setting = setting_of(client, lie, real_limit_s)
    return [run_case(setting, cases_of(setting, case.partition("::")[0])[case]) for case in cases]


def findings(found: Iterable[Verdict]) -> list[Finding]:
    """All findings of some verdicts; AssertionError when one of them could not be judged."""
    told = list(found)
    for verdict in told:
        assert verdict.outcome in (Outcome.PASSED, Outcome.FAILED), f"{verdict.case}: {verdict.outcome.name}: {verdict.reason}"
    return [finding for verdict in told for finding in verdict.findings]


def place_of(clause: str) -> str:
    """Where a clause stands, as a finding has to say it."""
    return str(agreement().clauses[clause].place)


@cache
def setting_of(client: str | None = None, lie: str | None = None, real_limit_s: float = REAL_LIMIT_S) -> Setting:
    """A client and a provider under test; the honest ones by default."""
    provider: Provider = LyingProvider(agreement(), lie) if lie else StubProvider(agreement())
    return Setting(agreement=agreement(), binding=bind(agreement(), client), provider=provider, root=ROOT, real_limit_s=real_limit_s)


_cases: dict[tuple[int, str], dict[str, Case]] = {}


def cases_of(setting: Setting, suite: str) -> dict[str, Case]:
    """The cases of a suite by id."""
    key = (id(setting), suite)
    if key not in _cases:
        _cases[key] = {case.id: case for case in find_suites([suite])[0].cases(setting)}
    return _cases[key]
