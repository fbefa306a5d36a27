"""Does the credential stay where it belongs: in its header, and nowhere that people read?"""

from collections.abc import Iterator

from harness.checks.judging import Judge
from harness.checks.sight import Sight
from harness.exchange import Raised
from harness.verdict import Judgement

CLAUSE = "provider.auth.credential"


def check_secrecy(sight: Sight) -> Iterator[Judgement]:
    """Messages, tracebacks, representations, log lines, URLs and bodies, searched for the credentials in use."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="secrecy")
    secrets = [secret for secret in sight.observation.secrets if secret]
    if not secrets or CLAUSE not in sight.agreement.clauses:
        return
    looked = False
    for where, text in _texts(sight):
        looked = True
        if any(secret in text for secret in secrets):
            yield judge.broken(CLAUSE, expected="the credential is shown nowhere", actual=f"it stands in {where}")
    if looked:
        yield from judge.kept(CLAUSE)


def _texts(sight: Sight) -> Iterator[tuple[str, str]]:
    if sight.observation.stray:
        yield "what the client shows of itself (its repr or its log)", sight.observation.stray
    for call in sight.observation.calls:
        if isinstance(call.ending, Raised):
            yield "the message of the error that was raised", call.ending.message
            yield "the traceback or log of the error that was raised", call.ending.text
        for exchange in call.exchanges:
            yield "the URL of a request", exchange.request.target
            yield "the body of a request", exchange.request.body.decode("utf-8", "replace")
