"""The contract on a container for real: the image is made here, and what is started is gone afterwards."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Level
from harness.provider.choice import choose
from harness.provider.container import LABEL, ContainerProvider
from harness.provider.had import ProviderUnavailable

pytest.importorskip("testcontainers")

from tests.images.qdrant.build import CannotBuild, connected, image

ROOT = Path(__file__).parents[3]
SUBSET = "conformance and (query or sequence) or fault and upsert and not batch"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    try:
        client = connected()
    except CannotBuild as missing:
        pytest.skip(str(missing))
    yield client
    client.close()


@pytest.fixture(scope="module")
def built(client: Any) -> str:
    try:
        return image(client=client)
    except CannotBuild as missing:
        pytest.skip(str(missing))


@pytest.fixture
def agreement() -> Agreement:
    return load(ROOT / "contracts" / "qdrant" / "v1.16.yaml", root=ROOT)


def ours(client: Any, image: str) -> list[Any]:
    """The containers of an image that a run of ours has started."""
    found = client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
    return [container for container in found if container.attrs["Config"]["Image"] == image]


def tagged(client: Any, image: str, request: pytest.FixtureRequest) -> str:
    """The same image under a name of this test's own, so that its containers are told from others."""
    name = f"contract-harness-test:{request.node.name.lower().replace('[', '-').rstrip(']')}"
    client.images.get(image).tag(name)
    request.addfinalizer(lambda: client.images.remove(name, force=True))
    return name


def ready_at(agreement: Agreement, path: str) -> Agreement:
    """The same contract, with the container's readiness looked for elsewhere."""
    declared = agreement.contract.provider.container
    assert declared is not None
    provider = agreement.contract.provider.model_copy(update={"container": declared.model_copy(update={"ready": path})})
    return replace(agreement, contract=agreement.contract.model_copy(update={"provider": provider}))


def pytest_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "pytest", "--contract", "qdrant", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_suites_keep_the_contract_on_a_container(
    client: Any, built: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name, stream = tagged(client, built, request), tmp_path / "stream.jsonl"
    ran = pytest_run(f"--provider=container:{name}", "--suite=conformance,fault", "-k", SUBSET, f"--contract-report={stream}")
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-2000:]
    assert f"provider container:{name} (evidence: container)" in ran.stdout
    assert "kept on container evidence" in ran.stdout
    events = [json.loads(line) for line in stream.read_text().splitlines()]
    levels = [event["verdict"]["level"] for event in events if event.get("verdict")]
    assert levels.count(Level.CONTAINER) > 100 and not {Level.EMBEDDED, Level.LIVE} & set(levels)
    assert ours(client, name) == []


def test_it_answers_over_grpc_too_and_asks_for_the_key(built: str, agreement: Agreement) -> None:
    from qdrant_client import QdrantClient, models
    from qdrant_client.http.exceptions import UnexpectedResponse

    provider = choose(agreement, f"container:{built}")
    assert isinstance(provider, ContainerProvider)
    try:
        origin, address = provider.origin(), provider.grpc_address() or ""
        host, port = address.split(":")
        with pytest.warns(UserWarning, match="insecure connection"):
            spoken = QdrantClient(
                host=host, port=int(origin.rpartition(":")[2]), grpc_port=int(port), https=False, prefer_grpc=True, api_key=provider.credential,
                timeout=60,
            )
        spoken.create_collection("c", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
        spoken.upsert("c", [models.PointStruct(id=1, vector=[1.0, 0.0])], wait=True)
        assert spoken.count("c").count == 1
        stranger = QdrantClient(url=origin, check_compatibility=False, timeout=60)
        with pytest.raises(UnexpectedResponse, match="401"):
            stranger.get_collections()
    finally:
        provider.close()


def test_an_image_that_is_not_there_is_told_with_what_to_do(client: Any, agreement: Agreement) -> None:
    with pytest.raises(ProviderUnavailable, match=r"the image no-registry\.invalid/nobody:v1 is not here and can't be pulled .*docker load"):
        choose(agreement, "container:no-registry.invalid/nobody:v1").origin()


def test_a_container_that_ends_is_told_with_what_it_said(client: Any, built: str, agreement: Agreement, request: pytest.FixtureRequest) -> None:
    name = tagged(client, built, request)
    broken = client.containers.create(name, entrypoint=["sh", "-c"], command=["echo no licence >&2; exit 3"])
    broken.commit("contract-harness-test", "ends")
    broken.remove()
    request.addfinalizer(lambda: client.images.remove("contract-harness-test:ends", force=True))
    with pytest.raises(ProviderUnavailable, match="ended before it answered; it said: no licence"):
        choose(agreement, "container:contract-harness-test:ends").origin()
    assert ours(client, "contract-harness-test:ends") == []


def test_a_container_that_never_gets_ready_is_told_and_removed(
    client: Any, built: str, agreement: Agreement, request: pytest.FixtureRequest
) -> None:
    name = tagged(client, built, request)
    provider = ContainerProvider(ready_at(agreement, "/never"), other=name, ready_within_s=1.0)
    with pytest.raises(ProviderUnavailable, match=r"did not answer port 6333/never within 1 s; it said: ") as told:
        provider.origin()
    assert provider.credential not in str(told.value)
    assert ours(client, name) == []


def test_a_container_is_removed_however_its_run_ends(
    client: Any, built: str, agreement: Agreement, request: pytest.FixtureRequest
) -> None:
    name = tagged(client, built, request)
    program = (
        "import sys; from pathlib import Path; from harness.contract.catalog import load\n"
        "from harness.provider.choice import choose\n"
        f"provider = choose(load(Path({str(agreement.path)!r})), 'container:{name}'); print(provider.origin(), flush=True); sys.stdin.read()"
    )
    running = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None and running.stdin is not None
    assert running.stdout.readline().startswith("http://")
    assert len(ours(client, name)) == 1
    running.send_signal(signal.SIGKILL)
    running.communicate()
    until_s = monotonic() + 30
    while ours(client, name) and monotonic() < until_s:
        sleep(0.1)
    assert ours(client, name) == []


def test_a_container_that_somebody_else_removed_is_no_trouble(
    client: Any, built: str, agreement: Agreement, request: pytest.FixtureRequest
) -> None:
    name = tagged(client, built, request)
    provider = choose(agreement, f"container:{name}")
    provider.origin()
    for container in ours(client, name):
        container.remove(force=True)
    with pytest.warns(UserWarning, match="may still be there"):
        provider.close()
