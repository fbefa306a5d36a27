"""The example contract says what OpenAI's SDK does, and it does."""

import pytest

from .conftest import Inspect

pytest.importorskip("openai", reason="the official OpenAI SDK is not installed: pip install openai")


def test_the_sdk_keeps_the_contract_that_names_it(inspect: Inspect) -> None:
    assert inspect("openai", None, "conformance", "fault") == {}
