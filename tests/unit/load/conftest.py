"""A contract, and samples made up for it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.checks.indicators import Fate, Samples, Terms
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.contract.promises import Sla

ROOT = Path(__file__).parents[3]
Row = tuple[int, Fate, float, float]  # operation, fate, when it was meant to start, response time


@pytest.fixture(scope="session")
def voyage() -> Agreement:
    return load(ROOT / "contracts" / "voyage_ai.yaml", root=ROOT)


@pytest.fixture(scope="session")
def promising(voyage: Agreement) -> Callable[..., Agreement]:
    """The contract with objectives of its own, in the units of the model."""

    def promise(**objectives: Any) -> Agreement:
        return replace(voyage, contract=voyage.contract.model_copy(update={"sla": Sla.model_construct(**objectives)}))

    return promise


@pytest.fixture(scope="session")
def sampled() -> Callable[[Iterable[Row]], Samples]:
    def sample(rows: Iterable[Row]) -> Samples:
        samples = Samples()
        for operation, fate, start_s, response_s in rows:
            samples.add(operation, fate, start_s=start_s, lag_s=0.0, response_s=response_s)
        return samples

    return sample


@pytest.fixture(scope="session")
def terms() -> Callable[..., Terms]:
    def make(planned: int, **changes: Any) -> Terms:
        usual = Terms(operations=("embed", "rerank", "embed_contextualized"), planned=planned, duration_s=10.0, grace_s=2.0)
        return replace(usual, **changes)

    return make
