"""What a liar made different, in lines of text: a minus for what was seen without it, a plus for what was seen with it."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from harness.exchange import Observation, Request, Response
from harness.proof.sameness import exchanges_of

MOST_LINES, MOST_CHARACTERS = 6, 120
HIDDEN = "[credential]"


def told_apart(honest: Observation, lied: Observation, *, answers: bool) -> tuple[str, ...]:
    """The places in which two observations differ, the first few; of a lying provider its ``answers`` alone.

    No credential is shown, though a lie may be about one.
    """
    secrets = (*honest.secrets, *lied.secrets)
    before, after = ({place: _text(value) for place, value in _leaves(_subject(each, answers=answers))} for each in (honest, lied))
    places = [place for place in {**before, **after} if before.get(place) != after.get(place)]
    if not places and not answers:
        return ("what differs is not what was said but how, such as white space in a body",)
    lines = [
        line
        for place in places[:MOST_LINES]
        for sign, side in (("-", before), ("+", after))
        for line in ([f"{sign} {place}: {_shown(side[place], secrets)}"] if place in side else [])
    ]
    if len(places) > MOST_LINES:
        lines.append(f"… and {len(places) - MOST_LINES} more places")
    return tuple(lines)


def _subject(observation: Observation, *, answers: bool) -> Any:
    return [each.response or each.failure for each in exchanges_of(observation)] if answers else observation


def _leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every part that has no parts, by its place."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.name == "secrets":
                continue
            inner = getattr(value, field.name)
            yield from _leaves(_body(value, inner) if field.name == "body" else inner, f"{at}/{field.name}")
    elif isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{at}/{key}")
    elif isinstance(value, list | tuple) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{at}/{index}")
    else:
        yield at or "/", value


def _body(message: Any, body: Any) -> Any:
    if isinstance(message, Request | Response):
        try:
            return message.json()
        except ValueError:
            return body.decode(errors="replace") if isinstance(body, bytes) else body
    return body


def _text(value: Any) -> str:
    plain = value.value if isinstance(value, Enum) else value
    try:
        return json.dumps(plain, ensure_ascii=False)
    except (TypeError, ValueError):
        return repr(plain)


def _shown(text: str, secrets: tuple[str, ...]) -> str:
    for secret in filter(None, secrets):
        text = text.replace(secret, HIDDEN)
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
