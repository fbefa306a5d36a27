"""Settings for the cassette suite: any client, any provider, cassettes in a folder of the test's own."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest

from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.engine.core import run_case
from harness.provider.had import Provider
from harness.provider.stubbed import StubProvider
from harness.suites.case import Setting
from harness.suites.cassette import SUITE
from harness.verdict import Verdict

ROOT = Path(__file__).parents[3]
SettingOf = Callable[..., Setting]
VerdictOf = Callable[[Setting, str], Verdict]


@pytest.fixture(scope="session")
def agreement() -> Agreement:
    return load(ROOT / "contracts" / "voyage_ai.yaml", root=ROOT)


@pytest.fixture(scope="session")
def shipped() -> Path:
    """The folder of the cassettes that come with the contract."""
    return ROOT / "cassettes" / "voyage_ai"


@pytest.fixture
def setting_of(agreement: Agreement, tmp_path: Path) -> Iterator[SettingOf]:
    """A setting in which ``client`` stands in the adapter's place; ``root`` is empty unless one is given."""
    module = ModuleType("cassette_liars")
    sys.modules[module.__name__] = module

    def made(
        *,
        client: type | None = None,
        provider: Provider | None = None,
        wire: Literal["httpx", "port"] = "httpx",
        root: Path = tmp_path,
        mode: str = "none",
    ) -> Setting:
        binding = bind(agreement, None)
        if client is not None:
            setattr(module, client.__name__, client)
            binding = replace(binding, target=f"{module.__name__}:{client.__name__}")
        provider = provider or StubProvider(agreement)
        return Setting(
            agreement=agreement, binding=replace(binding, wire=wire), provider=provider, root=root, record_mode=mode
        )

    yield made
    del sys.modules[module.__name__]


@pytest.fixture
def verdict_of() -> VerdictOf:
    """The verdict of the one case whose id ends like this."""

    def judged(setting: Setting, name: str) -> Verdict:
        (case,) = [case for case in SUITE.cases(setting) if case.id.endswith(f"::{name}")]
        return run_case(setting, case)

    return judged
