"""What must never reach a cassette: the credentials in use in any spelling, and whatever looks like one."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import quote, quote_plus

from harness.exchange import Headers, Request, Response

REMOVED = "CREDENTIAL-REMOVED"
LEAST_LENGTH = 6  # a shorter "credential" is a placeholder, and would be found in any text
_OBVIOUS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a signed token", re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    ("an authorization", re.compile(r"\b(?:Bearer|Basic)\s+(?=\S*\d)[A-Za-z0-9+/._~-]{12,}", re.IGNORECASE)),
    (
        "what looks like an API key",
        re.compile(r"(?<![\w-])[a-z]{2,6}[-_](?:[a-z]+\d*[-_]){0,3}(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}(?![\w-])"),
    ),
)


def obvious_secret(text: str) -> str:
    """What kind of secret stands in a text, by its form alone; empty for none."""
    return next((kind for kind, pattern in _OBVIOUS if pattern.search(text)), "")


@dataclass(frozen=True)
class Secrets:
    """The credentials in use, and the ``headers`` (lower-cased) that carry one."""

    values: tuple[str, ...] = field(repr=False, default=())
    headers: frozenset[str] = frozenset()

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        forms = {form for value in self.values if len(value) >= LEAST_LENGTH for form in _forms(value)}
        return (
            re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))), re.IGNORECASE) if forms else None
        )

    def found_in(self, text: str) -> bool:
        """Whether a credential stands in a text, however it is written there."""
        return bool(self._pattern and self._pattern.search(text))

    def without(self, text: str) -> str:
        """The text with each credential replaced."""
        return self._pattern.sub(REMOVED, text) if self._pattern else text

    def request(self, request: Request, *, keep: Iterable[str]) -> Request:
        """A request fit to be recorded; of its headers only those named in ``keep`` stay."""
        return replace(
            request,
            target=self.without(request.target),
            headers=self._headers(request.headers, keep),
            body=self._body(request.body),
        )

    def response(self, response: Response, *, keep: Iterable[str]) -> Response:
        """A response fit to be recorded: providers echo what they are sent."""
        return replace(response, headers=self._headers(response.headers, keep), body=self._body(response.body))

    def _headers(self, headers: Headers, keep: Iterable[str]) -> Headers:
        kept = {name.lower() for name in keep} - self.headers
        return tuple((name.lower(), self.without(value)) for name, value in headers if name.lower() in kept)

    def _body(self, body: bytes) -> bytes:
        try:
            return self.without(body.decode()).encode()
        except UnicodeDecodeError:
            return body  # it is refused when the cassette is written: a cassette is text


def _forms(secret: str) -> Iterator[str]:
    """The spellings of a secret: as it is, in URLs, JSON, HTML, hexadecimal, and inside anything in base64."""
    yield from (
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        html.escape(secret),
        secret.encode().hex(),
    )
    for before in range(3):
        packed = b"\0" * before + secret.encode()
        whole = len(packed) // 3 * 3  # what follows is packed together with what comes after it
        text = base64.b64encode(packed[:whole])[-(-before * 8 // 6) :].decode()
        yield from (text, text.replace("+", "-").replace("/", "_"))
