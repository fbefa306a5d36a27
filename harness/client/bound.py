"""A client that is bound: how it is made, which method an operation is, and how what it returns is read."""

import importlib
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, Literal

from harness.client.plain import plain_error
from harness.contract.agreement import Agreement
from harness.contract.expressions import EvaluationError, Expression
from harness.contract.problems import nearest

CONSTRUCT_NAMES = frozenset({"base_url", "origin", "host", "port", "grpc_port", "credential", "timeout_s"})


class UnknownClient(LookupError):
    """The client that was asked for can't be had; the message says what to do."""


class NotInstalled(UnknownClient):
    """The client is none of the packages here; the message says how to get it."""


@dataclass(frozen=True, kw_only=True)
class BoundMethod:
    """One operation of a client: the method's dotted name, its arguments and how its value is read."""

    call: str
    arguments: Mapping[str, Expression]
    returns: Expression
    types: Mapping[str, str] = field(default_factory=dict)
    report: Mapping[str, Expression] = field(default_factory=dict)  # read out of an error

    def typed(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """The arguments as the method takes them: those of a class of the client's own are made here, by their fields."""
        return {name: _typed(value, self.types.get(name)) for name, value in arguments.items()}

    def reported(self, error: BaseException) -> dict[str, object] | None:
        """What an error tells of the requests of a call; None when it tells nothing of them."""
        try:
            return {name: expression.evaluate({"error": plain_error(error)}) for name, expression in self.report.items()} or None
        except EvaluationError:
            return None


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A client, ready to be made and called."""

    name: str
    title: str
    target: str | None
    command: tuple[str, ...] | None
    folder: Path = Path()  # where the command is run
    install: str = ""
    construct: Mapping[str, Expression]
    methods: Mapping[str, BoundMethod]
    errors: Mapping[str, tuple[str, ...]]
    wire: Literal["httpx", "port"]
    loop: Literal["asyncio", "trio"] = "asyncio"  # that its coroutines need
    close: str | None
    environment: Mapping[str, Expression]
    over_grpc: Mapping[str, Expression] = field(default_factory=dict)  # what it is made with besides, to speak gRPC; none if it can't
    agreement: Agreement = field(repr=False)

    def speaking_grpc(self) -> "Binding":
        """The same client, made so that it speaks gRPC where it can."""
        return replace(self, title=f"{self.title} over gRPC", construct={**self.construct, **self.over_grpc}, wire="port")

    def binds(self, operation: str) -> bool:
        """Whether the client has a method for an operation."""
        return operation in self.methods

    def arguments(self, operation: str, parts: Mapping[str, object], *, leave_out: frozenset[str] = frozenset()) -> dict[str, object]:
        """The arguments of a call that means the request with these parts, as the client calls them.

        What the request does not say is left out, and so is what ``leave_out`` names by the contract's names.
        """
        if operation not in self.agreement.operations:
            return {}
        left = leave_out | {source for name, source in self._sources(operation).items() if name in leave_out}
        arguments = self.methods[operation].arguments
        wanted = {name: expression for name, expression in arguments.items() if not {name, expression.source} & left}
        return self._evaluated(operation, wanted, parts)

    def meant(self, operation: str, parts: Mapping[str, object], *, leave_out: frozenset[str] = frozenset()) -> dict[str, object]:
        """The same by the contract's own names: what the caller means, as far as the client can be told it."""
        if operation not in self.agreement.operations:
            return {}  # a task: its arguments are told as they are
        bound = self.agreement.operations[operation].bind
        own = self.methods[operation].arguments
        sayable = own.keys() | {expression.source for expression in own.values()}
        wanted = {
            name: expression
            for name, expression in (bound.arguments.items() if bound else ())
            if name not in leave_out and {name, expression.source} & sayable
        }
        return self._evaluated(operation, wanted, parts)

    def carried(self, operation: str, parts: Mapping[str, object] | None, meant: Mapping[str, object]) -> Mapping[str, object]:
        """What the requests of a call can be known by: also what the client is told in other words than the contract has for it."""
        terms = self.agreement.operations.get(operation)
        others = {name: each for name, each in (terms.bind.arguments if terms and terms.bind else {}).items() if name not in meant}
        return {**self._evaluated(operation, others, parts), **meant} if parts is not None and others else meant

    def _sources(self, operation: str) -> dict[str, str]:
        bound = self.agreement.operations[operation].bind
        return {name: expression.source for name, expression in bound.arguments.items()} if bound else {}

    def _evaluated(self, operation: str, wanted: Mapping[str, Expression], parts: Mapping[str, object]) -> dict[str, object]:
        terms, found = self.agreement.operations[operation], dict[str, object]()
        for name, expression in wanted.items():
            try:
                found[name] = terms.evaluate(expression, request=parts)
            except EvaluationError:
                continue
        return found

    def assure_installed(self) -> None:
        """NotInstalled when the package or the program of the client is not here."""
        package = self.target.partition(":")[0].partition(".")[0] if self.target else ""
        missing = package if package and package not in sys.modules and find_spec(package) is None else ""
        if self.command and which(self.command[0]) is None:
            missing = self.command[0]
        if self.loop == "trio" and find_spec("trio") is None:
            raise NotInstalled("trio is not installed, and `loop: trio` needs it: pip install trio")
        if missing:
            raise NotInstalled(f"{missing} is not installed: {self.install or 'install it into this environment'}")

    def made_with(self, names: Mapping[str, object]) -> dict[str, object]:
        """What the client is made with."""
        return {name: expression.evaluate({**dict.fromkeys(CONSTRUCT_NAMES), **names}) for name, expression in self.construct.items()}

    def make(self, names: Mapping[str, object]) -> Any:
        """A new client; UnknownClient, with what was tried, when it can't be made."""
        assert self.target is not None
        factory = resolve(self.target)
        tried: Mapping[str, object] = {}
        try:
            tried = self.made_with(names)
            return factory(**tried)
        except (Exception, SystemExit) as error:  # the class is the user's, and may fail in any way
            told = f"{self.target} can't be made with {_listed(tried)}: {type(error).__name__}: {error}{_place(error)}"
            raise UnknownClient(without(str(names.get("credential") or ""), told)) from error


def without(secret: str, text: str) -> str:
    """``text`` without a credential in it."""
    return text.replace(secret, "[credential]") if secret else text


def _listed(arguments: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value!r:.80}" for name, value in arguments.items()) or "no arguments"


def _place(error: BaseException) -> str:
    """Where in the client's own code it was, if it came so far."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return "" if frame.filename == __file__ else f" ({Path(frame.filename).name}:{frame.lineno}, in {frame.name})"


def _typed(value: object, target: str | None) -> object:
    """A mapping made into an object, and so each of a list; whatever else is given stays as it is."""
    if target is None:
        return value
    if isinstance(value, list):
        return [_typed(item, target) for item in value]
    return resolve(target)(**value) if isinstance(value, dict) else value


def resolve(dotted: str) -> Callable[..., Any]:
    """The object that ``package.module:Name`` means; UnknownClient with what to do when there is none."""
    module_name, _, attribute = dotted.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UnknownClient(f"{dotted}: {error}; install it into this environment") from error
    except Exception as error:  # the module is the user's, and may fail in any way
        raise UnknownClient(f"{dotted}: importing the module failed: {type(error).__name__}: {error}") from error
    found = getattr(module, attribute, None)
    if found is None:
        hint = nearest(attribute, [name for name in dir(module) if name[:1].isupper()])
        raise UnknownClient(f"{dotted}: the module has no `{attribute}`" + (f"; {hint}" if hint else ""))
    if not callable(found):
        raise UnknownClient(f"{dotted} is not a class or function that makes a client")
    return found  # type: ignore[no-any-return]  # whatever the module calls it
