"""Lying clients, in how much they ask: batches and rates over the limit."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.contract.agreement import Agreement
from harness.contract.clauses import Clause
from harness.proof.mutant import Distortion, Distortions
from harness.proof.scene import Scene


def batch(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    """Everything in one request."""
    for number, index, exchange in scene.sent:
        terms = agreement.operations.get(scene.observation.calls[number].operation)
        if terms is None or terms.model.bind is None or terms.model.bind.split is None:
            continue
        try:
            body = exchange.request.json()
        except ValueError:
            continue
        if not isinstance(body, Mapping):
            continue
        for key, value in body.items():
            if isinstance(value, list) and value and clause.id.endswith("bytes"):
                limit = agreement.contract.limits.batch
                bulky = exchange.request.body + b" " * ((limit.bytes or 0) if limit else 0)
                rpc = replace(exchange.rpc, sent_bytes=len(bulky)) if exchange.rpc else None  # over gRPC its own bytes count
                sent = replace(exchange, request=replace(exchange.request, body=bulky), rpc=rpc)
                made = scene.with_exchange(number, index, sent)
                yield Distortion(kind="batch over the limit", what=f"{len(bulky)} bytes in one request", observation=made)
                return
            if isinstance(value, list) and value:
                most = int(clause.value) if str(clause.value).isdigit() else 1
                copies = 2 if len(value) * 2 > most and clause.id.endswith("items") else 1 + most // max(1, len(value))
                if clause.id.endswith("items"):
                    many = (value * copies)[: most + 1]
                else:
                    many = [_longer(item, max(8, 5 * most // len(value))) for item in value]
                changed = replace(exchange.request, body=json.dumps({**body, key: many}).encode())
                made = scene.with_request(number, index, changed)
                yield Distortion(kind="batch over the limit", what=f"{len(many)} items in one request", observation=made)
                return


def _longer(item: Any, length: int) -> Any:
    if isinstance(item, str):
        return item + "x" * length
    return [_longer(item[0], length), *item[1:]] if isinstance(item, list) and item else item


def rate(agreement: Agreement, clause: Clause, scene: Scene) -> Distortions:
    yield Distortion(kind="rate ignored", what="all requests at once", observation=scene.with_times(lambda _: 0.0))
    yield Distortion(kind="rate doubled", what="twice as fast", observation=scene.with_times(lambda moment: moment / 2))
