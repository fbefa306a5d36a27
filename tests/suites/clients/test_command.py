"""A command as a client: calls, waits and errors go through lines of JSON, and a command that fails says why."""

import sys
from pathlib import Path

import pytest

from harness.checks.registry import judge
from harness.client.binding import Binding, UnknownClient, bind
from harness.client.command import OwnTime
from harness.client.driver import Trial, play
from harness.client.scenario import Invoke, Pass, Together
from harness.contract.agreement import Agreement
from harness.contract.catalog import load
from harness.contract.problems import ContractError
from harness.engine import run_case
from harness.exchange import Observation, Raised, Request, Returned
from harness.provider.stubbed import StubProvider
from harness.suites.case import Case, Setting
from harness.verdict import Outcome, Verdict
from harness.wire.faults import Answer, Fault, Timeout

from .conftest import ROOT

# Tries a call three times, a minute apart; `break` is a method that raises.
SUBJECT = """
import json, os, sys, urllib.error, urllib.request

def tell(message):
    print(json.dumps(message), flush=True)

def post(made, body):
    request = urllib.request.Request(made["url"] + "/rerank", json.dumps(body).encode())
    request.add_header("content-type", "application/json")
    request.add_header("authorization", "Bearer " + os.environ["VOYAGE_API_KEY"])
    return json.load(urllib.request.urlopen(request))

def call(message, made, tries, waiting):
    try:
        tell({"id": message["id"], "returned": post(made, message["arguments"])})
    except urllib.error.HTTPError as error:
        if tries == 3:
            told = {"type": "Refused", "bases": ["Error"], "message": str(error), "text": "a stack"}
            tell({"id": message["id"], "raised": told})
        else:
            number = len(waiting)
            waiting[number] = (message, made, tries + 1, waiting)
            tell({"sleep": number, "seconds": 60})

made, waiting = None, {}
for line in sys.stdin:
    message = json.loads(line)
    os.environ.update(message.get("environment", {}))
    if "make" in message:
        made, waiting = message["make"], {}
        tell({"id": message["id"]})
    elif "woken" in message:
        call(*waiting.pop(message["woken"]))
    else:
        call(message, made, 1, waiting)
"""

FILE = """
client: 1
contract: voyage_ai
title: a script
command: [{python}, {script}]
install: a way to get it
make: {{url: base_url}}
operations:
  rerank:
    call: rerank
    arguments: {{query: request.body.query, documents: documents, model: request.body.model}}
    returns: result.data.map(d, d.index)
errors: {{ProviderUnavailable: [Refused]}}
"""


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load(ROOT / "contracts" / "voyage_ai.yaml", root=ROOT)


def bound(agreement: Agreement, folder: Path, source: str, returns: str = "result.data.map(d, d.index)") -> Binding:
    (folder / "script.py").write_text(source, "utf-8")
    text = FILE.format(python=sys.executable, script="script.py").replace("result.data.map(d, d.index)", returns)
    (folder / "script.yaml").write_text(text, "utf-8")
    return bind(agreement, str(folder / "script.yaml"))


def played(binding: Binding, *steps: Invoke | Together | Pass, failures: int = 0) -> Observation:
    provider = StubProvider(binding.agreement)

    def script(number: int, request: Request) -> Fault | None:
        return Answer(response=provider.upstream().declared("rerank", 503)) if number < failures else None

    return play(Trial(binding=binding, upstream=provider.upstream, credential=provider.credential, script=script), steps)


def rerank(*documents: str) -> Invoke:
    return Invoke(operation="rerank", parts={"body": {"query": "q", "documents": list(documents), "model": "rerank-2.5"}, "query": {}, "path": {}, "headers": {}})


def test_a_call_goes_there_and_its_value_comes_back(agreement: Agreement, tmp_path: Path) -> None:
    (call,) = played(bound(agreement, tmp_path, SUBJECT), rerank("a", "b")).calls
    assert isinstance(call.ending, Returned)
    assert call.ending.value in ([0, 1], [1, 0])
    assert [exchange.response.status for exchange in call.exchanges if exchange.response] == [200]


def test_its_waits_are_of_the_harness_s_time(agreement: Agreement, tmp_path: Path) -> None:
    (call,) = played(bound(agreement, tmp_path, SUBJECT), rerank("a"), failures=2).calls
    assert isinstance(call.ending, Returned)
    assert [exchange.started_s for exchange in call.exchanges] == [0, 60, 120]


