"""The provider's real engine in this process: asked directly by the suites, on ports by other tools."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

from harness.contract.agreement import Agreement
from harness.exchange import Level, Request, Response
from harness.extras import installed_by
from harness.provider.had import PartMissing, ProviderUnavailable
from harness.wire.clock import VirtualClock

CREDENTIAL = "hk-embedded-4b8e1f7c2d6a9035"  # made up: only this engine takes it


class Engine(Protocol):
    """A provider's engine: ``open`` makes ``answer`` work, ``start`` also listens on ports.

    What it is made by may name under ``libraries`` the modules that it imports only then. An engine may have ``changes``: a
    number that grows with each request that may have changed anything, wherever it came in.
    """

    @property
    def url(self) -> str: ...

    @property
    def grpc_address(self) -> str | None: ...

    def open(self) -> None: ...

    def answer(self, request: Request) -> Response: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


class EmbeddedProvider:
    """What the contract names under ``provider.embedded``, speaking as the contract's version.

    All cases share one engine: the contract's states say what has to be there, and take away what must not.
    """

    name = "embedded"
    level = Level.EMBEDDED
    takes_states = False
    remembers = True

    def __init__(self, agreement: Agreement) -> None:
        self._agreement = agreement
        self._engine: Engine | None = None
        self._listens = False
        self.has_listened = False  # gRPC was used then: some of it stays in the process, and a fork of it crashes
        self._way = Way()

    @property
    def credential(self) -> str:
        return CREDENTIAL if self._agreement.contract.provider.auth else ""

    def upstream(self, clock: Callable[[], float] | VirtualClock) -> "Asked":
        return Asked(self._opened(), self._way)

    def origin(self) -> str:
        """Where the engine answers over HTTP."""
        return self._listening().url

    def grpc_address(self) -> str | None:
        """Where it answers over gRPC, such as 127.0.0.1:6334; None when it does not."""
        return self._listening().grpc_address

    def enter(self, given: str | None) -> None:
        """A real engine can't be told to fail."""

    def assure_installed(self) -> None:
        """PartMissing when a library of the engine is not here; nothing is imported but the module that names it."""
        for library in getattr(_maker(self._agreement), "libraries", ()):
            if find_spec(library) is None:
                raise _missing(library)

    def assure_opens(self) -> None:
        """ProviderUnavailable when the engine can't be had in this process."""
        self._opened()

    def close(self) -> None:
        engine, self._engine, self._listens = self._engine, None, False
        self._way = Way()
        if engine is not None:
            engine.stop()

    def _opened(self) -> Engine:
        if self._engine is None:
            engine = make_engine(self._agreement, credential=self.credential)
            with _told():
                engine.open()
            self._engine = engine
        return self._engine

    def _listening(self) -> Engine:
        engine = self._opened()
        if not self._listens:
            with _told():
                engine.start()
            self._listens = self.has_listened = True
        return engine


@contextmanager
def _told() -> Iterator[None]:
    """What keeps an engine from running, as every provider says it."""
    try:
        yield
    except ImportError as error:
        raise _missing(error.name) from error
    except (OSError, RuntimeError) as error:
        raise ProviderUnavailable(f"the embedded provider can't run here: {error}") from error


@dataclass
class Way:
    """The requests that an engine was brought into a state by, and its number of changes then."""

    requests: tuple[Request, ...] | None = None
    changes: int = 0


class Asked:
    """An engine as the upstream of a wire."""

    def __init__(self, engine: Engine, way: Way) -> None:
        self._engine = engine
        self._way = way

    async def answer(self, request: Request) -> Response:
        return self._engine.answer(request)

    def stands_after(self, requests: tuple[Request, ...]) -> bool:
        """Whether these were the last that can have changed anything."""
        return self._way.requests == requests and self._way.changes == getattr(self._engine, "changes", None)

    def has_taken(self, requests: tuple[Request, ...]) -> None:
        """These were made just now, one after the other."""
        changes = getattr(self._engine, "changes", None)
        self._way.requests, self._way.changes = (None, 0) if changes is None else (requests, changes)


def make_engine(agreement: Agreement, *, credential: str = "", path: Path | None = None, port: int = 0, grpc_port: int = 0) -> Engine:
    """The engine that a contract names, not opened yet; ProviderUnavailable with what to do when there is none."""
    made = _maker(agreement)(version=agreement.contract.version, api_key=credential or None, path=path, port=port, grpc_port=grpc_port)
    return cast(Engine, made)


def _maker(agreement: Agreement) -> Callable[..., Any]:
    """What makes the engine, by its dotted path."""
    dotted = agreement.contract.provider.embedded
    if dotted is None:
        raise ProviderUnavailable(
            f"the contract `{agreement.name}` names no embedded provider: give it `provider.embedded: package.module:Class`"
        )
    module, _, attribute = dotted.partition(":")
    try:
        return cast(Callable[..., Any], getattr(importlib.import_module(module), attribute))
    except ModuleNotFoundError as error:
        raise _missing(error.name) from error
    except AttributeError:
        raise ProviderUnavailable(f"the embedded provider {dotted} does not exist: {module} has no `{attribute}`") from None


def _missing(library: str | None) -> PartMissing:
    return PartMissing(f"the embedded provider needs `{library}`: {installed_by(library)}")
