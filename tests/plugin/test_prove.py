"""``--prove``: every clause is broken after the cases, and the run is red when a check does not notice."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.checks import registry
from harness.checks.sight import Sight
from harness.cli import commands
from harness.verdict import Judgement

Run = Callable[..., pytest.RunResult]
Change = Callable[..., None]
QUICK = ("--contract", "greeter", "--suite", "static,conformance", "--prove")
BY_NAME = "operations.greet.responses.200.invariants.by_name"
SECRECY = "provider.auth.credential"


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have every check find one clause kept, whatever it saw of it."""

    def blind(clause: str) -> None:
        def blinded(check: registry.Check) -> registry.Check:
            def look(sight: Sight) -> Iterator[Judgement]:
                for judgement in check(sight):
                    kept = judgement.clause == clause
                    yield Judgement(clause=clause, check=judgement.check) if kept else judgement

            return look

        monkeypatch.setattr(registry, "CHECKS", tuple(map(blinded, registry.CHECKS)))

    return blind


def terms(*, score: str = "100%", clause: str = BY_NAME, until: str = "2100-01-31") -> tuple[str, str]:
    """The terms of a proof, put into the contract."""
    waiver = f"{{clause: {clause}, because: nobody reads it, until: {until}}}"
    return "schemas:\n", f"proof:\n  score: {score}\n  waivers:\n    - {waiver}\n\nschemas:\n"


def scored(score: str) -> tuple[str, str]:
    return "schemas:\n", f"proof: {{score: {score}}}\n\nschemas:\n"


# The score


def test_a_run_in_which_every_mutant_is_killed_passes(run: Run) -> None:
    result = run(*QUICK)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["proving greeter: mutants: *", "*proof of greeter*", "*clauses proven", "mutants: * mutation score 100.0% (required: 100%)", "PROVEN: greeter"]
    )


def test_without_being_asked_for_nothing_is_proven(run: Run) -> None:
    result = run(*QUICK[:-1])
    assert "mutants" not in result.stdout.str()


def test_a_surviving_mutant_fails_a_run_whose_cases_all_pass(run: Run, blind: Callable[[str], None]) -> None:
    blind(BY_NAME)
    result = run(*QUICK)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes().get("failed") is None  # no case failed: the proof did
    result.stdout.fnmatch_lines([f"*checked: * mutants survived: {BY_NAME}", "NOT PROVEN: greeter"])


def test_a_survivor_is_shown_with_its_clause_what_it_changed_and_the_nearest_check(run: Run, blind: Callable[[str], None]) -> None:
    blind(BY_NAME)
    result = run(*QUICK)
    result.stdout.fnmatch_lines(
        [
            f"survived: contracts/greeter.yaml:*: {BY_NAME}: text: greet 200: text at /text: another word",
            '  - /0/body/text: "Hello, Ada!"',
            '  + /0/body/text: "Hello, Ada!x"',
            "  nearest: conformance::greet::*",
        ],
        consecutive=True,
    )


def test_a_survivor_about_a_credential_does_not_show_it(run: Run, blind: Callable[[str], None]) -> None:
    blind(SECRECY)
    result = run(*QUICK)
    result.stdout.fnmatch_lines([f"survived: contracts/greeter.yaml:*: {SECRECY}: secret in URL: *", "*?key=[[]credential[]]*"])
    assert "hk-stub" not in result.stdout.str()


@pytest.mark.parametrize(("required", "ended"), [("50%", pytest.ExitCode.OK), ("99%", pytest.ExitCode.TESTS_FAILED)])
def test_the_contract_says_which_score_is_enough(
    run: Run, change: Change, blind: Callable[[str], None], required: str, ended: pytest.ExitCode
) -> None:
    blind(BY_NAME)
    change(scored(required))
    result = run(*QUICK)
    assert result.ret == ended
    result.stdout.fnmatch_lines([f"mutants: * (required: {required})"])


def test_a_client_that_breaks_the_contract_is_not_proven_and_the_proof_says_by_what(run: Run) -> None:
    result = run(*QUICK, "--adapter", "hello:Loud")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*broken: with nobody lying, *: expected *, saw *: {SECRECY}", "NOT PROVEN: greeter"])


# Waivers


def test_a_waiver_in_force_excuses_a_survivor_which_is_shown_with_the_reason(run: Run, change: Change, blind: Callable[[str], None]) -> None:
    blind(BY_NAME)
    change(terms())
    result = run(*QUICK)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"survived: *: {BY_NAME}: *", "  nearest: *", "  excused: nobody reads it", "PROVEN: greeter"])


