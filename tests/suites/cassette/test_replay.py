"""Recordings against the contract, and the client against recordings: the honest pass, each liar is named."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.voyage_ai import VoyageAI
from harness.contract.agreement import Agreement
from harness.exchange import Level
from harness.suites.case import Setting
from harness.suites.cassette import SUITE
from harness.suites.cassette.network import NetworkBlocked, blocked_network
from harness.verdict import Outcome, Verdict

SettingOf = Callable[..., Setting]
VerdictOf = Callable[[Setting, str], Verdict]
ROOT = Path(__file__).parents[3]
REAL = "query-voyage-3.5-200"


def clauses(verdict: Verdict) -> set[str]:
    return {finding.clause for finding in verdict.findings}


class Negates(VoyageAI):
    """Decodes wrongly."""

    async def embed(self, *args: Any, **options: Any) -> Any:
        return -(await super().embed(*args, **options))


class Shuffles(VoyageAI):
    """Loses the order of a ranking."""

    async def rerank(self, *args: Any, **options: Any) -> Any:
        return (await super().rerank(*args, **options))[::-1]


class AsksOtherwise(VoyageAI):
    """Asks another model than the caller said."""

    async def embed(self, *args: Any, **options: Any) -> Any:
        return await super().embed(*args, **{**options, "model": "voyage-3.5-lite"})


class PrefersNumbers(VoyageAI):
    """An honest client that has vectors sent as numbers."""

    def _with_defaults(self, operation: str, body: dict[str, object]) -> dict[str, object]:
        plain = super()._with_defaults(operation, body)
        return {name: value for name, value in plain.items() if name != "encoding_format"}


class Pads(VoyageAI):
    """Says what its caller left open: no clause speaks of that."""

    async def rerank(self, *args: Any, **options: Any) -> Any:
        return await super().rerank(*args, **{"truncation": False, **options})


class Wanders(VoyageAI):
    """Tells somebody else about it."""

    async def embed(self, *args: Any, **options: Any) -> Any:
        with contextlib.suppress(OSError):
            socket.create_connection(("192.0.2.1", 80), timeout=0.1).close()
        return await super().embed(*args, **options)


class Accepts(VoyageAI):
    """Sends what the contract forbids."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint.refuse_invalid = lambda *_: None  # type: ignore[method-assign]  # that is the lie


@pytest.mark.parametrize("wire", ["httpx", "port"])
def test_every_shipped_cassette_keeps_the_contract_and_is_understood(
    setting_of: SettingOf, verdict_of: VerdictOf, shipped: Path, wire: str
) -> None:
    setting = setting_of(root=ROOT, wire=wire)
    stems = sorted(path.stem for path in shipped.glob("*.yaml"))
    for stem in stems:
        for part in ("recorded", "replayed"):
            verdict = verdict_of(setting, f"{stem}-{part}")
            assert (verdict.outcome, verdict.findings, verdict.reason) == (Outcome.PASSED, (), ""), stem


def test_every_operation_has_a_cassette(setting_of: SettingOf, agreement: Agreement) -> None:
    ids = {case.id for case in SUITE.cases(setting_of(root=ROOT))}
    assert not any(case.endswith("::none") for case in ids)
    assert {case.split("::")[1] for case in ids} == set(agreement.operations)


