"""Clients that keep the contract in another way than ours are not taken for liars."""

import pytest

from tests.miniatures.trying import cases_of, findings, setting_of, verdicts

MODULE = "tests.miniatures.clients.different"
# Each with the parts of the names of the cases that its difference bears on.
DIFFERENT = {
    "InTurn": ("batch", "cache-of-items"),
    "Floats": ("200-", "batch-one-too-many", "cache-hits"),
    "MostJitter": ("-then-200", "429-"),
    "LeastJitter": ("-then-200", "429-"),
    "OneProbe": ("breaker-",),
    "ReadsItsKeyEachTime": ("credential-",),
    "Thrifty": ("rate-of-tokens", "batch-of-long-items"),
    "Spells": ("500-always", "items-", "one_text"),
    "Explicit": ("best_two", "defaults", "cache-", "query"),
    "StopsShort": ("timeout", "beyond-the-budget"),
    "BreaksAreFinal": ("limit_data", "malformed_chunk", "random_data", "empty_response"),
    "OverHttpx": ("batch", "breaker-admits", "timeout-then-200", "401"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_client_that_differs_is_not_suspected(name: str) -> None:
    client = f"{MODULE}:{name}"
    setting = setting_of(client)
    chosen = [case for suite in ("conformance", "fault") for case in cases_of(setting, suite) if any(part in case for part in DIFFERENT[name])]
    chosen = [case for case in chosen if "embed_contextualized" not in case and "cache-is-bounded" not in case]
    # Slow batches in turn do take longer than one call may: there the client is none that keeps the contract.
    chosen = [case for case in chosen if name != "InTurn" or "slow-batches" not in case]
    assert len(chosen) > 2
    assert findings(verdicts(chosen, client=client)) == []
