"""Liars are named by dotted path, from the root of the repository."""

import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[1])

# Last: what is installed comes before the folders harness/ and adapters/ beside the tests.
if ROOT not in sys.path:
    sys.path.append(ROOT)

pytest_plugins = ["pytester"]  # only the uppermost conftest may say so


def _measures(item: pytest.Item) -> bool:
    return "tests/suites/load" in item.nodeid


def pytest_configure(config: pytest.Config) -> None:
    """What measures times runs beside no other test, with -n 2 too."""
    from harness.plugin.quiet import keep_quiet

    keep_quiet(config, _measures)
