"""Where a client meets the wire: beneath httpx, at a port, or at a port with a TCP proxy before it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import get_native_id
from urllib.parse import urlsplit

from harness.client.binding import Binding
from harness.client.interposing import Interposed, Liar, RpcFaultOf
from harness.client.meaning import Meaning
from harness.exchange import Connection, Exchange
from harness.wire.clock import VirtualClock
from harness.wire.port import port_seam
from harness.wire.seam_httpx import httpx_seam
from harness.wire.tcp import Ear, Journal, Sleep, TcpProxy, Toxic
from harness.wire.tcp.http1 import Http1Ear
from harness.wire.wire import Wire

SETTLING_S = 0.001
STEP_S = 0.001  # between two looks at the threads in which gRPC works
WORKING = ("R", "D")  # on a processor, or waiting for a disk
NOTE = "over gRPC: calls, arguments, results and times were looked at; what is promised of HTTP itself was not"


@dataclass(frozen=True, kw_only=True)
class Tcp:
    """A client that meets its provider through a TCP proxy; ``toxics`` by the number of the connection.

    ``grpc_address`` is where the provider itself speaks gRPC, if that is how the client is to reach it; one ``in_process``
    is seen to work, another one is given time. Calls over gRPC meet the faults of ``script``, by their number, and the ``liar``.
    """

    toxics: Callable[[int], tuple[Toxic, ...]] = lambda number: ()
    grpc_address: str | None = None
    in_process: bool = True
    script: RpcFaultOf | None = None
    liar: Liar | None = None


class Seam:
    """Where one client meets the wire, and what was seen there; ``began`` is told of each request overheard."""

    def __init__(self, binding: Binding, wire: Wire, clock: VirtualClock, *, tcp: Tcp | None, began: Callable[[], None]) -> None:
        self._binding, self._wire, self._clock, self._tcp = binding, wire, clock, tcp
        self._journal = Journal(clock=lambda: clock.now_s, began=began)
        self._proxies: list[TcpProxy] = []
        self._relay_errors: list[Exception] = []
        self.grpc_port = 0

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        """The scheme and authority that the client is to be given."""
        if self._tcp is not None:
            async with self._proxied(self._tcp) as origin:
                yield origin
        elif self._binding.wire == "httpx":
            base = urlsplit(self._binding.agreement.contract.provider.base_url)
            with httpx_seam(self._wire, sleep=self._clock.advance, sleep_async=self._clock.elapse):
                yield f"{base.scheme}://{base.netloc}"
        else:
            async with self._port() as origin:
                yield origin

    @asynccontextmanager
    async def _port(self) -> AsyncIterator[str]:
        server = port_seam(self._wire, sleep=self._clock.elapse)
        await server.start()
        try:
            yield server.origin
        finally:
            await server.stop(grace_s=0.0)

    @asynccontextmanager
    async def _proxied(self, tcp: Tcp) -> AsyncIterator[str]:
        over_grpc = tcp.grpc_address is not None
        async with AsyncExitStack() as stack:
            behind = urlsplit(await stack.enter_async_context(self._port())).netloc
            front = await stack.enter_async_context(self._proxy(behind, (lambda number: ()) if over_grpc else tcp.toxics))
            origin = f"http://{front.address}"
            front.ear = lambda injected: Http1Ear(self._journal, origin=origin, injected=injected)
            if tcp.grpc_address is not None:
                meaning = Meaning(self._binding.agreement, origin=origin)
                address = await stack.enter_async_context(self._relayed(tcp, tcp.grpc_address, meaning))
                rpc = await stack.enter_async_context(self._proxy(address, tcp.toxics))
                rpc.ear = lambda injected: _grpc_ear(self._journal, meaning, injected, self._clock.elapse)
                self.grpc_port = int(rpc.address.rpartition(":")[2])
            yield origin

    @asynccontextmanager
    async def _relayed(self, tcp: Tcp, address: str, meaning: Meaning) -> AsyncIterator[str]:
        """Where the provider's gRPC is to be met: at a relay, if anything is to happen to single calls."""
        if tcp.script is None and tcp.liar is None:
            yield address
            return
        from harness.wire.grpc_relay import GrpcRelay  # loads gRPC, which REST does without

        async with GrpcRelay(address, Interposed(meaning, script=tcp.script, liar=tcp.liar)) as relay:
            self._relay_errors = relay.errors
            yield relay.address

    def _proxy(self, address: str, toxics: Callable[[int], tuple[Toxic, ...]]) -> TcpProxy:
        host, _, port = address.rpartition(":")
        proxy = TcpProxy(host.strip("[]"), int(port), toxics, sleep=self._clock.elapse, clock=lambda: self._clock.now_s)
        self._proxies.append(proxy)
        return proxy

    async def settled(self) -> None:
        """Whatever is on its way below HTTP has arrived."""
        if self._tcp is not None:
            await self._clock.elapse(SETTLING_S)

    def close(self) -> None:
        """End what is still open: the client has given up on it."""
        self._journal.close()
        self._wire.close()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """As the client had them: overheard, where there is a proxy."""
        return self._wire.exchanges if self._tcp is None else self._journal.exchanges

    @property
    def connections(self) -> tuple[Connection, ...]:
        return tuple(sorted((each for proxy in self._proxies for each in proxy.seen), key=lambda each: each.opened_s))

    @property
    def errors(self) -> tuple[Exception, ...]:
        """What went wrong in the harness itself."""
        return (*self._wire.errors, *self._relay_errors, *(error for proxy in self._proxies for error in proxy.errors))

    @property
    def note(self) -> str:
        return NOTE if self._tcp is not None and self._tcp.grpc_address is not None else ""


def _grpc_ear(journal: Journal, meaning: Meaning, injected: str | None, sleep: Sleep) -> Ear:
    from harness.client.grpc_threads import given_for
    from harness.wire.tcp.http2 import GrpcEar  # reads HTTP/2 by a library that only gRPC needs

    return GrpcEar(journal, meaning=meaning, injected=injected, sleep=sleep, given=given_for)


@contextmanager
def at_hand(tcp: Tcp | None, clock: VirtualClock) -> Iterator[None]:
    """The threads in which gRPC works stay in real time, and virtual time waits until all of them do."""
    if tcp is None or tcp.grpc_address is None:
        yield
        return
    from harness.client.grpc_threads import running

    if tcp.in_process and Path("/proc/self/task").is_dir():
        clock.outside_waits, clock.outside_step_s = _others_sleep, STEP_S
    with running():
        yield


def _others_sleep() -> bool:
    """Whether every other thread of this process sleeps."""
    own = str(get_native_id())
    return not any(_runs(task) for task in Path("/proc/self/task").iterdir() if task.name != own)


def _runs(task: Path) -> bool:
    try:
        return (task / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0] in WORKING
    except (OSError, IndexError):
        return False  # it has just ended
