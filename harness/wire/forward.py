"""Sends a request on to a real origin: in real time, and past whatever stands in for the network in this process."""

import asyncio
import http.client
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from harness.contract.bodiless import has_no_body
from harness.exchange import Headers, Request, Response
from harness.wire.clock import members

OF_ONE_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
    }
)
AT_ONCE_S = 0.05
MOST_UNASKED = 4096
PACKED = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # as zlib calls them
RENEWED = OF_ONE_HOP | {"accept-encoding"}  # a body that is packed could be neither judged nor recorded


async def forward(request: Request, *, origin: str, timeout_s: float) -> Response:
    """The answer from ``origin``; ConnectionError or TimeoutError when there is none.

    In virtual time the clock stands still meanwhile: what takes real time there is none of the client's.
    """
    if members.current() is None:
        return await asyncio.to_thread(_sent, request, origin, timeout_s)
    with real_time():
        return _sent(request, origin, timeout_s)


@contextmanager
def real_time() -> Iterator[None]:
    """The calling thread leaves its virtual time for a while, in which that does not pass."""
    pacer = members.current()
    if pacer is None:
        yield
        return
    members.leave()
    try:
        yield
    finally:
        members.enrol(pacer)


class _AsItComes(urllib.request.HTTPErrorProcessor):
    """Redirects and errors are answers like any other."""

    def http_response(
        self, request: urllib.request.Request, response: http.client.HTTPResponse
    ) -> http.client.HTTPResponse:
        return response

    https_response = http_response


class _Unembellished(urllib.request.HTTPHandler):
    """A body does not become a form because its sender does not say what it is."""

    def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
        return _as_it_was(request, super().do_request_)


class _UnembellishedTLS(urllib.request.HTTPSHandler):
    def https_request(self, request: urllib.request.Request) -> urllib.request.Request:
        return _as_it_was(request, super().do_request_)


def _as_it_was(
    request: urllib.request.Request, prepare: Callable[[urllib.request.Request], Any]
) -> urllib.request.Request:
    typed = request.has_header("Content-type")
    prepare(request)
    if not typed:
        request.unredirected_hdrs.pop("Content-type", None)
    return request


def _sent(request: Request, origin: str, timeout_s: float) -> Response:
    proxies = [urllib.request.ProxyHandler({})] if _is_local(origin) else []
    opener = urllib.request.build_opener(_AsItComes, _Unembellished, _UnembellishedTLS, *proxies)
    opener.addheaders = []
    url = origin + request.target
    outgoing = urllib.request.Request(url, data=request.body or None, method=request.method)  # noqa: S310 - the origin of a provider
    for name, value in _kept(request.headers, RENEWED):
        outgoing.add_unredirected_header(name.capitalize(), value)
    try:
        with opener.open(outgoing, timeout=timeout_s) as response:
            headers = _kept(tuple((name.lower(), value) for name, value in response.getheaders()), OF_ONE_HOP)
            body = _unasked(response) if has_no_body(request.method, response.status) else response.read()
            return _unpacked(Response(status=response.status, headers=headers, body=body))
    except TimeoutError:
        raise
    except urllib.error.URLError as error:
        raise (TimeoutError if isinstance(error.reason, TimeoutError) else ConnectionError)(
            f"{origin}: {error.reason}"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(f"{origin}: {error or type(error).__name__}") from error


def _unasked(response: http.client.HTTPResponse) -> bytes:
    """What comes after the head of an answer that has no body, and at once: the library leaves it unread."""
    try:
        response.fp.raw._sock.settimeout(AT_ONCE_S)  # type: ignore[attr-defined]  # of SocketIO
        return bytes(response.fp.read1(MOST_UNASKED))
    except (OSError, AttributeError):  # nothing comes, or this Python keeps its socket elsewhere
        return b""


def _unpacked(response: Response) -> Response:
    """The response as it was before it was packed: some providers do that unasked, and nobody could read it."""
    how = (response.header("content-encoding") or "").strip().lower()
    if how not in PACKED:
        return response
    try:
        body = zlib.decompress(response.body, wbits=PACKED[how])
    except zlib.error:
        return response  # whoever reads it finds what it is
    return Response(status=response.status, headers=_kept(response.headers, frozenset({"content-encoding"})), body=body)


def _kept(headers: Headers, dropped: frozenset[str]) -> Headers:
    return tuple((name, value) for name, value in headers if name.lower() not in dropped)


def _is_local(origin: str) -> bool:
    """Whether an origin is this machine, which no proxy is asked for."""
    host = urlsplit(origin).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
