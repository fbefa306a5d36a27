"""Requests made up by schemathesis: the only module that knows it, and Hypothesis under it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.contract.agreement import Agreement
from harness.contract.document import value_at
from harness.contract.openapi import export
from harness.contract.schemas import reference
from harness.exchange import Request
from harness.extras import installed_by
from harness.suites.fuzz.drawn import Drawn
from harness.wire.mutations.keywords import types_of

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.schemas import BaseSchema

Mode = Literal["positive", "negative"]
_OWN_HEADERS = frozenset({"user-agent", "x-schemathesis-testcaseid", "content-length", "accept-encoding", "accept", "connection"})


class EngineMissing(Exception):
    """Schemathesis is not installed; the message says how to get it."""


@dataclass(frozen=True)
class Generator:
    """Requests for the operations of one contract, the same ones for the same seed; none carries a credential."""

    agreement: Agreement
    seed: int
    folder: Path | None = None  # where what was drawn is kept, for the next run

    def requests(self, operation: str, mode: Mode, count: int) -> list[Request]:
        """About so many different requests that keep the operation's schemas, or that do not.

        EngineMissing without schemathesis.
        """
        key = (operation, mode)
        if key not in self._known:
            self._known[key] = [] if mode == "negative" and not self._can_be_negated(operation) else self._kept(operation, mode, count)
        return self._known[key]

    def _kept(self, operation: str, mode: Mode, count: int) -> list[Request]:
        def draw() -> list[Request]:
            return self._drawn(operation, mode, count)

        try:
            return self._before.requests(f"{operation}-{mode}-{count}", draw) if self._before else draw()
        except PackageNotFoundError as error:
            raise EngineMissing(installed_by(error.name or "schemathesis")) from error

    @cached_property
    def _before(self) -> Drawn | None:
        if self.folder is None:
            return None
        base_url = self.agreement.contract.provider.base_url
        decided_by = [self._document, self.seed, base_url]
        return Drawn(folder=self.folder, contract=self.agreement.name, decided_by=decided_by, made_by=Path(__file__))

    @cached_property
    def _known(self) -> dict[tuple[str, Mode], list[Request]]:
        return {}

    def _can_be_negated(self, operation: str) -> bool:
        """Whether there is anything to break: of a path that takes any text, some hundred draws would find nothing."""
        request = self.agreement.operations[operation].model.request
        closed = any(not self._takes_any_text(each.value_schema) for each in request.path.values())
        return bool(request.body is not None or request.query or request.headers or closed)

    def _takes_any_text(self, schema: Any) -> bool:
        """Whether whatever can stand in a path keeps the schema."""
        target = reference(schema)
        named = schema if target is None else value_at(self.agreement.document.value, target)
        return named.keys() <= {"type", "minLength"} and "string" in types_of(named) and named.get("minLength", 0) <= 1

    @cached_property
    def _schema(self) -> "BaseSchema":
        try:
            from schemathesis.config import SchemathesisConfig
            from schemathesis.openapi import from_dict
        except ImportError as error:
            raise EngineMissing(installed_by(error.name or "schemathesis")) from error
        config = SchemathesisConfig()  # not the one that lies about in the working directory
        config.projects.default.generation.codec = None  # to look through all of Unicode takes a second
        return from_dict(self._document, config=config)

    @cached_property
    def _document(self) -> dict[str, Any]:
        document = export(self.agreement)
        document.pop("security", None)  # who may ask is tried apart from what is asked
        document["components"].pop("securitySchemes", None)
        return document

    def _drawn(self, operation: str, mode: Mode, count: int) -> list[Request]:
        terms = self.agreement.operations[operation]
        cases = _cases(self._schema[terms.model.path][terms.model.method], mode, count, self.seed)
        found = {(each.method, each.target, each.body): each for each in map(self._request, cases) if each is not None}
        return list(islice(found.values(), count))

    def _request(self, case: "Case[Any]") -> Request | None:
        """What would be sent for a case; None for one that can't be."""
        import requests

        try:
            prepared = requests.Request(**case.as_transport_kwargs(base_url=self.agreement.contract.provider.base_url)).prepare()
        except (UnicodeError, ValueError):
            return None
        headers = {name.lower(): str(value) for name, value in prepared.headers.items()}
        if any(ord(letter) > 255 for text in headers.values() for letter in text):
            return None
        body = prepared.body or b""
        return Request(
            method=prepared.method or case.method,
            target=prepared.path_url,
            headers=tuple((name, value) for name, value in headers.items() if name not in _OWN_HEADERS),
            body=body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, bytes | bytearray) else b"",
        )


def _cases(operation: Any, mode: Mode, count: int, number: int) -> "list[Case[Any]]":
    """Draw cases: no database, no deadline, no shrinking, nothing on the terminal."""
    from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
    from hypothesis.errors import Unsatisfiable
    from schemathesis.generation import GenerationMode
    from schemathesis.generation.feedback import NO_FEEDBACK

    found: list[Case[Any]] = []
    strategy = operation.as_strategy(generation_mode=GenerationMode(mode), feedback=NO_FEEDBACK)

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(strategy)
    def draw(case: "Case[Any]") -> None:
        found.append(case)

    with _no_local_constants():
        try:
            draw()
        except Unsatisfiable:
            return found
    return found


@contextmanager
def _no_local_constants() -> Iterator[None]:
    """Hypothesis mixes in constants from the modules that happen to be loaded: the seed alone shall decide."""
    from hypothesis.internal.conjecture import providers

    found, kept = getattr(providers, "_get_local_constants", None), providers.CONSTANTS_CACHE
    if found is None:
        yield
        return
    none = type(found())()
    providers._get_local_constants = lambda: none
    providers.CONSTANTS_CACHE = _constants()
    try:
        yield
    finally:
        providers._get_local_constants = found
        providers.CONSTANTS_CACHE = kept


@cache
def _constants() -> Any:
    """A memory of its own: the other one holds what tests that ran before were given."""
    from hypothesis.internal.cache import LRUCache

    return LRUCache(1024)
