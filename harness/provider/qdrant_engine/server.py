"""The embedded Qdrant: the real engine behind a REST and a gRPC port, on threads of its own."""

from collections.abc import Awaitable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from harness.exchange import Request, Response
from harness.provider.qdrant_engine.errors import CannotServe
from harness.provider.qdrant_engine.metrics import Metrics
from harness.provider.qdrant_engine.versions import profile

if TYPE_CHECKING:  # these import the engine and gRPC, which a session that serves nothing shouldn't pay for
    from harness.provider.qdrant_engine.engine import Engine
    from harness.provider.qdrant_engine.grpc_face import Grpc
    from harness.provider.qdrant_engine.rest import Rest
    from harness.wire.server import ThreadedServer

DEFAULT_VERSION = "1.16.0"
LARGEST_BODY = 32 * 1024 * 1024
LOG_BYTES = 64 * 1024 * 1024
# Listening on every address of the machine, a server is reached at these.
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - looked up, not bound
# A body between the two limits is read, to be refused in Qdrant's own words.
_LARGEST_READ = 512 * 1024 * 1024


class QdrantServer:
    """Serves from ``start`` (or ``with``) to ``stop``.

    ``path`` keeps the collections; without it they go when the server stops. Port 0 takes a free one, and
    ``grpc_port=None`` leaves gRPC out. ``version`` is the version of Qdrant to speak as. With ``api_key``
    every request but the health checks has to carry it.
    """

    libraries = ("qdrant_edge", "grpc", "qdrant_client")  # imported when it is opened and started, and not before

    def __init__(
        self,
        *,
        path: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        grpc_port: int | None = 0,
        api_key: str | None = None,
        version: str = DEFAULT_VERSION,
        largest_body: int = LARGEST_BODY,
        log_bytes: int = LOG_BYTES,
    ) -> None:
        self._path = path
        self._host = host
        self._port = port
        self._grpc_port = grpc_port
        self._api_key = api_key
        self._profile = profile(version)
        self._largest_body = largest_body
        self._log_bytes = log_bytes
        self._metrics = Metrics()
        self._engine: Engine | None = None
        self._rest: Rest | None = None
        self._grpc: Grpc | None = None
        self._http: ThreadedServer | None = None
        self._url = ""
        self._grpc_address: str | None = None

    @property
    def url(self) -> str:
        """Where REST is answered, such as http://127.0.0.1:6333."""
        return self._url

    @property
    def grpc_address(self) -> str | None:
        """Where gRPC is answered, such as 127.0.0.1:6334."""
        return self._grpc_address

    @property
    def engine(self) -> "Engine":
        """The operations themselves, without a face."""
        if self._engine is None:
            raise RuntimeError("the server is not open: start it first")
        return self._engine

    @property
    def changes(self) -> int:
        """A number that grows with everything that may have changed a collection, over REST or gRPC."""
        return self.engine.changes

    def open(self) -> None:
        """Open the engine without listening anywhere; ``answer`` works from here on."""
        from harness.provider.qdrant_engine.engine import Engine
        from harness.provider.qdrant_engine.rest import Rest

        if self._engine is not None:
            return
        self._engine = Engine(path=self._path, profile=self._profile, log_bytes=self._log_bytes)
        self._rest = Rest(
            engine=self._engine,
            metrics=self._metrics,
            api_key=self._api_key,
            largest_body=self._largest_body,
        )

    def answer(self, request: Request) -> Response:
        """Answer one REST request in process."""
        return self._face.answer(request)

    def _answer_on_loop(self, request: Request) -> Response | Awaitable[Response]:
        return self._face.answer_on_loop(request)

    @property
    def _face(self) -> "Rest":
        if self._rest is None:
            raise RuntimeError("the server is not open: start it first")
        return self._rest

    def start(self) -> None:
        """Listen on both ports; CannotServe says why not and what to do."""
        self.open()
        try:
            self._listen_grpc()
            self._listen_http()  # last: who is told that it is ready may use both
        except BaseException:
            self.stop()
            raise

    def stop(self, *, grace_s: float = 1.0) -> None:
        """Stop listening, write everything down and let go of the folder."""
        if self._grpc is not None:
            self._grpc.stop(grace_s=grace_s)
        if self._http is not None:
            self._http.__exit__(None, None, None)
        if self._engine is not None:
            self._engine.close()
        self._grpc = self._http = self._engine = self._rest = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen_http(self) -> None:
        from harness.wire.server import PortUnavailable, Server, ThreadedServer

        server = Server(answer=self._answer_on_loop, host=self._host, port=self._port, max_body_bytes=_LARGEST_READ)
        threaded = ThreadedServer(server)
        try:
            self._url = threaded.__enter__().origin
        except PortUnavailable as error:
            raise CannotServe(f"REST {error}") from error
        self._http = threaded

    def _listen_grpc(self) -> None:
        if self._grpc_port is None:
            return
        from harness.provider.qdrant_engine.grpc_face import Grpc

        face = Grpc(engine=self.engine, metrics=self._metrics, api_key=self._api_key)
        host = f"[{self._host}]" if ":" in self._host else self._host
        bound = face.start(host=host, port=self._grpc_port)
        self._grpc = face
        self._grpc_address = f"{_REACHED_AT.get(host, host)}:{bound}"
