"""The embedded provider: the contract's engine, in this process and on ports."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from urllib.request import urlopen

import pytest

from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Level, Request
from harness.provider.choice import choose
from harness.provider.embedded import EmbeddedProvider, make_engine
from harness.provider.had import ProviderUnavailable

CONTRACTS = Path(__file__).parents[3] / "contracts"


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load(CONTRACTS / "qdrant" / "v1.16.yaml")


@pytest.fixture
def provider(agreement: Agreement) -> Iterator[EmbeddedProvider]:
    made = choose(agreement, None)
    assert isinstance(made, EmbeddedProvider)
    yield made
    made.close()


def asked(provider: EmbeddedProvider, target: str, **headers: str) -> int:
    request = Request(method="GET", target=target, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()))
    return asyncio.run(provider.upstream(monotonic).answer(request)).status


def test_it_is_the_default_of_a_contract_that_says_so(provider: EmbeddedProvider) -> None:
    assert (provider.name, provider.level, provider.remembers, provider.takes_states) == ("embedded", Level.EMBEDDED, True, False)


def test_it_asks_for_its_credential(provider: EmbeddedProvider) -> None:
    assert asked(provider, "/collections") == 401
    assert asked(provider, "/collections", api_key=provider.credential) == 200


def test_it_speaks_as_the_version_of_the_contract() -> None:
    older = EmbeddedProvider(load(CONTRACTS / "qdrant" / "v1.8.yaml"))
    assert asked(older, "/collections") == 403
    older.close()


def test_it_listens_when_that_is_asked_for(provider: EmbeddedProvider) -> None:
    with urlopen(provider.origin() + "/readyz") as response:
        assert response.read() == b"all shards are ready"
    assert re.fullmatch(r"127\.0\.0\.1:\d+", str(provider.grpc_address()))


def test_what_is_asked_in_process_is_there_on_the_port(provider: EmbeddedProvider) -> None:
    upstream = provider.upstream(monotonic)
    headers = (("api-key", provider.credential), ("content-type", "application/json"))
    body = b'{"vectors": {"size": 2, "distance": "Dot"}}'
    created = asyncio.run(upstream.answer(Request(method="PUT", target="/collections/both", headers=headers, body=body)))
    assert created.status == 200
    assert asked(provider, "/collections/both/exists", api_key=provider.credential) == 200
    assert provider.origin()
    assert asked(provider, "/collections/both", api_key=provider.credential) == 200


def test_a_contract_without_an_engine_says_what_there_is() -> None:
    with pytest.raises(ProviderUnavailable, match="names no embedded provider; it can be had as stub, live or at a URL"):
        choose(load(CONTRACTS / "voyage_ai.yaml"), "embedded")


@pytest.mark.parametrize(
    ("dotted", "message"),
    [("nowhere.at_all:Engine", "needs `nowhere`"), ("harness.provider.qdrant_engine:Absent", "has no `Absent`")],
)
def test_an_engine_that_is_not_there_is_named(agreement: Agreement, dotted: str, message: str) -> None:
    declared = agreement.contract.provider.model_copy(update={"embedded": dotted})
    changed = replace(agreement, contract=agreement.contract.model_copy(update={"provider": declared}))
    with pytest.raises(ProviderUnavailable, match=message):
        make_engine(changed)


def test_a_folder_that_is_not_writable_is_a_clear_error(agreement: Agreement, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    engine = make_engine(agreement, path=tmp_path / "file" / "data")
    with pytest.raises(RuntimeError, match="--path"):
        engine.open()
