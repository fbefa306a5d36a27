"""The provider against Pact's verifier: the stub keeps the pact, and each liar breaks the clause that it lies about."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.contract.agreement import Agreement
from harness.exchange import Level, Observation, Request, Response
from harness.provider.lying import LyingProvider
from harness.provider.stubbed import CREDENTIAL, StubProvider
from harness.provider.url import UrlProvider
from harness.suites.case import Setting
from harness.suites.pact import SUITE
from harness.suites.pact.engine import Parties, write_pact
from harness.verdict import Outcome, Verdict

SettingOf = Callable[..., Setting]
VerdictOf = Callable[[Setting, str], Verdict]
BASE = "operations.embed.responses"


def clauses(verdict: Verdict) -> set[str]:
    return {finding.clause for finding in verdict.findings}


def body_changed(
    change: Callable[[dict[str, Any]], dict[str, Any]], *, path: str = "/embeddings"
) -> Callable[[Request, Response], Response]:
    """A lie about every success at a path."""

    def lie(request: Request, response: Response) -> Response:
        if response.status != 200 or not request.path.endswith(path):
            return response
        return replace(response, body=json.dumps(change(response.json())).encode())  # type: ignore[arg-type]  # an object

    return lie


def status_changed(wanted: int, sent: int) -> Callable[[Request, Response], Response]:
    return lambda _, response: replace(response, status=sent) if response.status == wanted else response


def html(_: Request, response: Response) -> Response:
    page = Response(status=200, headers=(("content-type", "text/html"),), body=b"<h1>It works!</h1>")
    return page if response.status == 200 else response


def unnamed_error(_: Request, response: Response) -> Response:
    return replace(response, body=b'{"message": "no"}') if response.status in (400, 401) else response


LIARS: list[tuple[str, str, Callable[[Request, Response], Response], str]] = [
    (
        "a field is renamed",
        "verify",
        body_changed(lambda body: {"items": body["data"], **{k: v for k, v in body.items() if k != "data"}}),
        "schemas.Embeddings.required",
    ),
    (
        "a number is text",
        "verify",
        body_changed(lambda body: {**body, "usage": {"total_tokens": "7"}}),
        "schemas.Usage.properties.total_tokens.type",
    ),
    (
        "nothing is in the list",
        "verify",
        body_changed(lambda body: {**body, "data": []}),
        "schemas.Embeddings.properties.data.minItems",
    ),
    (
        "another model answers",
        "verify",
        body_changed(lambda body: {**body, "model": "other"}),
        f"{BASE}.200.invariants.same_model",
    ),
    (
        "the order is lost",
        "verify",
        body_changed(lambda body: {**body, "data": body["data"][::-1]}),
        f"{BASE}.200.invariants.in_order",
    ),
    ("success has another status", "verify", status_changed(200, 202), f"{BASE}.200"),
    ("success is a page", "verify", html, f"{BASE}.200"),
    ("a refusal has another status", "verify-given", status_changed(401, 403), f"{BASE}.401"),
    ("a refusal is a success", "verify-given", status_changed(429, 200), f"{BASE}.429"),
    ("an error has another shape", "verify-given", unnamed_error, "errors.detail.body.required"),
]


@pytest.mark.parametrize("case", ["verify", "verify-given"])
def test_the_stub_keeps_the_pact(setting_of: SettingOf, verdict_of: VerdictOf, case: str) -> None:
    verdict = verdict_of(setting_of(), case)
    assert (verdict.outcome, verdict.reason) == (Outcome.PASSED, "")
    assert f"{BASE}.{200 if case == 'verify' else 429}" in verdict.kept


@pytest.mark.parametrize(("case", "lie", "clause"), [liar[1:] for liar in LIARS], ids=[liar[0] for liar in LIARS])
def test_a_provider_that_breaks_the_pact_breaks_a_clause(
    setting_of: SettingOf,
    verdict_of: VerdictOf,
    agreement: Agreement,
    case: str,
    lie: Callable[..., Response],
    clause: str,
) -> None:
    provider = LyingProvider(StubProvider(agreement), lie)
    verdict = verdict_of(setting_of(provider=provider), case)
    assert provider.changed
    assert verdict.outcome is Outcome.FAILED, verdict.reason
    assert any(found == clause or found.startswith(f"{clause}.") for found in clauses(verdict)), clauses(verdict)


def test_every_interaction_is_verified_under_its_state_and_the_state_is_left_again(
    setting_of: SettingOf, agreement: Agreement
) -> None:
    (case,) = [case for case in SUITE.cases(setting_of()) if case.id == "pact::verify-given"]
    seen = case.execute()
    assert isinstance(seen, Observation)
    declared = [
        shape.given
        for terms in agreement.operations.values()
        for shape in terms.model.responses.values()
        if shape.given
    ]
    assert sorted(exchange.given or "" for exchange in seen.exchanges) == sorted(declared)


def test_of_a_provider_without_states_the_rest_is_shown_by_the_stub_and_worth_no_more(
    setting_of: SettingOf, verdict_of: VerdictOf, agreement: Agreement
) -> None:
    class Elsewhere(UrlProvider):
        """As good as live, and as little to be put into a state."""

        def __init__(self, base_url: str) -> None:
            super().__init__(agreement, base_url=base_url, credential=CREDENTIAL)
            self.level = Level.LIVE

    stub = StubProvider(agreement)
    try:
        setting = setting_of(provider=Elsewhere(f"{stub.origin()}{agreement.base_path}"))
        asked, shown = verdict_of(setting, "verify"), verdict_of(setting, "verify-given")
    finally:
        stub.close()
    assert (asked.outcome, asked.level) == (Outcome.PASSED, Level.LIVE)
    assert (shown.outcome, shown.level) == (Outcome.PASSED, Level.STUB)


def test_a_provider_that_can_not_be_reached_is_no_pass(
    setting_of: SettingOf, verdict_of: VerdictOf, agreement: Agreement
) -> None:
    provider = UrlProvider(agreement, base_url="http://127.0.0.1:9", credential=CREDENTIAL)
    verdict = verdict_of(setting_of(provider=provider), "verify")
    assert verdict.outcome in (Outcome.ERROR, Outcome.FAILED)
    assert CREDENTIAL not in verdict.reason


def test_what_pact_refuses_and_no_check_explains_is_an_error(
    setting_of: SettingOf, verdict_of: VerdictOf, agreement: Agreement
) -> None:
    whole = body_changed(lambda body: {**body, "usage": {"total_tokens": 7.0}})  # whole to JSON Schema, not to Pact
    verdict = verdict_of(setting_of(provider=LyingProvider(StubProvider(agreement), whole)), "verify")
    assert verdict.outcome is Outcome.ERROR
    assert "no clause of the contract says why" in verdict.reason
    assert "$.usage.total_tokens" in verdict.reason


def test_the_level_is_that_of_the_provider(setting_of: SettingOf, verdict_of: VerdictOf, agreement: Agreement) -> None:
    class Real(StubProvider):
        level = Level.EMBEDDED

    assert verdict_of(setting_of(provider=Real(agreement)), "verify").level is Level.EMBEDDED


def test_the_verifier_prints_nothing(
    setting_of: SettingOf, verdict_of: VerdictOf, capfd: pytest.CaptureFixture[str]
) -> None:
    verdict_of(setting_of(), "verify")
    assert capfd.readouterr() == ("", "")


# The file


def pact_of(setting: Setting) -> Path:
    return setting.root / "build" / "pacts" / "contexter-voyage_ai.json"


def test_the_pact_holds_every_interaction_in_the_order_of_the_contract(
    setting_of: SettingOf, verdict_of: VerdictOf, agreement: Agreement
) -> None:
    setting = setting_of()
    verdict_of(setting, "verify")
    pact = json.loads(pact_of(setting).read_bytes())
    assert (pact["consumer"]["name"], pact["provider"]["name"]) == ("contexter", "voyage_ai")
    assert pact["metadata"]["pactSpecification"]["version"] == "4.0"
    names = [interaction["description"].split(" ", 1)[1] for interaction in pact["interactions"]]
    assert names[:2] == ["embed 200-one_text", "embed 200-one_string"]
    assert [name.split()[0] for name in names] == sorted(
        (name.split()[0] for name in names), key=list(agreement.operations).index
    )


def test_the_pact_holds_no_credential_and_is_small(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    setting = setting_of()
    verdict_of(setting, "verify-given")
    text = pact_of(setting).read_text()
    assert CREDENTIAL not in text
    assert "Bearer credential" in text
    assert len(text) < 1_000_000


def test_the_pact_is_the_same_whichever_case_wrote_it(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    setting = setting_of()
    verdict_of(setting, "verify")
    first = pact_of(setting).read_bytes()
    verdict_of(setting, "verify-given")
    assert pact_of(setting).read_bytes() == first


def test_an_optional_header_is_not_asked_of_the_provider(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    setting = setting_of()
    verdict_of(setting, "verify")
    pact = json.loads(pact_of(setting).read_bytes())
    limited = [interaction for interaction in pact["interactions"] if interaction["response"]["status"] == 429]
    assert limited
    assert not any(
        "retry-after" in map(str.lower, interaction["response"].get("headers", {})) for interaction in limited
    )


def test_a_pact_that_can_not_be_written_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "pact.json"
    file.write_text("old")
    with pytest.raises(AttributeError):
        write_pact([None], Parties(consumer="a", provider="b", notes={}), to=file)  # type: ignore[list-item]  # no interaction
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["pact.json"]