def test_its_errors_keep_their_names_and_get_the_contract_s(agreement: Agreement, tmp_path: Path) -> None:
    (call,) = played(bound(agreement, tmp_path, SUBJECT), rerank("a"), failures=3).calls
    assert isinstance(call.ending, Raised)
    assert (call.ending.type, call.ending.text.count("a stack")) == ("Refused", 1)
    assert {"Error", "ProviderUnavailable"} <= set(call.ending.bases)


def test_calls_at_once_are_told_apart(agreement: Agreement, tmp_path: Path) -> None:
    calls = played(bound(agreement, tmp_path, SUBJECT), Together(calls=(rerank("a"), rerank("a", "b", "c")))).calls
    assert [len(call.ending.value) for call in calls if isinstance(call.ending, Returned)] == [1, 3]  # type: ignore[arg-type]  # lists


def test_the_next_client_is_a_new_one_in_the_same_process(agreement: Agreement, tmp_path: Path) -> None:
    binding = bound(agreement, tmp_path, SUBJECT.replace('"returned": post(made, message["arguments"])', '"returned": {"data": [{"index": os.getpid()}]}'))
    first, second = (played(binding, rerank("a")).calls[0].ending for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise SystemExit('the package is missing')", "the last that it said was: the package is missing"),
        ("print('hello', flush=True); input()", "it printed what is no message: hello"),
        ("import json\nprint(json.dumps({'id': 0, 'raised': {'message': 'no key'}}), flush=True); input()", "it can't make the client: no key"),
    ],
)
def test_a_command_that_fails_says_why_and_how_to_get_it(agreement: Agreement, tmp_path: Path, source: str, why: str) -> None:
    with pytest.raises(UnknownClient) as caught:
        played(bound(agreement, tmp_path, source), rerank("a"))
    assert why in str(caught.value)
    assert "install it: a way to get it" in str(caught.value)


