"""No secret stands in a contract: neither where one is asked for nor anywhere else."""

from collections.abc import Iterator
from typing import Any

from harness.contract.document import Steps
from harness.contract.problems import looks_secret
from harness.contract.review.gathered import Review

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})


def check_secrets(review: Review) -> None:
    for steps, text in _texts(review.document.value, ()):
        if looks_secret(text):
            review.problem(steps, "looks like a secret", "`${NAME}` under `provider.auth`", "take it out, and replace the key itself")
    auth = review.contract.provider.auth
    names = _CREDENTIAL_HEADERS | ({auth.header.lower()} if auth else set())
    for operation, model in review.contract.operations.items():
        for example, shown in model.examples.items():
            for header in shown.request.headers:
                if header.lower() in names:
                    at = ("operations", operation, "examples", example, "request", "headers", header)
                    review.problem(at, f"an example carries no `{header}`", hint="the credential is added by whoever sends it", at_key=True)


def _texts(value: Any, steps: Steps) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, str):
        yield steps, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key, (*steps, key))
            yield from _texts(item, (*steps, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*steps, index))
