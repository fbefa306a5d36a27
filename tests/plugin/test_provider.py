"""--provider: whom the requests go to."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.contract.catalog import load
from harness.exchange import Request, Response
from harness.provider.stub import Stub
from harness.provider.stubbed import CREDENTIAL
from harness.wire.server import Server, ThreadedServer

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def serve(contracts: Path) -> Iterator[Callable[..., str]]:
    """Serves the contract's stub at a URL, with its answers changed."""
    running: list[ThreadedServer] = []

    def serve(lie: Callable[[Request, Response], Response] = lambda request, response: response) -> str:
        stub = Stub(load(contracts / "greeter.yaml", root=contracts.parent), credential=CREDENTIAL)
        running.append(ThreadedServer(Server(answer=lambda request: lie(request, stub.answer_now(request)))))
        return running[-1].__enter__().origin + "/v1"

    yield serve
    for server in running:
        server.__exit__(None, None, None)


def test_a_provider_at_a_url_is_asked(run: Run, serve: Callable[..., str]) -> None:
    url = serve()
    result = run("--contract", "greeter", "--provider", url, "--suite", "conformance")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"*provider {url}*"])


def test_a_lying_provider_at_a_url_is_caught(run: Run, serve: Callable[..., str]) -> None:
    url = serve(
        lambda request, response: Response(status=response.status, headers=response.headers, body=response.body.replace(b"!", b"?"))
    )
    result = run("--contract", "greeter", "--provider", url, "--suite", "conformance")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*contracts/greeter.yaml:*: operations.greet.responses.200.invariants.by_name is broken*"])


def test_a_provider_that_takes_any_key_is_caught_at_a_url(run: Run, serve: Callable[..., str]) -> None:
    def lie(request: Request, response: Response) -> Response:
        return response if response.status != 401 else Response(status=200, headers=response.headers, body=b'{"text": "Hello, Ada!"}')

    result = run("--contract", "greeter", "--provider", serve(lie), "--suite", "conformance")
    result.stdout.fnmatch_lines(["*operations.greet.responses.401 is broken*"])


def test_an_unknown_provider_says_what_there_is(run: Run) -> None:
    result = run("--contract", "greeter", "--provider", "stubb")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no provider `stubb`*stub, embedded, container, live*"])


def test_the_live_provider_needs_a_credential(run: Run) -> None:
    result = run("--contract", "greeter", "--provider", "live")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*set the environment variable GREETER_KEY*"])