def test_a_command_that_does_not_exist_is_named(agreement: Agreement, tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text(FILE.format(python="no-such-program", script="x"), "utf-8")
    with pytest.raises(UnknownClient, match="no-such-program can't be run"):
        played(bind(agreement, str(tmp_path / "none.yaml")), rerank("a"))


def test_a_command_has_no_httpx_here_to_go_beneath(agreement: Agreement, tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(FILE.format(python="x", script="x") + "wire: httpx\n", "utf-8")
    with pytest.raises(ContractError, match="another process"):
        bind(agreement, str(tmp_path / "odd.yaml"))


SILENT = """
import json, sys, time
for line in sys.stdin:
    message = json.loads(line)
    if "make" in message:
        print(json.dumps({"id": message["id"]}), flush=True)
    else:
        {what}
"""


@pytest.mark.parametrize("what", ["time.sleep(3600)", "pass", "while True: pass"])
def test_a_command_that_keeps_its_own_time_ends_the_play_and_is_not_judged(agreement: Agreement, tmp_path: Path, what: str) -> None:
    """It sleeps for real, forgets the call, or runs in a circle: what it would do then is not known."""
    binding = bound(agreement, tmp_path, SILENT.replace("{what}", what))
    provider = StubProvider(agreement)
    trial = Trial(binding=binding, upstream=provider.upstream, credential=provider.credential, real_limit_s=2.0)
    case = Case(suite="fault", operation="rerank", name="own-time", execute=lambda: play(trial, (rerank("a"),)))
    setting = Setting(agreement=agreement, binding=binding, provider=provider, root=tmp_path)
    verdict = run_case(setting, case)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "neither answered nor said that it waits" in verdict.reason


def test_a_command_that_waits_between_attempts_in_real_time_is_not_taken_to_hang(agreement: Agreement, tmp_path: Path) -> None:
    source = SUBJECT.replace('tell({"sleep": number, "seconds": 60})', "import time; time.sleep(3600); call(*waiting.pop(number))")
    with pytest.raises(OwnTime):
        played(bound(agreement, tmp_path, source), rerank("a"), failures=2)


def test_a_command_that_the_provider_keeps_waiting_for_ever_is_judged(agreement: Agreement, tmp_path: Path) -> None:
    """It has no timeout, and that is its own fault."""
    binding, provider = bound(agreement, tmp_path, SUBJECT), StubProvider(agreement)
    trial = Trial(binding=binding, upstream=provider.upstream, credential=provider.credential, script=lambda number, request: Timeout())
    seen = play(trial, (rerank("a"),))
    assert seen.hung
    assert {judgement.clause for judgement in judge(agreement, seen) if judgement.finding} >= {"provider.timeout", "resilience.budget"}


def verdict_on(agreement: Agreement, folder: Path, source: str, *steps: Invoke) -> Verdict:
    binding, provider = bound(agreement, folder, source, RANKED), StubProvider(agreement)
    trial = Trial(binding=binding, upstream=provider.upstream, credential=provider.credential, real_limit_s=120.0)
    case = Case(suite="conformance", operation="rerank", name="odd", execute=lambda: play(trial, steps or (rerank("a"),)))
    return run_case(Setting(agreement=agreement, binding=binding, provider=provider, root=folder), case)


RANKED = """'result.data.map(d, {"index": d.index, "score": d.relevance_score, "document": has(d.document) ? d.document : null})'"""
CALL = 'tell({"id": message["id"], "returned": post(made, message["arguments"])})'


def test_the_script_is_honest_as_it_is(agreement: Agreement, tmp_path: Path) -> None:
    assert verdict_on(agreement, tmp_path, SUBJECT, rerank("a"), rerank("b")).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        ("print('asking', flush=True); " + CALL, "asking"),
        ("print('{\"id\":', flush=True); " + CALL, '{"id":'),
        ("print('[1]', flush=True); " + CALL, "[1]"),
        ('tell({"id": 77, "returned": 1})', '{"id": 77'),
        ('tell({"id": message["id"], "raised": "no"})', '"raised": "no"'),
        ('tell({"sleep": "a", "seconds": 1})', '{"sleep": "a"'),
        ('tell({"sleep": 1, "seconds": "long"})', '"seconds": "long"'),
    ],
)
def test_what_is_no_message_on_its_output_is_an_error_and_no_finding(agreement: Agreement, tmp_path: Path, instead: str, said: str) -> None:
    """Nothing is known of the client then; the next one gets a new process."""
    broken = SUBJECT.replace(CALL, instead)
    assert broken != SUBJECT
    for _ in range(2):
        verdict = verdict_on(agreement, tmp_path, broken)
        assert (verdict.outcome, verdict.findings) == (Outcome.ERROR, ())
        assert "it printed what is no message" in verdict.reason
        assert said in verdict.reason


@pytest.mark.parametrize(("how", "told"), [("sys.exit(1)", "status 1"), ("os.abort()", "signal 6"), ("sys.exit('out of memory')", "out of memory")])
def test_a_command_that_ends_in_the_middle_of_a_call_breaks_what_the_call_promises(agreement: Agreement, tmp_path: Path, how: str, told: str) -> None:
    verdict = verdict_on(agreement, tmp_path, SUBJECT.replace(CALL, how))
    assert verdict.outcome is Outcome.FAILED
    assert any("it ended" in finding.actual and told in finding.actual for finding in verdict.findings), verdict.findings


def test_a_command_that_never_makes_its_client_is_not_judged(agreement: Agreement, tmp_path: Path) -> None:
    verdict = verdict_on(agreement, tmp_path, "import time; time.sleep(3600)")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "neither answered nor said that it waits" in verdict.reason


@pytest.mark.parametrize("where", ["sys.stderr.write(os.environ['VOYAGE_API_KEY'] + chr(10)); ", "print('key ' + os.environ['VOYAGE_API_KEY'], file=sys.stderr); "])
def test_a_key_on_its_error_output_is_a_secret_that_is_told(agreement: Agreement, tmp_path: Path, where: str) -> None:
    verdict = verdict_on(agreement, tmp_path, SUBJECT.replace(CALL, where + CALL))
    assert {finding.clause for finding in verdict.findings} == {"provider.auth.credential"}


def test_what_it_says_on_its_error_output_is_its_own_affair(agreement: Agreement, tmp_path: Path) -> None:
    assert verdict_on(agreement, tmp_path, SUBJECT.replace(CALL, "print('asking', file=sys.stderr); " + CALL)).outcome is Outcome.PASSED
