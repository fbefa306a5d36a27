"""The engine on ports, and a contract with small numbers, so that nothing takes long."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.provider.qdrant_engine import QdrantServer

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def server() -> Iterator[QdrantServer]:
    with QdrantServer(api_key="key") as running:
        yield running


@pytest.fixture(scope="session")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contract, with attempts of 0.4 s, for what is never answered, and waits of a few milliseconds."""
    return _changed(tmp_path_factory, timeout="400ms")


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contract, with waits of a few milliseconds, for what is answered however busy the machine is."""
    return _changed(tmp_path_factory, timeout="60s")


def _changed(folders: pytest.TempPathFactory, *, timeout: str) -> Path:
    text = (ROOT / "contracts" / "qdrant" / "v1.16.yaml").read_text()
    for written, instead in (("timeout: 30s", f"timeout: {timeout}"), ("initial: 500ms", "initial: 5ms"), ("jitter: 500ms", "jitter: 5ms")):
        assert written in text
        text = text.replace(written, instead, 1)
    path = folders.mktemp("contracts") / "v1.16.yaml"
    path.write_text(text)
    return path
