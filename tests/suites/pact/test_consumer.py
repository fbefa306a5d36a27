"""The client against Pact's mock server: an honest one passes, and each liar breaks the clause that it lies about."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters import errors
from adapters.voyage_ai import VoyageAI
from harness.contract.agreement import Agreement
from harness.exchange import Level, Observation
from harness.provider.had import Provider
from harness.suites.case import Setting
from harness.suites.pact import SUITE
from harness.suites.pact.prospects import prospects
from harness.suites.pact.suite import CREDENTIAL, PactDisagrees, draft_of, explained, met
from harness.verdict import Outcome, Verdict

SettingOf = Callable[..., Setting]
VerdictOf = Callable[[Setting, str], Verdict]
EMBED = "operations.embed"


def clauses(verdict: Verdict) -> set[str]:
    return {finding.clause for finding in verdict.findings}


class Tampering(httpx.AsyncBaseTransport):
    """Changes each request on its way out."""

    def __init__(self, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._change = change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        what = {
            "method": request.method,
            "url": request.url,
            "headers": dict(request.headers),
            "content": json.loads(request.content),
        }
        changed = self._change(what)
        content = json.dumps(changed["content"]).encode()
        headers = {name: value for name, value in changed["headers"].items() if name != "content-length"}
        return await self._inner.handle_async_request(
            httpx.Request(
                changed["method"], changed["url"], headers=headers, content=content, extensions=request.extensions
            )
        )


class Tampered(VoyageAI):
    """A client whose requests are changed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, transport=Tampering(self.change))

    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        raise NotImplementedError


class SaysTooMuch(Tampered):
    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        return {**request, "content": {**request["content"], "user": "me"}}


class SaysTooLittle(Tampered):
    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        return {**request, "content": {name: value for name, value in request["content"].items() if name != "model"}}


class Mistypes(Tampered):
    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        return {**request, "content": {**request["content"], "output_dimension": "2048"}}


class SendsNothing(Tampered):
    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        return {**request, "content": []}


class Misspells(Tampered):
    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        return {**request, "url": request["url"].copy_with(path="/v1/embedding")}


class Puts(Tampered):
    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        return {**request, "method": "PUT"}


class Anonymous(Tampered):
    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        return {
            **request,
            "headers": {name: value for name, value in request["headers"].items() if name != "authorization"},
        }


class Basic(Tampered):
    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        return {**request, "headers": {**request["headers"], "authorization": f"Basic {CREDENTIAL}"}}


class SaysItIsText(Tampered):
    def change(self, request: dict[str, Any]) -> Mapping[str, Any]:
        return {**request, "headers": {**request["headers"], "content-type": "text/plain"}}


class Negates(VoyageAI):
    """Decodes wrongly."""

    async def embed(self, *args: Any, **options: Any) -> Any:
        return -(await super().embed(*args, **options))


