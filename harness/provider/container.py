"""The provider's image in a container: started when it is first asked, gone when the run is over."""

import os
import re
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from socket import create_connection
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

from harness.contract.agreement import Agreement
from harness.exchange import Level
from harness.extras import installed_by
from harness.provider.container_reaper import Reaper
from harness.provider.had import PartMissing, ProviderUnavailable
from harness.provider.url import Forward
from harness.wire.clock import VirtualClock
from harness.wire.forward import real_time

CREDENTIAL = "hk-container-9e2c5a7d1b3f8640"  # made up: only this container takes it
READY_WITHIN_S = 60.0
LABEL = "contract-harness.run"
_LOG_SHOWN = 600
_SHARED_MEMORY = "9g"  # a limit, of which nothing is taken before it is used; the usual 64 MB would send an engine to the disk
_NO_REGISTRY = re.compile("dial tcp|no such host|lookup |timeout|timed out|Client.Timeout|connection refused|proxyconnect", re.IGNORECASE)


class ContainerProvider:
    """What the contract says under ``provider.container``; ``other`` is another version of the image, or another image.

    The first port is that of HTTP, a second one that of gRPC. An image of one's own answers on the same ports.
    """

    level = Level.CONTAINER
    takes_states = False
    remembers = True

    def __init__(self, agreement: Agreement, *, other: str | None = None, ready_within_s: float = READY_WITHIN_S) -> None:
        declared = agreement.contract.provider.container
        assert declared is not None
        self._agreement = agreement
        self._declared = declared
        self.image = _meant(declared.image, other)
        self._ready_within_s = ready_within_s
        self._container: Any = None
        self._reaper: Reaper | None = None
        self._addresses: tuple[str, ...] = ()
        self._unavailable: ProviderUnavailable | None = None
        self.name = f"container:{other}" if other else "container"

    @property
    def credential(self) -> str:
        return CREDENTIAL if self._agreement.contract.provider.auth else ""

    def upstream(self, clock: Callable[[], float] | VirtualClock) -> Forward:
        base = self.origin() + self._agreement.base_path
        return Forward(base=base, base_path=self._agreement.base_path, timeout_s=self._agreement.contract.provider.timeout)

    def origin(self) -> str:
        """Where the container answers over HTTP; starts it if it is not."""
        return f"http://{self._started()[0]}"

    def grpc_address(self) -> str | None:
        """Where it answers over gRPC; None when the contract names one port only."""
        return self._started()[1] if len(self._declared.ports) > 1 else None

    def assure_installed(self) -> None:
        """PartMissing when what drives containers is not here."""
        if find_spec("testcontainers") is None:
            raise PartMissing(f"a container needs `testcontainers`: {installed_by('testcontainers')}")

    def enter(self, given: str | None) -> None:
        """A container has no states to be put into."""

    def close(self) -> None:
        container, self._container = self._container, None
        reaper, self._reaper = self._reaper, None
        self._addresses = ()
        if reaper is None:
            return
        try:
            container.stop()
        except Exception as error:  # noqa: BLE001 - Docker itself may be gone; what is left is the reaper's
            reaper.reap()
            if container is not None:
                warnings.warn(f"the container of {self.image} may still be there: {_first_line(error)}", stacklevel=2)
        else:
            reaper.dismiss()

    @property
    def environment(self) -> dict[str, str]:
        """The container's environment, with this run's credential where the contract refers to one."""
        auth, declared = self._agreement.contract.provider.auth, self._declared.environment
        return {name: value.replace(auth.credential, self.credential) if auth else value for name, value in declared.items()}

    def _started(self) -> tuple[str, ...]:
        """The addresses of its ports. What could not be started once is not tried again for every case."""
        if self._unavailable is not None:
            raise self._unavailable
        if not self._addresses:
            try:
                with real_time():
                    self._start()
                    self._addresses = self._wait_until_ready()
            except ProviderUnavailable as error:
                self._unavailable = error
                raise
            finally:
                if not self._addresses:
                    self.close()
        return self._addresses

    def _start(self) -> None:
        # The usual reaper's image can't be had where no registry is reached; ours needs none.
        os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
        try:
            import docker.errors
            from testcontainers.core.container import DockerContainer
        except ImportError as error:
            raise PartMissing(f"a container needs `{error.name}`: {installed_by(error.name)}") from error
        label = f"{LABEL}={uuid4().hex}"
        try:
            made = DockerContainer(self.image).with_exposed_ports(*self._declared.ports)
            for name, value in self.environment.items():
                made.with_env(name, value)
            made.with_kwargs(labels=dict([label.split("=")]), shm_size=_SHARED_MEMORY)
            self._reaper = Reaper(label)
            self._container = made
            made.start()
        except docker.errors.APIError as error:  # an image that is not found among them
            raise ProviderUnavailable(self._told(error)) from error
        except docker.errors.DockerException as error:
            raise ProviderUnavailable(
                f"there is no Docker to run {self.image} with ({_first_line(error)}): "
                "start it, set DOCKER_HOST, or take --provider embedded or stub"
            ) from error

    def _told(self, error: Exception) -> str:
        """Why Docker refuses the image, and what to do: here, or gone without."""
        from docker.errors import ImageNotFound, NotFound

        said = _first_line(error)
        if isinstance(error, ImageNotFound | NotFound) or _NO_REGISTRY.search(said) or "pull access denied" in said:
            return (
                f"the image {self.image} is not here and can't be pulled ({said}): check its name and tag, log in to its registry, "
                "load it with `docker load`, or name one that is here: --provider container:IMAGE:TAG"
            )
        return f"the container {self.image} can't be started: {said}"

    def _wait_until_ready(self) -> tuple[str, ...]:
        until_s = monotonic() + self._ready_within_s
        while self._is_running():
            addresses = self._published()
            if addresses and _answers(f"http://{addresses[0]}{self._declared.ready}") and all(map(_listens, addresses)):
                return addresses
            if monotonic() > until_s:
                url = f"port {self._declared.ports[0]}{self._declared.ready}"
                raise ProviderUnavailable(
                    f"the container {self.image} did not answer {url} within {self._ready_within_s:g} s; it said: {self._log()}"
                )
            sleep(0.1)
        raise ProviderUnavailable(f"the container {self.image} ended before it answered; it said: {self._log()}")

    def _is_running(self) -> bool:
        inner = self._container.get_wrapped_container()
        inner.reload()
        return inner.status in ("created", "running", "restarting")

    def _published(self) -> tuple[str, ...]:
        """Where its ports are found here; none while Docker has not yet bound them."""
        host, docker_client = self._container.get_container_host_ip(), self._container.get_docker_client()
        if not docker_client.get_connection_mode().use_mapped_port:
            return tuple(f"{host}:{port}" for port in self._declared.ports)
        bound = self._container.get_wrapped_container().ports
        found = [bound.get(f"{port}/tcp") for port in self._declared.ports]
        return tuple(f"{host}:{each[0]['HostPort']}" for each in found if each) if all(found) else ()

    def _log(self) -> str:
        said = b"\n".join(self._container.get_logs()).decode("utf-8", "replace").replace(self.credential or "\0", "***")
        return said.strip()[-_LOG_SHOWN:].strip() or "nothing"


def _meant(image: str, other: str | None) -> str:
    """An image with another tag, or another image: that has a tag of its own, or a path.

    The colon of a registry's port begins no tag.
    """
    if other and (":" in other or "/" in other or "@" in other):
        return other
    name, _, last = image.rpartition("/")
    bare = f"{name}/{last.partition(':')[0]}" if name else last.partition(":")[0]
    return f"{bare}:{other}" if other else image


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2.0) as response:  # noqa: S310 - an http URL made here
            return bool(response.status < 300)
    except (URLError, OSError):
        return False


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with create_connection((host, int(port)), timeout=2.0):
            return True
    except OSError:
        return False


def _first_line(error: Exception) -> str:
    """What is wrong in a line; Docker's own words without the request that it answers with them."""
    text = str(getattr(error, "explanation", None) or error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
