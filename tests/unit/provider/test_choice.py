"""A provider that can't be meant, or can't be had, is told once, with what to do."""

import socket

import pytest

from harness.provider.choice import UnknownProvider, assure, choose
from harness.provider.had import ProviderUnavailable
from harness.provider.stubbed import StubProvider
from tests.miniatures.clients.sound import agreement


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://localhost:99999", "https://:443/v1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UnknownProvider, match="no address of a provider"):
        choose(agreement(), url)


def test_an_address_where_nobody_listens_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOYAGE_API_KEY", raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken, and nobody listens
        provider = choose(agreement(), f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        with pytest.raises(ProviderUnavailable, match="no provider answers at http://127.0.0.1:"):
            assure(provider)


def test_tls_to_a_provider_without_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOYAGE_API_KEY", raising=False)
    stub = StubProvider(agreement())
    try:
        with pytest.raises(ProviderUnavailable, match="is it meant to be http://"):
            assure(choose(agreement(), stub.origin().replace("http:", "https:") + "/v1"))
    finally:
        stub.close()


def test_a_provider_that_listens_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOYAGE_API_KEY", raising=False)
    stub = StubProvider(agreement())
    try:
        assure(choose(agreement(), stub.origin() + "/v1"))
    finally:
        stub.close()


def test_a_credential_that_stands_in_every_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOYAGE_API_KEY", "x")
    with pytest.raises(ProviderUnavailable, match="VOYAGE_API_KEY is too short"):
        choose(agreement(), "http://127.0.0.1:6333")