class Swallows(VoyageAI):
    """Makes a result of an error."""

    async def embed(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().embed(*args, **options)
        except errors.IntegrationError:
            return []


class Rewords(VoyageAI):
    """Raises another error than the one that is declared."""

    async def rerank(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().rerank(*args, **options)
        except errors.IntegrationError as error:
            raise LookupError(str(error)) from None


REQUEST_LIARS = [
    (SaysTooMuch, "schemas.EmbeddingsRequest.additionalProperties"),
    (SaysTooLittle, "schemas.EmbeddingsRequest.required"),
    (Mistypes, "schemas.EmbeddingsRequest.properties.output_dimension.enum"),
    (SendsNothing, "schemas.EmbeddingsRequest.type"),
    (Misspells, f"{EMBED}.path"),
    (Puts, f"{EMBED}.method"),
    (Anonymous, "provider.auth.scheme"),
    (Basic, "provider.auth.scheme"),
    (SaysItIsText, f"{EMBED}.method"),
]


@pytest.mark.parametrize("wire", ["httpx", "port"])
def test_an_honest_client_keeps_every_interaction_in_process_and_at_a_port(
    setting_of: SettingOf, verdict_of: VerdictOf, wire: str
) -> None:
    setting = setting_of(wire=wire)
    for name in (
        "embed::200-query",
        "embed::429-the-rate-limit-is-used-up",
        "rerank::503-an-outage",
        "embed_contextualized::200-chunked",
    ):
        verdict = verdict_of(setting, name)
        assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ()), name


def test_there_is_an_interaction_for_each_example_and_for_each_declared_error(
    setting_of: SettingOf, agreement: Agreement
) -> None:
    ids = [case.id for case in SUITE.cases(setting_of())]
    assert len(ids) == len(set(ids))
    for name, terms in agreement.operations.items():
        for example in terms.model.examples:
            assert f"pact::{name}::200-{example}" in ids
        for status in (status for status, shape in terms.model.responses.items() if shape.error):
            assert sum(each.startswith(f"pact::{name}::{status}") for each in ids) == 1


def test_a_client_is_only_asked_for_what_it_binds(setting_of: SettingOf) -> None:
    setting = setting_of()
    one = replace(setting.binding, methods={"rerank": setting.binding.methods["rerank"]})
    operations = {case.operation for case in SUITE.cases(replace(setting, binding=one))}
    assert operations == {"rerank", None}


@pytest.mark.parametrize(("liar", "clause"), REQUEST_LIARS, ids=[liar.__name__ for liar, _ in REQUEST_LIARS])
@pytest.mark.parametrize("wire", ["httpx", "port"])
def test_a_request_that_pact_refuses_breaks_the_clause_that_forbids_it(
    setting_of: SettingOf, verdict_of: VerdictOf, liar: type, clause: str, wire: str
) -> None:
    verdict = verdict_of(setting_of(client=liar, wire=wire), "embed::200-one_text")
    assert verdict.outcome is Outcome.FAILED, verdict.reason
    assert any(found == clause or found.startswith(f"{clause}.") for found in clauses(verdict)), clauses(verdict)
    assert all(finding.place.startswith("contracts/voyage_ai.yaml:") for finding in verdict.findings)


@pytest.mark.parametrize("liar", [liar for liar, _ in REQUEST_LIARS], ids=[liar.__name__ for liar, _ in REQUEST_LIARS])
def test_pact_itself_refuses_what_the_checks_find(setting_of: SettingOf, liar: type) -> None:
    setting = setting_of(client=liar)
    prospect = next(prospects(setting.agreement.operations["embed"]))
    seen, refusals = met(setting, draft_of(setting.agreement), prospect)
    assert refusals
    assert {exchange.response.status for call in seen.calls for exchange in call.exchanges if exchange.response} == {
        200
    }


def test_an_honest_client_is_refused_nothing(setting_of: SettingOf) -> None:
    setting = setting_of()
    for prospect in prospects(setting.agreement.operations["rerank"]):
        assert met(setting, draft_of(setting.agreement), prospect)[1] == []


def test_a_result_that_is_not_what_was_answered_is_found(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    assert clauses(verdict_of(setting_of(client=Negates), "embed::200-one_text")) == {f"{EMBED}.bind.result"}


def test_an_error_that_becomes_a_result_is_found(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    verdict = verdict_of(setting_of(client=Swallows), "embed::401-an-invalid-api-key")
    assert clauses(verdict) == {f"{EMBED}.responses.401.raises"}


def test_an_error_of_another_type_is_found(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    verdict = verdict_of(setting_of(client=Rewords), "rerank::403-an-ip-address-that-is-blocked")
    assert clauses(verdict) == {"operations.rerank.responses.403.raises"}


def test_the_mock_server_proves_nothing_of_the_provider(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    verdict = verdict_of(setting_of(), "embed::200-one_text")
    assert verdict.level is Level.STUB
    assert f"{EMBED}.responses.200.invariants.unit_length" not in verdict.kept
    assert f"{EMBED}.bind.result" in verdict.kept


def test_what_pact_refuses_and_no_check_explains_is_an_error_without_the_credential(setting_of: SettingOf) -> None:
    seen = Observation(secrets=(CREDENTIAL,))
    with pytest.raises(PactDisagrees, match="the mock server refuses") as raised:
        explained(setting_of(), seen, [f"Unexpected header {CREDENTIAL}"], "the mock server refuses it")
    assert CREDENTIAL not in str(raised.value)


def test_what_pact_does_not_refuse_needs_no_explanation(setting_of: SettingOf) -> None:
    seen = Observation()
    assert explained(setting_of(), seen, [], "") is seen


def test_without_pact_the_suite_is_skipped_and_says_what_to_install(
    setting_of: SettingOf, verdict_of: VerdictOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pact", None)
    verdict = verdict_of(setting_of(), "verify")
    assert verdict.outcome is Outcome.SKIPPED
    assert "contract-harness[pact]" in verdict.reason


def test_neither_importing_the_suite_nor_making_its_cases_imports_pact() -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from harness.suites.pact import SUITE; from harness.suites.case import Setting\n"
        "from harness.contract.catalog import load; from harness.client.binding import bind\n"
        "from harness.provider.stubbed import StubProvider\n"
        "a = load(Path('contracts/voyage_ai.yaml')); stub = StubProvider(a)\n"
        "s = Setting(agreement=a, binding=bind(a, None), provider=stub, root=Path('.'))\n"
        "assert list(SUITE.cases(s)); sys.exit('pact' in sys.modules or 'pact_ffi' in sys.modules)"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True)


def test_pact_neither_reports_usage_nor_logs_requests(
    setting_of: SettingOf, verdict_of: VerdictOf, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        verdict_of(setting_of(client=Basic), "embed::200-one_text")
    assert os.environ["PACT_DO_NOT_TRACK"] == "true"
    assert not [record for record in caplog.records if record.name.partition(".")[0] == "pact"]


def test_the_provider_is_not_asked(setting_of: SettingOf, verdict_of: VerdictOf) -> None:
    class Untouchable:
        name, level, takes_states, remembers, credential = "untouchable", Level.LIVE, False, True, "hk-live-credential"

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"the provider was asked for {name}")

    provider: Provider = Untouchable()
    assert verdict_of(setting_of(provider=provider), "embed::200-one_text").outcome is Outcome.PASSED