@pytest.mark.parametrize("suites", ["static,conformance", "conformance"])
def test_a_waiver_that_has_expired_is_red_even_where_nothing_survived(run: Run, change: Change, suites: str) -> None:
    change(terms(until="2026-01-31"))
    result = run("--contract", "greeter", "--suite", suites, "--prove")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    told = f"contracts/greeter.yaml:*: the waiver of `{BY_NAME}` in the proof expired on 2026-01-31: nobody reads it"
    result.stdout.fnmatch_lines([told, "NOT PROVEN: greeter"])


def test_a_waiver_that_has_expired_excuses_nothing(run: Run, change: Change, blind: Callable[[str], None]) -> None:
    blind(BY_NAME)
    change(terms(until="2026-01-31"))
    result = run("--contract", "greeter", "--suite", "conformance", "--prove")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "excused" not in result.stdout.str()


def test_a_waiver_that_matches_no_clause_makes_a_contract_that_can_not_be_read(run: Run, change: Change) -> None:
    change(terms(clause="operations.greet.responses.200.invariants.by_nmae"))
    result = run(*QUICK)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*contracts/greeter.yaml:*by_nmae` matches no clause*by_name*"])


def test_a_waiver_that_matches_no_survivor_is_red_when_all_suites_ran(run: Run, change: Change, few_suites: None) -> None:
    untouched = "[provider.timeout, operations.greet.responses.400.raises, operations.greet.responses.401.raises]"
    change(terms(), ("proof:\n", "waivers:\n" + "".join(_waived(each) for each in untouched.strip("[]").split(", ")) + "\nproof:\n"))
    result = run("--contract", "greeter", "--prove")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"contracts/greeter.yaml:*: the waiver of `{BY_NAME}` in the proof matches no surviving mutant: take it out"])


def test_and_is_no_matter_when_only_some_did(run: Run, change: Change) -> None:
    change(terms())
    assert run(*QUICK).ret == pytest.ExitCode.OK


def _waived(clause: str) -> str:
    return f"  - {{clause: {clause}, because: it takes another suite, until: 2100-01-31}}\n"


@pytest.fixture
def few_suites(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were no suites but these: a whole run takes no time then."""
    monkeypatch.setattr("harness.engine.core.SUITES", ("static", "conformance"))
    monkeypatch.setattr("harness.plugin.session.SUITES", ("static", "conformance"))


# The report


def test_the_event_stream_carries_the_proof(run: Run, contracts: Path) -> None:
    run(*QUICK)
    stream = (contracts.parent / "build" / "reports" / "contract.jsonl").read_text().splitlines()
    proofs = [json.loads(line)["proof"] for line in stream if json.loads(line)["event"] == "proof_finished"]
    assert [(each["contract"], each["score"], each["survivors"]) for each in proofs] == [("greeter", 1.0, [])]


def proven(contracts: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, Any]:
    """The status and the file of ``harness prove greeter --json``."""
    monkeypatch.chdir(contracts.parent)
    monkeypatch.syspath_prepend(contracts.parent)
    file = contracts.parent / "out" / "proof.json"
    result = CliRunner().invoke(commands, ["prove", "greeter", "--suite", "conformance", "--json", str(file), *arguments])
    return result.exit_code, json.loads(file.read_text())


def test_the_command_writes_the_score_every_survivor_and_every_clause_with_its_state(
    contracts: Path, monkeypatch: pytest.MonkeyPatch, blind: Callable[[str], None]
) -> None:
    blind(BY_NAME)
    status, report = proven(contracts, monkeypatch)
    assert status == 1
    assert report["made"] == report["killed"] + len(report["survivors"])
    assert report["score"] == round(report["killed"] / report["made"], 4)
    assert {each["clause"] for each in report["survivors"]} == {BY_NAME}
    assert all(each["diff"] and each["nearest"] for each in report["survivors"])
    states = {each["id"]: (each["standing"], each["why"]) for each in report["clauses"]}
    assert states["provider.auth.scheme"] == ("proven", "")
    assert states[BY_NAME] == ("checked", f"{len(report['survivors'])} mutants survived")
    assert states["provider.timeout"] == ("unchecked", "no case says anything about it")
    assert len(report["mutants"]) == report["made"] + report["equivalent"]


def test_the_command_ends_well_when_nothing_survives(contracts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, report = proven(contracts, monkeypatch)
    assert (status, report["score"], report["survivors"], report["objections"]) == (0, 1.0, [], [])
    assert report["killed"] == report["made"] > 0