def test_an_operation_without_a_cassette_is_said_to_have_none(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    verdict = verdict_of(setting_of(), "rerank::none")
    assert verdict.outcome is Outcome.SKIPPED
    assert "--record-mode=once" in verdict.reason


def test_a_real_recording_is_stronger_evidence_than_a_stubs(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    setting = setting_of(root=ROOT)
    real, stubbed = verdict_of(setting, f"{REAL}-recorded"), verdict_of(setting, "embed-one_string-recorded")
    assert (real.level, stubbed.level) == (Level.RECORDED, Level.STUB)
    assert "operations.embed.responses.200.invariants.unit_length" in real.kept
    assert verdict_of(setting, f"{REAL}-replayed").level is Level.RECORDED


def test_what_was_recorded_against_and_when_is_noted(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    for part in ("recorded", "replayed"):
        note = verdict_of(setting_of(root=ROOT), f"{REAL}-{part}").note
        assert note.startswith(f"{REAL}.yaml was recorded against live on an unknown date by another client")


def test_a_replay_proves_nothing_of_the_provider(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    verdict = verdict_of(setting_of(root=ROOT), f"{REAL}-replayed")
    assert not [clause for clause in verdict.kept if ".invariants." in clause]
    assert "operations.embed.bind.result" in verdict.kept


def test_a_request_that_was_refused_is_refused_by_the_client_now(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    assert "failures.invalid_input.raises" in verdict_of(setting_of(root=ROOT), "unknown-model-400-replayed").kept


def test_a_client_that_sends_it_all_the_same_is_found(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    verdict = verdict_of(setting_of(root=ROOT, client=Accepts), "unknown-model-400-replayed")
    assert clauses(verdict) == {"operations.embed.request.rules.known_model", "failures.invalid_input.raises"}


# Lying recordings


def tampered(tmp_path: Path, shipped: Path, change: Callable[[str], str], stem: str = REAL) -> Path:
    folder = tmp_path / "cassettes" / "voyage_ai"
    folder.mkdir(parents=True)
    text = (shipped / f"{stem}.yaml").read_text()
    changed = change(text)
    assert changed != text
    (folder / "x.yaml").write_text(changed)
    return tmp_path


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (lambda text: text.replace('"index":0', '"index":1'), "operations.embed.responses.200.invariants.in_order"),
        (lambda text: text.replace('"object":"list",', ""), "schemas.Embeddings.required"),
        (lambda text: text.replace('"total_tokens"', '"tokens"'), "schemas.Usage.required"),
        (lambda text: text.replace("code: 200", "code: 201"), "operations.embed.responses.200"),
        (lambda text: "text/html".join(text.rsplit("application/json", 1)), "operations.embed.responses.200"),
        (
            lambda text: text.replace('"embedding":"AY+P', '"embedding":"AAAAAY+P'),
            "operations.embed.responses.200.invariants.dimension",
        ),
    ],
    ids=["index", "object", "usage", "status", "media type", "dimension"],
)
def test_a_recording_that_breaks_the_contract_names_the_clause(
    setting_of: SettingOf,
    verdict_of: VerdictOf,
    tmp_path: Path,
    shipped: Path,
    change: Callable[[str], str],
    clause: str,
) -> None:
    verdict = verdict_of(setting_of(root=tampered(tmp_path, shipped, change)), "x-recorded")
    assert verdict.outcome is Outcome.FAILED
    assert any(found == clause or found.startswith(f"{clause}.") for found in clauses(verdict)), clauses(verdict)


def test_the_client_raises_its_error_for_a_recording_that_breaks_the_contract(
    setting_of: SettingOf, verdict_of: VerdictOf, tmp_path: Path, shipped: Path
) -> None:
    root = tampered(tmp_path, shipped, lambda text: text.replace('"total_tokens"', '"tokens"'))
    verdict = verdict_of(setting_of(root=root), "x-replayed")
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())
    assert "failures.invalid_response.raises" in verdict.kept


def test_a_cassette_that_can_not_be_read_is_an_error_at_its_place(
    setting_of: SettingOf, verdict_of: VerdictOf, tmp_path: Path, shipped: Path
) -> None:
    setting = setting_of(root=tampered(tmp_path, shipped, lambda text: text.replace("code: 200", "code: fine")))
    verdict = verdict_of(setting, "x-recorded")
    assert verdict.outcome is Outcome.ERROR
    assert verdict.reason.startswith("cassettes/voyage_ai/x.yaml:")


# Lying clients


@pytest.mark.parametrize("wire", ["httpx", "port"])
def test_a_client_that_decodes_wrongly_is_found(setting_of: SettingOf, verdict_of: VerdictOf, wire: str) -> None:
    verdict = verdict_of(setting_of(root=ROOT, client=Negates, wire=wire), f"{REAL}-replayed")
    assert clauses(verdict) == {"operations.embed.bind.result"}
    assert verdict.level is Level.RECORDED


def test_a_client_that_loses_an_order_is_found(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    verdict = verdict_of(setting_of(root=ROOT, client=Shuffles), "rerank-best_two-replayed")
    assert clauses(verdict) == {"operations.rerank.bind.result"}


def test_a_client_that_asks_for_something_else_is_found_by_the_argument(
    setting_of: SettingOf, verdict_of: VerdictOf
) -> None:
    verdict = verdict_of(setting_of(root=ROOT, client=AsksOtherwise), f"{REAL}-replayed")
    assert verdict.outcome is Outcome.FAILED
    assert "operations.embed.bind.arguments.model" in clauses(verdict)


def test_a_client_that_can_not_take_the_recorded_answer_is_not_blamed(
    setting_of: SettingOf, verdict_of: VerdictOf
) -> None:
    verdict = verdict_of(setting_of(root=ROOT, client=PrefersNumbers), f"{REAL}-replayed")
    assert verdict.outcome is Outcome.SKIPPED
    assert "`encoding_format`: recorded base64, sent null" in verdict.reason


def test_another_client_may_say_what_the_recording_one_left_open(
    setting_of: SettingOf, verdict_of: VerdictOf, tmp_path: Path, shipped: Path
) -> None:
    def other(text: str) -> str:
        return text.replace("by: adapters.voyage_ai:VoyageAI", "by: another").replace(',"truncation":true', "")

    root = tampered(tmp_path, shipped, other, stem="rerank-best_two")
    assert verdict_of(setting_of(root=root, client=Pads), "x-replayed").outcome is Outcome.SKIPPED


def test_a_request_that_is_not_recorded_and_breaks_nothing_is_an_error_that_says_so(
    setting_of: SettingOf, verdict_of: VerdictOf, tmp_path: Path, shipped: Path, agreement: Agreement
) -> None:
    root = tampered(tmp_path, shipped, lambda text: text.replace(',"truncation":true', ""), stem="rerank-best_two")
    verdict = verdict_of(setting_of(root=root, client=Pads), "x-replayed")
    assert verdict.outcome is Outcome.ERROR
    assert (
        "x.yaml holds no answer to POST /v1/rerank as this client asks: `truncation`: recorded null, sent false"
        in verdict.reason
    )
    assert "--record-mode=new_episodes" in verdict.reason


# The network


def test_a_client_that_leaves_the_machine_is_stopped_and_named(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    verdict = verdict_of(setting_of(root=ROOT, client=Wanders), f"{REAL}-replayed")
    assert verdict.outcome is Outcome.ERROR
    assert "the client asked for 192.0.2.1" in verdict.reason


def test_nobody_leaves_while_the_network_is_blocked() -> None:
    with blocked_network() as tried:
        with pytest.raises(NetworkBlocked):
            socket.create_connection(("192.0.2.1", 80), timeout=0.1)
        with pytest.raises(NetworkBlocked):
            socket.getaddrinfo("example.invalid", 80)
    assert tried == ["192.0.2.1", "192.0.2.1", "example.invalid"][-len(tried) :]


def test_this_machine_stays_reachable_and_everything_else_is_again_afterwards() -> None:
    with blocked_network(), socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
        socket.getaddrinfo("localhost", 80)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.2", 9))


# The engine


def test_without_vcrpy_the_replay_is_skipped_and_the_recordings_are_judged(
    setting_of: SettingOf, verdict_of: VerdictOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vcr", None)
    setting = setting_of(root=ROOT)
    assert verdict_of(setting, f"{REAL}-recorded").outcome is Outcome.PASSED
    skipped = verdict_of(setting, f"{REAL}-replayed")
    assert skipped.outcome is Outcome.SKIPPED
    assert "contract-harness[cassette]" in skipped.reason


def test_neither_importing_the_suite_nor_making_its_cases_imports_vcrpy() -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from harness.suites.cassette import SUITE; from harness.suites.case import Setting\n"
        "from harness.contract.catalog import load; from harness.client.binding import bind\n"
        "from harness.provider.stubbed import StubProvider\n"
        "a = load(Path('contracts/voyage_ai.yaml')); stub = StubProvider(a)\n"
        "s = Setting(agreement=a, binding=bind(a, None), provider=stub, root=Path('.'))\n"
        "assert list(SUITE.cases(s)); sys.exit('vcr' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_a_client_that_does_not_bind_an_operation_is_not_replayed(setting_of: SettingOf) -> None:
    setting = setting_of(root=ROOT)
    one = replace(setting.binding, methods={"rerank": setting.binding.methods["rerank"]})
    ids = [case.id for case in SUITE.cases(replace(setting, binding=one))]
    assert f"cassette::embed::{REAL}-recorded" in ids
    assert f"cassette::embed::{REAL}-replayed" not in ids
