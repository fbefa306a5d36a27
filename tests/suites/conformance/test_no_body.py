"""Answers that HTTP leaves without a body: to HEAD, with 204 or 304. Nobody may send one, and nobody has to."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from harness.client.binding import bind
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.contract.problems import ContractError
from harness.engine import find_suites, run_case
from harness.exchange import Request, Response
from harness.proof.prover import Prover
from harness.proof.result import Standing
from harness.provider.stub import Stub
from harness.provider.stubbed import StubProvider
from harness.suites.case import Setting
from harness.verdict import Finding, Outcome
from harness.wire.forward import forward
from tests.miniatures.providers import LyingStub

CONTRACT = """
contract: 1
service: flags
version: v1
title: Flags
consumer: tests
adapter: tests.suites.conformance.test_no_body:Flags
provider: {base_url: "https://flags.example/api", timeout: 10s, probe: is_set/first}
operations:
  set:
    method: PUT
    path: /flags/{name}
    idempotent: true
    request: {path: {name: {schema: {type: string, minLength: 1}}}}
    responses:
      204: {headers: {x-revision: {required: true, example: "7"}}}
      409: {error: problem, raises: Busy, given: somebody else sets it}
    bind: {call: set, arguments: {name: request.path.name}, result: "true"}
    examples: {first: {request: {path: {name: first}}}}
  is_set:
    method: HEAD
    path: /flags/{name}
    idempotent: true
    request: {path: {name: {schema: {type: string, minLength: 1}}}}
    responses:
      200: {}
      404: {error: problem, raises: Unset, given: it is not set}
    bind: {call: is_set, arguments: {name: request.path.name}, result: "true"}
    examples: {first: {request: {path: {name: first}}}}
