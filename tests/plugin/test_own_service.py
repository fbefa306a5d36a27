"""A contract that somebody writes for a service of their own: what gets in the way is told, and what is right passes."""

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]

CONTRACT = """\
contract: 1
service: pulse
version: v1
title: Metrics
consumer: us
adapter: pulse_client:Pulse
provider:
  base_url: https://pulse.example.com/v1
  timeout: 3s
  auth: {scheme: api_key, header: X-Api-Key, credential: "${PULSE_KEY}"}
  probe: write/one
operations:
  write:
    method: POST
    path: /points
    idempotent: true
    cost: {items: size(request.body.points)}
    request: {body: {$ref: "#/schemas/Points"}}
    responses:
      202:
        body: {type: object, required: [accepted], properties: {accepted: {type: integer}}}
        stub: {body: '{"accepted": size(request.body.points)}'}
      401: {error: problem, raises: NotAllowed, given: a wrong key, when: unauthenticated}
      422: {error: problem, raises: BadPoints, given: bad points, when: invalid_request}
    bind:
      call: write
      arguments: {points: request.body.points}
      result: response.body.accepted
      split: {argument: points, items: request.body.points}
    examples:
      one: {request: {body: {points: [{name: cpu, value: 0.5}]}}}
      two: {request: {body: {points: [{name: cpu, value: 0.5}, {name: mem, value: 12}]}}}
errors: {problem: {media_type: application/json, message: /error, body: {type: object, required: [error]}, example: {error: no}}}
schemas:
  Points: {type: object, required: [points], properties: {points: {type: array, minItems: 1, items: {$ref: "#/schemas/Point"}}}}
  Point: {type: object, required: [name, value], properties: {name: {type: string, pattern: "^[a-z_]+$"}, value: {type: number}}}
limits: {batch: {items: 100}}
"""
CLIENT = """
import json, urllib.error, urllib.request

class NotAllowed(Exception): pass
class BadPoints(Exception): pass

class Pulse:
    most = 100

    def __init__(self, base_url, api_key):
        self._base_url, self._api_key = base_url, api_key

    def write(self, points):
        return sum(self._sent(points[at : at + self.most]) for at in range(0, len(points), self.most))

    def _sent(self, points):
        headers = {"X-Api-Key": self._api_key, "Content-Type": "application/json"}
        request = urllib.request.Request(self._base_url + "/points", json.dumps({"points": points}).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=3) as answer:
                return json.load(answer)["accepted"]
        except urllib.error.HTTPError as error:
            raise {401: NotAllowed, 422: BadPoints}[error.code](f"status {error.code}") from None

class Modest(Pulse):
    def write(self, points):
        return super().write(points) - 1

class Greedy(Pulse):
    most = 1000
"""
SPLIT = "split: {argument: points, items: request.body.points}"
MADE = SPLIT.replace("}", """, made: '{"name": "cpu", "value": number}'}""")


@pytest.fixture
def pulse(contracts: Path, pytester: pytest.Pytester) -> Callable[[str], None]:
    """Writes the contract, with the split as given."""
    pytester.makepyfile(pulse_client=CLIENT)
    return lambda split: (contracts / "pulse.yaml").write_text(CONTRACT.replace(SPLIT, split)) and None


def test_items_that_cannot_be_made_up_are_told_once_with_the_key_that_makes_them(run: Run, pulse: Callable[[str], None]) -> None:
    pulse(SPLIT)
    result = run("--contract", "pulse", "--suite", "conformance,fault")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    line = CONTRACT[: CONTRACT.index(SPLIT)].count("\n") + 1
    result.stderr.fnmatch_lines(
        [
            f"contracts/pulse.yaml:{line}:7: `write` is tried with items that are made up, such as *breaks schemas.Point.properties.name.pattern; say under `made:`*"
        ]
    )


def test_a_result_for_all_items_together_is_none_for_each(run: Run, pulse: Callable[[str], None]) -> None:
    pulse(MADE)
    result = run("--contract", "pulse", "--suite", "conformance,fault", "-k", "one or two or batch or items")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*is broken*")


def test_another_result_than_was_answered_is_caught(run: Run, pulse: Callable[[str], None]) -> None:
    pulse(MADE)
    result = run("--contract", "pulse", "--suite", "conformance", "--adapter", "pulse_client:Modest", "-k", "two")
    result.stdout.fnmatch_lines(["*operations.write.bind.result is broken*", "*what the provider answered: 2", "*actual: * 1"])


def test_a_batch_that_is_too_large_is_caught(run: Run, pulse: Callable[[str], None]) -> None:
    pulse(MADE)
    result = run("--contract", "pulse", "--suite", "fault", "--adapter", "pulse_client:Greedy", "-k", "batch")
    result.stdout.fnmatch_lines(["*limits.batch.items is broken*"])
