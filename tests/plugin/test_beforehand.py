"""What is told once, before any case: a client that can't be made, a key that is refused, a URL with another path."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.contract.catalog import load
from harness.exchange import Request, Response
from harness.provider.stub import Stub
from harness.wire.server import Server, ThreadedServer

Run = Callable[..., pytest.RunResult]
QUICK = ("--contract", "greeter", "--suite", "conformance")
CLIENTS = """
import os, sys
from hello import Hello

class Strict(Hello):
    def __init__(self, base_url, credential):
        raise ValueError(f"no region in {base_url} for {credential}")

class Quitter(Hello):
    def __init__(self, base_url, credential):
        sys.exit("no configuration")

class Wordless(Hello):
    def __init__(self, base_url):
        raise KeyError(os.environ["GREETER_KEY"])

class NeverCloses(Hello):
    async def aclose(self):
        raise RuntimeError("was never opened")

class Hangs(Hello):
    def __init__(self, base_url, credential):
        import threading
        threading.Event().wait()
"""


def told_once(result: pytest.RunResult, *lines: str) -> None:
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(lines)
    assert "Traceback" not in result.stderr.str()
    assert "passed" not in result.stdout.str() and "failed" not in result.stdout.str()


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (
            "Strict",
            "ERROR: clients:Strict can't be made with base_url='http*', credential='[[]credential]': "
            "ValueError: no region in http* for [[]credential] (clients.py:6, in __init__)",
        ),
        ("Quitter", "ERROR: clients:Quitter can't be made with *: SystemExit: no configuration*"),
        ("Wordless", "ERROR: clients:Wordless can't be made with base_url='http*': KeyError: '[[]credential]'*"),
        ("NeverCloses", "ERROR: clients:NeverCloses can't be made and closed again: RuntimeError: was never opened"),
        ("Hangs", "ERROR: clients:Hangs can't be made and closed again: *"),
    ],
)
def test_a_client_that_cannot_be_made_is_told_once(run: Run, pytester: pytest.Pytester, client: str, said: str) -> None:
    pytester.makepyfile(clients=CLIENTS)
    result = run(*QUICK, "--adapter", f"clients:{client}")
    told_once(result, said)
    assert "hk-stub" not in result.stderr.str() + result.stdout.str()


def test_it_is_told_once_by_several_processes_too(run: Run, pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    pytester.makepyfile(clients=CLIENTS)
    result = run(*QUICK, "--adapter", "clients:Strict", "-n", "2")
    told_once(result, "*clients:Strict can't be made with *")
    assert result.stderr.str().count("can't be made") == 1


def test_a_suite_that_calls_no_client_needs_none(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(clients=CLIENTS)
    result = run("--contract", "greeter", "--suite", "static", "--adapter", "clients:Strict")
    assert "can't be made" not in result.stderr.str()


@pytest.fixture
def serve(contracts: Path) -> Iterator[Callable[..., str]]:
    """Serves the contract's stub, which takes one key only, at a URL."""
    running: list[ThreadedServer] = []

    def serve(lie: Callable[[Request, Response], Response] = lambda request, response: response) -> str:
        stub = Stub(load(contracts / "greeter.yaml", root=contracts.parent), credential="the-right-key")
        running.append(ThreadedServer(Server(answer=lambda request: lie(request, stub.answer_now(request)))))
        return running[-1].__enter__().origin

    yield serve
    for server in running:
        server.__exit__(None, None, None)


def test_a_key_that_is_refused_is_told_once(run: Run, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREETER_KEY", "a-wrong-key")
    result = run(*QUICK, "--provider", serve() + "/v1")
    told_once(
        result,
        "ERROR: http*/v1 answers the contract's probe, POST /v1/greetings, with 401: *; the credential in the environment variable GREETER_KEY (11 characters) is refused*",
    )
    assert "a-wrong-key" not in result.stderr.str()


def test_a_provider_that_tells_the_key_does_not_have_it_printed(
    run: Run, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def echo(request: Request, response: Response) -> Response:
        return Response(status=403, body=f"not {request.header('authorization')}".encode())

    monkeypatch.setenv("GREETER_KEY", "a-wrong-key")
    told_once(run(*QUICK, "--provider", serve(echo) + "/v1"), "*with 403: not Bearer [[]credential];*GREETER_KEY*")


def test_without_a_key_the_variable_to_set_is_named(run: Run, serve: Callable[..., str]) -> None:
    told_once(run(*QUICK, "--provider", serve() + "/v1"), "*the environment variable GREETER_KEY is not set*made up*")


def test_the_right_key_is_let_pass(run: Run, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREETER_KEY", "the-right-key")
    assert run(*QUICK, "--provider", serve() + "/v1").ret == pytest.ExitCode.OK


def test_a_url_with_another_path_is_told_once(run: Run, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREETER_KEY", "the-right-key")
    told_once(run(*QUICK, "--provider", serve()), "*with 404*is the path of this URL*(https://greeter.example.com/v1)?")


OPEN_PROBE = """
  alive:
    method: GET
    path: /alive
    idempotent: true
    responses: {200: {media_type: text/plain, body: {const: yes}, stub: {body: '"yes"'}}}
    examples: {now: {request: {}}}
  known:
    method: GET
    path: /known
    idempotent: true
    responses:
      200: {media_type: text/plain, body: {const: all}, stub: {body: '"all"'}}
      401: {error: problem, raises: Unknown, given: a bad key, when: unauthenticated}
    examples: {all: {request: {}}}

errors:"""


@pytest.fixture
def open_probe(change: Callable[..., None]) -> None:
    """A contract whose probe needs no credential, and that can do without one."""
    change(("probe: greet/ada", "probe: alive/now"), ("\nerrors:", OPEN_PROBE), ('"${GREETER_KEY}"}', '"${GREETER_KEY}", required: false}'))


@pytest.mark.usefixtures("open_probe")
def test_where_the_probe_needs_no_key_something_else_is_asked_for(
    run: Run, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def let_in(request: Request, response: Response) -> Response:
        return Response(status=200, headers=(("content-type", "text/plain"),), body=b"yes") if request.path == "/v1/alive" else response

    url = serve(let_in) + "/v1"
    told_once(run(*QUICK, "--provider", url), "*the contract's example known/all, GET /v1/known, with 401*so none was sent*")
    monkeypatch.setenv("GREETER_KEY", "a-wrong-key")
    told_once(run(*QUICK, "--provider", url), "*known/all*GREETER_KEY (11 characters) is refused*")
    monkeypatch.setenv("GREETER_KEY", "the-right-key")
    assert run(*QUICK, "--provider", url).ret == pytest.ExitCode.OK


@pytest.mark.usefixtures("open_probe")
def test_at_a_provider_that_needs_no_key_the_examples_are_judged(run: Run, contracts: Path) -> None:
    stub = Stub(load(contracts / "greeter.yaml", root=contracts.parent))
    with ThreadedServer(Server(answer=stub.answer_now)) as server:
        result = run(*QUICK, "--provider", server.origin + "/v1", "--contract-verbose")
    for clause in ("operations.known.examples.all", "provider.probe"):
        result.stdout.fnmatch_lines([f"*kept*{clause} *"])
