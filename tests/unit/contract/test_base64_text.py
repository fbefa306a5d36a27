"""Base64 is read strictly, whichever library reads it."""

import builtins
import importlib
import sys
from types import ModuleType

import pytest

from harness.contract import base64_text

BAD = ["a", "ab=", "ab==c", "é", "a b=", "=ab=", " ", "AAAA\n", "AA=A", "-_AA"]


def _without_pybase64(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    real = builtins.__import__

    def refuse(name: str, *rest: object, **more: object) -> ModuleType:
        if name == "pybase64":
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "pybase64", raising=False)
    monkeypatch.setattr(builtins, "__import__", refuse)
    spec = importlib.util.find_spec(base64_text.__name__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["as installed", "without pybase64"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return base64_text if request.param == "as installed" else _without_pybase64(monkeypatch)


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_base64_is_refused(library: ModuleType, text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each library has words of its own
        library.from_base64(text)


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", bytes(range(256)) * 33])
def test_what_was_written_is_read(library: ModuleType, data: bytes) -> None:
    assert library.from_base64(library.to_base64(data)) == data
