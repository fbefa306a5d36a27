"""The shop's contract with every policy that there is."""

from collections.abc import Callable

import pytest

from harness.contract.agreement import Agreement

POLICIES = """\
  cache: {ttl: 1h, entries: 10}
  circuit_breaker: {failure_threshold: 3, recovery_timeout: 60s, half_open_successes: 2}
  budget: 180s

failures:
  timeout: {raises: TooSlow}
  connection: {raises: Unreachable}
  invalid_response: {raises: Garbage}
  circuit_open: {raises: Open}
  deadline: {raises: OutOfTime}
  invalid_input: {raises: Nonsense}

monitoring: {health_check_interval: 60s, metrics: true, alert_on_failure: true}
"""
CHANGES = (
    ("  cache: {ttl: 1h, entries: 10}\n", POLICIES),
    ("on: [429, 503, timeout]", "on: [429, 503, timeout, connection]"),
    ("503: {error: opaque, given", "503: {error: opaque, raises: Unavailable, given"),
    ("429: {error: detail, given", "429: {error: detail, raises: SlowDown, given"),
    ("401: {error: detail, given", "401: {error: detail, raises: WhoAreYou, given"),
    ("policies: {server_error: retry_limited}", "policies: {server_error: retry_limited, auth_failure: refresh_token}"),
)


@pytest.fixture(scope="session")
def shop(read: Callable[..., Agreement]) -> Agreement:
    """The shop under all policies."""
    return read(*CHANGES)


@pytest.fixture(scope="session")
def shop_where(read: Callable[..., Agreement]) -> Callable[..., Agreement]:
    """The shop under all policies, changed further."""
    return lambda *changes: read(*CHANGES, *changes)
