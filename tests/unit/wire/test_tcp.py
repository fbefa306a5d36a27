"""The toxics, each on a connection to a server that echoes."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from harness.wire import tcp

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


def through(*toxics: tcp.Toxic, talk: Talk) -> tuple[bytes, list[float]]:
    """What a client heard through the proxy, and the waits that were asked for."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    async def run() -> bytes:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        async with server, tcp.TcpProxy(host, port, toxics, sleep) as proxy:
            reader, writer = await asyncio.open_connection(*proxy.address.split(":"))
            try:
                return await asyncio.wait_for(talk(reader, writer), 60)
            finally:
                writer.close()

    return asyncio.run(run()), waits


def says(text: bytes) -> Talk:
    """Send a text and read until the end."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(text)
        writer.write_eof()
        return await reader.read()

    return talk


def test_without_a_toxic_everything_comes_through() -> None:
    assert through(talk=says(b"hello")) == (b"hello", [])


def test_latency_delays_what_comes_back() -> None:
    assert through(tcp.Latency(seconds=3), talk=says(b"hello")) == (b"hello", [3])


def test_a_toxic_upstream_delays_what_is_sent() -> None:
    assert through(tcp.Latency(seconds=3, direction="upstream"), talk=says(b"hello")) == (b"hello", [3])


def test_bandwidth_takes_its_time_for_every_byte() -> None:
    heard, waits = through(tcp.Bandwidth(bytes_per_s=100), talk=says(b"x" * 250))
    assert heard == b"x" * 250
    assert sum(waits) == pytest.approx(2.5)


def test_a_slicer_pauses_between_pieces() -> None:
    heard, waits = through(tcp.Slicer(piece_bytes=2, pause_s=0.5), talk=says(b"hello"))
    assert heard == b"hello"
    assert waits == [0.5, 0.5]


def test_limit_data_closes_after_so_many_bytes() -> None:
    assert through(tcp.LimitData(most_bytes=3), talk=says(b"hello"))[0] == b"hel"


def test_reset_peer_resets() -> None:
    with pytest.raises(ConnectionResetError):
        through(tcp.ResetPeer(), talk=says(b"hello"))


def test_timeout_lets_nothing_through() -> None:
    assert through(tcp.Timeout(seconds=9), talk=says(b"hello")) == (b"", [9])


def test_slow_close_keeps_the_connection_open() -> None:
    assert through(tcp.SlowClose(seconds=4), talk=says(b"hello")) == (b"hello", [4])


def test_toxics_add_up() -> None:
    heard, waits = through(tcp.Latency(seconds=1), tcp.LimitData(most_bytes=2), talk=says(b"hello"))
    assert heard == b"he"
    assert waits == [1]


def test_a_server_that_is_not_there_is_a_connection_that_ends() -> None:
    async def run() -> bytes:
        async with tcp.TcpProxy("127.0.0.1", 1) as proxy:
            reader, writer = await asyncio.open_connection(*proxy.address.split(":"))
            heard = await reader.read()
            writer.close()
            return heard

    assert asyncio.run(run()) == b""
