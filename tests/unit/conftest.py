"""A small contract that is right, and what is said about it when parts of it are not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.contract.agreement import Agreement
from harness.contract.coherence import agree, read_agreement
from harness.contract.problems import ContractError, Problem
from harness.contract.reader import parse_document

CONTRACT = """\
contract: 1
service: shop
version: v1
title: A shop
consumer: tests
adapter: package.module:Client

provider:
  base_url: https://shop.example/v1
  timeout: 60s
  auth: {scheme: bearer, credential: "${SHOP_KEY}"}
  probe: order/two_items

facts:
  prices: {apple: 2, pear: 3}

operations:
  order:
    method: POST
    path: /orders
    idempotent: true
    cached: true
    let:
      items: request.body.items
    cost: {items: size(items)}
    request:
      body: {$ref: "#/schemas/Order"}
      defaults: {currency: EUR}
      rules:
        known_items: {rule: "items.all(i, i in facts.prices)", status: 400, because: the shop sells nothing else}
    responses:
      200:
        body: {$ref: "#/schemas/Receipt"}
        invariants:
          one_price_per_item: size(response.body.prices) == size(items)
        stub: {body: '{"prices": items.map(i, facts.prices[i])}'}
      400: {error: detail, raises: InvalidRequest, given: an invalid request, when: invalid_request}
      401: {error: detail, given: an invalid key, when: unauthenticated, example: {detail: Who are you?}}
      429: {error: detail, given: too many requests, when: rate_limited, headers: {Retry-After: {schema: {type: string}, example: "3"}}}
      503: {error: opaque, given: an outage, when: outage}
    bind:
      call: order
      arguments: {items: items}
      result: response.body.prices
      split: {argument: items, items: items}
    examples:
      two_items:
        request: {body: {items: [apple, pear]}}
        response: {status: 200, body: {prices: [2, 3]}}

  look_up:
    method: GET
    path: /orders/{number}
    idempotent: true
    request:
      path: {number: {schema: {type: integer, minimum: 1}}}
      query: {verbose: {schema: {type: boolean}}}
    responses:
      200: {body: {$ref: "#/schemas/Receipt"}, stub: {body: '{"prices": [int(request.path.number)]}'}}
      404: {error: detail, raises: NotFound}
    examples:
      first: {request: {path: {number: 1}, query: {verbose: true}}}

errors:
  detail:
    media_type: application/json
    message: /detail
    body: {type: object, required: [detail], properties: {detail: {type: string}}}
    example: {detail: It can't be done.}
  opaque: {media_type: "*/*", body: {}, example: upstream failure}

schemas:
  Order:
    type: object
    required: [items]
    additionalProperties: false
    properties:
      items: {type: array, minItems: 1, items: {type: string, minLength: 1}}
      currency: {enum: [EUR, USD]}
  Receipt:
    type: object
    required: [prices]
    properties:
      prices: {type: array, items: {$ref: "#/schemas/Price"}}
  Price: {type: number, minimum: 0}

limits:
  batch: {items: 10}
  rate: [{requests: 3, per: 1m}]

resilience:
  patterns: [retry_with_backoff, cached]
  policies: {server_error: retry_limited}
  retry:
    attempts: 3
    on: [429, 503, timeout]
    never: [400, 401]
    wait: {initial: 1s, multiplier: 2, max: 60s, jitter: 500ms}
    retry_after: {on: [429], added: [1s, 5s]}
  cache: {ttl: 1h, entries: 10}

sla: {availability: 99.9%, response_time_p95: 2s, throughput: 1000/min}

load:
  smoke: {rate: 20/s, duration: 10s, mix: {order: 1}}

evidence:
  - spec: The shop's own description
    differs:
      - {at: order, because: it is older, accepted: 2026-11-20, expires: 2027-05-20}
"""

Change = tuple[str, str]
Problems = Callable[..., tuple[Problem, ...]]


@pytest.fixture(scope="session")
def contract() -> str:
    """The text of the contract."""
    return CONTRACT


@pytest.fixture(scope="session")
def read() -> Callable[..., Agreement]:
    """Reads the contract after changes, each of which has to be possible."""

    def read(*changes: Change) -> Agreement:
        text = CONTRACT
        for old, new in changes:
            assert text.count(old) >= 1, f"the contract says `{old}` nowhere"
            text = text.replace(old, new, 1)
        return agree(parse_document(text.encode(), file="shop.yaml"), path=Path("shop.yaml"))

    return read


@pytest.fixture(scope="session")
def problems(read: Callable[..., Agreement]) -> Problems:
    """The problems of the contract after changes."""

    def problems(*changes: Change) -> tuple[Problem, ...]:
        with pytest.raises(ContractError) as caught:
            read(*changes)
        return caught.value.problems

    return problems


@pytest.fixture(scope="session")
def only_problem(problems: Problems) -> Callable[..., Problem]:
    """The one problem of the contract after changes."""

    def only_problem(*changes: Change) -> Problem:
        found = problems(*changes)
        assert len(found) == 1, "\n".join(map(str, found))
        return found[0]

    return only_problem


@pytest.fixture(scope="session")
def line_of() -> Callable[[str], int]:
    """The line in which a text stands in the contract."""

    def line_of(text: str) -> int:
        return CONTRACT[: CONTRACT.index(text)].count("\n") + 1

    return line_of


@pytest.fixture(scope="session")
def shipped_files() -> list[Path]:
    """The contracts of this repository."""
    folder = Path(__file__).parents[2] / "contracts"
    return sorted([*folder.glob("*.yaml"), *(path for path in folder.glob("*/*.yaml") if path.parent.name != "clients")])


@pytest.fixture(scope="session")
def shipped(shipped_files: list[Path]) -> list[Agreement]:
    """The contracts of this repository, read."""
    return [read_agreement(path) for path in shipped_files]
