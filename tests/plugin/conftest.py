"""A repository with one small contract and a client that keeps it, to run pytest in."""

import importlib
import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.engine.core import SUITES

# Loaded before pytester looks what is: it unloads whatever a run in this process loads. numpy can't be loaded twice, and
# with each time that pact's plugin is loaded, one more function stands around every import.
for _entry in importlib.metadata.entry_points(group="pytest11"):
    importlib.import_module(_entry.module)
for _module in ("harness.plugin.session", "harness.plugin.proving", "harness.wire.memory", "respx", *(f"harness.suites.{name}" for name in SUITES)):
    importlib.import_module(_module)

CONTRACT = """\
contract: 1
service: greeter
version: v1
title: Greetings
consumer: us
adapter: hello:Hello

provider:
  protocol: http
  base_url: https://greeter.example.com/v1
  timeout: 5s
  auth: {scheme: bearer, credential: "${GREETER_KEY}"}
  probe: greet/ada
  default: stub

operations:
  greet:
    method: POST
    path: /greetings
    idempotent: true
    request:
      body: {$ref: "#/schemas/Name"}
    responses:
      200:
        body: {$ref: "#/schemas/Greeting"}
        invariants:
          by_name: response.body.text == "Hello, " + request.body.name + "!"
        stub:
          body: '{"text": "Hello, " + request.body.name + "!"}'
      400: {error: problem, raises: Refused, given: a bad request, when: invalid_request}
      401: {error: problem, raises: Unknown, given: a bad key, when: unauthenticated}
    bind:
      call: greet
      arguments: {name: request.body.name}
      result: response.body.text
    examples:
      ada: {request: {body: {name: Ada}}}

errors:
  problem:
    media_type: application/json
    message: /problem
    body: {type: object, required: [problem], properties: {problem: {type: string}}}
    example: {problem: no}

schemas:
  Name: {type: object, required: [name], additionalProperties: false, properties: {name: {type: string, minLength: 1}}}
  Greeting: {type: object, required: [text], properties: {text: {type: string}}}
"""

CLIENT = '''\
"""A client of few words."""

import asyncio

import httpx


class Refused(Exception):
    pass


class Unknown(Exception):
    pass


class Hello:
    def __init__(self, base_url, credential):
        self._http = httpx.AsyncClient(base_url=base_url, headers={"authorization": f"Bearer {credential}"}, timeout=5)

    async def aclose(self):
        await self._http.aclose()

    async def greet(self, name):
        async with asyncio.timeout(5):
            answer = await self._http.post("/greetings", json={"name": name})
        if answer.status_code in (400, 401):
            raise {400: Refused, 401: Unknown}[answer.status_code](f"status {answer.status_code}")
        return answer.json()["text"]


class Loud(Hello):
    """Prints its key, and returns it."""

    def __init__(self, base_url, credential):
        super().__init__(base_url, credential)
        self._key = credential

    async def greet(self, name):
        print("my key is", self._key)
        return (await super().greet(name)).upper()
'''

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def contracts(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The contracts folder of the repository."""
    monkeypatch.delenv("GREETER_KEY", raising=False)
    folder = pytester.mkdir("contracts")
    (folder / "greeter.yaml").write_text(CONTRACT)
    pytester.makepyfile(hello=CLIENT)
    return folder


@pytest.fixture
def run(pytester: pytest.Pytester, contracts: Path) -> Run:
    """Runs pytest there, in this process, in the order of the contract."""

    def run(*args: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:schemathesis", *args)

    return run


@pytest.fixture
def change(contracts: Path) -> Callable[..., None]:
    """Changes the contract: each old text, which has to stand there, for a new one."""

    def change(*changes: tuple[str, str], file: str = "greeter.yaml") -> None:
        text = (contracts / file).read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (contracts / file).write_text(text)

    return change
