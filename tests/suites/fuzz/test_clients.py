"""A client that believes what breaks the contract, or stumbles over what keeps it, is found out by clause."""

import pytest

from harness.contract.agreement import Agreement

from . import clients
from .conftest import SettingOf, bad, broken, run

REFUSE = "failures.invalid_response.raises"

VOYAGE_LIARS: dict[type, tuple[str, str]] = {
    clients.Swallower: ("embed::response-usage", REFUSE),
    clients.Inventor: ("embed::response-invariant", REFUSE),
    clients.Rounder: ("embed::variant-key-order", "operations.embed.bind.result"),
    clients.Forgetter: ("rerank::variant-", "operations.rerank.bind.result"),
    clients.Mistyper: ("rerank::response-body", REFUSE),
    clients.Unicodeless: ("rerank::calls", "operations.rerank.bind.arguments.documents"),
}
SHOP_LIARS: dict[type, tuple[str, str]] = {
    clients.Believer: ("find::response-items-type", REFUSE),
    clients.StatusBlind: ("add::error-problem", "operations.add.responses.400.raises"),
    clients.TypeBlind: ("add::response-media-type", REFUSE),
    clients.Crasher: ("add::response-id-type", REFUSE),
    clients.Strict: ("find::variant-unknown-properties", "operations.find.bind.result"),
    clients.Demanding: ("find::variant-optional", "operations.find.bind.result"),
    clients.Textual: ("find::variant-escapes", "operations.find.bind.result"),
}


@pytest.mark.parametrize("liar", VOYAGE_LIARS, ids=lambda liar: liar.__name__)
def test_a_lying_client_of_voyage_ai_is_found_out(liar: type, voyage: Agreement, setting_of: SettingOf) -> None:
    where, clause = VOYAGE_LIARS[liar]
    assert clause in broken(run(setting_of(voyage, client=liar), only=where))


@pytest.mark.parametrize("liar", SHOP_LIARS, ids=lambda liar: liar.__name__)
def test_a_lying_client_of_the_shop_is_found_out(liar: type, shop: Agreement, setting_of: SettingOf) -> None:
    where, clause = SHOP_LIARS[liar]
    assert clause in broken(run(setting_of(shop, client=liar), only=where))


def test_a_client_that_believes_everything_fails_at_each_clause_of_the_schema(shop: Agreement, setting_of: SettingOf) -> None:
    """What it would crash on, and what it would not even notice."""
    found = run(setting_of(shop, client=clients.Believer), only="add::response-item")
    assert len(found) > 20
    assert set(bad(found)) == set(found)


@pytest.mark.parametrize("case", ["find::variant-", "add::response-", "find::error-"])
def test_an_honest_client_is_not_accused(case: str, shop: Agreement, setting_of: SettingOf) -> None:
    assert bad(run(setting_of(shop), only=case)) == {}
