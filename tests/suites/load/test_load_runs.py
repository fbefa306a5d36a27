"""Locust from a contract: it starts by itself, ends by itself, and says by its exit status what it found."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.checks.registry import judge
from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.exchange import Level, Observation
from harness.provider.stubbed import CREDENTIAL, StubProvider
from harness.provider.url import UrlProvider
from harness.suites.case import Setting, Skipped
from harness.suites.load import SUITE, suite
from harness.suites.load.suite import LoadFailed, folder, run_profile
from harness.verdict import SkipReason

Build = Callable[..., Agreement]
RunLocust = Callable[..., Any]


@pytest.fixture
def setting(agreed: Build, tmp_path: Path) -> Setting:
    agreement = agreed(smoke="{rate: 100/s, duration: 600ms, mix: {embed: 1}}")
    return Setting(agreement=agreement, binding=bind(agreement, None), provider=StubProvider(agreement), root=tmp_path)


def test_the_smoke_profile_is_one_case_that_keeps_every_objective_on_the_stub(setting: Setting, tmp_path: Path) -> None:
    (case,) = SUITE.cases(setting)
    seen = case.execute()
    setting.provider.close()
    assert isinstance(seen, Observation)
    kept = {judgement.clause for judgement in judge(setting.agreement, seen) if judgement.finding is None}
    assert (case.id, kept) == ("load::smoke", {f"sla.{name}" for name in ("availability", "response_time_p95", "throughput", "error_rate")})
    assert (seen.level, seen.measured["load.samples"], seen.measured["load.complete"]) == (Level.STUB, 60, 1)
    left = {path.suffix: path.read_text() for path in (tmp_path / "build" / "load").iterdir()}
    assert set(left) == {".json", ".html", ".log"}
    assert "Service level: kept" in left[".html"] and "window.templateArgs" in left[".html"]
    assert not any(CREDENTIAL in text for text in left.values())


def test_the_load_runs_the_code_that_started_it(setting: Setting, tmp_path: Path) -> None:
    (tmp_path / "harness").mkdir()
    (tmp_path / "harness" / "__init__.py").write_text("raise SystemExit('the harness of the folder, and not the installed one')")
    (case,) = SUITE.cases(setting)
    seen = case.execute()
    setting.provider.close()
    assert isinstance(seen, Observation)
    assert seen.measured["load.samples"] == 60


def test_a_master_judges_what_its_workers_measured(agreed: Build, tmp_path: Path, own_port: int) -> None:
    agreed()
    port = str(own_port)
    locust = [sys.executable, "-m", "locust", "-f", str(folder()), "--only-summary"]
    as_master = ["--headless", "--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers-max-wait", "120"]
    as_worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", port]
    worker = subprocess.Popen(
        [*locust, *as_worker], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        master = subprocess.run(
            [*locust, *as_master], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
        )
        assert (master.returncode, worker.wait(60)) == (0, 0)
    finally:
        worker.kill()
        worker.communicate()
    assert re.search(r"voyage_ai, profile smoke, provider stub: 120 of 120 requests at 80/s", master.stdout)
    assert re.search(r"^  all +120 +[\d.]+ ms +[\d.]+ ms +[\d.]+ ms", master.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--contract", "voyage"), "there is no contract `voyage`"),
        (("--profile", "smke"), "voyage_ai has no profile `smke`; there are: smoke, sla; did you mean `smoke`?"),
    ],
)
def test_what_cannot_be_done_is_told_with_status_2(agreed: Build, locust: RunLocust, arguments: tuple[str, ...], told: str) -> None:
    agreed()
    ran = locust(*arguments)
    assert ran.status == 2
    assert told in ran.logged
    assert "Traceback" not in ran.logged


def test_an_unreadable_contract_is_told_with_status_2(agreed: Build, locust: RunLocust, tmp_path: Path) -> None:
    agreement = agreed()
    agreement.path.write_text("contract: 1\nservic: voyage_ai\n")
    ran = locust()
    assert ran.status == 2
    assert "contracts/voyage_ai.yaml:2:1" in ran.logged


# What the suite does when there is nothing to run with


def test_without_locust_the_case_says_how_to_install_it(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "find_spec", lambda name: None)
    assert run_profile(setting, "smoke") == Skipped(reason=SkipReason.ENGINE_MISSING, detail="pip install 'contract-harness[load]'")


def test_the_live_provider_is_not_sent_more_than_the_contract_allows(setting: Setting) -> None:
    agreement = setting.agreement
    live = UrlProvider(agreement, base_url=agreement.contract.provider.base_url, credential="k")
    profile = agreement.contract.load["smoke"].model_copy(update={"rate": 31.0, "duration": 10.0})
    contract = agreement.contract.model_copy(update={"load": {"smoke": profile}})
    skipped = run_profile(replace(setting, agreement=replace(agreement, contract=contract), provider=live), "smoke")
    assert isinstance(skipped, Skipped)
    assert "310 requests in 60 s, where 300 are the most" in skipped.detail


def test_a_locust_that_comes_to_no_result_is_an_error_and_no_pass(setting: Setting) -> None:
    (setting.root / "build").mkdir()
    setting.agreement.path.write_text("contract: 1\n")  # gone bad since it was read
    with pytest.raises(LoadFailed, match="locust ended with status 2"):
        run_profile(setting, "smoke")
    setting.provider.close()


def test_contracts_without_a_smoke_profile_or_an_objective_have_no_case(setting: Setting) -> None:
    without: list[dict[str, Any]] = [{"load": {}}, {"sla": type(setting.agreement.contract.sla)()}]
    for missing in without:
        contract = setting.agreement.contract.model_copy(update=missing)
        assert list(SUITE.cases(replace(setting, agreement=replace(setting.agreement, contract=contract)))) == []


def test_the_suite_brings_in_no_engine() -> None:
    check = "import sys, harness.suites.load; print([name for name in ('locust', 'gevent') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout.strip() == "[]"
