"""Qdrant's contract, and the findings of some cases on a provider and a client."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from harness.checks.registry import judge
from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Observation
from harness.provider.embedded import EmbeddedProvider
from harness.provider.had import Provider
from harness.suites.case import Setting

ROOT = Path(__file__).parents[3]
Broken = Callable[..., set[str]]


@pytest.fixture(scope="session", params=["v1.16", "v1.8"])
def agreement(request: pytest.FixtureRequest) -> Agreement:
    return load(ROOT / "contracts" / "qdrant" / f"{request.param}.yaml", root=ROOT)


@pytest.fixture(scope="session")
def current() -> Agreement:
    return load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Broken]:
    """The clauses that cases find broken; a case is meant by the end of its id, or a part before `*`."""
    closing: list[Provider] = []

    def run(agreement: Agreement, *where: str, provider: Provider | None = None, client: str | None = None) -> set[str]:
        chosen = provider or EmbeddedProvider(agreement)
        closing.append(chosen)
        setting = Setting(agreement=agreement, binding=bind(agreement, client), provider=chosen, root=tmp_path)
        clauses: set[str] = set()
        ran = 0
        for name in {each.partition("::")[0] for each in where}:
            for case in import_module(f"harness.suites.{name}").SUITE.cases(setting):
                if any(case.id == each or (each.endswith("*") and case.id.startswith(each[:-1])) for each in where):
                    seen = case.execute()
                    ran += 1
                    if isinstance(seen, Observation):
                        clauses |= {found.clause for found in judge(agreement, seen) if found.finding}
        assert ran, f"no case is called {where}"
        return clauses

    yield run
    for each in closing:
        each.close()
