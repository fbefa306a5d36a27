"""Pydantic's errors as problems with a place in the file, what is allowed and the nearest right spelling."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from harness.contract.problems import Problem, nearest
from harness.contract.reader import Document, Steps


def model_problems(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """One problem for each thing that is wrong with a document."""
    return [_problem(dict(detail), document, model) for detail in error.errors(include_url=False, include_context=True)]


def _problem(detail: dict[str, Any], document: Document, model: type[BaseModel]) -> Problem:
    steps = _existing(document.value, detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    if kind == "extra_forbidden":
        allowed = _fields(_model_at(model, steps[:-1]))
        return Problem(document.key_place(steps), f"`{name}` is unknown here", ", ".join(allowed), nearest(name, allowed))
    if kind == "missing":
        return Problem(document.place(steps), f"`{name}` is missing{_in(steps)}")
    place = document.place(steps)
    shown = "a literal value" if name == "credential" else _shown(detail.get("input"))
    if kind in ("literal_error", "enum"):
        expected = str(context.get("expected", ""))
        words = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
        return Problem(place, f"{shown} is not allowed{_in(steps)}", expected, nearest(str(detail.get("input")), words))
    if kind == "string_pattern_mismatch":
        return Problem(place, f"{shown} is malformed{_in(steps)}", _pattern_meaning(name, str(context.get("pattern", ""))))
    message = detail["msg"].removeprefix("Value error, ")
    return Problem(place, f"{message}{_in(steps)}" if kind == "value_error" else f"{shown}: {message.lower()}{_in(steps)}")


def _pattern_meaning(name: str, pattern: str) -> str:
    if name == "credential":
        return "`${NAME}`, a reference to the environment: a secret never stands in a contract"
    return f"text that matches {pattern}"


def _shown(value: object) -> str:
    """Scalars are shown unless they are long: what is in the wrong place may be a secret or a body."""
    if isinstance(value, str) and len(value) > 60:
        return f"text of {len(value)} characters"
    return f"`{value}`" if isinstance(value, str | int | float | bool) else "nothing" if value is None else type(value).__name__


def _in(steps: Steps) -> str:
    return f" in `{'.'.join(map(str, steps))}`" if steps else ""


def _existing(value: Any, location: Iterable[str | int]) -> Steps:
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
            if step in (name, field.alias):
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
