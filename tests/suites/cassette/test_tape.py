"""Reading a cassette: safe against anything, exact about where it is wrong, and honest about what it is worth."""

import base64
from datetime import date
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.contract.problems import ContractError
from harness.exchange import Level
from harness.suites.cassette.secrets import Secrets
from harness.suites.cassette.tape import UNLABELLED, Label, Tape, read_tape

KEY = "pa-Zx81kQq7hQwErTyUiOp"
GOOD = """\
metadata:
  recorded: {against: live, date: 2026-05-01, by: a client, contract: voyage_ai v1}
interactions:
- request:
    method: POST
    uri: https://api.voyageai.com/v1/embeddings?a=1
    headers: {content-type: [application/json]}
    body: '{"input": ["é"]}'
  response:
    status: {code: 200, message: OK}
    headers: {content-type: application/json}
    body: {string: '{"ok": true}'}
version: 1
"""


def read(tmp_path: Path, text: str | bytes, secrets: Secrets | None = None) -> Tape:
    path = tmp_path / "some.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_tape(path, shown_as="cassettes/some.yaml", secrets=secrets or Secrets((KEY,), frozenset({"x-token"})))


def problems(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ContractError) as raised:
        read(tmp_path, text)
    return str(raised.value)


def test_a_cassette_is_read_as_exchanges(tmp_path: Path) -> None:
    (exchange,) = read(tmp_path, GOOD).exchanges
    assert exchange.request.origin == "https://api.voyageai.com"
    assert exchange.request.target == "/v1/embeddings?a=1"
    assert exchange.request.json() == {"input": ["é"]}
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.media_type, exchange.response.json()) == (
        200,
        "application/json",
        {"ok": True},
    )


def test_a_label_says_what_was_recorded_and_how_old_it_is(tmp_path: Path) -> None:
    tape = read(tmp_path, GOOD)
    assert tape.level is Level.RECORDED
    told = tape.told(date(2026, 11, 21))
    assert told == "some.yaml was recorded against live on 2026-05-01 (204 days ago) by a client under voyage_ai v1"


def test_what_nobody_wrote_down_is_said_to_be_unknown(tmp_path: Path) -> None:
    text = GOOD.replace(
        "date: 2026-05-01, by: a client, contract: voyage_ai v1", "date: null, by: null, contract: null"
    )
    assert (
        read(tmp_path, text).told(date(2026, 11, 21))
        == "some.yaml was recorded against live on an unknown date by an unknown client under no contract"
    )


@pytest.mark.parametrize("label", ["", "metadata: {recorded: {against: stub}}\n", "metadata: {}\n"])
def test_a_recording_of_a_stub_or_of_nobody_knows_what_is_worth_a_stub(tmp_path: Path, label: str) -> None:
    tape = read(tmp_path, label + GOOD[GOOD.index("interactions") :])
    assert tape.level is Level.STUB
    assert tape.told(date(2026, 11, 21)).endswith(UNLABELLED) or tape.label == Label(against="stub")


@pytest.mark.parametrize(
    ("broken", "place", "message"),
    [
        (GOOD.replace("code: 200", "code: two hundred"), "10:20", "two hundred"),
        (GOOD.replace("code: 200", "code: 2000"), "10:20", "599"),
        (GOOD.replace("code: 200", "code: '200'"), "10:20", "a whole number"),
        (GOOD.replace("    method: POST\n", ""), "5:5", "`method` is missing"),
        (GOOD.replace("    status: {code: 200, message: OK}\n", ""), "10:5", "`status` is missing"),
        (GOOD.replace("https://api", "ftp://api"), "6:10", "uri"),
        (GOOD.replace("version: 1", "version: 2"), "13:10", "1"),
        (GOOD.replace("against: live", "against: real"), "2:23", "stub"),
        (GOOD.replace("against: live", "against: live, author: me"), "2:29", "`author` is unknown"),
        (GOOD.replace("'{\"ok\": true}'", "!!python/object/apply:os.system [ls]"), "12:20", "tag"),
        (GOOD.replace("'{\"ok\": true}'", "!!binary AAAA"), "12:20", "tag"),
        (GOOD.replace("'{\"ok\": true}'", "[1]"), "12:20", "string"),
        (GOOD.replace("interactions:", "interactions: ["), "4:1", "not YAML"),
        (GOOD + "---\na: 1\n", "14:1", "second document"),
        ("interactions: []\nversion: 1\n", "1:15", "at least 1"),
        ("[]", "1:1", ""),
        ("", "1:1", ""),
        ("interactions: nothing\nversion: 1\n", "1:15", "list"),
        (b"interactions: \xff\xfe", "1:", "UTF-8"),
    ],
)
def test_a_broken_cassette_says_where_and_why(tmp_path: Path, broken: str | bytes, place: str, message: str) -> None:
    found = problems(tmp_path, broken)
    assert f"cassettes/some.yaml:{place}" in found, found
    assert message in found


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path, GOOD.replace("code: 200", "code: x").replace("against: live", "against: y").replace("é", KEY)
    )
    assert len(found.splitlines()) == 3


@pytest.mark.parametrize(
    "bomb", ["a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(f"c{i}: &c{i} [*b, *b]\n" for i in range(3)), "x: " + "[" * 500]
)
def test_a_hostile_cassette_is_refused_and_does_no_harm(tmp_path: Path, bomb: str) -> None:
    assert "cassettes/some.yaml:" in problems(tmp_path, bomb)


def test_a_huge_cassette_is_refused(tmp_path: Path) -> None:
    assert "bytes" in problems(tmp_path, GOOD + "#" * 2_000_000)


def test_a_missing_cassette_is_a_clear_problem(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="can't be read"):
        read_tape(tmp_path / "none.yaml", shown_as="none.yaml", secrets=Secrets())


@pytest.mark.parametrize(
    "spelled",
    [KEY, KEY.lower(), quote(KEY, safe=""), base64.b64encode(f"user:{KEY}".encode()).decode(), f"Bearer {KEY}"],
)
@pytest.mark.parametrize(("where", "place"), [("é", "8:11"), ("a=1", "6:10"), ("true", "12:20"), ("a client", "2:51")])
def test_a_cassette_that_holds_the_credential_in_use_is_refused_without_showing_it(
    tmp_path: Path, spelled: str, where: str, place: str
) -> None:
    found = problems(tmp_path, GOOD.replace(where, f"{spelled}" if where != "true" else f'"{spelled}"'))
    assert f"cassettes/some.yaml:{place}: holds the credential in use" in found
    assert spelled not in found
    assert "revoke it" in found


@pytest.mark.parametrize("header", ["Authorization", "cookie", "X-Api-Key", "X-Token"])
def test_a_cassette_with_a_header_that_carries_a_secret_is_refused(tmp_path: Path, header: str) -> None:
    found = problems(
        tmp_path, GOOD.replace("headers: {content-type: [", f"headers: {{{header}: [hidden], content-type: [")
    )
    assert f"cassettes/some.yaml:7:15: holds the header `{header}`" in found
    assert "hidden" not in found


def test_a_cassette_with_a_set_cookie_in_its_answer_is_refused(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        GOOD.replace("headers: {content-type: application", "headers: {Set-Cookie: [a=b], content-type: application"),
    )
    assert "holds the header `Set-Cookie`" in found


def test_somebody_elses_key_is_recognised_by_its_form(tmp_path: Path) -> None:
    assert "holds what looks like an API key" in problems(
        tmp_path, GOOD.replace("é", "sk-proj-abcdefghij1234567890ABCD")
    )
