"""The binding from operations to the methods of a client, for any client, by YAML alone.

A class that is made for the contract needs no file: its ``bind:`` sections say everything. Any other client has one
in ``contracts/clients/NAME.yaml``.
"""

# ruff: noqa: RUF012 -- pydantic copies the default of each field, and the models are frozen

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from harness.client.stack import speaks_httpx_only
from harness.contract.agreement import Agreement, OperationTerms
from harness.contract.expressions import EvaluationError, Expression, ExpressionError, compile_expression
from harness.contract.model import DottedPath, Name, Part
from harness.contract.model import Expression as Source
from harness.contract.problems import ContractError, Place, Problem, nearest
from harness.contract.reader import Document, read_document
from harness.contract.validation import model_problems

CONSTRUCT_NAMES = frozenset({"base_url", "origin", "host", "port", "grpc_port", "credential", "timeout_s"})
RETURN_NAMES = frozenset({"result", "arguments"})


class UnknownClient(LookupError):
    """The client that was asked for can't be had; the message says what to do."""


class NotInstalled(UnknownClient):
    """The client is none of the packages here; the message says how to get it."""


class BoundOperation(Part):
    """How this client does one operation, where it differs from the contract's ``bind``."""

    call: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
    arguments: dict[Name, Source] = {}
    types: dict[Name, DottedPath] = {}
    returns: Source = "result"


class ClientFile(Part):
    """A client's binding: what it is, how it is made, which method an operation is."""

    client: Literal[1]
    contract: str
    title: str
    target: DottedPath | None = None
    command: list[str] | None = None
    install: str = ""
    make: dict[Name, Source] = {}
    wire: Literal["httpx", "port"] = "port"
    operations: dict[Name, BoundOperation] = Field(min_length=1)
    errors: dict[Name, list[str]] = {}
    close: str | None = None
    environment: dict[str, Source] = {}
    grpc: dict[Name, Source] = {}


@dataclass(frozen=True, kw_only=True)
class BoundMethod:
    """One operation of a client: the method's dotted name, its arguments and how its value is read."""

    call: str
    arguments: Mapping[str, Expression]
    returns: Expression
    types: Mapping[str, str] = field(default_factory=dict)

    def typed(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """The arguments as the method takes them: those of a class of the client's own are made here, by their fields."""
        return {name: _typed(value, self.types.get(name)) for name, value in arguments.items()}


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
        left = leave_out | {source for name, source in self._sources(operation).items() if name in leave_out}
        arguments = self.methods[operation].arguments
        wanted = {name: expression for name, expression in arguments.items() if not {name, expression.source} & left}
        return self._evaluated(operation, wanted, parts)

    def meant(self, operation: str, parts: Mapping[str, object], *, leave_out: frozenset[str] = frozenset()) -> dict[str, object]:
        """The same by the contract's own names: what the caller means, as far as the client can be told it."""
        bound = self.agreement.operations[operation].bind
        own = self.methods[operation].arguments
        sayable = own.keys() | {expression.source for expression in own.values()}
        wanted = {
            name: expression
            for name, expression in (bound.arguments.items() if bound else ())
            if name not in leave_out and {name, expression.source} & sayable
        }
        return self._evaluated(operation, wanted, parts)

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
        if missing:
            raise NotInstalled(f"{missing} is not installed: {self.install or 'install it into this environment'}")

    def made_with(self, names: Mapping[str, object]) -> dict[str, object]:
        """What the client is made with."""
        return {name: expression.evaluate({**dict.fromkeys(CONSTRUCT_NAMES), **names}) for name, expression in self.construct.items()}

    def make(self, names: Mapping[str, object]) -> Any:
        """A new client; UnknownClient when it can't be made."""
        assert self.target is not None
        factory = resolve(self.target)
        arguments = self.made_with(names)
        try:
            return factory(**arguments)
        except TypeError as error:
            raise UnknownClient(f"{self.target} can't be made with {', '.join(arguments) or 'no arguments'}: {error}") from error


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


def bind(agreement: Agreement, wanted: str | None, *, clients: Path | None = None) -> Binding:
    """The binding of a client: the contract's adapter, a class by dotted path, or a file by name or path."""
    wanted = wanted or agreement.contract.adapter
    if ":" in wanted and not wanted.endswith((".yaml", ".yml")):
        return _by_contract(agreement, wanted)
    path = Path(wanted)
    if not wanted.endswith((".yaml", ".yml")):
        folder = clients or agreement.path.parent / "clients"
        path = folder / f"{wanted}.yaml"
        if not path.is_file():
            known = sorted(found.stem for found in folder.glob("*.yaml"))
            hint = nearest(wanted, known)
            raise UnknownClient(
                f"there is no client `{wanted}`: give package.module:Class, a YAML file, or one of {', '.join(known) or 'none yet'}"
                + (f"; {hint}" if hint else "")
            )
    return _by_file(agreement, path)


def _by_contract(agreement: Agreement, target: str) -> Binding:
    methods = {
        name: BoundMethod(call=terms.model.bind.call, arguments=terms.bind.arguments, returns=terms.bind.returns)
        for name, terms in agreement.operations.items()
        if terms.bind is not None and terms.model.bind is not None
    }
    construct = _constructor(target, with_credential=agreement.contract.provider.auth is not None)
    return Binding(
        name=target,
        title=target,
        target=target,
        command=None,
        construct={name: compile_expression(source, names=CONSTRUCT_NAMES) for name, source in construct.items()},
        methods=methods,
        errors={},
        wire="httpx" if speaks_httpx_only(resolve(target)) else "port",
        close=None,
        environment={},
        over_grpc=_options_for_grpc(agreement, target),
        agreement=agreement,
    )


def _options_for_grpc(agreement: Agreement, target: str) -> dict[str, Expression]:
    """What the contract says that a client is made with to speak gRPC; nothing for a class that does not take it."""
    declared = agreement.contract.provider.grpc
    try:
        parameters = inspect.signature(resolve(target)).parameters
    except (TypeError, ValueError):
        return {}
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    if declared is None or not (takes_any or declared.client.keys() <= parameters.keys()):
        return {}
    problems: list[Problem] = []

    def problem(steps: tuple[str, ...], message: str, allowed: str = "", hint: str = "") -> None:
        problems.append(Problem(agreement.document.key_place(steps), message, allowed, hint))

    for name, source in declared.client.items():
        _compiled(("provider", "grpc", "client", name), source, CONSTRUCT_NAMES, problem)
    if problems:
        raise ContractError(problems)
    return {name: compile_expression(source, names=CONSTRUCT_NAMES) for name, source in declared.client.items()}


NAMES_OF: Mapping[str, tuple[str, ...]] = {
    "base_url": ("base_url", "url", "api_base", "endpoint", "base_uri", "host_url"),
    "credential": ("credential", "api_key", "key", "token", "credentials", "apikey"),
}


def _constructor(target: str, *, with_credential: bool) -> dict[str, str]:
    """What a class is made with, by the names that it has for a base URL and a credential.

    One that takes no credential reads it from the environment. UnknownClient when it needs something else.
    """
    wanted = ("base_url", "credential") if with_credential else ("base_url",)
    try:
        parameters = inspect.signature(resolve(target)).parameters
    except (TypeError, ValueError):  # a builtin tells nothing about itself
        return {name: name for name in wanted}
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    named = {name for name, parameter in parameters.items() if parameter.kind not in _NOT_BY_NAME}
    found = {}
    for wish in wanted:
        known = next((name for name in NAMES_OF[wish] if name in named), wish if takes_any else None)
        if known is not None:
            found[known] = wish
    missing = [name for name, parameter in parameters.items() if parameter.default is parameter.empty and name in named - found.keys()]
    if missing:
        raise UnknownClient(
            f"{target} needs {', '.join(missing)}, and only a base URL and a credential can be guessed: "
            "say in contracts/clients/NAME.yaml, under `make:`, how it is made, and name that file instead"
        )
    return found


_NOT_BY_NAME = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY)


