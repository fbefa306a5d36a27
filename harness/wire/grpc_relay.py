"""A relay for gRPC, whatever the service: calls go on as they are, unless somebody answers for the provider or changes its answer."""

from typing import Any, Self

import grpc
import grpc.aio

from harness.wire.rpc import MARK, Answer, Asked, Interposer, Metadata, Said, Status

OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.so_reuseport", 0),
    ("grpc.enable_retries", 0),  # what is repeated, the client repeats
)
OF_THE_CONNECTION = frozenset({"user-agent", "te", "content-type"})
STATUSES = {status.value[0]: status for status in grpc.StatusCode}


class GrpcRelay:
    """Listens on a free port, in the loop that it is entered in; knows calls of one message and one answer.

    ``address`` is where it listens, once it is entered; ``behind`` where the provider does. ``errors`` are the harness's own.
    """

    def __init__(self, behind: str, interposer: Interposer) -> None:
        self._behind, self._interposer = behind, interposer
        self._calls: dict[str, Any] = {}
        self.address = ""
        self.errors: list[Exception] = []

    async def __aenter__(self) -> Self:
        self._channel = grpc.aio.insecure_channel(self._behind, options=OPTIONS)
        self._server = grpc.aio.server(options=OPTIONS)
        self._server.add_generic_rpc_handlers((_AnyMethod(self),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)
        await self._channel.close()

    async def answer(self, method: str, message: bytes, context: Any) -> bytes:
        """Answer one call."""
        metadata = {name: value for name, value in context.invocation_metadata() if isinstance(value, str)}
        try:
            said = await self._said(Asked(method=method, metadata=metadata, message=message))
        except Exception as error:
            self.errors.append(error)
            raise
        trailing = (*said.metadata, *(((MARK, said.injected),) if said.injected else ()))
        if isinstance(said, Answer):
            context.set_trailing_metadata(trailing)
            return said.message
        await context.abort(STATUSES[said.code], said.message, trailing_metadata=trailing)
        raise AssertionError  # it does not come back

    async def _said(self, asked: Asked) -> Said:
        said = self._interposer.instead(asked)
        return self._interposer.after(asked, await self._by_provider(asked)) if said is None else said

    async def _by_provider(self, asked: Asked) -> Said:
        if asked.method not in self._calls:
            self._calls[asked.method] = self._channel.unary_unary(asked.method)
        onward = tuple((name, value) for name, value in asked.metadata.items() if name not in OF_THE_CONNECTION)
        call = self._calls[asked.method](asked.message, metadata=onward)
        try:
            return Answer(message=await call, metadata=_told(await call.trailing_metadata()))
        except grpc.aio.AioRpcError as error:
            return Status(code=error.code().value[0], message=error.details() or "", metadata=_told(error.trailing_metadata()))


def _told(metadata: Any) -> Metadata:
    return tuple((name, value) for name, value in metadata or () if name not in OF_THE_CONNECTION)


class _AnyMethod(grpc.GenericRpcHandler):
    def __init__(self, relay: GrpcRelay) -> None:
        self._relay = relay

    def service(self, handler_call_details: Any) -> Any:
        method = handler_call_details.method

        async def serve(message: bytes, context: Any) -> bytes:
            return await self._relay.answer(method, message, context)

        return grpc.unary_unary_rpc_method_handler(serve)
