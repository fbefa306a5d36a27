"""A setting for the pact suite with any client and any provider in it, and the verdicts of its cases."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
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
from harness.suites.pact import SUITE
from harness.verdict import Verdict

# Pytest rewrites Pact's modules as they are imported. Within a case that once met what CPython 3.11 can't do: parse while it parses.
with suppress(ImportError):
    importlib.import_module("pact.pact")

ROOT = Path(__file__).parents[3]
SettingOf = Callable[..., Setting]
VerdictOf = Callable[[Setting, str], Verdict]


@pytest.fixture(scope="session")
def agreement() -> Agreement:
    return load(ROOT / "contracts" / "voyage_ai.yaml", root=ROOT)


@pytest.fixture
def setting_of(agreement: Agreement, tmp_path: Path) -> Iterator[SettingOf]:
    """A setting in which ``client`` stands in the adapter's place, met in process or at a port."""
    module = ModuleType("pact_liars")
    sys.modules[module.__name__] = module

    def made(
        *, client: type | None = None, provider: Provider | None = None, wire: Literal["httpx", "port"] = "httpx"
    ) -> Setting:
        binding = bind(agreement, None)
        if client is not None:
            setattr(module, client.__name__, client)
            binding = replace(binding, target=f"{module.__name__}:{client.__name__}")
        binding = replace(binding, wire=wire)
        return Setting(
            agreement=agreement, binding=binding, provider=provider or StubProvider(agreement), root=tmp_path
        )

    yield made
    del sys.modules[module.__name__]


@pytest.fixture
def verdict_of() -> VerdictOf:
    """The verdict of the one case whose id ends like this."""

    def judged(setting: Setting, name: str) -> Verdict:
        (case,) = [case for case in SUITE.cases(setting) if case.id == f"pact::{name}"]
        return run_case(setting, case)

    return judged
