"""A lie is one only if somebody could hear it."""

import json

from harness.exchange import Exchange, Observation, Request, Response
from harness.proof.sameness import is_the_same


def heard(*bodies: object, status: int = 200) -> Observation:
    request = Request(method="GET", target="/")
    answers = [Response(status=status, headers=(("content-type", "application/json"),), body=json.dumps(body).encode()) for body in bodies]
    return Observation(exchanges=tuple(Exchange(request=request, response=answer) for answer in answers))


def test_the_same_answer_is_no_lie() -> None:
    assert is_the_same(heard({"count": 1}), heard({"count": 1}), None)


def test_another_answer_is_one() -> None:
    assert not is_the_same(heard({"count": 1}), heard({"count": 2}), heard({"count": 1}))
    assert not is_the_same(heard({"count": 1}), heard({"count": True}), None)
    assert not is_the_same(heard({"count": 1}), heard({"count": 1}, status=500), None)


def test_what_differs_from_run_to_run_by_itself_is_none() -> None:
    honest, again = heard({"count": 1, "time": 0.1}), heard({"count": 1, "time": 0.2})
    assert is_the_same(honest, heard({"count": 1, "time": 0.3}), again)
    assert not is_the_same(honest, heard({"count": 2, "time": 0.3}), again)


def test_an_answer_more_or_less_is_one() -> None:
    assert not is_the_same(heard({}, {}), heard({}), heard({}, {}))


def test_a_time_that_happens_to_be_the_same_in_all_honest_runs_is_none() -> None:
    honest, again = heard({"time": 0.1}, {"time": 0.1}), heard({"time": 0.1}, {"time": 0.2})
    assert is_the_same(honest, heard({"time": 0.3}, {"time": 0.1}), again)
    assert not is_the_same(honest, heard({"time": 0.3, "count": 1}, {"time": 0.1}), again)
    assert not is_the_same(honest, heard({"score": 0.3}, {"time": 0.1}), again)
