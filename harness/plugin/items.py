"""Contracts as pytest sees them: a file, its suites, their operations, and each case an item of its own."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.engine import run_case
from harness.events import CaseFinished, to_line
from harness.provider.url import UrlProvider
from harness.suites.case import Case, Setting, Suite
from harness.verdict import Outcome, Verdict


class ContractFile(pytest.File):
    """A contract; its children are suites."""

    def __init__(self, *, setting: Setting, suites: Iterable[Suite], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.setting = setting
        self.suites = tuple(suites)

    def collect(self) -> Iterator[pytest.Collector]:
        for suite in self.suites:
            cases = list(suite.cases(self.setting))
            yield Branch.from_parent(self, name=suite.name, grow=lambda branch, cases=cases: _operations(branch, self.setting, cases))


class Branch(pytest.Collector):
    """A level of the tree of cases."""

    def __init__(self, *, grow: Callable[[pytest.Collector], Iterator[pytest.Item | pytest.Collector]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._grow = grow

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        return self._grow(self)


def _operations(parent: pytest.Collector, setting: Setting, cases: list[Case]) -> Iterator[pytest.Item | pytest.Collector]:
    for case in cases:
        if case.operation is None:
            yield CaseItem.from_parent(parent, name=case.name, setting=setting, case=case)
    for operation in dict.fromkeys(case.operation for case in cases if case.operation):
        own = [case for case in cases if case.operation == operation]
        grow = lambda branch, own=own: (CaseItem.from_parent(branch, name=case.name, setting=setting, case=case) for case in own)
        yield Branch.from_parent(parent, name=operation, grow=grow)


class Broken(Exception):
    """The case did not pass; the verdict says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.case)
        self.verdict = verdict


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, setting: Setting, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._setting = setting
        self._case = case
        self._verdict: Verdict | None = None

    @property
    def setting(self) -> Setting:
        return self._setting

    @property
    def suite(self) -> str:
        return self._case.suite

    @property
    def alone(self) -> bool:
        """Whether nothing else may run meanwhile."""
        return self._case.alone

    @property
    def shares(self) -> bool:
        """Whether its provider is one for all processes, and is brought where an example starts."""
        return isinstance(self._setting.provider, UrlProvider) and bool(self._setting.agreement.contract.states)

    def runtest(self) -> None:
        self._verdict = verdict = run_case(self._setting, self._case)
        self.user_properties.append(("contract.level", str(verdict.level)))
        self.user_properties.extend(("contract.broken", finding.clause) for finding in verdict.findings)
        if verdict.outcome is Outcome.SKIPPED:
            pytest.skip(verdict.reason)
        if verdict.outcome is not Outcome.PASSED:
            raise Broken(verdict)

    def event_line(self, seconds: float) -> str | None:
        """The event of this case, for the process that sums up."""
        if self._verdict is None:
            return None
        return to_line(CaseFinished(contract=self._setting.agreement.name, verdict=self._verdict, seconds=seconds))

    def presentable(self, sections: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """What was captured while the case ran, for people: without the client's debug log, and without its credential."""
        secret = self._setting.provider.credential
        kept = [(name, text) for name, text in sections if not name.startswith("Captured log")]
        return [(name, text.replace(secret, "[credential]") if secret else text) for name, text in kept]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Broken):
            verdict = excinfo.value.verdict
            if verdict.findings:
                return "\n".join(map(str, verdict.findings))
            return f"{verdict.outcome.name.lower()}: {verdict.reason}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, self._line(), self.nodeid.partition("::")[2]

    def _line(self) -> int | None:
        """Where the first clause stands that this case is there for."""
        for aim in self._case.aims:
            for clause in self._setting.agreement.clauses.values():
                if clause.id.startswith(aim.rstrip("*")):
                    return clause.place.line - 1
        return None
