"""The binding from operations to the methods of a client, for any client, by YAML alone.

The contract's own adapter needs no file: its ``bind:`` sections say everything. Another client has one in
``contracts/clients/NAME.yaml``.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from harness.contract.agreement import Agreement, OperationTerms
from harness.contract.expressions import EvaluationError, Expression, ExpressionError, compile_expression
from harness.contract.model import DottedPath, Name, Part
from harness.contract.model import Expression as Source
from harness.contract.problems import ContractError, Place, Problem, nearest
from harness.contract.reader import Document, read_document
from harness.contract.validation import model_problems

CONSTRUCT_NAMES = frozenset({"base_url", "origin", "host", "port", "grpc_port", "credential", "timeout_s"})
METHOD_NAMES = frozenset({"call"})


class UnknownClient(LookupError):
    """The client that was asked for can't be had; the message says what to do."""


class BoundOperation(Part):
    """How this client does one operation, where it differs from the contract's ``bind``."""

    call: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
    arguments: dict[Name, Source] = {}
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


@dataclass(frozen=True, kw_only=True)
class BoundMethod:
    """One operation of a client: the method's dotted name, its arguments and how its value is read."""

    call: str
    arguments: Mapping[str, Expression]
    returns: Expression


@dataclass(frozen=True, kw_only=True)
class Binding:
    """A client, ready to be made and called."""

    name: str
    title: str
    target: str | None
    command: tuple[str, ...] | None
    construct: Mapping[str, Expression]
    methods: Mapping[str, BoundMethod]
    errors: Mapping[str, tuple[str, ...]]
    wire: Literal["httpx", "port"]
    close: str | None
    environment: Mapping[str, Expression]
    agreement: Agreement = field(repr=False)

    def binds(self, operation: str) -> bool:
        """Whether the client has a method for an operation."""
        return operation in self.methods

    def arguments(self, operation: str, parts: Mapping[str, object]) -> dict[str, object]:
        """The arguments of a call that means the request with these parts; what it does not say is left out."""
        terms, found = self.agreement.operations[operation], dict[str, object]()
        for name, expression in self.methods[operation].arguments.items():
            try:
                found[name] = terms.evaluate(expression, request=parts)
            except EvaluationError:
                continue
        return found

    def make(self, names: Mapping[str, object]) -> Any:
        """A new client; UnknownClient when it can't be made."""
        assert self.target is not None
        factory = resolve(self.target)
        arguments = {name: expression.evaluate({**dict.fromkeys(CONSTRUCT_NAMES), **names}) for name, expression in self.construct.items()}
        try:
            return factory(**arguments)
        except TypeError as error:
            raise UnknownClient(f"{self.target} can't be made with {', '.join(arguments) or 'no arguments'}: {error}") from error


def resolve(dotted: str) -> Callable[..., Any]:
    """The object that ``package.module:Name`` means; UnknownClient with what to do when there is none."""
    module_name, _, attribute = dotted.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except ImportError as error:
        raise UnknownClient(f"{dotted}: {error}; install it into this environment") from error
    except AttributeError:
        known = [name for name in dir(importlib.import_module(module_name)) if name[:1].isupper()]
        hint = nearest(attribute, known)
        raise UnknownClient(f"{dotted}: the module has no `{attribute}`" + (f"; {hint}" if hint else "")) from None
    if not callable(found):
        raise UnknownClient(f"{dotted} is not a class or function that makes a client")
    return found  # type: ignore[no-any-return]  # whatever the module calls it


def bind(agreement: Agreement, wanted: str | None, *, clients: Path | None = None) -> Binding:
    """The binding of a client: the contract's adapter, a class by dotted path, or a file by name or path."""
    if wanted is None or (":" in wanted and not wanted.endswith((".yaml", ".yml"))):
        return _by_contract(agreement, wanted or agreement.contract.adapter)
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
    construct = {"base_url": "base_url"} | ({"credential": "credential"} if agreement.contract.provider.auth else {})
    return Binding(
        name=target,
        title=target,
        target=target,
        command=None,
        construct={name: compile_expression(source, names=CONSTRUCT_NAMES) for name, source in construct.items()},
        methods=methods,
        errors={},
        wire="httpx" if _speaks_httpx(target) else "port",
        close=None,
        environment={},
        agreement=agreement,
    )


def _speaks_httpx(target: str) -> bool:
    """Whether a class, or one it derives from, lives in a module that uses httpx: then it is met in process."""
    factory = resolve(target)
    classes = inspect.getmro(factory) if inspect.isclass(factory) else ()
    modules = {inspect.getmodule(kind) for kind in classes} | {inspect.getmodule(factory)}
    foreign = ("requests", "aiohttp", "urllib", "httpx2", "http.client", "urllib3", "socket", "grpc")
    names = {getattr(value, "__name__", "") for module in modules if module for value in vars(module).values() if inspect.ismodule(value)}
    names |= {getattr(value, "__module__", "") or "" for module in modules if module for value in vars(module).values()}
    roots = {name.partition(".")[0] for name in names}
    return "httpx" in roots and not roots & {name.partition(".")[0] for name in foreign}


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
        construct={name: compile_expression(source, names=CONSTRUCT_NAMES) for name, source in model.make.items()},
        methods={name: _method(agreement.operations[name], bound) for name, bound in model.operations.items()},
        errors={name: tuple(errors) for name, errors in model.errors.items()},
        wire=model.wire,
        close=model.close,
        environment={name: compile_expression(source, names=CONSTRUCT_NAMES) for name, source in model.environment.items()},
        agreement=agreement,
    )


def _method(terms: OperationTerms, bound: BoundOperation) -> BoundMethod:
    names = terms.scope.names
    return BoundMethod(
        call=bound.call,
        arguments={name: compile_expression(source, names=names) for name, source in bound.arguments.items()},
        returns=compile_expression(bound.returns, names={"result"}),
    )


def _incoherent(agreement: Agreement, model: ClientFile, document: Document) -> list[Problem]:
    """What a client's file gets wrong about its contract, each with its place."""
    problems: list[Problem] = []

    def problem(steps: tuple[str, ...], message: str, allowed: str = "", hint: str = "") -> None:
        problems.append(Problem(document.key_place(steps), message, allowed, hint))

    if (model.target is None) == (model.command is None):
        problems.append(Problem(Place(document.file), "needs either `target` or `command`", "target: package.module:Class"))
    for name, source in {**model.make, **model.environment}.items():
        section = "make" if name in model.make else "environment"
        _compiled((section, name), source, CONSTRUCT_NAMES, problem)
    for name, bound in model.operations.items():
        terms = agreement.operations.get(name)
        if terms is None:
            hint = nearest(name, agreement.operations)
            problem(("operations", name), f"the contract has no operation `{name}`", ", ".join(agreement.operations), hint)
            continue
        for argument, source in bound.arguments.items():
            _compiled(("operations", name, "arguments", argument), source, terms.scope.names, problem)
        _compiled(("operations", name, "returns"), bound.returns, frozenset({"result"}), problem)
    return problems


def _compiled(steps: tuple[str, ...], source: str, names: frozenset[str], problem: Callable[..., None]) -> None:
    try:
        compile_expression(source, names=names)
    except ExpressionError as error:
        problem(steps, f"can't be parsed: {error.message}", hint=f"column {error.column} of the expression")
