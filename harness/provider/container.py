"""The provider's image in a container: started when it is first asked, gone when the run is over."""

import os
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from harness.contract.agreement import Agreement
from harness.exchange import Level
from harness.provider.had import ProviderUnavailable
from harness.provider.url import Forward
from harness.wire.clock import VirtualClock

CREDENTIAL = "hk-container-9e2c5a7d1b3f8640"  # made up: only this container takes it
READY_WITHIN_S = 60.0
_LOG_SHOWN = 600


class ContainerProvider:
    """What the contract says under ``provider.container``; ``tag`` takes another version of the image.

    The first port is that of HTTP, a second one that of gRPC.
    """

    level = Level.CONTAINER
    takes_states = False
    remembers = True

    def __init__(self, agreement: Agreement, *, tag: str | None = None, ready_within_s: float = READY_WITHIN_S) -> None:
        declared = agreement.contract.provider.container
        assert declared is not None
        self._agreement = agreement
        self._declared = declared
        self.image = _tagged(declared.image, tag)
        self._ready_within_s = ready_within_s
        self._container: Any = None
        self.name = f"container:{tag}" if tag else "container"

    @property
    def credential(self) -> str:
        return CREDENTIAL if self._agreement.contract.provider.auth else ""

    def upstream(self, clock: Callable[[], float] | VirtualClock) -> Forward:
        base = self.origin() + self._agreement.base_path
        return Forward(base=base, base_path=self._agreement.base_path, timeout_s=self._agreement.contract.provider.timeout)

    def origin(self) -> str:
        """Where the container answers over HTTP; starts it if it is not."""
        return f"http://{self._address(0)}"

    def grpc_address(self) -> str | None:
        """Where it answers over gRPC; None when the contract names one port only."""
        return self._address(1) if len(self._declared.ports) > 1 else None

    def enter(self, given: str | None) -> None:
        """A container has no states to be put into."""

    def close(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            container.stop()

    def _address(self, index: int) -> str:
        container = self._started()
        return f"{container.get_container_host_ip()}:{container.get_exposed_port(self._declared.ports[index])}"

    def _started(self) -> Any:
        if self._container is None:
            self._container = self._start()
            try:
                self._wait_until_ready()
            except BaseException:
                self.close()
                raise
        return self._container

    def _start(self) -> Any:
        # The reaper's image can't be had where no registry is reached; what is started here is stopped here.
        os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
        try:
            import docker.errors
            from testcontainers.core.container import DockerContainer
        except ImportError as error:
            raise ProviderUnavailable(f"a container needs `{error.name}`: pip install 'contract-harness[container]'") from error
        try:
            container = DockerContainer(self.image).with_exposed_ports(*self._declared.ports)
            for name, value in self.environment.items():
                container.with_env(name, value)
            return container.start()
        except docker.errors.ImageNotFound as error:
            raise ProviderUnavailable(
                f"the image {self.image} is not here and can't be pulled ({_first_line(error)}): "
                "check its tag, log in to its registry, or load it with `docker load`"
            ) from error
        except docker.errors.APIError as error:
            raise ProviderUnavailable(f"the container {self.image} can't be started: {_first_line(error)}") from error
        except docker.errors.DockerException as error:
            raise ProviderUnavailable(
                f"there is no Docker to run {self.image} with ({_first_line(error)}): "
                "start it, set DOCKER_HOST, or take --provider embedded or stub"
            ) from error

    @property
    def environment(self) -> dict[str, str]:
        """The container's environment, with this run's credential where the contract refers to one."""
        auth, declared = self._agreement.contract.provider.auth, self._declared.environment
        return {name: value.replace(auth.credential, self.credential) if auth else value for name, value in declared.items()}

    def _wait_until_ready(self) -> None:
        until_s = monotonic() + self._ready_within_s
        url = f"{self.origin()}{self._declared.ready}"
        while not _answers(url):
            if monotonic() > until_s:
                said = b"\n".join(self._container.get_logs())[-_LOG_SHOWN:].decode("utf-8", "replace").strip()
                raise ProviderUnavailable(
                    f"the container {self.image} did not answer {url} within {self._ready_within_s:g} s; it said: {said or 'nothing'}"
                )
            sleep(0.1)


def _tagged(image: str, tag: str | None) -> str:
    """An image with another tag; the colon of a registry's port begins none."""
    name, _, last = image.rpartition("/")
    bare = f"{name}/{last.partition(':')[0]}" if name else last.partition(":")[0]
    return f"{bare}:{tag}" if tag else image


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2.0) as response:  # noqa: S310 - a port of a container of our own  # noqa: S310 - an http URL made above
            return bool(response.status < 300)
    except (URLError, OSError):
        return False


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
