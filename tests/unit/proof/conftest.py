"""A contract of one operation, of which a result may be nothing."""

from pathlib import Path

import pytest

from harness.contract.agreement import Agreement
from harness.contract.catalog import load

QUEUE = """\
contract: 1
service: queue
version: v1
title: Queue
consumer: us
adapter: none:Client
provider: {base_url: "https://queue.example.com/v1", timeout: 5s, probe: take/next}
operations:
  take:
    method: GET
    path: /next
    idempotent: true
    responses: {200: {body: {$ref: "#/schemas/Taken"}, stub: {body: '{"items": []}'}}}
    bind: {call: take, result: response.body.items}
    examples: {next: {request: {}}}
schemas:
  Taken: {type: object, required: [items], properties: {items: {type: [array, "null"], items: {type: string}}, size: {type: integer, maximum: 9}}}
"""


@pytest.fixture
def queue(tmp_path: Path) -> Agreement:
    (tmp_path / "queue.yaml").write_text(QUEUE)
    return load(tmp_path / "queue.yaml", root=tmp_path)
