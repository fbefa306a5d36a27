"""A provider at a URL, the live one or any other: requests go there as they are."""

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from harness.contract.agreement import Agreement
from harness.exchange import Level, Request, Response
from harness.wire.clock import VirtualClock

HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length"})
DECODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class UrlProvider:
    """A provider that runs somewhere; it can't be put into states, and it remembers what it was sent."""

    takes_states = False

    def __init__(self, agreement: Agreement, *, base_url: str, credential: str) -> None:
        self._agreement = agreement
        self._base = base_url.rstrip("/")
        self.name = base_url
        self.credential = credential
        local = (urlsplit(base_url).hostname or "") in ("localhost", "127.0.0.1", "::1")
        self.level = Level.LIVE if not local or base_url == agreement.contract.provider.base_url else Level.STUB

    def upstream(self, clock: Callable[[], float] | VirtualClock) -> "Forward":
        return Forward(base=self._base, base_path=self._agreement.base_path, timeout_s=self._agreement.contract.provider.timeout)

    def origin(self) -> str:
        split = urlsplit(self._base)
        return f"{split.scheme}://{split.netloc}"

    def enter(self, given: str | None) -> None:
        """A provider that runs somewhere has no states to be put into."""

    def close(self) -> None:
        """Nothing was started."""


class Forward:
    """An upstream that sends each request on to a base URL."""

    def __init__(self, *, base: str, base_path: str, timeout_s: float) -> None:
        self._base, self._base_path, self._timeout_s = base, base_path, timeout_s

    async def answer(self, request: Request) -> Response:
        """The answer from there; ConnectionError or TimeoutError when there is none."""
        target = request.target.removeprefix(self._base_path)
        headers = [(name, value) for name, value in request.headers if name.lower() not in HOP_BY_HOP]
        try:
            async with httpx.AsyncClient(timeout=self._timeout_s) as client:
                response = await client.request(request.method, self._base + target, content=request.body, headers=headers)
        except httpx.TimeoutException as error:
            raise TimeoutError(str(error)) from error
        except httpx.TransportError as error:
            raise ConnectionError(str(error)) from error
        kept = tuple((name, value) for name, value in response.headers.items() if name not in DECODED)
        return Response(status=response.status_code, headers=kept, body=response.content)
