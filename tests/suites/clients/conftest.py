"""Taking a bound client through suites, and what was found by clause."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import pytest

from harness.checks.registry import judge
from harness.client.binding import bind
from harness.contract.catalog import load
from harness.provider.choice import choose
from harness.suites.case import Setting, Skipped

ROOT = Path(__file__).parents[3]
Findings = Mapping[str, set[str]]  # clause: the cases that broke it
Inspect = Callable[..., Findings]


@pytest.fixture(scope="session")
def inspect() -> Inspect:
    """The findings on one client (None: the contract's own), by clause; ``only`` picks cases by a part of their name."""

    def findings(contract: str, client: str | None, *suites: str, only: tuple[str, ...] = ("",), provider: str = "stub") -> Findings:
        agreement = load(ROOT / "contracts" / f"{contract}.yaml", root=ROOT)
        clients = ROOT / "contracts" / "clients"
        setting = Setting(agreement=agreement, binding=bind(agreement, client, clients=clients), provider=choose(agreement, provider), root=ROOT)
        found: dict[str, set[str]] = defaultdict(set)
        cases = [case for name in suites for case in import_module(f"harness.suites.{name}").SUITE.cases(setting)]
        chosen = [case for case in cases if any(part in case.id for part in only)]
        assert chosen
        try:
            for case in chosen:
                observation = case.execute()
                assert not isinstance(observation, Skipped), case.id
                judgements = list(judge(agreement, observation))
                assert judgements, f"{case.id} shows nothing"
                for judgement in judgements:
                    if judgement.finding:
                        found[judgement.clause].add(case.id)
        finally:
            setting.provider.close()
        return found

    return findings
