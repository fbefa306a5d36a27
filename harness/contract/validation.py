"""Pydantic's errors as problems with a place in the file, what is allowed and the nearest right spelling."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from harness.contract.problems import ALLOWED, Problem, looks_secret, nearest, shown
from harness.contract.reader import Document, Steps
from harness.contract.words import MEANINGS

MOST_EXPLAINED = 500  # looking for the nearest spelling takes its time

_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "dict_type": "a mapping of `key: value`",
    "model_type": "a mapping of `key: value`",
    "model_attributes_type": "a mapping of `key: value`",
    "list_type": "a list of `- item`",
}
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "{} or less"),
    "too_short": ("min_length", "at least {}"),
    "too_long": ("max_length", "at most {}"),
    "string_too_short": ("min_length", "at least {} character"),
    "string_too_long": ("max_length", "at most {} characters"),
}

_UNQUOTED = re.compile(r"-?[0-9.]{1,20}|true|false")

Detail = dict[str, Any]


def model_problems(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """One problem for each thing that is wrong with a document."""
    details: list[Detail] = [dict(detail) for detail in error.errors(include_url=False, include_context=True)][:MOST_EXPLAINED]
    located = [(existing_steps(document.value, detail["loc"]), detail) for detail in details]
    problems: list[Problem] = []
    for steps, group in groupby(located, key=lambda pair: (pair[0], _single(pair[1]))):
        problems.append(_problem([detail for _, detail in group], steps[0], document, model))
    return problems


def _single(detail: Detail) -> str:
    """What keeps an error from being one with its neighbours: only the branches of a union are one."""
    return str(detail["loc"]) if detail["type"] in ("extra_forbidden", "missing") or "[key]" in detail["loc"] else ""


def _problem(group: list[Detail], steps: Steps, document: Document, model: type[BaseModel]) -> Problem:
    detail = group[0]
    kind, name = detail["type"], str(detail["loc"][-1]) if detail["loc"] else ""
    if kind == "extra_forbidden":
        allowed = _fields(_model_at(model, steps[:-1]))
        return Problem(document.key_place(steps), f"{shown(name)} is unknown{_in(steps[:-1])}", ", ".join(allowed), nearest(name, allowed))
    if kind == "missing":
        return Problem(document.place(steps), f"`{name}` is missing{_in(steps)}")
    if kind == "empty" or (detail.get("input") is None and kind in _TYPES):
        needed = not steps or detail.get("ctx", {}).get("required", False)
        hint = "give it a value" if needed else "leave the key out if it has no value"
        return Problem(document.key_place(steps), f"{_subject(steps)} is empty", _expected(group), hint)
    if name == "[key]":
        return Problem(document.key_place(steps), *_explained(group, steps[:-1], of=f"the key {shown(detail.get('input'))}"))
    return Problem(document.place(steps), *_explained(group, steps, of=_said(detail, steps)))


def _explained(group: list[Detail], steps: Steps, *, of: str) -> tuple[str, str, str]:
    """Message, what is allowed and a hint, for one value; ``group`` is what each branch of a union said."""
    detail = group[0]
    kind, context, value = detail["type"], detail.get("ctx", {}), detail.get("input")
    if kind == "value_error":
        message, _, allowed = detail["msg"].removeprefix("Value error, ").partition(ALLOWED)
        return message + _in(steps), allowed, nearest(str(value), re.findall(r"`([A-Za-z_]+)`", allowed))
    if kind in ("literal_error", "enum"):
        words = [word.strip("' ") for word in str(context.get("expected", "")).replace(" or ", ",").split(",")]
        return f"{of} is not allowed{_in(steps)}", ", ".join(words), nearest(str(value), words)
    return f"{of} is wrong{_in(steps)}", _expected(group), "" if _is_secret(steps) else _quotes(kind, value)


def _expected(group: Iterable[Detail]) -> str:
    """What would be right, in words; of a union each branch once."""
    return " or ".join(dict.fromkeys(filter(None, map(_expectation, group))))


def _expectation(detail: Detail) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _TYPES:
        return _TYPES[kind]
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        return MEANINGS.get(pattern, f"text that matches {pattern}")
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return words.format(context.get(bound))
    return "" if kind == "empty" else str(detail["msg"]).lower()


def _said(detail: Detail, steps: Steps) -> str:
    """The value that is wrong; nothing of it where a secret belongs."""
    value = detail.get("input")
    if _is_secret(steps):
        return "a literal value" if not isinstance(value, dict | list) else shown(value)
    return shown(value)


def _quotes(kind: str, value: object) -> str:
    """What quotes have to do with it, if they have."""
    if kind == "string_type" and isinstance(value, int | float):
        return f'as text it is written "{str(value).lower() if isinstance(value, bool) else value}"'
    if kind in ("int_type", "float_type", "bool_type") and isinstance(value, str) and _UNQUOTED.fullmatch(value):
        return "it is written without quotes"
    return ""


def _is_secret(steps: Steps) -> bool:
    return "auth" in steps or "credential" in steps


def _subject(steps: Steps) -> str:
    return f"`{_dotted(steps)}`" if steps else "the file"


def _dotted(steps: Steps) -> str:
    return ".".join("…" if looks_secret(str(step)) else str(step) for step in steps)


def _in(steps: Steps) -> str:
    return f" in `{_dotted(steps)}`" if steps else " here"


def existing_steps(value: Any, location: Iterable[str | int]) -> Steps:
    """The steps of pydantic's location that exist in the file, and the last one if it is missing or unknown."""
    steps: list[str | int] = []
    for step in location:
        key = str(step) if isinstance(value, Mapping) else step
        if isinstance(value, Mapping) and key in value:
            value = value[str(key)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            continue  # the tag of a union, `[key]`, or a missing key
        steps.append(key)
    return tuple(steps)


def _model_at(model: type[BaseModel], steps: Steps) -> type[BaseModel] | None:
    current: Any = model
    for step in steps:
        current = _step_into(current, str(step))
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _step_into(annotation: Any, step: str) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if step == (field.alias or name):
                return _unwrapped(field.annotation)
        return None
    arguments = get_args(annotation)
    return _unwrapped(arguments[-1]) if arguments else None


def _unwrapped(annotation: Any) -> Any:
    """``X`` out of ``X | None`` and ``Annotated[X, …]``; containers stay."""
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    if hasattr(annotation, "__metadata__") or (type(None) in get_args(annotation) and len(arguments) == 1):
        return _unwrapped(arguments[0])
    return annotation


def _fields(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]
