"""A port speaks HTTP/1.1 to anybody: in order, with whatever is sent to it, and until it is stopped."""

import asyncio
import http.client
import logging
import socket
import threading
import time
from collections.abc import Callable

import pytest

from harness.exchange import Failure, Request, Response
from harness.wire.connection import MAX_TURNS
from harness.wire.faults import Answer, Latency, Reply, Timeout
from harness.wire.server import PortUnavailable, Server, ThreadedServer

Serve = Callable[..., Server]
Talk = Callable[..., bytes]
PATIENT_S = 60.0  # against hangs only
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


def echo(request: Request) -> Response:
    """Says what was asked, so that a mixed-up answer can't look right."""
    said = f"{request.method} {request.target} {len(request.body)}"
    return Response(status=200, headers=(("content-type", "text/plain"),), body=said.encode())


async def echo_later(request: Request) -> Response:
    await asyncio.sleep(0.002 if request.target.endswith("1") else 0)
    return echo(request)


def bodies(answers: bytes) -> list[bytes]:
    """The bodies of answers that all have a length."""
    found: list[bytes] = []
    while answers:
        head, _, rest = answers.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        found.append(rest[:length])
        answers = rest[length:]
    return found


def get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode()


@pytest.mark.parametrize("answer", [echo, echo_later])
def test_pipelined_requests_are_answered_in_their_order(
    serve: Serve, talk: Talk, answer: Callable[[Request], Reply]
) -> None:
    asked = [f"/{number}" for number in range(3 * MAX_TURNS)]
    answers = bodies(talk(serve(answer), b"".join(map(get, asked)) + LAST))
    assert answers == [f"GET {target} 0".encode() for target in [*asked, "/last"]]


@pytest.mark.parametrize("answer", [echo, echo_later])
def test_a_request_that_trickles_in_is_answered_all_the_same(
    serve: Serve, talk: Talk, answer: Callable[[Request], Reply]
) -> None:
    pieces = [LAST[start : start + 7] for start in range(0, len(LAST), 7)]
    assert bodies(talk(serve(answer), *pieces, apart_s=0.001)) == [b"GET /last 0"]


def test_reading_stops_while_too_many_wait_and_then_goes_on(serve: Serve, talk: Talk) -> None:
    async def answer(request: Request) -> Response:
        await asyncio.sleep(0.05 if request.target == "/first" else 0)
        return echo(request)

    answers = talk(serve(answer), get("/first") + get("/") * MAX_TURNS, get("/") + LAST, apart_s=0.01)
    assert len(bodies(answers)) == MAX_TURNS + 3


def test_one_connection_serves_many_requests(serve: Serve) -> None:
    connection = http.client.HTTPConnection(*serve(echo).address, timeout=PATIENT_S)
    connection.connect()
    first_socket = connection.sock
    for number in range(5):
        connection.request("POST", f"/{number}", body=b"x" * number)
        assert connection.getresponse().read() == f"POST /{number} {number}".encode()
    assert connection.sock is first_socket
    connection.close()


def test_a_body_larger_than_any_buffer_goes_both_ways(serve: Serve) -> None:
    large = bytes(range(256)) * 40_000
    server = serve(lambda request: Response(status=200, body=request.body))
    connection = http.client.HTTPConnection(*server.address, timeout=PATIENT_S)
    connection.request("PUT", "/", body=large)
    assert connection.getresponse().read() == large
    connection.close()


def test_a_client_that_does_not_read_is_waited_for_and_then_gets_all_answers(serve: Serve) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(status=200, body=b"x" * 100_000)

    server = serve(answer)
    with socket.create_connection(server.address, timeout=PATIENT_S) as connected:
        connected.sendall(get("/") * 200 + LAST)
        time.sleep(0.05)  # long enough for the server to fill every buffer between the two
        assert len(asked) < 201
        received = 0
        while data := connected.recv(1_000_000):
            received += len(data)
    assert received > 201 * 100_000


