"""What a call asks for, item by item: known by the item itself and the options that hold for it."""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import orjson

from harness.checks.sight import Seen
from harness.contract.agreement import OperationTerms
from harness.contract.expressions import EvaluationError
from harness.exchange import Call

Key = str
LARGE = 2**16  # bytes: from here on an item is known by its digest, as megabytes are slow to copy and to compare


def asked(call: Call, terms: OperationTerms) -> list[Key]:
    """The keys of the items that a call asks for; one for the whole call where it has no items."""
    given = given_items(call, terms)
    options = _options(call, terms)
    return [options] if given is None else _keys(given, options)


def carried(call: Call, terms: OperationTerms, sent: Iterable[Seen]) -> list[Key]:
    """The keys of what these requests of a call ask for."""
    options, found = _options(call, terms), list[Key]()
    for seen in sent:
        if given_items(call, terms) is None:
            found.append(options)
        else:
            found += _keys(sent_items(terms, seen) or [], options)
    return found


def given_items(call: Call, terms: OperationTerms) -> list[object] | None:
    """The items that the caller gave; None where the operation is not split, or no list was given."""
    bind = terms.model.bind
    split = bind.split if bind else None
    given = call.arguments.get(split.argument) if split else None
    if not isinstance(given, list):
        return None
    if split is None or bind is None or bind.arguments.get(split.argument) == split.items:
        return given
    return _read_from(_Itself(call, terms)) or given


class _Itself:
    """A call of an operation, known by being itself: several checks ask of it in turn, and what it holds may be large."""

    __slots__ = ("call", "terms")

    def __init__(self, call: Call, terms: OperationTerms) -> None:
        self.call, self.terms = call, terms

    def __hash__(self) -> int:
        return id(self.call)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.call is other.call and self.terms is other.terms


@lru_cache(maxsize=4)
def _read_from(itself: _Itself) -> list[object] | None:
    """The items of the request that is meant: the caller may have said them in another form than they are compared in."""
    call, terms = itself.call, itself.terms
    if call.intended is None or terms.bind is None or terms.bind.split_items is None:
        return None
    try:
        items = terms.evaluate(terms.bind.split_items, request=call.intended)
    except EvaluationError:
        return None
    return items if isinstance(items, list) else None


def sent_items(terms: OperationTerms, seen: Seen) -> list[object] | None:
    """The items in one request; None when it can't be told."""
    if terms.bind is None or terms.bind.split_items is None or seen.terms is not terms:
        return None
    if "sent_items" not in seen.memory:
        try:
            seen.memory["sent_items"] = terms.bind.split_items.evaluate(seen.names)
        except EvaluationError:
            seen.memory["sent_items"] = None
    items = seen.memory["sent_items"]
    return items if isinstance(items, list) else None


def item_text(item: object) -> str:
    """An item as text that is equal for equal items; a member that is null is as good as none."""
    if type(item) is str:  # nearly all are, and there are many
        return f'"{item}"'
    if type(item) is dict and None in item.values():
        item = {name: value for name, value in item.items() if value is not None}
    try:
        raw = orjson.dumps(item, default=_plainer, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # it knows no larger integers, and no halves of characters
        raw = json.dumps(item, default=repr, sort_keys=True).encode()
    if b".0" in raw:
        raw = _WHOLE.sub(b"", raw)
    return raw.decode() if len(raw) < LARGE else blake2b(raw).hexdigest()


_WHOLE = re.compile(rb"\.0(?<=\d\.0)(?=[,\]}]|$)")  # 1.0 is 1; it begins with what can be searched for fast, for items of megabytes


def _plainer(value: object) -> object:
    return float(value) if isinstance(value, float) else repr(value)


def _keys(items: list[object], options: str) -> list[Key]:
    return [f"{item_text(item)} {options}" for item in items]


def _options(call: Call, terms: OperationTerms) -> str:
    """What else decides the answer: the arguments as they were said, and the defaults for those left open."""
    return _options_of(_Itself(call, terms))


@lru_cache(maxsize=4)
def _options_of(itself: _Itself) -> str:
    call, terms = itself.call, itself.terms
    bind = terms.model.bind
    split = bind.split.argument if bind and bind.split and given_items(call, terms) is not None else None
    sources = bind.arguments if bind else {}
    said = {sources.get(name, name): value for name, value in call.arguments.items() if value is not None and name != split}
    left = {f"request.body.{field}": value for field, value in terms.model.request.defaults.items()}
    return json.dumps([terms.name, {**left, **said}], default=repr, sort_keys=True)
