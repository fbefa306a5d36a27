"""Blocking sockets and selects in virtual time: data is real, and a timeout passes on the clock."""

import errno
import functools
import os
import select
import selectors
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from harness.wire.clock import real
from harness.wire.clock.members import current
from harness.wire.clock.model import Means, to_ns
from harness.wire.clock.pacer import Pacer, Reason, Watch
from harness.wire.clock.time_functions import StandIn

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
READABLE = select.POLLIN | select.POLLPRI | select.POLLHUP | getattr(select, "POLLRDHUP", 0)
ANYTHING = select.POLLIN | select.POLLPRI | select.POLLOUT
ONCE = getattr(select, "EPOLLONESHOT", 0)
_POLL_MASK = {READ: select.POLLIN, WRITE: select.POLLOUT}

_connect = socket.socket.connect
_send = socket.socket.send
_sendall = socket.socket.sendall
_select = select.select
_selector_select = selectors.DefaultSelector.select


def _is_ready(descriptor: int, mask: int) -> bool:
    poll = real.poll_object()
    poll.register(descriptor, _POLL_MASK[mask])
    return bool(poll.poll(0))


def _deadline_ns(pacer: Pacer, timeout_s: float | None) -> int | None:
    return None if timeout_s is None else pacer.clock.now_ns + to_ns(timeout_s)


def _wait_ready(pacer: Pacer, descriptor: int, mask: int, deadline_ns: int | None) -> None:
    """TimeoutError, worded as the standard library's, when the clock gets to the deadline first."""
    if descriptor < 0 or _is_ready(descriptor, mask):
        return
    since_ns = pacer.clock.now_ns
    if pacer.wait(deadline_ns=deadline_ns, watch=((descriptor, mask),)) is Reason.DUE:
        pacer.clock.record(since_ns=since_ns, by=Means.SOCKET)
        raise TimeoutError("timed out")


def _awaiting(name: str, mask: int) -> Callable[..., Any]:
    original: Callable[..., Any] = getattr(socket.socket, name)

    @functools.wraps(original)
    def replacement(self: socket.socket, *args: Any, **kwargs: Any) -> Any:
        pacer = current()
        if pacer is not None and (timeout_s := self.gettimeout()) != 0:
            _wait_ready(pacer, self.fileno(), mask, _deadline_ns(pacer, timeout_s))
        return original(self, *args, **kwargs)

    return replacement


