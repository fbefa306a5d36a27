"""Calling a client's methods, of either kind, and taking what comes of it as values."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from enum import Enum
from functools import partial
from inspect import isasyncgen, isawaitable, iscoroutinefunction, isgenerator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from harness.client.bound import UnknownClient
from harness.client.command import ForeignError
from harness.client.traces import trace_of
from harness.exchange import Raised

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal


@runtime_checkable
class RpcStatus(Protocol):
    """An error of gRPC, whatever made it: its status is asked for."""

    def code(self) -> object: ...

    def details(self) -> object: ...


MOST_YIELDED = 1_000  # of what may never come to an end
MOST_CAUSES, MOST_DEPTH, MOST_ITEMS = 8, 6, 200  # of an error, that are looked through
WITHOUT_TRIO = "must be called from async context"  # what trio says where it does not run
STATUS_NAMES = ("status_code", "http_status", "status")  # where errors keep the status that they are about


def method_of(client: Any, dotted: str) -> Any:
    """The method that a dotted name means; AttributeError when the client has none."""
    for name in dotted.split("."):
        client = getattr(client, name)
    return client


async def called(method: Any, arguments: Mapping[str, object], *, portal: "BlockingPortal | None" = None) -> Any:
    """The method's result; one that blocks runs in a thread, in which time is virtual too.

    With a ``portal`` it is called in the loop that this leads to.
    """
    if portal is not None:
        return await asyncio.to_thread(portal.call, partial(_whole, method, arguments))
    if iscoroutinefunction(method):
        return await method(**arguments)
    return await _value(await asyncio.to_thread(_listed, method, arguments))


async def _whole(method: Any, arguments: Mapping[str, object]) -> Any:
    return await _value(_listed(method, arguments))


def _listed(method: Any, arguments: Mapping[str, object]) -> Any:
    """What a method gives back; what it yields one by one as a list, as far as that goes on."""
    value = method(**arguments)
    return list(islice(value, MOST_YIELDED)) if isgenerator(value) else value


async def _value(value: Any) -> Any:
    if not isasyncgen(value):
        return await value if isawaitable(value) else value
    found: list[Any] = []
    async with aclosing(value):
        async for each in value:
            found.append(each)
            if len(found) == MOST_YIELDED:
                break
    return found


@asynccontextmanager
async def entered(manager: Any, *, portal: "BlockingPortal | None" = None) -> AsyncIterator[None]:
    """A context manager of either kind, entered; one that blocks does so in a thread."""
    if portal is not None and hasattr(manager, "__aenter__"):
        manager = portal.wrap_async_context_manager(manager)
    if hasattr(manager, "__aenter__"):
        async with manager:
            yield
        return
    await asyncio.to_thread(manager.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(manager.__exit__, None, None, None)


async def closed(client: Any, close: str | None, *, portal: "BlockingPortal | None" = None) -> None:
    """Close the client, if it can be closed."""
    for name in (close,) if close else ("aclose", "close"):
        method = getattr(client, name, None)
        if callable(method):
            await called(method, {}, portal=portal)
            return


def raised(error: BaseException, names: Mapping[str, tuple[str, ...]], log: Sequence[str]) -> Raised:
    """What an engineer would see of an error; its own class names and the contract's names for them."""
    if any(isinstance(each, RuntimeError) and str(each) == WITHOUT_TRIO for each in (error, error.__cause__, error.__context__)):
        raise UnknownClient("the client needs a loop of trio: say `loop: trio` in its file, contracts/clients/NAME.yaml")
    own = [kind.__name__ for kind in type(error).__mro__ if kind not in (object, BaseException)]
    if isinstance(error, ForeignError):
        own = [error.type, *error.kinds]
    status = _status(error)
    cause = error.__cause__ or error.__context__
    told = {f"{kind} from {source.__name__}" for kind in own for source in (type(cause).__mro__ if cause else ())}
    own += [f"{kind}:{status}" for kind in own if status is not None]
    known = [name for name, aliases in names.items() if set(aliases) & {*own, *told}]
    text = "\n".join((*_shown(error), trace_of(error), *log))
    return Raised(type=own[0], bases=(*own[1:], *known), message=str(error), text=text)


def _status(error: BaseException) -> int | str | None:
    """What an error is about, such as 404, or NOT_FOUND of gRPC."""
    status = next((value for name in STATUS_NAMES if isinstance(value := getattr(error, name, None), int)), None)
    if status is None and isinstance(error, RpcStatus):
        code = error.code()
        return code.name if isinstance(code, Enum) else None
    return status


def _shown(error: BaseException) -> Iterator[str]:
    """What a tracker of errors would send along: the error, and what it and those behind it hold of plain text.

    An object in a field is not looked into: errors of many HTTP libraries hold a request with its headers, and show them nowhere.
    """
    yield repr(error)
    yield str(error)
    behind: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if behind is None:
            return
        yield from _texts([behind.args, {name: value for name, value in vars(behind).items() if not name.startswith("_")}])
        behind = behind.__cause__ or (None if behind.__suppress_context__ else behind.__context__)


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """The text in a value of plain mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | bytearray):
        yield value.decode("utf-8", "replace")
    elif type(value) in (dict, list, tuple, set, frozenset) and depth < MOST_DEPTH:
        items = chain.from_iterable(value.items()) if isinstance(value, dict) else value
        for item in islice(items, MOST_ITEMS):  # type: ignore[call-overload]  # it is one of these four
            yield from _texts(item, depth + 1)


def spoil(value: Any) -> None:
    """Overwrite what a client handed out, where it can be: it belongs to the caller now."""
    if isinstance(value, np.ndarray):
        if value.flags.writeable:
            value[...] = 0
    elif isinstance(value, list):
        for item in value:
            spoil(item)
        value.clear()
    elif isinstance(value, dict):
        for item in value.values():
            spoil(item)
        value.clear()