errors: {problem: {media_type: application/json, message: /error, body: {type: object, required: [error]}, example: {error: no}}}
failures: {timeout: {raises: TooSlow}, connection: {raises: Unreachable}, invalid_response: {raises: BadAnswer}}
"""


class Refused(Exception):
    pass


class Busy(Refused):
    pass


class Unset(Refused):
    pass


class TooSlow(Exception):
    pass


class Unreachable(Exception):
    pass


class BadAnswer(Exception):
    pass


class Flags:
    """Honest."""

    def __init__(self, base_url: str) -> None:
        self._url = base_url

    async def _asked(self, method: str, name: str, wanted: int) -> httpx.Response:
        try:
            async with asyncio.timeout(10), httpx.AsyncClient(timeout=None) as client:
                answer = await client.request(method, f"{self._url}/flags/{quote(name, safe='')}")
        except TimeoutError as error:
            raise TooSlow(name) from error
        except httpx.TransportError as error:
            raise Unreachable(name) from error
        if answer.status_code in (404, 409):
            raise {404: Unset, 409: Busy}[answer.status_code](name)
        if answer.status_code != wanted or (wanted == 204 and "x-revision" not in answer.headers):
            raise BadAnswer(f"status {answer.status_code}")
        return answer

    async def set(self, name: str) -> object:
        await self._asked("PUT", name, 204)
        return True

    async def is_set(self, name: str) -> object:
        await self._asked("HEAD", name, 200)
        return True


class ReturnsWhatCame(Flags):
    """Hands out the body, which is none."""

    async def set(self, name: str) -> object:
        return (await self._asked("PUT", name, 204)).text


class ReadsAnEmptyBody(Flags):
    """Takes nothing for JSON."""

    async def is_set(self, name: str) -> object:
        return bool((await self._asked("HEAD", name, 200)).json())


class MakesSomethingUp(Flags):
    async def is_set(self, name: str) -> object:
        await self._asked("HEAD", name, 200)
        return {"set": "perhaps"}


class LyingProvider(StubProvider):
    def __init__(self, agreement: Agreement, method: str) -> None:
        super().__init__(agreement)
        self._method = method

    def upstream(self, clock: Any = None) -> Any:
        def lie(ask: Callable[[Request], Response], request: Request) -> Response:
            honest = ask(request)
            if request.method != self._method or honest.status >= 300:
                return honest
            return Response(status=honest.status, headers=(*honest.headers, ("content-type", "text/plain")), body=b"done!")

        return LyingStub(Stub(self._agreement), lie)


@pytest.fixture(scope="module")
def agreement(tmp_path_factory: pytest.TempPathFactory) -> Agreement:
    return read(tmp_path_factory.mktemp("flags"), CONTRACT)


def read(folder: Path, text: str) -> Agreement:
    path = folder / "flags.yaml"
    path.write_text(text, "utf-8")
    return load(path, root=folder)


def setting(agreement: Agreement, client: type = Flags, provider: StubProvider | None = None) -> Setting:
    binding = bind(agreement, f"{__name__}:{client.__name__}")
    return Setting(agreement=agreement, binding=binding, provider=provider or StubProvider(agreement), root=agreement.path.parent)


def found(under: Setting, *suites: str) -> list[Finding]:
    verdicts = [run_case(under, case) for suite in find_suites(list(suites or ["conformance", "fault"])) for case in suite.cases(under)]
    assert {verdict.outcome for verdict in verdicts} <= {Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED}, [each.reason for each in verdicts]
    return [finding for verdict in verdicts for finding in verdict.findings]


def test_who_sends_none_and_expects_none_is_not_suspected(agreement: Agreement) -> None:
    assert found(setting(agreement), "conformance", "fault", "fuzz") == []


@pytest.mark.parametrize(("method", "clause"), [("PUT", "operations.set.responses.204"), ("HEAD", "operations.is_set.responses.200")])
def test_a_provider_that_sends_one_all_the_same_is_caught(agreement: Agreement, method: str, clause: str) -> None:
    findings = found(setting(agreement, provider=LyingProvider(agreement, method)))
    examples = {"operations.set.examples.first", "operations.is_set.examples.first", "provider.probe"}  # are not as they are shown, then
    assert {finding.clause for finding in findings} - examples == {clause}
    told = next(finding for finding in findings if finding.clause == clause)
    assert (told.actual, told.expected[:19]) == ("5 bytes: done!", "no body: an answer ")


@pytest.mark.parametrize(
    ("client", "operation"), [(ReturnsWhatCame, "set"), (ReadsAnEmptyBody, "is_set"), (MakesSomethingUp, "is_set")]
)
def test_a_client_that_makes_something_of_what_is_not_there_is_caught(agreement: Agreement, client: type, operation: str) -> None:
    assert {finding.clause for finding in found(setting(agreement, client), "conformance")} == {f"operations.{operation}.bind.result"}


def test_it_is_proven(agreement: Agreement) -> None:
    result = Prover(setting(agreement), find_suites(["conformance", "fault"]), whole=False).prove()
    proven = {clause.id for clause in result.clauses if clause.standing is Standing.PROVEN}
    assert {"operations.set.responses.204", "operations.is_set.responses.200", "operations.set.bind.result"} <= proven


@pytest.mark.parametrize(("before", "after", "why"), [
    ("204: {", "204: {body: {type: object}, ", "an answer with status 204 has no body"),
    ("200: {}", "200: {body: {type: object}}", "an answer to HEAD has no body"),
])  # fmt: skip
def test_a_contract_can_t_promise_one(tmp_path: Path, before: str, after: str, why: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(tmp_path, CONTRACT.replace(before, after))
    assert why in str(caught.value)


@contextmanager
def served(answer: bytes) -> Iterator[str]:
    """One connection, answered with just these bytes, and left open."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                done.wait(60)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        thread.join()


@pytest.mark.parametrize(("method", "head"), [
    ("PUT", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("PUT", b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n"),
    ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
])  # fmt: skip
@pytest.mark.parametrize("body", [b"", b"done!"])
def test_what_a_provider_far_away_sends_after_the_head_is_seen(method: str, head: bytes, body: bytes) -> None:
    with served(head + body) as origin:
        answer = asyncio.run(forward(Request(method=method, target="/"), origin=origin, timeout_s=60))
    assert answer.body == body