@functools.wraps(_sendall)
def _virtual_sendall(self: socket.socket, data: Any, flags: int = 0, /) -> None:
    pacer = current()
    timeout_s = self.gettimeout()
    if pacer is None or timeout_s == 0:
        return _sendall(self, data, flags)
    deadline_ns = _deadline_ns(pacer, timeout_s)
    rest = memoryview(data).cast("B")
    while rest:
        _wait_ready(pacer, self.fileno(), WRITE, deadline_ns)
        try:
            rest = rest[_send(self, rest, flags | socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            continue
    return None


@functools.wraps(_connect)
def _virtual_connect(self: socket.socket, address: Any, /) -> None:
    pacer = current()
    timeout_s = self.gettimeout()
    if pacer is None or timeout_s == 0:
        return _connect(self, address)
    deadline_ns = _deadline_ns(pacer, timeout_s)
    self.settimeout(0)
    try:
        code = self.connect_ex(address)
        if code == errno.EINPROGRESS:
            _wait_ready(pacer, self.fileno(), WRITE, deadline_ns)
            code = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    finally:
        self.settimeout(timeout_s)
    if code:
        raise OSError(code, os.strerror(code))
    return None


def _watches(files: Iterable[Any], mask: int) -> list[Watch]:
    return [(file if isinstance(file, int) else file.fileno(), mask) for file in files]


def _virtual_select(
    rlist: Sequence[Any], wlist: Sequence[Any], xlist: Sequence[Any], timeout: float | None = None, /
) -> tuple[list[Any], list[Any], list[Any]]:
    pacer = current()
    if pacer is None or (timeout is not None and timeout <= 0):
        return _select(rlist, wlist, xlist, timeout)
    ready = _select(rlist, wlist, xlist, 0)
    if not any(ready):
        _pass(pacer, timeout, [*_watches(rlist, READ), *_watches(wlist, WRITE)])
        ready = _select(rlist, wlist, xlist, 0)
    return ready


@functools.wraps(_selector_select)
def _virtual_selector_select(self: Any, timeout: float | None = None) -> Any:
    """Thus waits an event loop that a client runs in a thread of its own."""
    pacer = current()
    if pacer is None or (timeout is not None and timeout <= 0):
        return _selector_select(self, timeout)
    ready = _selector_select(self, 0)
    if not ready:
        _pass(pacer, timeout, [(key.fd, key.events) for key in self.get_map().values()])
        ready = _selector_select(self, 0)
    return ready


class Polled:
    """Stands in for the objects of ``select.poll`` and ``select.epoll``; ``per_s`` is how they count a timeout."""

    def __init__(self, real_one: Any, per_s: int) -> None:
        self._real, self._per_s = real_one, per_s
        self._masks: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def register(self, fd: Any, *mask: int, eventmask: int | None = None) -> None:
        asked = mask or (() if eventmask is None else (eventmask,))
        self._real.register(fd, *asked)
        self._masks[_descriptor(fd)] = asked[0] if asked else ANYTHING

    def modify(self, fd: Any, eventmask: int) -> None:
        self._real.modify(fd, eventmask)
        self._masks[_descriptor(fd)] = eventmask

    def unregister(self, fd: Any) -> None:
        self._masks.pop(_descriptor(fd), None)
        self._real.unregister(fd)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self._real.close()

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        more = () if maxevents == -1 else (maxevents,)
        pacer = current()
        if pacer is None or timeout == 0:
            return self._seen(self._real.poll(timeout, *more))
        if ready := self._seen(self._real.poll(0, *more)):
            return ready
        _pass(pacer, None if timeout is None or timeout < 0 else timeout / self._per_s, self._watched())
        return self._seen(self._real.poll(0, *more))

    def _watched(self) -> list[Watch]:
        masks = {fd: (READ if mask & READABLE else 0) | (WRITE if mask & select.POLLOUT else 0) for fd, mask in self._masks.items()}
        return [(fd, mask) for fd, mask in masks.items() if mask]

    def _seen(self, events: list[tuple[int, int]]) -> list[tuple[int, int]]:
        for fd, _ in events:
            if self._masks.get(fd, 0) & ONCE:
                self._masks[fd] = ONCE  # heard of no more, until it is asked for anew
        return events


def _descriptor(file: Any) -> int:
    return file if isinstance(file, int) else int(file.fileno())


def _made(original: Callable[..., Any], per_s: int) -> Callable[..., Any]:
    """In a run a polling object whose waits pass on the clock."""

    def replacement(*args: Any) -> Any:
        made = original(*args)
        return made if current() is None else Polled(made, per_s)

    return replacement


def _pass(pacer: Pacer, timeout_s: float | None, watch: Sequence[Watch]) -> None:
    since_ns = pacer.clock.now_ns
    if pacer.wait(deadline_ns=_deadline_ns(pacer, timeout_s), watch=watch) is Reason.DUE:
        pacer.clock.record(since_ns=since_ns, by=Means.SELECT)


READING = ("accept", "recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into")
WRITING = ("send", "sendmsg", "sendto")
METHODS: dict[str, Callable[..., Any]] = {
    "connect": _virtual_connect,
    "sendall": _virtual_sendall,
    **{name: _awaiting(name, READ) for name in READING if hasattr(socket.socket, name)},
    **{name: _awaiting(name, WRITE) for name in WRITING if hasattr(socket.socket, name)},
}
SELECTOR_METHODS = {"select": _virtual_selector_select}
REPLACEMENTS: dict[Any, Any] = {
    select.select: StandIn(select.select, _virtual_select),
    **{
        original: StandIn(original, _made(original, per_s))
        for name, per_s in (("poll", 1000), ("epoll", 1))
        if (original := getattr(select, name, None)) is not None
    },
}
