"""Contracts to lie about: the one of Voyage AI, a shop's, and one made around any schema."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.checks.examples import example_parts
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.exchange import Request, Response
from harness.provider.stub import Stub

ROOT = Path(__file__).parents[4]
Around = Callable[[dict[str, Any]], Agreement]
Answered = tuple[str, Request, Response]


@pytest.fixture(scope="session")
def voyage() -> Agreement:
    return load(ROOT / "contracts" / "voyage_ai.yaml", root=ROOT)


@pytest.fixture(scope="session")
def shop() -> Agreement:
    return load(ROOT / "tests" / "suites" / "fuzz" / "shop.yaml", root=ROOT)


@pytest.fixture
def around(tmp_path: Path) -> Around:
    """A contract with one operation that answers 200 with what the schema says."""

    def made(schema: dict[str, Any]) -> Agreement:
        document = {
            "contract": 1,
            "service": "thing",
            "version": "v1",
            "title": "A thing",
            "consumer": "tests",
            "adapter": "nowhere:Nobody",
            "provider": {"base_url": "http://thing.example", "timeout": "1s", "probe": "get/one"},
            "operations": {
                "get": {
                    "method": "GET",
                    "path": "/thing",
                    "idempotent": True,
                    "responses": {"200": {"body": {"$ref": "#/schemas/Thing"}}},
                    "examples": {"one": {"request": {}}},
                }
            },
            "schemas": {"Thing": schema},
        }
        path = tmp_path / "thing.yaml"
        path.write_text(json.dumps(document))
        return load(path)

    return made


def answered(agreement: Agreement) -> Iterator[Answered]:
    """Each example with the stub's answer, and with each declared answer of failure."""
    stub = Stub(agreement)
    for name, terms in agreement.operations.items():
        for example in terms.model.examples.values():
            parts = example_parts(example)
            request = Request(
                method=terms.model.method,
                target=agreement.target(name, dict(example.request.path), dict(example.request.query)),
                headers=(
                    ("content-type", terms.model.request.media_type),
                    *((key.lower(), value) for key, value in example.request.headers.items()),
                ),
                body=json.dumps(parts["body"]).encode() if terms.model.request.body is not None else b"",
            )
            yield name, request, stub.answer_now(request)
            for status in terms.model.responses:
                if status >= 400:
                    yield name, request, stub.declared(name, status)


@pytest.fixture(scope="session")
def everything(voyage: Agreement, shop: Agreement) -> list[tuple[Agreement, Request, Response]]:
    """All good answers of two contracts."""
    return [(agreement, request, response) for agreement in (voyage, shop) for _, request, response in answered(agreement)]
