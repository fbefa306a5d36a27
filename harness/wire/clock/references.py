"""Finds where a module keeps functions that it took by value: its names, its classes, default arguments."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

Undo = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One place that holds ``old`` and can hold ``new`` instead."""

    owner: Any
    name: str
    old: Any
    new: Any

    def swap(self) -> Undo:
        """Put ``new`` in its place, unless the place holds something else by now; returns what undoes it."""
        return self.undo if self._put(self.old, self.new) else _nothing

    def undo(self) -> None:
        self._put(self.new, self.old)

    def _put(self, expected: object, value: object) -> bool:
        owner, name = self.owner, self.name
        held = getattr(owner, name) if type(owner) is FunctionType else vars(owner).get(name)
        if held is not expected:
            return False
        try:
            setattr(owner, name, value)
        except (AttributeError, TypeError):  # a class that refuses changes keeps the original
            return False
        return True


class Table:
    """Which object is to be replaced by which, compared by identity."""

    def __init__(self, replacements: Mapping[Any, Any]) -> None:
        self._news = {id(old): new for old, new in replacements.items()}
        self._kept = list(replacements)  # an id stays taken only as long as its object lives
        modules = {getattr(old, "__module__", None) for old in self._kept}
        self._sources = {"time", "select", "queue"} | {name for name in modules if name}

    def find(self, module: ModuleType) -> Iterator[Reference]:
        """All references of a module, found without running any code of it."""
        namespace = getattr(module, "__dict__", None)
        if type(namespace) is not dict:
            return
        held = list(namespace.items())
        names = [(name, value) for name, value in held if id(value) in self._news]
        for name, value in names:
            yield Reference(owner=module, name=name, old=value, new=self._news[id(value)])
        if names or any(type(value) is ModuleType and value.__name__ in self._sources for _, value in held):
            for _, value in held:
                yield from self._inner(value, module.__name__)

    def _inner(self, value: Any, module_name: str) -> Iterator[Reference]:
        if type(value) is FunctionType:
            yield from self._defaults(value)
        elif issubclass(type(value), type) and value.__dict__.get("__module__") == module_name:
            for name, attribute in list(value.__dict__.items()):
                yield from self._attribute(value, name, attribute)

    def _attribute(self, owner: type, name: str, value: Any) -> Iterator[Reference]:
        bare = value.__func__ if type(value) in (staticmethod, classmethod) else value
        if type(bare) is FunctionType:
            yield from self._defaults(bare)
        elif (new := self._news.get(id(bare))) is not None:
            yield Reference(
                owner=owner, name=name, old=value, new=type(value)(new) if bare is not value else new
            )

    def _defaults(self, function: FunctionType) -> Iterator[Reference]:
        if (old := function.__defaults__) and any(id(value) in self._news for value in old):
            new = tuple(self._news.get(id(value), value) for value in old)
            yield Reference(owner=function, name="__defaults__", old=old, new=new)
        if (kept := function.__kwdefaults__) and any(id(value) in self._news for value in kept.values()):
            given = {key: self._news.get(id(value), value) for key, value in kept.items()}
            yield Reference(owner=function, name="__kwdefaults__", old=kept, new=given)


def _nothing() -> None:
    """There was nothing to undo."""
