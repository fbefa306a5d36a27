"""Does the credential go where it should, as it should, and is a wrong one refused?"""

from collections.abc import Iterator

from harness.checks.judging import Judge
from harness.checks.sight import Seen, Sight
from harness.contract.agreement import response_clause
from harness.exchange import Request
from harness.verdict import Judgement


def check_credential(sight: Sight) -> Iterator[Judgement]:
    """The credential goes out as declared, to the provider alone, and a wrong one is refused."""
    judge = Judge(agreement=sight.agreement, observation=sight.observation, check="credential")
    auth = sight.agreement.contract.provider.auth
    secrets = [secret for secret in sight.observation.secrets if secret]
    if auth is None or not secrets:
        return
    prefix = "Bearer " if auth.scheme == "bearer" else ""
    right = {prefix + secret for secret in secrets}
    clause = "provider.auth.scheme"
    for seen in sight.sent:
        request = seen.exchange.request
        value = request.header(auth.header)
        if value is None and sight.observation.origin and not _goes_to(request, sight.observation.origin):
            continue  # whoever follows a redirection elsewhere does well to keep it back
        what = "no such header" if value is None else "another value"
        yield from judge.expect(
            clause, value in right, expected=f"the header `{auth.header}: {prefix}{auth.credential}`", actual=what, exchange=seen.exchange
        )
        if "provider.auth.header" in judge.agreement.clauses:
            yield from judge.expect(
                "provider.auth.header", value is not None, expected=f"the header `{auth.header}`", actual=what, exchange=seen.exchange
            )
        if sight.observation.origin and value in right:
            yield from judge.expect(
                "provider.auth.credential",
                _goes_to(request, sight.observation.origin),
                expected=f"the credential goes to {sight.observation.origin} only",
                actual=f"it was sent to {_sent_to(request, sight.observation.origin)}",
                exchange=seen.exchange,
            )
    for seen in sight.direct:
        refused = seen.terms and next(
            (status for status, shape in seen.terms.model.responses.items() if shape.when == "unauthenticated"), None
        )
        if refused and seen.by_provider and seen.exchange.request.header(auth.header) not in right:
            yield from _refusal(judge, seen, refused)


def _refusal(judge: Judge, seen: Seen, wanted: int) -> Iterator[Judgement]:
    """How the provider answers a credential that is wrong or missing."""
    assert seen.terms is not None and seen.exchange.response is not None
    status = seen.exchange.response.status
    for clause in ("provider.auth.scheme", response_clause(seen.terms.name, wanted)):
        yield from judge.expect(
            clause,
            status == wanted,
            expected=f"status {wanted}, because the credential is wrong or missing",
            actual=f"status {status}",
            exchange=seen.exchange,
        )


def _goes_to(request: Request, origin: str) -> bool:
    """Whether a request went to this origin, by the address and by the name that it was sent to."""
    host = request.header("host")
    return request.origin in ("", origin) and (host is None or host.lower() in _authorities(origin))


def _sent_to(request: Request, origin: str) -> str:
    """Where a request went: by its address, unless that is right and the name is not."""
    host = request.header("host")
    return f"{host}, by its `host` header" if request.origin in ("", origin) else request.origin


def _authorities(origin: str) -> tuple[str, ...]:
    """The spellings of an origin's authority."""
    scheme, _, authority = origin.lower().partition("://")
    default = {"https": ":443", "http": ":80"}.get(scheme, "")
    return authority, authority.removesuffix(default), authority + default
