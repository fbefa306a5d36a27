"""Settings to fuzz in: two contracts, honest and lying providers, honest and lying clients."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.client.binding import Binding, bind
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.engine.core import run_case
from harness.provider.had import Provider
from harness.provider.stubbed import StubProvider
from harness.suites.case import Setting
from harness.suites.fuzz import SUITE
from harness.verdict import Outcome, Verdict

from . import clients

ROOT = Path(__file__).parents[3]
SettingOf = Callable[..., Setting]
Verdicts = dict[str, Verdict]


@pytest.fixture(scope="session")
def voyage() -> Agreement:
    return load(ROOT / "contracts" / "voyage_ai.yaml", root=ROOT)


@pytest.fixture(scope="session")
def shop() -> Agreement:
    return load(Path(__file__).with_name("shop.yaml"), root=ROOT)


@pytest.fixture(scope="session")
def setting_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettingOf]:
    """A setting for a contract; ``client`` is a class in ``clients`` to bind in the adapter's place."""
    module = ModuleType("lying_clients")
    sys.modules[module.__name__] = module
    root = tmp_path_factory.mktemp("fuzz")

    def made(agreement: Agreement, *, provider: Provider | None = None, client: type | None = None, seed: int = 0) -> Setting:
        found = client or (clients.CarefulShop if agreement.contract.service == "shop" else None)
        if found is not None:
            setattr(module, found.__name__, found)
        binding: Binding = bind(agreement, f"lying_clients:{found.__name__}" if found else None)
        binding = replace(binding, wire="httpx")
        return Setting(agreement=agreement, binding=binding, provider=provider or StubProvider(agreement), root=root, seed=seed)

    yield made
    del sys.modules[module.__name__]


def run(setting: Setting, *, only: str | tuple[str, ...] = "") -> Verdicts:
    """The verdict of each case whose id contains the text, or one of the texts."""
    wanted = (only,) if isinstance(only, str) else only
    return {case.id: run_case(setting, case) for case in SUITE.cases(setting) if any(text in case.id for text in wanted)}


def broken(verdicts: Verdicts) -> set[str]:
    """The clauses that were found broken."""
    return {finding.clause for verdict in verdicts.values() for finding in verdict.findings}


def bad(verdicts: Verdicts) -> dict[str, Any]:
    """The cases that neither passed nor were skipped, and what was found."""
    return {
        name: [str(finding) for finding in verdict.findings] or verdict.reason
        for name, verdict in verdicts.items()
        if verdict.outcome not in (Outcome.PASSED, Outcome.SKIPPED)
    }