def _by_file(agreement: Agreement, path: Path) -> Binding:
    document = read_document(path)
    try:
        model = ClientFile.model_validate(document.value)
    except ValidationError as error:
        raise ContractError(model_problems(error, document, ClientFile)) from None
    problems = list(_incoherent(agreement, model, document))
    if problems:
        raise ContractError(problems)
    return Binding(
        name=path.stem,
        title=model.title,
        target=model.target,
        command=tuple(model.command) if model.command else None,
        folder=path.resolve().parent,
        install=model.install,
        construct={name: compile_expression(source, names=CONSTRUCT_NAMES) for name, source in model.make.items()},
        methods={name: _method(agreement.operations[name], bound) for name, bound in model.operations.items()},
        errors={name: tuple(errors) for name, errors in model.errors.items()},
        wire=model.wire,
        close=model.close,
        environment={name: compile_expression(source, names=CONSTRUCT_NAMES) for name, source in model.environment.items()},
        over_grpc={name: compile_expression(source, names=CONSTRUCT_NAMES) for name, source in model.grpc.items()},
        agreement=agreement,
    )


def _method(terms: OperationTerms, bound: BoundOperation) -> BoundMethod:
    names = terms.scope.names
    return BoundMethod(
        call=bound.call,
        arguments={name: compile_expression(source, names=names) for name, source in bound.arguments.items()},
        returns=compile_expression(bound.returns, names=RETURN_NAMES),
        types=bound.types,
    )


def _incoherent(agreement: Agreement, model: ClientFile, document: Document) -> list[Problem]:
    """What a client's file gets wrong about its contract, each with its place."""
    problems: list[Problem] = []

    def problem(steps: tuple[str, ...], message: str, allowed: str = "", hint: str = "") -> None:
        problems.append(Problem(document.key_place(steps), message, allowed, hint))

    if (model.target is None) == (model.command is None):
        problems.append(Problem(Place(document.file), "needs either `target` or `command`", "target: package.module:Class"))
    if model.command is not None and model.wire == "httpx":
        problem(("wire",), "a command is another process: nothing here is beneath its HTTP stack", "port")
    for section, sources in (("make", model.make), ("environment", model.environment), ("grpc", model.grpc)):
        for name, source in sources.items():
            _compiled((section, name), source, CONSTRUCT_NAMES, problem)
    for name, bound in model.operations.items():
        terms = agreement.operations.get(name)
        if terms is None:
            hint = nearest(name, agreement.operations)
            problem(("operations", name), f"the contract has no operation `{name}`", ", ".join(agreement.operations), hint)
            continue
        for argument, source in bound.arguments.items():
            _compiled(("operations", name, "arguments", argument), source, terms.scope.names, problem)
        _compiled(("operations", name, "returns"), bound.returns, RETURN_NAMES, problem)
        for argument in bound.types.keys() - bound.arguments.keys():
            problem(("operations", name, "types", argument), f"`{argument}` is none of the arguments", ", ".join(bound.arguments))
    return problems


def _compiled(steps: tuple[str, ...], source: str, names: frozenset[str], problem: Callable[..., None]) -> None:
    try:
        compile_expression(source, names=names)
    except ExpressionError as error:
        problem(steps, f"can't be parsed: {error.message}", hint=f"column {error.column} of the expression")
