"""A cassette as a value: what was exchanged, when, with whom; read safely, with every problem at its place."""

import datetime as calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StringConstraints, ValidationError

from harness.contract.problems import ContractError, Problem
from harness.contract.reader import Document, Steps, read_document
from harness.contract.validation import model_problems
from harness.exchange import Exchange, Headers, Level, Request, Response
from harness.suites.cassette.secrets import Secrets, obvious_secret

PRIVATE_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key"})


class Label(BaseModel):
    """What a cassette was recorded against, when, by which client and under which contract; null is unknown.

    ``given`` is the state of the contract that the provider was brought into first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    against: Literal["stub", "embedded", "container", "live"]
    date: calendar.date | None = None
    by: str | None = None
    contract: str | None = None
    given: str | None = None

    @property
    def level(self) -> Level:
        """A recording of a stub is worth what a stub is."""
        return Level.STUB if self.against == "stub" else Level.RECORDED

    def told(self, today: calendar.date) -> str:
        """The label in a sentence, the age included."""
        age = f"on {self.date} ({(today - self.date).days} days ago)" if self.date else "on an unknown date"
        return f"recorded against {self.against} {age} by {self.by or 'an unknown client'} under {self.contract or 'no contract'}"


UNLABELLED = "recorded against something that its label does not say, so it counts as a stub"


class _Lenient(BaseModel):
    """vcrpy's own format, of which other versions of it say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Status(_Lenient):
    code: Annotated[StrictInt, Field(ge=100, le=599)]


class _Body(_Lenient):
    string: str | None = None


_Headers = dict[str, Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]]


class _Request(_Lenient):
    method: Annotated[str, StringConstraints(pattern=r"^[A-Z]+$")]
    uri: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+(/[^\s]*)?$")]
    headers: _Headers = {}
    body: str | None = None


class _Response(_Lenient):
    status: _Status
    headers: _Headers = {}
    body: _Body = _Body()


class _Interaction(_Lenient):
    request: _Request
    response: _Response


class _Metadata(_Lenient):
    recorded: Label | None = None


class _File(_Lenient):
    version: Literal[1]
    metadata: _Metadata = _Metadata()
    interactions: list[_Interaction] = Field(min_length=1)


@dataclass(frozen=True, kw_only=True)
class Tape:
    """A cassette that has been read."""

    path: Path
    label: Label | None
    exchanges: tuple[Exchange, ...] = field(repr=False)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def level(self) -> Level:
        """What the recorded answers are worth as evidence."""
        return self.label.level if self.label else Level.STUB

    def told(self, today: calendar.date) -> str:
        """What it was recorded against, and its age."""
        return f"{self.path.name} was {self.label.told(today) if self.label else UNLABELLED}"


def read_tape(path: Path, *, shown_as: str, secrets: Secrets) -> Tape:
    """Read a cassette; ContractError with every problem, a credential in it among them."""
    document = read_document(path, shown_as=shown_as)
    problems = list(_leaks(document, secrets))
    try:
        file = _File.model_validate(document.value)
    except ValidationError as error:
        raise ContractError([*problems, *model_problems(error, document, _File)]) from None
    if problems:
        raise ContractError(problems)
    return Tape(path=path, label=file.metadata.recorded, exchanges=tuple(map(_exchange, file.interactions)))


def _leaks(document: Document, secrets: Secrets) -> Iterator[Problem]:
    """What must not be in a file that is committed; the text itself is never shown."""
    hint = "remove it, and revoke it if it was ever committed"
    for steps, value in _scalars(document.value, ()):
        found = "the credential in use" if secrets.found_in(value) else obvious_secret(value)
        if found:
            yield Problem(document.place(steps), f"holds {found}", "nothing secret", hint)
    interactions = document.value.get("interactions") if isinstance(document.value, dict) else None
    for steps, headers in _headers(interactions if isinstance(interactions, list) else []):
        for name in headers:
            if name.lower() in PRIVATE_HEADERS | secrets.headers:
                yield Problem(
                    document.key_place((*steps, name)),
                    f"holds the header `{name}`",
                    "headers that hold no secret",
                    hint,
                )


def _scalars(value: Any, steps: Steps) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _scalars(item, (*steps, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _scalars(item, (*steps, index))
    elif isinstance(value, str):
        yield steps, value


def _headers(interactions: list[Any]) -> Iterator[tuple[Steps, dict[str, Any]]]:
    for index, interaction in enumerate(interactions):
        for part in ("request", "response"):
            side = interaction.get(part) if isinstance(interaction, dict) else None
            headers = side.get("headers") if isinstance(side, dict) else None
            if isinstance(headers, dict):
                yield ("interactions", index, part, "headers"), headers


def _exchange(interaction: _Interaction) -> Exchange:
    request, response = interaction.request, interaction.response
    split = urlsplit(request.uri)
    target = (split.path or "/") + (f"?{split.query}" if split.query else "")
    return Exchange(
        request=Request(
            method=request.method,
            target=target,
            headers=_flat(request.headers),
            body=(request.body or "").encode(),
            origin=f"{split.scheme}://{split.netloc}",
        ),
        response=Response(
            status=response.status.code, headers=_flat(response.headers), body=(response.body.string or "").encode()
        ),
    )


def _flat(headers: dict[str, list[str]]) -> Headers:
    return tuple((name.lower(), value) for name, values in headers.items() for value in values)
