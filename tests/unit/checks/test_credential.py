"""Where a credential was sent to, as a finding says it."""

from dataclasses import replace

import pytest

from harness.contract.agreement import Agreement
from harness.exchange import Request

from .making import KEY, call, exchange, findings, observed, request


def told_of(shop: Agreement, asked: Request) -> list[str]:
    found = findings(shop, observed(call(exchange(asked=asked))), "credential")
    return [finding.actual for finding in found if finding.clause == "provider.auth.credential"]


@pytest.mark.parametrize(
    ("origin", "host", "said"),
    [
        ("https://elsewhere.example", "elsewhere.example", "it was sent to https://elsewhere.example"),
        ("https://shop.example", "elsewhere.example", "it was sent to elsewhere.example, by its `host` header"),
        ("", "elsewhere.example", "it was sent to elsewhere.example, by its `host` header"),
    ],
)
def test_a_credential_that_goes_elsewhere_is_told_with_the_place(shop: Agreement, origin: str, host: str, said: str) -> None:
    asked = request()
    assert told_of(shop, replace(asked, origin=origin, headers=(*asked.headers, ("host", host)))) == [said]


@pytest.mark.parametrize("host", ["shop.example", "shop.example:443", "SHOP.example"])
def test_a_credential_that_goes_to_its_provider_is_not_told(shop: Agreement, host: str) -> None:
    asked = request()
    assert KEY in (asked.header("authorization") or "")
    assert told_of(shop, replace(asked, headers=(*asked.headers, ("host", host)))) == []
