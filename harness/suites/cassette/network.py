"""Nobody gets out: while a cassette is replayed, this process reaches no other machine."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from threading import Lock
from typing import Any


class NetworkBlocked(ConnectionError):
    """The network was asked for while it is blocked."""


_lock = Lock()
_watchers: list[list[str]] = []
_hooked = False


@contextmanager
def blocked_network() -> Iterator[list[str]]:
    """Refuse connections that leave this machine; the list names those that were tried."""
    tried: list[str] = []
    with _lock:
        _hook()
        _watchers.append(tried)
    try:
        yield tried
    finally:
        with _lock:
            _watchers.remove(tried)


def _hook() -> None:
    """Python's own audit hook: beneath every library, and beneath what virtual time puts in place of sockets."""
    global _hooked  # noqa: PLW0603 - an audit hook is of the process, and stays
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked = True


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watchers or event not in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        return
    host = (
        arguments[0] if event == "socket.getaddrinfo" else arguments[1][0] if isinstance(arguments[1], tuple) else None
    )
    if host is None or _is_here(host.decode() if isinstance(host, bytes) else str(host)):
        return
    for tried in _watchers:
        tried.append(str(host))
    raise NetworkBlocked(f"{host} was asked for, and the network is blocked while a cassette is replayed")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in ("", "localhost")
