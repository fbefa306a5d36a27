"""No spelling of a credential gets past."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exchange import Request, Response
from harness.suites.cassette.secrets import LEAST_LENGTH, REMOVED, Secrets, obvious_secret

KEY = "pa-Zx81k/+q==7hQwErTy_u"
credentials = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=LEAST_LENGTH, max_size=60)


@given(secret=credentials, before=st.text(max_size=20), after=st.text(max_size=20))
@pytest.mark.parametrize(
    "spell",
    [
        str,
        lambda secret: quote(secret, safe=""),
        quote_plus,
        html.escape,
        lambda secret: json.dumps(secret)[1:-1],
        lambda secret: secret.encode().hex(),
        str.upper,
    ],
    ids=["plain", "url", "form", "html", "json", "hex", "upper"],
)
def test_a_credential_is_found_and_removed_however_it_is_spelled(
    spell: type[str], secret: str, before: str, after: str
) -> None:
    secrets = Secrets((secret,))
    text = before + spell(secret) + after
    assert secrets.found_in(text)
    assert not secrets.found_in(secrets.without(text).replace(REMOVED, ""))


@given(secret=credentials, before=st.binary(max_size=7), after=st.binary(max_size=7))
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_credential_is_found_inside_anything_in_base64(
    encode: type[bytes], secret: str, before: bytes, after: bytes
) -> None:
    packed = encode(before + secret.encode() + after).decode()
    assert Secrets((secret,)).found_in(packed)


def test_a_word_too_short_to_be_a_credential_is_no_secret() -> None:
    assert not Secrets(("test",)).found_in("a test of it")


def test_without_a_credential_nothing_is_removed() -> None:
    assert Secrets().without("anything") == "anything"


def test_a_request_keeps_no_header_but_those_that_are_wanted() -> None:
    request = Request(
        method="POST",
        target=f"/v1/x?key={quote(KEY, safe='')}",
        headers=(
            ("Authorization", f"Bearer {KEY}"),
            ("Content-Type", "application/json"),
            ("x-note", KEY),
            ("cookie", "a=b"),
        ),
        body=json.dumps({"key": KEY}).encode(),
    )
    kept = Secrets((KEY,), frozenset({"authorization"})).request(
        request, keep=("content-type", "authorization", "x-note")
    )
    assert kept.headers == (("content-type", "application/json"), ("x-note", REMOVED))
    assert KEY not in f"{kept.target}{kept.body!r}"
    assert REMOVED in kept.target


def test_a_response_that_echoes_the_key_is_cleaned() -> None:
    packed = base64.b64encode(f"user:{KEY}".encode()).decode()
    echo = Response(
        status=401,
        headers=(("set-cookie", KEY), ("content-type", "text/plain")),
        body=f"{KEY} {packed} {quote(KEY)}".encode(),
    )
    kept = Secrets((KEY,)).response(echo, keep=("content-type",))
    assert kept.headers == (("content-type", "text/plain"),)
    assert not Secrets((KEY,)).found_in(kept.body.decode())


@pytest.mark.parametrize(
    "text",
    [
        "sk-ant-api03-abcDEF1234567890abcdefGHIJ",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "Authorization: Bearer 0123456789abcdefgh",
        "basic dXNlcjpwYXNzd29yZDEyMw==",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    ],
)
def test_what_looks_like_a_secret_is_one(text: str) -> None:
    assert obvious_secret(f'{{"note": "{text}"}}')


@pytest.mark.parametrize(
    "text",
    [
        "voyage-large-2-instruct",
        "g2-20250421-0156pm-voyage-2-series-preloading",
        "Bearer authentication is needed",
        "AY+PuxqgSD0ALwK9XoRJPb2qjj3dO308wsq2vDTijL1dJLy8fIYoPNL7LD3Lqnk9",
        "550e8400-e29b-41d4-a716-446655440000",
        REMOVED,
    ],
)
def test_what_does_not_look_like_a_secret_is_none(text: str) -> None:
    assert not obvious_secret(text)


def test_the_secrets_do_not_show_themselves() -> None:
    assert KEY not in repr(Secrets((KEY,)))
