"""A relay for gRPC: calls pass as they are, are answered in the provider's place, or have their answer changed."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

grpc = pytest.importorskip("grpc")

from harness.wire.grpc_relay import GrpcRelay  # noqa: E402 - needs gRPC
from harness.wire.rpc import MARK, Answer, Asked, Said, Status  # noqa: E402 - stands with it

METHOD = "/shop.Things/Echo"
Ask = Callable[..., Awaitable[bytes]]


class Honest:
    """Lets everything be; ``asked`` is what it saw."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def instead(self, asked: Asked) -> Said | None:
        self.asked.append(asked)
        return None

    def after(self, asked: Asked, said: Said) -> Said:
        return said


class Instead(Honest):
    def __init__(self, said: Said) -> None:
        super().__init__()
        self.said = said

    def instead(self, asked: Asked) -> Said | None:
        return self.said


class Shouting(Honest):
    def after(self, asked: Asked, said: Said) -> Said:
        return replace(said, message=said.message.upper()) if isinstance(said, Answer) else said


class Failing(Honest):
    def instead(self, asked: Asked) -> Said | None:
        raise RuntimeError("the harness is broken")


@pytest.fixture
def provider() -> Iterator[tuple[str, list[bytes]]]:
    """Echoes each message of any method, says so in metadata, and refuses what is `no`; with all that it was asked."""
    seen: list[bytes] = []

    class AnyMethod(grpc.GenericRpcHandler):  # type: ignore[misc]  # gRPC may have no types here
        def service(self, details: Any) -> Any:
            def serve(message: bytes, context: Any) -> bytes:
                seen.append(message)
                if message == b"no":
                    context.set_trailing_metadata((("retry-after", "7"),))
                    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "not now")
                given = dict(context.invocation_metadata())
                context.set_trailing_metadata((("was", f"{details.method} by {given.get('api-key')}"),))
                return message

            return grpc.unary_unary_rpc_method_handler(serve)

    from concurrent.futures import ThreadPoolExecutor

    server = grpc.server(ThreadPoolExecutor(2), handlers=(AnyMethod(),), options=(("grpc.so_reuseport", 0),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", seen
    server.stop(None).wait()


def through(address: str, interposer: Any, message: bytes) -> tuple[Any, dict[str, str], list[Exception]]:
    """What came of a call (its message, or its status with the words), the trailing metadata, the relay's own errors."""

    async def asked() -> tuple[Any, dict[str, str], list[Exception]]:
        async with GrpcRelay(address, interposer) as relay, grpc.aio.insecure_channel(relay.address) as channel:
            call = channel.unary_unary(METHOD)(message, metadata=(("api-key", "k"),))
            try:
                found = await call
            except grpc.aio.AioRpcError as error:
                found = error.code().name, error.details()
            return found, dict(await call.trailing_metadata()), relay.errors

    return asyncio.run(asked())


def test_what_nobody_interposes_in_passes_as_it_is(provider: tuple[str, list[bytes]]) -> None:
    found, metadata, errors = through(provider[0], Honest(), b"hello")
    assert (found, metadata, errors) == (b"hello", {"was": f"{METHOD} by k"}, [])


def test_a_refusal_passes_with_its_words_and_what_it_says_besides(provider: tuple[str, list[bytes]]) -> None:
    found, metadata, _ = through(provider[0], Honest(), b"no")
    assert (found, metadata) == (("RESOURCE_EXHAUSTED", "not now"), {"retry-after": "7"})


def test_what_is_answered_instead_never_reaches_the_provider(provider: tuple[str, list[bytes]]) -> None:
    down = Status(code=14, message="down", metadata=(("retry-after", "3"),), injected="UNAVAILABLE")
    found, metadata, _ = through(provider[0], Instead(down), b"hello")
    assert (found, metadata) == (("UNAVAILABLE", "down"), {"retry-after": "3", MARK: "UNAVAILABLE"})
    assert through(provider[0], Instead(Answer(message=b"\xff")), b"hello")[:2] == (b"\xff", {})
    assert provider[1] == []


def test_an_answer_can_be_changed(provider: tuple[str, list[bytes]]) -> None:
    assert through(provider[0], Shouting(), b"hello")[0] == b"HELLO"


def test_the_interposer_sees_the_method_the_metadata_and_the_message(provider: tuple[str, list[bytes]]) -> None:
    watching = Honest()
    through(provider[0], watching, b"hello")
    (asked,) = watching.asked
    assert (asked.method, asked.message, asked.metadata["api-key"]) == (METHOD, b"hello", "k")


def test_what_goes_wrong_in_the_harness_is_known_as_that(provider: tuple[str, list[bytes]]) -> None:
    _, _, errors = through(provider[0], Failing(), b"hello")
    assert [str(error) for error in errors] == ["the harness is broken"]


def test_a_provider_that_is_not_there_is_unavailable() -> None:
    found, metadata, errors = through("127.0.0.1:1", Honest(), b"hello")
    assert (found[0], MARK in metadata, errors) == ("UNAVAILABLE", False, [])
