"""A provider in a process of its own answers there, and goes when whoever started it does."""

import os
import signal

import httpx
import pytest

from harness.contract.agreement import Agreement
from harness.provider.had import ProviderUnavailable
from harness.provider.serving import base_url, serve
from harness.provider.stubbed import CREDENTIAL, StubProvider
from harness.provider.url import UrlProvider


def test_the_stub_answers_in_a_process_of_its_own_until_it_is_left(voyage: Agreement) -> None:
    body = {"input": ["a"], "model": "voyage-code-3"}
    with serve(voyage, "stub") as serving:
        assert serving.process is not None
        process = serving.process
        os.kill(process.pid, signal.SIGINT)  # Ctrl-C reaches the whole group; this one waits to be left
        answer = httpx.post(f"{serving.base_url}/embeddings", json=body, headers={"authorization": f"Bearer {CREDENTIAL}"}, timeout=60)
        assert answer.status_code == 200
    assert process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"{serving.base_url}/embeddings", json=body, timeout=60)


def test_a_provider_that_runs_somewhere_is_not_started(voyage: Agreement) -> None:
    with serve(voyage, "http://127.0.0.1:9/v2/") as serving:
        assert (serving.base_url, serving.process) == ("http://127.0.0.1:9/v2", None)


def test_a_provider_that_cannot_be_had_is_told(voyage: Agreement) -> None:
    with pytest.raises(ProviderUnavailable, match="names no embedded provider"):
        serve(voyage, "embedded")


def test_operations_are_found_below_the_path_of_the_contract_or_of_the_url(voyage: Agreement) -> None:
    stub = StubProvider(voyage)
    assert base_url(voyage, stub) == f"{stub.origin()}/v1"
    stub.close()
    assert base_url(voyage, UrlProvider(voyage, base_url="http://127.0.0.1:9/", credential="")) == "http://127.0.0.1:9"
