"""The gRPC face: Qdrant's services on the engine."""

import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import grpc

from harness.provider.qdrant_engine.engine import Engine
from harness.provider.qdrant_engine.errors import CannotServe, Refused
from harness.provider.qdrant_engine.grpc_methods import METHODS, QUERIES, Method
from harness.provider.qdrant_engine.messages import SERVICES, message_class, service
from harness.provider.qdrant_engine.metrics import Metrics
from harness.provider.qdrant_engine.together import MOST

# The engine works on one request at a time, but takes searches together: as many as may be read meanwhile.
_THREADS = MOST
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # without this a taken port is shared in silence
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)
_SERVING = b"\x08\x01"  # grpc.health.v1.HealthCheckResponse{status: SERVING}

LAST_WAIT_S = 5.0  # for calls that were told to end, and don't


class Grpc:
    """The gRPC server on a port of its own; with port 0 on a free one."""

    def __init__(self, *, engine: Engine, metrics: Metrics, api_key: str | None) -> None:
        self._engine = engine
        self._metrics = metrics
        self._api_key = api_key or None
        self._server: grpc.Server | None = None

    def start(self, *, host: str, port: int) -> int:
        """Listen, and say on which port."""
        server = grpc.server(ThreadPoolExecutor(_THREADS, "qdrant-grpc"), options=_OPTIONS)
        server.add_generic_rpc_handlers(tuple(self._handlers()))
        try:
            bound: int = server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            advice = (
                "stop the program that listens there, or choose another with --grpc-port (0: any free one)"
            )
            raise CannotServe(f"can't listen on {host}:{port} for gRPC: {advice}") from error
        server.start()
        self._server = server
        return bound

    def stop(self, *, grace_s: float) -> None:
        if self._server is not None:
            self._server.stop(grace_s).wait(grace_s + LAST_WAIT_S)  # not for ever: what is stored is written down after it
            self._server = None

    def _handlers(self) -> list[grpc.GenericRpcHandler]:
        handlers = [self._service(name) for name in SERVICES]
        health: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(lambda request, context: _SERVING)
        return [*handlers, grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": health})]

    def _service(self, name: str) -> grpc.GenericRpcHandler:
        handlers = {}
        for method in service(name).methods:
            if method.name in QUERIES and not self._engine.profile.query:
                continue
            handlers[method.name] = grpc.unary_unary_rpc_method_handler(
                self._serve(f"/{name}/{method.name}", METHODS.get(f"{name}/{method.name}")),
                request_deserializer=message_class(method.input_type.full_name).FromString,
                response_serializer=message_class(method.output_type.full_name).SerializeToString,
            )
        return grpc.method_handlers_generic_handler(name, handlers)

    def _serve(self, endpoint: str, method: Method | None) -> Callable[[Any, grpc.ServicerContext], Any]:
        def serve(request: Any, context: grpc.ServicerContext) -> Any:
            started = perf_counter()
            code, answer = self._answered(endpoint, method, request, context)
            seconds = perf_counter() - started
            self._metrics.grpc(endpoint=endpoint, code=code.name, seconds=seconds)
            if code is not grpc.StatusCode.OK:
                context.abort(code, answer)
            if "time" in answer.DESCRIPTOR.fields_by_name:
                answer.time = seconds
            return answer

        return serve

    def _answered(
        self, endpoint: str, method: Method | None, request: Any, context: grpc.ServicerContext
    ) -> tuple[grpc.StatusCode, Any]:
        """The status and the answer, or the message of the refusal."""
        refused = self._unauthorized(context)
        if refused is not None:
            return refused
        if method is None:
            return grpc.StatusCode.UNIMPLEMENTED, f"{endpoint} is not supported by the embedded engine"
        try:
            return grpc.StatusCode.OK, method(self._engine, request)
        except Refused as refusal:
            return grpc.StatusCode[refusal.kind.code], refusal.grpc_message

    def _unauthorized(self, context: grpc.ServicerContext) -> tuple[grpc.StatusCode, str] | None:
        if self._api_key is None:
            return None
        given = _key(context.invocation_metadata())
        if given is not None and hmac.compare_digest(given.encode(), self._api_key.encode()):
            return None
        profile = self._engine.profile
        forbidden = profile.unauthorized_status == 403
        code = grpc.StatusCode.PERMISSION_DENIED if forbidden else grpc.StatusCode.UNAUTHENTICATED
        return code, profile.no_key if given is None else profile.wrong_key


def _key(metadata: Any) -> str | None:
    given = {key: value for key, value in metadata if key in ("api-key", "authorization")}
    if "api-key" in given:
        return str(given["api-key"])
    scheme, _, token = str(given.get("authorization", "")).partition(" ")
    return token if scheme == "Bearer" else None
