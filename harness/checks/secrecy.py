"""Does the credential stay where it belongs: in its header, and nowhere that people read?"""

import base64
from collections.abc import Iterator
from urllib.parse import quote

from harness.checks.judging import Judge
from harness.checks.sight import Sight
from harness.exchange import Exchange, Observation, Raised, Returned
from harness.verdict import Judgement

CLAUSE = "provider.auth.credential"
MOST_SHOWN = 10  # characters of a credential in a row: a few at its ends tell keys apart and give none away


def check_secrecy(sight: Sight) -> Iterator[Judgement]:
    """Messages, tracebacks, representations, output, URLs and bodies, searched for the credentials in use."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="secrecy")
    secrets = [secret for secret in sight.observation.secrets if secret]
    if not secrets or CLAUSE not in sight.agreement.clauses:
        return
    pieces, whole = _pieces(secrets), [spelling for secret in secrets for spelling in _spellings(secret)]
    auth = sight.agreement.contract.provider.auth
    looked = False
    for where, text in _seen_by_people(sight.observation):
        looked = True
        if any(piece in text for piece in (*pieces, *whole)):
            yield judge.broken(CLAUSE, expected="the credential is shown nowhere", actual=f"it stands in {where}")
    for where, text, exchange in _sent(sight.observation, auth.header if auth else ""):
        looked = True
        if any(spelling in text for spelling in whole):
            yield judge.broken(
                CLAUSE, expected="the credential stands in its header only", actual=f"it stands in {where}", exchange=exchange
            )
    if looked:
        yield from judge.kept(CLAUSE)


def _spellings(secret: str) -> tuple[str, ...]:
    """A credential as it is, as a URL has it, and as Basic authorization and many logs pack it."""
    return secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]


def _pieces(secrets: list[str]) -> set[str]:
    """Every part of a credential that is longer than may be shown."""
    return {secret[start : start + MOST_SHOWN] for secret in secrets for start in range(max(1, len(secret) - MOST_SHOWN + 1))}


def _seen_by_people(observation: Observation) -> Iterator[tuple[str, str]]:
    if observation.stray:
        yield "what the client shows of itself (its repr, its log or its output)", observation.stray
    for call in observation.calls:
        if isinstance(call.ending, Raised):
            yield "the message of the error that was raised", call.ending.message
            yield "what the error that was raised shows (its repr, its fields, its traceback or its log)", call.ending.text
        elif isinstance(call.ending, Returned) and isinstance(call.ending.value, str):
            yield "what the call returned", call.ending.value


def _sent(observation: Observation, header: str) -> Iterator[tuple[str, str, Exchange]]:
    for call in observation.calls:
        for exchange in call.exchanges:
            yield "the URL of a request", exchange.request.target, exchange
            yield "the body of a request", exchange.request.body.decode("utf-8", "replace"), exchange
            others = [f"{name}: {value}" for name, value in exchange.request.headers if name.lower() != header.lower()]
            yield "another header of a request", "\n".join(others), exchange
