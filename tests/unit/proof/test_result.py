"""What a proof says of itself."""

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.proof.mutant import Fate, Mutant, Party
from harness.proof.result import ClauseProof, Proof, Standing


def mutant(clause: str, fate: Fate, kind: str = "dropped") -> Mutant:
    return Mutant(clause=clause, place="shop.yaml:1:1", party=Party.PROVIDER, kind=kind, what="without it", fate=fate)


def clause(name: str, standing: Standing) -> ClauseProof:
    return ClauseProof(id=name, kind="schema", place="shop.yaml:1:1", standing=standing, made=1, killed=1)


def proof(*mutants: Mutant, **changed: Any) -> Proof:
    known: dict[str, Any] = {
        "contract": "shop", "client": "a client", "provider": "stub", "required_score": 1.0,
        "clauses": (clause("a", Standing.PROVEN), clause("b", Standing.CHECKED)), "mutants": mutants, "excused": {},
        "cases": 3, "seconds": 1.0, "baseline_seconds": 0.5, "wire_share": 0.5,
    }  # fmt: skip
    return Proof(**known | changed)


KILLED, SURVIVED, EQUIVALENT = (mutant(name, fate) for name, fate in (("a", Fate.KILLED), ("b", Fate.SURVIVED), ("b", Fate.EQUIVALENT)))


def test_a_survivor_counts_against_the_score_and_an_equivalent_one_does_not() -> None:
    assert proof(KILLED, EQUIVALENT).score == 1.0
    assert proof(KILLED, SURVIVED, EQUIVALENT).score == 0.5


def test_nothing_is_proven_without_a_mutant() -> None:
    assert proof().score == 0.0
    assert not proof().sufficient


@pytest.mark.parametrize(("required", "sufficient"), [(0.5, True), (0.51, False), (1.0, False)])
def test_a_score_below_the_required_one_is_not_sufficient(required: float, sufficient: bool) -> None:
    assert proof(KILLED, SURVIVED, required_score=required).sufficient is sufficient


def test_an_excused_survivor_is_left_out_of_what_is_required_and_still_shown() -> None:
    excused = proof(KILLED, SURVIVED, excused={"b": "nobody can see it"})
    assert excused.sufficient
    survivors: Any = excused.as_json()["survivors"]
    assert [each["excused"] for each in survivors] == ["nobody can see it"]


def test_a_clause_that_is_broken_with_nobody_lying_is_never_sufficient() -> None:
    assert not proof(KILLED, clauses=(clause("a", Standing.BROKEN),)).sufficient


@pytest.mark.parametrize(("whole", "sufficient"), [(True, False), (False, True)])
def test_a_clause_that_all_suites_together_leave_untouched_is_never_sufficient(whole: bool, sufficient: bool) -> None:
    untouched = proof(KILLED, clauses=(clause("a", Standing.PROVEN), clause("b", Standing.UNCHECKED)), whole=whole)
    assert untouched.sufficient is sufficient


def test_the_report_has_the_numbers_each_survivor_and_each_clause_with_its_state() -> None:
    report: Any = json.loads(json.dumps(proof(KILLED, SURVIVED, EQUIVALENT).as_json()))
    assert {name: report[name] for name in ("score", "made", "killed", "equivalent")} == {"score": 0.5, "made": 2, "killed": 1, "equivalent": 1}
    assert [(each["clause"], each["kind"], each["place"]) for each in report["survivors"]] == [("b", "dropped", "shop.yaml:1:1")]
    assert {each["id"]: each["standing"] for each in report["clauses"]} == {"a": "proven", "b": "checked"}
    assert report["kinds"] == {"provider: dropped": 3}


def test_a_mutant_is_known_by_its_clause_and_kind() -> None:
    assert KILLED.id == "a#dropped"
    assert replace(KILLED, kind="nulled").id != KILLED.id


def test_what_is_objected_to_in_the_terms_of_a_proof_is_never_sufficient() -> None:
    assert not proof(KILLED, objections=("a waiver has expired",)).sufficient
    assert proof(KILLED, objections=("a waiver has expired",)).as_json()["objections"] == ["a waiver has expired"]
