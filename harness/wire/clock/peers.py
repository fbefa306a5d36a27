"""Tells connections that stay inside the run from those whose other end acts in real time."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass

Address = object  # what the socket module gives: a tuple, or a path for AF_UNIX


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The two addresses of a socket; ``there`` is None when it is not connected."""

    here: Address
    there: Address | None
    listening: bool


def any_outside(polled: Sequence[int], watched: Sequence[int]) -> bool:
    """Whether one of the descriptors has a peer that acts in real time: a thread, process or machine outside.

    ``polled`` are those of the run's loop, ``watched`` those that its threads wait for. A connection accepted
    by a server of the run counts as inside, its client being the one under test; so does the nameless pair
    by which a loop in one of its threads is woken.
    """
    ends = [ends_of(descriptor) for descriptor in polled]
    ends += [end for end in map(ends_of, watched) if end is None or end.here]
    inside = {end.here for end in ends if end is not None and end.here}
    served = {_port(end.here) for end in ends if end is not None and end.listening}
    return any(end is None or not (end.there in inside or _port(end.here) in served) for end in ends)


def _port(address: Address) -> Address:
    return address[1] if isinstance(address, tuple) else address


def ends_of(descriptor: int) -> Ends | None:
    """None for what is not a socket: the far end of a pipe is not to be known."""
    try:
        view = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        return Ends(
            here=view.getsockname(),
            there=_peer(view),
            listening=bool(view.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)),
        )
    except OSError:
        return None
    finally:
        view.detach()


def _peer(view: socket.socket) -> Address | None:
    try:
        peer: Address = view.getpeername()
    except OSError:
        return None
    return peer
