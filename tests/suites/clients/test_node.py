"""A client in another language: Voyage's TypeScript SDK on Node, in the harness's time."""

import shutil
from pathlib import Path

import pytest

from .conftest import Inspect

NODE = Path(__file__).parents[3] / "contracts" / "clients" / "node"
HERS = {  # what the SDK does otherwise when nothing is in the way
    "operations.embed.request.defaults.model",
    "operations.embed.request.defaults.output_dimension",
    "operations.rerank.request.defaults.model",
    "operations.embed_contextualized.request.defaults.model",
    "operations.embed_contextualized.request.defaults.output_dimension",
    "monitoring.health_check_interval",
    "monitoring.metrics",
    "monitoring.alert_on_failure",
}

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (NODE / "node_modules" / "voyageai").is_dir(), reason="the SDK is not installed: npm install --prefix contracts/clients/node"
    ),
]


def test_it_is_judged_like_any_other_client(inspect: Inspect) -> None:
    assert set(inspect("voyage_ai", "voyageai-node", "conformance")) == HERS


def test_its_waits_pass_in_virtual_time(inspect: Inspect) -> None:
    """A hint of a minute is waited out exactly, where the contract wants a little more."""
    found = inspect("voyage_ai", "voyageai-node", "fault", only=("rerank::429-retry-after-a-minute", "rerank::503-503-then-200"))
    assert found["resilience.retry.retry_after.added"] == {"fault::rerank::429-retry-after-a-minute"}
    assert found["resilience.retry.wait.initial"] <= {"fault::rerank::503-503-then-200"}  # 1 s, give or take a tenth
    assert "resilience.retry.on.503" not in found


def test_a_timeout_of_its_own_is_seen_to_pass(inspect: Inspect) -> None:
    found = inspect("voyage_ai", "voyageai-node", "fault", only=("rerank::timeout-then-200",))
    assert "resilience.retry.on.timeout" in found  # it gives up after the first, and after 60 s
    assert "provider.timeout" not in found
