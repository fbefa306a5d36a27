"""`monitoring:` in a contract: what the client's monitor has to be, as the guide says it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]

GUIDE = Path(__file__).parents[2] / "docs" / "clients.md"
CLIENT = """
import httpx, threading
from contextlib import contextmanager

class VoyageError(Exception): pass
class Refused(VoyageError): pass
class Unknown(VoyageError): pass
class Down(VoyageError): pass

{monitor}

class Watched(Voyage):
    def __init__(self, base_url, credential):
        self._http = httpx.Client(base_url=base_url, headers={{"authorization": f"Bearer {{credential}}"}}, timeout=5)
        self.metrics = {{"requests": 0}}

    def embed(self, texts):
        return [self.greet(text) for text in texts]

    def greet(self, name):
        self.metrics["requests"] += 1
        answer = self._http.post("/greetings", json={{"name": name}})
        if answer.status_code >= 400:
            raise {{400: Refused, 401: Unknown}}.get(answer.status_code, Down)(f"status {{answer.status_code}}")
        return answer.json()["text"]
"""
MONITORED = (
    (
        "      401: {error: problem",
        "      500: {error: problem, raises: Down, given: it is down, when: outage}\n      401: {error: problem",
    ),
    ("errors:\n", "monitoring: {health_check_interval: 60s, metrics: true, alert_on_failure: true}\n\nerrors:\n"),
)


@pytest.fixture
def watched(pytester: pytest.Pytester, change: Callable[..., None]) -> None:
    """The guide's monitor in a client, and a contract that asks for one."""
    [monitor] = re.findall(r"```python\n(class Voyage:.*?)```", GUIDE.read_text(), re.DOTALL)
    pytester.makepyfile(watched=CLIENT.format(monitor=monitor))
    change(*MONITORED)


@pytest.mark.usefixtures("watched")
def test_the_monitor_of_the_guide_keeps_the_contract(run: Run) -> None:
    result = run("--contract", "greeter", "--adapter", "watched:Watched", "--suite", "conformance,fault", "-k", "monitor")
    result.assert_outcomes(passed=3)


@pytest.mark.usefixtures("watched")
def test_a_client_without_a_monitor_is_told_what_it_has_to_have(run: Run) -> None:
    result = run("--contract", "greeter", "--adapter", "hello:Hello", "--suite", "conformance", "-k", "monitor")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*: monitoring.metrics is broken", "*`metrics` and `monitor(on_alert=…)`*docs/clients.md*"])
