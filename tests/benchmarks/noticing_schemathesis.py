"""A liar before schemathesis: its requests, its checks, and nothing of ours."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any

from harness.client.reaching import StateNotReached, reach
from harness.contract.openapi import export
from harness.exchange import Request, Response
from harness.proof.lie import Lie
from harness.provider.had import Provider
from harness.suites.case import Setting

FUZZED, NEGATIVE = 20, 10
Failure = tuple[str, int, str]  # operation, number of the request, kind of failure


@dataclass(frozen=True)
class Schemathesis:
    """The requests that schemathesis makes up for one contract, and what its checks say of the answers."""

    setting: Setting
    _honest: dict[str, set[Failure]] = field(default_factory=dict)
    _drawn: dict[str, list[Any]] = field(default_factory=dict)

    def notices(self, lie: Lie, operations: list[str]) -> bool:
        """Whether a check fails for the liar's answers that does not fail for honest ones."""
        for name in operations:
            if name not in self._honest:
                self._honest[name] = set(self._failures(self.setting.provider, name)) | set(self._failures(self.setting.provider, name))
            liar = lie.tell(self.setting.provider)
            if any(failure not in self._honest[name] for failure in self._failures(liar, name)):
                return True
        return False

    def _failures(self, provider: Provider, operation: str) -> Iterator[Failure]:
        from schemathesis.core.failures import FailureGroup

        upstream = provider.upstream(monotonic)
        self._reach(provider, upstream, operation)
        for number, case in enumerate(self._cases(operation)):
            request, prepared = self._request(case)
            if request is None:
                continue
            response = asyncio.run(upstream.answer(request))
            try:
                case.validate_response(_as_theirs(response, prepared), excluded_checks=self._excluded)
            except FailureGroup as failures:
                yield from ((operation, number, type(failure).__name__) for failure in failures.exceptions)

    def _reach(self, provider: Provider, upstream: Any, operation: str) -> None:
        state = next(iter(self.setting.agreement.operations[operation].model.examples.values())).given
        if state is not None and provider.remembers:
            try:
                asyncio.run(reach(self.setting.agreement, upstream, state, provider.credential))
            except StateNotReached:
                return  # the liar has lied on the way already

    @cached_property
    def _excluded(self) -> list[Any]:
        from schemathesis.checks import CHECKS, load_all_checks

        load_all_checks()
        return [each for each in CHECKS.get_all() if getattr(each, "__name__", "") == "ignored_auth"]

    @cached_property
    def _schema(self) -> Any:
        from schemathesis.config import SchemathesisConfig
        from schemathesis.openapi import from_dict

        return from_dict(export(self.setting.agreement), config=SchemathesisConfig())

    def _cases(self, operation: str) -> list[Any]:
        if operation not in self._drawn:
            self._drawn[operation] = list(self._draw(operation))
        return self._drawn[operation]

    def _draw(self, operation: str) -> Iterator[Any]:
        from schemathesis.generation import GenerationMode
        from schemathesis.generation.feedback import NO_FEEDBACK
        from schemathesis.specs.openapi.examples import get_strategies_from_examples

        model = self.setting.agreement.operations[operation].model
        theirs = self._schema[model.path][model.method]
        for strategy in get_strategies_from_examples(theirs):
            yield from _drawn(strategy, 1)
        yield from _drawn(theirs.as_strategy(generation_mode=GenerationMode.POSITIVE, feedback=NO_FEEDBACK), FUZZED)
        if model.request.body is not None or model.request.query:
            yield from _drawn(theirs.as_strategy(generation_mode=GenerationMode.NEGATIVE, feedback=NO_FEEDBACK), NEGATIVE)

    def _request(self, case: Any) -> tuple[Request | None, Any]:
        import requests

        contract, credential = self.setting.agreement.contract, self.setting.provider.credential
        try:
            prepared = requests.Request(**case.as_transport_kwargs(base_url=contract.provider.base_url)).prepare()
        except (UnicodeError, ValueError):
            return None, None
        headers = [(name.lower(), str(value)) for name, value in prepared.headers.items()]
        auth, body = contract.provider.auth, prepared.body or b""
        if auth and credential:
            headers = [pair for pair in headers if pair[0] != auth.header.lower()]
            headers.append((auth.header.lower(), f"Bearer {credential}" if auth.scheme == "bearer" else credential))
        data = body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, bytes | bytearray) else b""
        return Request(method=prepared.method or case.method, target=prepared.path_url, headers=tuple(headers), body=data), prepared


def _as_theirs(response: Response, prepared: Any) -> Any:
    from schemathesis.core.transport import Response as Theirs

    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        headers.setdefault(name.lower(), []).append(value)
    return Theirs(status_code=response.status, headers=headers, content=response.body, request=prepared, elapsed=0.01, verify=False)


def _drawn(strategy: Any, count: int) -> list[Any]:
    from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
    from hypothesis.errors import Unsatisfiable

    found: list[Any] = []

    @seed(0)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet
    )
    @given(strategy)
    def draw(case: Any) -> None:
        found.append(case)

    try:
        draw()
    except Unsatisfiable:
        return found
    return found
