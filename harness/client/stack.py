"""Which HTTP stack is a client made of? By what its own modules import, also inside of functions."""

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType

# Every other way onto a network that a client could take; the rest of `urllib` only reads what others fetch.
URLLIB = frozenset({"urlopen", "build_opener", "urlretrieve", "OpenerDirector"})
OTHERS = (
    "aiohttp",
    "grpc",
    "h11",
    "http.client",
    "httpcore",
    "httpx2",
    "niquests",
    "pycurl",
    "requests",
    "socket",
    "subprocess",
    "urllib3",
    "websockets",
    *(f"urllib.request.{name}" for name in URLLIB),
)


def speaks_httpx_only(factory: object) -> bool:
    """Whether a class, or a function that makes one, uses httpx and no other way onto the network."""
    imported = {name for module in _modules_of(factory) for name in _imports(module)}
    return _any_of(imported, "httpx") and not any(_any_of(imported, other) for other in OTHERS)


def _any_of(imported: set[str], name: str) -> bool:
    return any(each == name or each.startswith(f"{name}.") for each in imported)


def _modules_of(factory: object) -> list[ModuleType]:
    """The modules of a class, of those it derives from, and of the classes that these modules take from elsewhere."""
    classes = inspect.getmro(factory) if inspect.isclass(factory) else ()
    own = [module for module in map(inspect.getmodule, (factory, *classes)) if module]
    others = [inspect.getmodule(value) for module in own for value in vars(module).values() if inspect.isclass(value)]
    found = {module.__name__: module for module in (*own, *others) if module and not _is_library(module)}
    return list(found.values())


def _is_library(module: ModuleType) -> bool:
    """Whether a module is not the client's own work: what it could do says nothing about what is done with it."""
    root = module.__name__.partition(".")[0]
    installed = "site-packages" in (getattr(module, "__file__", None) or "") and root != "adapters"
    return root == "harness" or root in sys.stdlib_module_names or installed


@cache
def _imports(module: ModuleType) -> frozenset[str]:
    """The dotted names of all that a module imports; every other stack when its source is not to be had."""
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError, SyntaxError):
        return frozenset(OTHERS)
    return frozenset(_imported(tree))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and node.attr in URLLIB:
            yield f"urllib.request.{node.attr}"
