"""Who is made to lie in which case: over gRPC clients only, and that is told."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Call, Exchange, Level, Observation, Request, Response, Returned, Rpc
from harness.proof.mutant import Fate, Party
from harness.proof.prover import OVER_GRPC, Prover
from harness.proof.result import Proof
from harness.provider.embedded import EmbeddedProvider
from harness.provider.stubbed import StubProvider
from harness.suites.case import Case, Setting
from tests.miniatures.trying import setting_of

ROOT = Path(__file__).parents[3]
RESULT = "operations.take.bind.result"


class Suite:
    """Cases that see the same call, over gRPC or not."""

    name = "conformance"

    def __init__(self, *over_grpc: bool, level: Level = Level.STUB, aims: tuple[str, ...] = ()) -> None:
        self._over_grpc, self._level, self._aims = over_grpc, level, aims

    def cases(self, setting: Setting) -> Iterator[Case]:
        for over_grpc in self._over_grpc:
            execute, name = seeing(over_grpc, self._level), f"{over_grpc}-{len(self._aims)}"
            yield Case(suite=self.name, operation="take", name=name, execute=execute, over_grpc=over_grpc, aims=self._aims)


def seeing(over_grpc: bool, level: Level) -> Callable[[], Observation]:
    response = Response(status=200, headers=(("content-type", "application/json"),), body=b'{"items": ["a", "b"]}')
    asked = Exchange(request=Request(method="GET", target="/v1/next"), response=response, operation="take")
    asked = replace(asked, rpc=Rpc(method="/queue.Queue/Take", status=0)) if over_grpc else asked
    call = Call(operation="take", intended={}, exchanges=(asked,), ending=Returned(value=["a", "b"]))
    return lambda: Observation(calls=(call,), level=level)


@pytest.fixture
def setting(queue: Agreement, tmp_path: Path) -> Setting:
    return Setting(agreement=queue, binding=setting_of().binding, provider=StubProvider(queue), root=tmp_path)


@pytest.fixture
def prove(setting: Setting) -> Callable[..., Proof]:
    return lambda *over_grpc: Prover(setting, [Suite(*over_grpc)], whole=False, workers=1).prove()


def test_clients_lie_over_grpc_too_and_each_lie_is_counted_by_itself(prove: Callable[..., Proof]) -> None:
    kinds = {where: {mutant.kind for mutant in prove(where).mutants if mutant.clause == RESULT} for where in (False, True)}
    assert kinds[False]
    assert kinds[True] == {kind + OVER_GRPC for kind in kinds[False]}
    assert {mutant.kind for mutant in prove(False, True).mutants if mutant.clause == RESULT} == kinds[False] | kinds[True]


def test_where_the_contract_has_no_messages_no_provider_lies_over_grpc(prove: Callable[..., Proof]) -> None:
    assert {mutant.party for mutant in prove(True).mutants} == {Party.CONSUMER}


def test_a_result_is_proven_over_grpc_alone(prove: Callable[..., Proof]) -> None:
    proof = prove(True)
    assert {mutant.fate for mutant in proof.mutants if mutant.clause == RESULT} == {Fate.KILLED}
    assert {clause.id: str(clause.standing) for clause in proof.clauses}[RESULT] == "proven"


def test_where_nothing_speaks_grpc_nothing_is_said_of_it(prove: Callable[..., Proof]) -> None:
    proof = prove(False)
    assert any(mutant.party is Party.PROVIDER for mutant in proof.mutants)
    assert not any("gRPC" in mutant.kind for mutant in proof.mutants)


# Who is asked


def test_of_what_was_recorded_no_lie_is_made_because_nobody_is_asked(setting: Setting) -> None:
    assert list(Prover(setting, [Suite(False)], whole=False, workers=1).provider_mutants())
    assert not list(Prover(setting, [Suite(False, level=Level.RECORDED)], whole=False, workers=1).provider_mutants())


def test_the_cases_that_are_there_for_a_clause_are_tried_before_others(setting: Setting) -> None:
    suites = [Suite(False), Suite(False, aims=("other",)), Suite(False, aims=("schemas.*", "operations.*"))]
    prover = Prover(setting, suites, whole=False, workers=1)
    lie, first = next((lie, first) for lie, first in prover.provider_mutants() if lie.clause.startswith("schemas."))
    assert [len(seen.case.aims) for seen in prover.noticing(lie, first)] == [len(first.case.aims), 2, 1]


def test_a_lie_that_nobody_was_told_says_so(setting: Setting) -> None:
    proof = Prover(setting, [Suite(False)], whole=False, workers=1).prove()  # these cases ask no provider
    told = {mutant.nearest for mutant in proof.mutants if mutant.party is Party.PROVIDER and mutant.fate is Fate.EQUIVALENT}
    assert "it was told in none of the cases that could notice it" in told


@pytest.mark.parametrize("has_listened", [False, True])
def test_a_process_in_which_grpc_was_spoken_is_not_forked(has_listened: bool, setting: Setting) -> None:
    provider = EmbeddedProvider(setting.agreement)
    provider.has_listened = has_listened
    prover = Prover(replace(setting, provider=provider), [Suite(False)], whole=False, workers=2)
    asked = {process for _, process in prover._shared("asked", [os.getpid] * 4)}
    assert (asked == {os.getpid()}) is has_listened


def test_an_engine_that_listened_once_says_so_after_it_was_closed() -> None:
    pytest.importorskip("qdrant_edge")
    provider = EmbeddedProvider(load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT))
    provider.assure_opens()
    assert not provider.has_listened
    assert provider.origin()
    provider.close()
    assert provider.has_listened
