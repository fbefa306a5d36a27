"""The binding from operations to the methods of a client, for any client, by YAML alone.

A class that is made for the contract needs no file: its ``bind:`` sections say everything. Any other client has one
in ``contracts/clients/NAME.yaml``.
"""

# ruff: noqa: RUF012 -- pydantic copies the default of each field, and the models are frozen

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from harness.client.bound import CONSTRUCT_NAMES, Binding, BoundMethod, NotInstalled, UnknownClient, resolve
from harness.client.stack import speaks_httpx_only
from harness.contract.agreement import Agreement, OperationTerms
from harness.contract.expressions import Expression, ExpressionError, compile_expression
from harness.contract.model import DottedPath, Name, Part
from harness.contract.model import Expression as Source
from harness.contract.problems import ContractError, Place, Problem, nearest
from harness.contract.reader import Document, read_document
from harness.contract.validation import model_problems

__all__ = ["Binding", "BoundMethod", "ClientFile", "NotInstalled", "UnknownClient", "bind", "resolve"]

RETURN_NAMES = frozenset({"result", "arguments"})


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
    loop: Literal["asyncio", "trio"] = "asyncio"
    operations: dict[Name, BoundOperation] = Field(min_length=1)
    errors: dict[Name, list[str]] = {}
    close: str | None = None
    environment: dict[str, Source] = {}
    grpc: dict[Name, Source] = {}


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
        name: BoundMethod(
            call=terms.model.bind.call, arguments=terms.bind.arguments, returns=terms.bind.returns, report=terms.bind.report
        )
        for name, terms in agreement.operations.items()
        if terms.bind is not None and terms.model.bind is not None
    }
    for name, task in agreement.contract.tasks.items():
        methods[name] = BoundMethod(call=task.call, arguments={}, returns=compile_expression("result", names=RETURN_NAMES))
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
        loop=model.loop,
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
    if model.loop == "trio" and (model.wire == "httpx" or model.command is not None):
        problem(("loop",), "is for a target at a port: beneath httpx there is asyncio, and a command has its own loop", "asyncio")
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
        where = f"column {error.column} of the expression"
        problem(steps, f"can't be parsed: {error.message}", hint=f"{where}; {error.hint}" if error.hint else where)
