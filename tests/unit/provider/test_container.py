"""The container as a provider, as far as that can be said without Docker."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Level
from harness.provider.choice import choose
from harness.provider.container import ContainerProvider
from harness.provider.had import ProviderUnavailable

pytest.importorskip("testcontainers")
CONTRACTS = Path(__file__).parents[3] / "contracts"


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load(CONTRACTS / "qdrant" / "v1.16.yaml")


def chosen(agreement: Agreement, name: str) -> ContainerProvider:
    made = choose(agreement, name)
    assert isinstance(made, ContainerProvider)
    return made


def test_making_it_starts_nothing(agreement: Agreement) -> None:
    provider = chosen(agreement, "container")
    assert (provider.name, provider.level, provider.remembers, provider.takes_states) == ("container", Level.CONTAINER, True, False)
    provider.close()


def test_another_tag_takes_another_image(agreement: Agreement) -> None:
    assert chosen(agreement, "container").image == "qdrant/qdrant:v1.16.0"
    assert chosen(agreement, "container:v1.17.1").image == "qdrant/qdrant:v1.17.1"


@pytest.mark.parametrize("other", ["my-qdrant:latest", "registry.example/team/qdrant", "localhost:5000/qdrant:v2", "qdrant@sha256:0123"])
def test_another_image_is_taken_as_it_is_named(agreement: Agreement, other: str) -> None:
    provider = chosen(agreement, f"container:{other}")
    assert (provider.image, provider.name) == (other, f"container:{other}")


def test_an_image_of_a_registry_with_a_port_keeps_it(agreement: Agreement) -> None:
    declared = agreement.contract.provider.container
    assert declared is not None
    elsewhere = declared.model_copy(update={"image": "localhost:5000/qdrant"})
    provider = agreement.contract.provider.model_copy(update={"container": elsewhere})
    changed = replace(agreement, contract=agreement.contract.model_copy(update={"provider": provider}))
    assert chosen(changed, "container:v2").image == "localhost:5000/qdrant:v2"


def test_the_environment_is_filled_with_the_credential_of_the_run(agreement: Agreement) -> None:
    provider = chosen(agreement, "container")
    assert provider.environment == {"QDRANT__SERVICE__API_KEY": provider.credential}


def test_without_docker_it_says_what_to_do(agreement: Agreement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(ProviderUnavailable, match="there is no Docker to run .*--provider embedded or stub"):
        chosen(agreement, "container").origin()


def test_what_could_not_be_had_once_is_not_tried_for_every_case(agreement: Agreement, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = chosen(agreement, "container")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(ProviderUnavailable) as first:
        provider.origin()
    with pytest.raises(ProviderUnavailable) as second:
        provider.upstream(lambda: 0.0)
    assert first.value is second.value


def test_pytest_says_it_once_and_runs_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    pytester.path.joinpath("contracts").symlink_to(CONTRACTS)
    result = pytester.runpytest_subprocess("--contract=qdrant", "--provider=container", "--suite=conformance")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: there is no Docker to run qdrant/qdrant:v1.16.0 with (*): start it*"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str() and "failed" not in result.stdout.str()


def test_several_processes_say_it_once_too(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xdist")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    pytester.path.joinpath("contracts").symlink_to(CONTRACTS)
    result = pytester.runpytest_subprocess("--contract=qdrant", "--provider=container", "--suite=conformance", "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: there is no Docker to run qdrant/qdrant:v1.16.0 with (*): start it*"])


def test_proving_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    command = [sys.executable, "-c", "from harness.cli import main; main()", "prove", "qdrant", "--provider", "container"]
    ran = subprocess.run(command, cwd=CONTRACTS.parent, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: there is no Docker to run qdrant/qdrant:v1.16.0 with (") and "Traceback" not in ran.stderr


def test_a_contract_without_an_image_says_what_there_is() -> None:
    with pytest.raises(ProviderUnavailable, match="names no container provider"):
        choose(load(CONTRACTS / "voyage_ai.yaml"), "container")
