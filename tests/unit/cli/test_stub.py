"""``harness stub``, as a process of its own: it says where it is, answers, and stops when it is told to."""

import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENT_S = 60.0  # against hangs only
Start = Callable[..., "Running"]
ask = partial(httpx.request, timeout=PATIENT_S)
ORDER = {"items": ["apple", "pear"]}


class Running:
    """A stub that runs; its first lines have been read."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        first = process.stdout.readline()
        assert " at http://" in first, first + (process.stderr.read() if process.stderr else "")
        self.base = first.split(" at ")[1].strip()
        self.origin = self.base.removesuffix("/v1")
        self.lines = [first]
        while "try it:" not in self.lines[-1]:
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else "it has ended"
            self.lines.append(line)

    @property
    def example(self) -> str:
        return self.lines[-1].split("try it:")[1].strip()

    def order(self, body: object = ORDER, **headers: str) -> httpx.Response:
        return ask("POST", f"{self.base}/orders", json=body, headers=headers)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENT_S)
        return self.process.returncode, out, err


@pytest.fixture
def start(repository: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts stubs; whatever still runs at the end is stopped."""
    running: list[Running] = []

    def start(*arguments: str) -> Running:
        command = [sys.executable, "-c", "from harness.cli import main; main()", "stub", "shop", *arguments]
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(Running(subprocess.Popen(command, cwd=repository, env={**environment, "PYTHONUNBUFFERED": ""}, **pipes)))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_told_to_stop(start: Start, number: int) -> None:
    stub = start()
    assert stub.order(authorization="Bearer anything").json() == {"prices": [2, 3]}
    assert stub.order().status_code == 401
    status, out, err = stub.stop(number)
    assert (status, err) == (0, "")
    assert "stopped after 2 requests" in out


def test_a_connection_that_is_kept_open_does_not_keep_it(start: Start) -> None:
    stub = start()
    with httpx.Client(timeout=PATIENT_S) as client:
        client.post(f"{stub.base}/orders", json=ORDER)
        assert stub.stop()[0] == 0


def test_its_example_is_a_command_line_that_works(start: Start) -> None:
    stub = start()
    words = shlex.split(stub.example)
    assert words[:4] == ["curl", "-X", "POST", f"{stub.base}/orders"]
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1]
    assert ask("POST", words[3], headers=headers, content=body).json() == {"prices": [2, 3]}


def test_one_credential_only(start: Start) -> None:
    stub = start("--credential", "s3cret-of-mine")
    assert stub.order(authorization="Bearer other").status_code == 401
    assert stub.order(authorization="Bearer s3cret-of-mine").status_code == 200
    assert "${SHOP_KEY}" in stub.example
    assert "s3cret-of-mine" not in "".join(stub.lines) + "".join(stub.stop()[1:])


def test_no_credential(start: Start) -> None:
    stub = start("--any-credential")
    assert stub.order().status_code == 200
    assert "authorization" not in stub.example


def test_limits_seed_and_state(start: Start) -> None:
    stub = start("--any-credential", "--enforce-limits", "--seed", "7")
    assert [stub.order().status_code for _ in range(4)] == [200, 200, 200, 429]
    down = start("--given", "an outage")
    assert down.order().status_code == 503
    assert "given an outage" in "".join(down.lines)


def test_its_state_is_set_and_its_journal_read_from_outside(start: Start) -> None:
    stub = start("--any-credential")
    state, journal = f"{stub.origin}/__harness__/state", f"{stub.origin}/__harness__/journal"
    assert ask("GET", state).json()["given"] is None
    assert "an outage" in ask("GET", state).json()["states"]
    assert ask("PUT", state, json={"given": "an outage"}).json()["given"] == "an outage"
    assert stub.order().status_code == 503
    assert ask("PUT", state, json={"given": None}).status_code == 200
    assert ask("POST", state, json={"state": "an outage", "action": "setup", "params": {}}).json()["given"] == "an outage"
    assert ask("POST", state, json={"state": "an outage", "action": "teardown"}).json()["given"] is None
    stub.order({"items": []})
    ask("GET", f"{stub.base}/order")
    told = ask("GET", journal).json()
    assert [(entry["operation"], entry["status"]) for entry in told] == [("order", 503), ("order", 400), (None, 404)]
    assert "at /items" in told[1]["reason"]
    assert "the nearest is" in told[2]["reason"]
    assert ask("DELETE", journal).json() == []
    assert ask("GET", journal).json() == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"given": "an outtage"}', "did you mean `an outage`?"),
        (b"{}", "the body has to be JSON such as"),
        (b"nonsense", "the body has to be JSON such as"),
        (b"[]", "the body has to be JSON such as"),
        (b'{"given": 5}', "a state is named by its text"),
        (b'{"given": ["an outage"]}', "a state is named by its text"),
        (b"\xff", "the body has to be JSON such as"),
    ],
)
def test_a_wrong_state_is_refused_and_changes_nothing(start: Start, content: bytes, said: str) -> None:
    stub = start("--given", "an outage")
    answer = ask("PUT", f"{stub.origin}/__harness__/state", content=content)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert ask("GET", f"{stub.origin}/__harness__/state").json()["given"] == "an outage"


def test_an_unknown_control_path_says_which_exist(start: Start) -> None:
    stub = start()
    answer = ask("GET", f"{stub.origin}/__harness__/jornal")
    assert answer.status_code == 404
    assert "GET /__harness__/journal" in answer.json()["known"]
    assert ask("PATCH", f"{stub.origin}/__harness__/state").status_code == 405


def test_a_port_that_is_taken_is_told(program: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = program("stub", "shop", "--port", str(port))
    assert result.returncode == 2
    assert f"can't listen on 127.0.0.1:{port}: another program listens there" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "70000"), "70000 is not in the range"),
        (("--host", "no.such.host.invalid"), "is no known host"),
        (("--given", "an outtage"), "did you mean `an outage`?"),
        (("--credential", "x", "--any-credential"), "exclude each other"),
        (("--credential", ""), "--credential is empty"),
    ],
)
def test_wrong_options_are_told(program: Callable[..., subprocess.CompletedProcess[str]], arguments: tuple[str, ...], said: str) -> None:
    result = program("stub", "shop", *arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_the_port_that_was_asked_for_is_the_one_it_has(start: Start, own_port: int) -> None:
    assert start("--port", str(own_port)).origin == f"http://127.0.0.1:{own_port}"
