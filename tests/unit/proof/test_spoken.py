"""Lies over gRPC: those that its messages and statuses have words for, each found by a case that speaks it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.engine import find_suites
from harness.proof.mutant import Fate, Party
from harness.proof.prover import Prover
from harness.proof.result import Proof
from harness.provider.embedded import EmbeddedProvider
from harness.suites.case import Case, Setting, Suite

pytest.importorskip("qdrant_edge", reason="the engine is not installed: pip install 'contract-harness[qdrant]'")
ROOT = Path(__file__).parents[3]
CASES = {
    "query::grpc-nearest", "upsert::grpc-without_waiting", "count::grpc-all", "scroll::grpc-first_page", "retrieve::grpc-first",
    "sequence::grpc-upsert_replaces", "query::provider-nearest",
}  # fmt: skip


class Some:
    """A few cases of a suite."""

    def __init__(self, suite: Suite) -> None:
        self._suite, self.name = suite, suite.name

    def cases(self, setting: Setting) -> Iterator[Case]:
        return (case for case in self._suite.cases(setting) if case.id.partition("::")[2] in CASES)


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)


@pytest.fixture(scope="module")
def proof(agreement: Agreement, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    provider = EmbeddedProvider(agreement)
    setting = Setting(agreement=agreement, binding=bind(agreement, None), provider=provider, root=tmp_path_factory.mktemp("proof"))
    yield Prover(setting, [Some(suite) for suite in find_suites(["conformance"])], whole=False, workers=1).prove()
    provider.close()


def spoken(proof: Proof) -> dict[str, Fate]:
    """The lies of a provider over gRPC: clause and kind, with what became of them."""
    return {mutant.id: mutant.fate for mutant in proof.mutants if mutant.party is Party.PROVIDER and mutant.kind.endswith(", over gRPC")}


@pytest.mark.parametrize(
    "mutant",
    [
        "operations.query.responses.200.invariants.nearest_first#reversed, over gRPC",
        "operations.upsert.responses.200.invariants.wait_is_kept#enum, over gRPC",
        "operations.query.responses.200#failure for success, over gRPC",
        "sequences.upsert_replaces.promises.as_many#not done: changed, over gRPC",
        "sequences.upsert_replaces.promises.replaced#text, over gRPC",
    ],
)
def test_what_can_be_said_is_told_and_found(proof: Proof, mutant: str) -> None:
    assert spoken(proof)[mutant] is Fate.KILLED, sorted(spoken(proof))


def test_none_survives(proof: Proof) -> None:
    assert [mutant for mutant, fate in spoken(proof).items() if fate is Fate.SURVIVED] == []


def test_what_can_not_be_said_is_not_made(proof: Proof) -> None:
    """A field has one type and one name, and there is no media type, no header, no body that is cut, nor a status that gRPC has not."""
    kinds = {mutant.partition("#")[2].removesuffix(", over gRPC") for mutant in spoken(proof)}
    assert kinds
    assert not kinds & {"media type", "header", "malformed", "undeclared status", "error as success", "renamed", "const", "nan"}


def test_over_rest_the_same_is_told_as_before(proof: Proof) -> None:
    over_rest = {mutant.id for mutant in proof.mutants if mutant.party is Party.PROVIDER} - spoken(proof).keys()
    assert "operations.query.responses.200.invariants.nearest_first#reversed" in over_rest
    assert "operations.query.responses.200#undeclared status" in over_rest


def test_that_a_repeat_does_no_harm_is_not_looked_for_over_grpc(proof: Proof) -> None:
    assert not [mutant for mutant in spoken(proof) if ".idempotent#" in mutant]
