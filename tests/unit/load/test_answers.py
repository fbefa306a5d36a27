"""Every answer has a fate, and reading answers whole costs only so much."""

import orjson
import pytest

from harness.checks.indicators import Fate
from harness.contract.agreement import Agreement
from harness.exchange import Response
from harness.provider.stub import Stub
from harness.suites.load.answers import MOST_KEPT, Answers
from harness.suites.load.requests import Template, templates

JSON = (("content-type", "application/json"),)


@pytest.fixture
def template(voyage: Agreement) -> Template:
    return templates(voyage, "embed")[0]


@pytest.fixture
def right(voyage: Agreement, template: Template) -> Response:
    return Stub(voyage).answer_now(template.request(1))


def lying(right: Response) -> Response:
    return Response(status=200, headers=JSON, body=orjson.dumps({**orjson.loads(right.body), "model": "another"}))


def test_a_right_answer_is_verified(voyage: Agreement, template: Template, right: Response) -> None:
    assert Answers(agreement=voyage, clock=lambda: 0.0).fate(template, 1, right) == (Fate.VERIFIED, "")


@pytest.mark.parametrize(
    ("response", "fate", "why"),
    [
        (Response(status=503), Fate.FAILED, "status 503"),
        (Response(status=429), Fate.REFUSED, "status 429"),
        (Response(status=204), Fate.UNEXPECTED, "status 204 instead of 200"),
        (Response(status=302), Fate.UNEXPECTED, "status 302 instead of 200"),
        (
            Response(status=200, headers=(("content-type", "text/html"),), body=b"<p>"),
            Fate.UNEXPECTED,
            "media type text/html instead of application/json",
        ),
        (Response(status=200, headers=JSON, body=b'{"da'), Fate.WRONG, "breaks operations.embed.responses.200"),
        (Response(status=200, headers=JSON, body=b"\xff\x00"), Fate.WRONG, "breaks operations.embed.responses.200"),
        (Response(status=200, headers=JSON), Fate.WRONG, "breaks "),
    ],
)
def test_every_other_answer_says_what_is_wrong_with_it(
    voyage: Agreement, template: Template, response: Response, fate: Fate, why: str
) -> None:
    found, told = Answers(agreement=voyage, clock=lambda: 0.0).fate(template, 1, response)
    assert found is fate
    assert told.startswith(why)


def test_an_answer_that_lies_in_its_body_is_kept_as_proof(voyage: Agreement, template: Template, right: Response) -> None:
    answers = Answers(agreement=voyage, clock=lambda: 0.0, read_per_s=100)
    fates = {answers.fate(template, 1, lying(right)) for _ in range(2 * MOST_KEPT)}
    assert fates == {(Fate.WRONG, "breaks operations.embed.responses.200.invariants.same_model")}
    assert len(answers.breaking) == MOST_KEPT
    assert answers.breaking[0].request.header("authorization") is None


def test_only_so_many_answers_a_second_are_read_whole(voyage: Agreement, template: Template, right: Response) -> None:
    now_s = 0.0
    answers = Answers(agreement=voyage, clock=lambda: now_s, read_per_s=5)
    verified = []
    for tick in range(300):  # 100 a second for three seconds
        now_s = tick / 100
        verified.append(answers.fate(template, 1, right)[0] is Fate.VERIFIED)
    assert 15 <= sum(verified) <= 20
    assert any(verified[200:])


def test_at_a_smoke_rate_every_answer_is_read_whole(voyage: Agreement, template: Template, right: Response) -> None:
    now_s = 0.0
    answers = Answers(agreement=voyage, clock=lambda: now_s)
    for tick in range(60):
        now_s = tick / 20
        assert answers.fate(template, 1, right)[0] is Fate.VERIFIED
