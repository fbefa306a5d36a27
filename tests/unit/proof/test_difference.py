"""What a survivor is shown by: the places where the liar made a difference, without any credential."""

from harness.exchange import Call, Exchange, Observation, Request, Response, Returned
from harness.proof.difference import MOST_CHARACTERS, MOST_LINES, told_apart


def seen(body: bytes, *, value: object = 1, header: str = "a key", at_s: float = 0.0) -> Observation:
    request = Request(method="GET", target="/x", headers=(("authorization", header),))
    response = Response(status=200, body=body)
    exchange = Exchange(request=request, response=response, started_s=at_s)
    return Observation(calls=(Call(operation="x", exchanges=(exchange,), ending=Returned(value=value)),), secrets=("a key", "another"))


def test_the_changed_place_is_told_and_no_other() -> None:
    lines = told_apart(seen(b'{"a": 1, "b": [2, 3]}'), seen(b'{"a": 1, "b": [2, 4]}'), answers=True)
    assert lines == ("- /0/body/b/1: 3", "+ /0/body/b/1: 4")


def test_what_is_gone_has_no_plus_and_what_is_new_no_minus() -> None:
    assert told_apart(seen(b'{"a": 1, "b": 2}'), seen(b'{"a": 1, "c": 2}'), answers=True) == ("- /0/body/b: 2", "+ /0/body/c: 2")


def test_a_body_that_is_no_json_is_shown_as_text() -> None:
    assert told_apart(seen(b"{}"), seen(b"{"), answers=True) == ("- /0/body: {}", '+ /0/body: "{"')


def test_of_a_lying_provider_only_the_answers_are_told_and_of_a_lying_client_all() -> None:
    honest, lied = seen(b"1", value=1), seen(b"1", value=2, at_s=3.0)
    assert told_apart(honest, lied, answers=True) == ()
    places = ("- /calls/0/exchanges/0/started_s: 0.0", "+ /calls/0/exchanges/0/started_s: 3.0")
    assert told_apart(honest, lied, answers=False) == (*places, "- /calls/0/ending/value: 1", "+ /calls/0/ending/value: 2")


def test_no_credential_is_shown_and_none_in_part() -> None:
    long = "x" * (MOST_CHARACTERS - 4) + "a key"
    for header in ("another", long):
        lines = "\n".join(told_apart(seen(b"1"), seen(b"1", header=header), answers=False))
        assert "[credential]" in lines or "…" in lines
        assert "a k" not in lines
        assert "another" not in lines


def test_many_places_are_cut_short() -> None:
    lines = told_apart(seen(b"[%s]" % b",".join(b"1" for _ in range(9))), seen(b"[%s]" % b",".join(b"2" for _ in range(9))), answers=True)
    assert len(lines) == 2 * MOST_LINES + 1
    assert lines[-1] == "… and 3 more places"
