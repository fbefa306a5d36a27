"""Parameters of a request as their schemas speak of them: in a URL all of them are text."""

from collections.abc import Mapping


def typed_parameter(text: str, schema: Mapping[str, object]) -> object:
    """The text of a parameter as the number or truth value that its schema speaks of, where it is one."""
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    for kind, convert in (("integer", int), ("number", float)):
        if kind in kinds:
            try:
                return convert(text)
            except ValueError:
                continue
    return text
