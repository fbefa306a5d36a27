"""The pytest plugin: ``pytest --contract NAME``. Installed but not used, it costs an option group."""

from contextlib import suppress

import pytest

_ENGINES = ("anyio", "harness", "hypothesis", "langsmith", "locust", "pact", "respx", "schemathesis")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Every option of the plugin."""
    group = parser.getgroup("contract", "prove an integration by its contract")
    add = group.addoption
    add(
        "--contract",
        action="append",
        default=[],
        metavar="NAME",
        help="run this contract (SERVICE, SERVICE@VERSION, a path or `all`); may be repeated",
    )
    add(
        "--suite",
        action="append",
        default=[],
        metavar="SUITE",
        help="only this suite: static, conformance, pact, fuzz, cassette, fault or load; may be repeated",
    )
    add("--provider", default=None, metavar="HOW", help="stub, embedded, container[:TAG or :IMAGE:TAG], live, or a URL")
    add("--adapter", default=None, metavar="CLIENT", help="the client under test: package.module:Class, or a binding by name or YAML file")
    add("--contract-seed", type=int, default=0, metavar="N", help="the seed of everything random (default: 0)")
    add("--contract-report", default=None, metavar="FILE", help="where the event stream goes (default: build/reports/contract.jsonl)")
    add(
        "--prove",
        action="store_true",
        default=False,
        help="after the cases, break every clause and fail below the contract's mutation score",
    )
    add("--contract-verbose", action="store_true", default=False, help="list every clause in the summary")
    with suppress(ValueError):  # another recording plugin has the same option, with the same modes
        add("--record-mode", default=None, metavar="MODE", help="of cassettes: none, new_episodes, once or all (default: none)")


def pytest_configure(config: pytest.Config) -> None:
    """Wake the rest of the plugin, if a contract is asked for."""
    if config.getoption("--contract"):
        _spare_engines(config)
        from harness.plugin.session import register

        register(config)


def _spare_engines(config: pytest.Config) -> None:
    """Have the engines imported as they are: pytest rewrites the asserts of any package that brings a plugin, which takes seconds."""
    hook = config.pluginmanager.rewrite_hook
    marked: set[str] = getattr(hook, "_must_rewrite", set())
    marked -= {name for name in marked if name.partition(".")[0] in _ENGINES}
    getattr(hook, "_marked_for_rewrite_cache", {}).clear()
