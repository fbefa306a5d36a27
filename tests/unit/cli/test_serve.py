"""``harness serve``: what can't be served is told before anything is."""

from collections.abc import Callable

import pytest
from click.testing import Result


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--api-key", ""), "the API key is empty"),
        (("--api-key", "made\nup"), "no header can carry this API key"),
        (("--api-key", "schlüssel"), "no header can carry this API key"),
        (("--api-key", " made-up"), "no header can carry this API key"),
        (("--host", "192.0.2.1"), "can't listen on 192.0.2.1 (Cannot assign requested address): give an address of this machine"),
        (("--host", "a" * 70), "(no name of a machine): give an address of this machine"),
    ],
)
def test_what_can_not_be_served_is_told_at_once(options: tuple[str, ...], told: str, harness: Callable[..., Result]) -> None:
    result = harness("serve", "shop", *options)
    assert result.exit_code == 2
    assert told in result.output
    assert "made-up" not in result.output and "schlüssel" not in result.output


@pytest.mark.parametrize("options", [("--api-key", "made-up"), ("--host", "localhost"), ("--host", "0.0.0.0")])
def test_what_can_be_served_is_not_the_matter(options: tuple[str, ...], harness: Callable[..., Result]) -> None:
    assert "names no embedded engine" in harness("serve", "shop", *options).output
