"""A provider at a URL, the live one or any other: requests go there as they are."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit
from urllib.request import getproxies

from harness.contract.agreement import Agreement
from harness.exchange import Level, Request, Response
from harness.provider.had import ProviderUnavailable
from harness.wire.clock import VirtualClock
from harness.wire.forward import forward

REACHED_WITHIN_S = 10.0


def is_local(url: str) -> bool:
    """Whether a URL names this machine."""
    return (urlsplit(url).hostname or "") in ("localhost", "127.0.0.1", "::1")


def is_url(text: str) -> bool:
    """Whether a text is the address of something on the network."""
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the port, or of brackets
        return False


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=REACHED_WITHIN_S).close()
    except OSError:
        return False
    return True


class UrlProvider:
    """A provider that runs somewhere; it can't be put into states, and it remembers what it was sent."""

    takes_states = False
    remembers = True

    def __init__(self, agreement: Agreement, *, base_url: str, credential: str) -> None:
        self._agreement = agreement
        self._base = base_url.rstrip("/")
        self.name = base_url
        self.credential = credential
        self._listens: bool | None = None  # on the port for gRPC; not known yet
        self.level = Level.LIVE if not is_local(base_url) or base_url == agreement.contract.provider.base_url else Level.STUB

    def upstream(self, clock: Callable[[], float] | VirtualClock) -> "Forward":
        return Forward(base=self._base, base_path=self._agreement.base_path, timeout_s=self._agreement.contract.provider.timeout)

    def origin(self) -> str:
        split = urlsplit(self._base)
        return f"{split.scheme}://{split.netloc}"

    def grpc_address(self) -> str | None:
        """Where it speaks gRPC: on the port that the contract names, without TLS, if anybody listens there; else None."""
        declared, url = self._agreement.contract.provider.grpc, urlsplit(self._base)
        if declared is None or declared.port is None or url.scheme != "http":
            return None
        if self._listens is None:
            self._listens = _listens(url.hostname or "", declared.port)
        host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        return f"{host}:{declared.port}" if self._listens else None

    def assure_reachable(self) -> None:
        """ProviderUnavailable when nothing listens there; not asked where a proxy goes there for us."""
        parts = urlsplit(self._base)
        secure = parts.scheme == "https"
        if not is_local(self._base) and getproxies().get(parts.scheme):
            return
        try:
            with socket.create_connection((parts.hostname or "", parts.port or (443 if secure else 80)), timeout=REACHED_WITHIN_S) as plain:
                if secure:
                    ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname).close()
        except ssl.SSLError as error:
            said = error.reason or str(error)
            raise ProviderUnavailable(f"{self._base}: no TLS as it should be ({said}); is it meant to be http://?") from None
        except OSError as error:
            said = error.strerror or str(error)
            raise ProviderUnavailable(f"no provider answers at {self._base} ({said}): is it running, and is this its address?") from None

    def enter(self, given: str | None) -> None:
        """A provider that runs somewhere has no states to be put into."""

    def close(self) -> None:
        """Nothing was started."""


class Forward:
    """An upstream that sends each request on to a base URL."""

    def __init__(self, *, base: str, base_path: str, timeout_s: float) -> None:
        split = urlsplit(base)
        self._origin, self._path = f"{split.scheme}://{split.netloc}", split.path.rstrip("/")
        self._base_path, self._timeout_s = base_path, timeout_s

    async def answer(self, request: Request) -> Response:
        """The answer from there; ConnectionError or TimeoutError when there is none."""
        onward = replace(request, target=self._path + request.target.removeprefix(self._base_path))
        return await forward(onward, origin=self._origin, timeout_s=self._timeout_s)