def test_head_gets_the_head_alone(serve: Serve, talk: Talk) -> None:
    answer = talk(serve(echo), b"HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert b"content-length: 8\r\n" in answer


def test_an_http_1_0_client_is_answered_and_left(serve: Serve, talk: Talk) -> None:
    answer = talk(serve(echo), b"GET /old HTTP/1.0\r\n\r\n")
    assert answer.endswith(b"connection: close\r\ncontent-length: 10\r\n\r\nGET /old 0")


def test_an_http_1_0_client_can_ask_to_stay(serve: Serve, talk: Talk) -> None:
    staying = b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    answers = talk(serve(echo), staying, b"GET /b HTTP/1.0\r\n\r\n")
    assert answers.count(b"connection: keep-alive\r\n") == 1
    assert bodies(answers) == [b"GET /a 0", b"GET /b 0"]


def test_a_response_that_asks_to_close_is_the_last(serve: Serve, talk: Talk) -> None:
    server = serve(lambda _: Response(status=200, headers=(("Connection", "close"),), body=b"bye"))
    assert bodies(talk(server, get("/") * 3)) == [b"bye"]


def test_a_body_is_invited_when_its_client_waits_for_that(serve: Serve) -> None:
    with socket.create_connection(serve(echo).address, timeout=PATIENT_S) as connected:
        connected.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert connected.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connected.sendall(b"hi")
        assert connected.recv(1000).endswith(b"POST / 2")


def test_an_invitation_waits_for_the_answers_before_it(serve: Serve) -> None:
    with socket.create_connection(serve(echo_later).address, timeout=PATIENT_S) as connected:
        head = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        connected.sendall(get("/1") + head)
        received = b""
        while not received.endswith(b"100 Continue\r\n\r\n"):
            received += connected.recv(1000)
    assert received.index(b"GET /1 0") < received.index(b"100 Continue")


def test_what_is_no_request_is_told_so_and_left(serve: Serve, talk: Talk) -> None:
    answer = talk(serve(echo), b"nonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"connection: close\r\n" in answer
    assert b"bad request: " in answer


def test_nonsense_after_a_request_does_not_spoil_its_answer(serve: Serve, talk: Talk) -> None:
    answers = talk(serve(echo_later), get("/1") + b"nonsense\r\n\r\n")
    assert answers.index(b"GET /1 0") < answers.index(b"400 Bad Request")


def test_a_client_that_sends_too_much_still_learns_why(serve: Serve) -> None:
    connection = http.client.HTTPConnection(*serve(echo, max_body_bytes=1000).address, timeout=PATIENT_S)
    connection.request("POST", "/", body=b"x" * 3_000_000)
    response = connection.getresponse()
    assert (response.status, response.getheader("connection")) == (413, "close")
    assert b"limited to 1000 bytes" in response.read()
    connection.close()


def test_an_answerer_that_fails_costs_one_answer_and_is_logged(
    serve: Serve, talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(request: Request) -> Response:
        if request.path == "/bad":
            raise KeyError("a mistake in the harness")
        return echo(request)

    answers = talk(serve(answer), get("/bad?key=hidden") + get("/good") + LAST)
    assert answers.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"GET /good 0" in answers
    assert "no answer to GET /bad" in caplog.text
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("deferred", [False, True])
def test_a_response_that_can_not_be_sent_is_a_failure_of_the_harness(
    serve: Serve, talk: Talk, caplog: pytest.LogCaptureFixture, deferred: bool
) -> None:
    split = Response(status=200, headers=(("x-a", "1\r\nx-b: 2"),))

    async def later() -> Reply:
        return split

    answers = talk(serve(lambda _: later() if deferred else split), LAST)
    assert answers.startswith(b"HTTP/1.1 500 ")
    assert b"x-b" not in answers
    assert caplog.records[0].levelno == logging.ERROR


def test_the_end_of_each_exchange_is_told_once(serve: Serve, talk: Talk) -> None:
    told: list[tuple[str, Failure | None]] = []
    server = serve(echo, ended=lambda request, failure: told.append((request.target, failure)))
    talk(server, get("/a") + get("/b") + LAST)
    assert told == [("/a", None), ("/b", None), ("/last", None)]


def test_a_client_that_leaves_first_ends_its_exchange(serve: Serve) -> None:
    arrived, told = threading.Event(), threading.Event()
    failures: list[Failure | None] = []

    def answer(_: Request) -> Reply:
        arrived.set()
        return Timeout()

    def ended(_: Request, failure: Failure | None) -> None:
        failures.append(failure)
        told.set()

    with socket.create_connection(serve(answer, ended=ended).address, timeout=PATIENT_S) as connected:
        connected.sendall(get("/"))
        assert arrived.wait(PATIENT_S)
        assert not failures
    assert told.wait(PATIENT_S)
    assert failures == [Failure.TIMEOUT]


def test_a_port_that_is_taken_says_so_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortUnavailable, match=rf"127\.0\.0\.1:{port}: another program .* choose another"):
            asyncio.run(Server(answer=echo, port=port).start())


def test_a_port_that_is_taken_is_reported_from_a_thread_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = Server(answer=echo, port=taken.getsockname()[1])
        with pytest.raises(PortUnavailable), ThreadedServer(server):
            pass


def test_the_port_of_a_stopped_server_can_be_used_at_once(talk: Talk, own_port: int) -> None:
    for _ in range(2):
        with ThreadedServer(Server(answer=echo, port=own_port)) as server:
            assert bodies(talk(server, LAST)) == [
                b"GET /last 0"
            ]  # the server closes first: TIME_WAIT is its own


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(PortUnavailable, match="no such address"):
        asyncio.run(Server(answer=echo, host="192.0.2.1").start())


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match=r"0 \(any free port\) to 65535"):
        Server(answer=echo, port=port)


def test_an_address_is_not_to_be_had_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = Server(answer=echo).origin


def test_the_origin_can_be_connected_to_whatever_was_listened_on() -> None:
    async def origin(host: str) -> str:
        async with Server(answer=echo, host=host) as server:
            return server.origin.rpartition(":")[0]

    assert asyncio.run(origin("0.0.0.0")) == "http://127.0.0.1"
    assert asyncio.run(origin("localhost")) in ("http://127.0.0.1", "http://[::1]")


def test_a_request_knows_where_it_was_sent(serve: Serve, talk: Talk) -> None:
    server = serve(lambda request: Response(status=200, body=request.origin.encode()))
    assert bodies(talk(server, LAST)) == [server.origin.encode()]


async def received_over_a_stop(reply: Reply, *, grace_s: float) -> bytes:
    """What a client gets whose request is being answered when the server is stopped."""
    arrived = asyncio.Event()

    def answer(_: Request) -> Reply:
        arrived.set()
        return reply

    server = Server(answer=answer)
    await server.start()
    address = server.address
    reader, writer = await asyncio.open_connection(*address)
    writer.write(get("/"))
    await arrived.wait()
    await server.stop(grace_s=grace_s)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_an_answer_on_its_way_arrives_before_the_server_stops() -> None:
    reply = Answer(response=Response(status=200, body=b"late"), fault=Latency(seconds=0.02))
    assert bodies(asyncio.run(received_over_a_stop(reply, grace_s=60))) == [b"late"]


@pytest.mark.parametrize(
    "reply", [Timeout(), Answer(response=Response(status=200), fault=Latency(seconds=60))]
)
def test_a_server_stops_though_an_answer_never_comes(reply: Reply) -> None:
    assert asyncio.run(received_over_a_stop(reply, grace_s=0.02)) == b""


def test_an_idle_client_does_not_keep_a_server_from_stopping() -> None:
    async def run() -> bytes:
        server = Server(answer=echo)
        await server.start()
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(get("/"))
        await reader.readuntil(b"GET / 0")
        await server.stop(grace_s=60)
        rest = await reader.read()
        writer.close()
        return rest

    assert asyncio.run(run()) == b""


def test_a_server_can_be_stopped_twice_and_started_again() -> None:
    async def run() -> None:
        server = Server(answer=echo)
        await server.stop()
        for _ in range(2):
            async with server:
                with pytest.raises(RuntimeError, match="started already"):
                    await server.start()
            await server.stop()

    asyncio.run(run())
