"""A liar before schemathesis: its own engine over HTTP, as `st run` does it, and nothing of ours."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from harness.client.reaching import StateNotReached, reach
from harness.exchange import Headers, Request, Response
from harness.proof.lie import Lie
from harness.provider.had import Provider
from harness.provider.lying import LyingProvider
from harness.suites.case import Setting
from harness.wire.server import Server, ThreadedServer
from harness.wire.wire import Upstream

SEED, MOST_ASKED_AGAIN = 1, 20
OWN_REQUESTS = {"ignored_auth", "unsupported_method"}  # checks that ask something else than the case at hand says
Coarse = tuple[str, str]  # check, kind of failure
Fine = tuple[str, str, str, str, bytes]  # and of which request


@dataclass(frozen=True)
class _Failed:
    """A check that failed, for one request; or, without a case, an error that the engine ran into."""

    check: str
    kind: str
    case: Any = None
    response: Any = None

    @property
    def coarse(self) -> Coarse:
        return self.check, self.kind

    @property
    def fine(self) -> Fine:
        asked = self.request
        return self.check, self.kind, asked.method, asked.target, asked.body

    @property
    def request(self) -> Request:
        if self.response is None:
            return Request(method="", target="")
        sent = self.response.request
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
        return Request(method=sent.method, target=sent.path_url, headers=_headers(sent), body=body)


def _headers(sent: Any) -> Headers:
    return tuple((name.lower(), value if isinstance(value, str) else value.decode("latin-1")) for name, value in sent.headers.items())


@dataclass(frozen=True)
class _Honest:
    """What its checks say of the provider when nobody lies, in two runs, and all that was asked and answered then."""

    failures: frozenset[Coarse | Fine]
    traffic: tuple[tuple[Request, Response], ...]

    def meets(self, liar: LyingProvider) -> bool:
        """Whether the liar would lie to any of these requests: if not, then schemathesis asks the same again, and hears the same."""
        for request, response in self.traffic:
            if liar.made_up(request) is None:
                liar.lie(request, response)
        return liar.changed > 0


@dataclass(frozen=True)
class Schemathesis:
    """schemathesis' engine with all its checks and phases on one operation, authenticated, from the state that the examples begin in."""

    setting: Setting
    document: dict[str, Any]
    examples: int
    _honest: dict[str, _Honest] = field(default_factory=dict)

    def look_at_the_honest(self) -> None:
        """Before anybody lies; each process has the result then."""
        for name in self.setting.agreement.operations:
            self._honest_run(name)

    def met_and_noticed(self, lie: Lie, operations: list[str]) -> tuple[bool, bool]:
        """Whether its requests met the lie, and whether a check fails that does not fail for the honest provider."""
        met = False
        for name in operations:
            honest = self._honest_run(name)
            if not honest.meets(lie.tell(self.setting.provider)):
                continue
            met = True
            if self._notices(lie.tell(self.setting.provider), name, honest.failures):
                return True, True
        return met, False

    def _notices(self, liar: Provider, name: str, honest: frozenset[Coarse | Fine]) -> bool:
        asked_again = 0
        for failed in self._failures(liar, name):
            if failed.coarse not in honest:
                return True
            if failed.case is not None and failed.fine not in honest and failed.check not in OWN_REQUESTS and asked_again < MOST_ASKED_AGAIN:
                asked_again += 1
                if self._is_kept_honestly(failed, name):
                    return True
        return False

    def _honest_run(self, name: str) -> _Honest:
        if name not in self._honest:
            traffic: list[tuple[Request, Response]] = []
            found = [failed for _ in range(2) for failed in self._failures(self.setting.provider, name, traffic)]
            failures = frozenset({each.coarse for each in found} | {each.fine for each in found})
            self._honest[name] = _Honest(failures=failures, traffic=tuple(traffic))
        return self._honest[name]

    def _is_kept_honestly(self, failed: _Failed, name: str) -> bool:
        """Whether the check passes for the same request when nobody lies: then it failed for the lie."""
        from schemathesis.checks import CHECKS
        from schemathesis.core.failures import FailureGroup

        answer = asyncio.run(self._ready(self.setting.provider, name).answer(failed.request))
        try:
            failed.case.validate_response(_as_theirs(answer, failed.response.request), checks=CHECKS.get_by_names([failed.check]))
        except FailureGroup:
            return False
        return True

    def _failures(self, provider: Provider, name: str, traffic: list[tuple[Request, Response]] | None = None) -> Iterator[_Failed]:
        from schemathesis.engine import from_schema
        from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

        with self._served(provider, name, [] if traffic is None else traffic) as origin:
            stream = from_schema(self._schema(origin, name)).execute()
            try:
                for event in stream:
                    if isinstance(event, ScenarioFinished):
                        yield from _failed(event.recorder)
                    elif isinstance(event, NonFatalError | FatalError):
                        cause = event.value if isinstance(event, NonFatalError) else event.exception
                        yield _Failed(check="error", kind=type(cause).__name__)
            finally:
                stream.stop()
                stream.generator.close()

    def _schema(self, origin: str, name: str) -> Any:
        from schemathesis.config import SchemathesisConfig
        from schemathesis.openapi import from_dict

        agreement, credential = self.setting.agreement, self.setting.provider.credential
        schema = from_dict(self.document, config=SchemathesisConfig(seed=SEED))
        settings, auth = schema.config, agreement.contract.provider.auth
        settings.update(base_url=origin + agreement.base_path)
        settings.continue_on_failure = True
        settings.generation.max_examples, settings.generation.no_shrink, settings.generation.database = self.examples, True, "none"
        if auth and credential:  # its check of the credential knows the header by this spelling alone
            spelt = "Authorization" if auth.header.lower() == "authorization" else auth.header
            settings.headers = {spelt: f"Bearer {credential}" if auth.scheme == "bearer" else credential}
        model = agreement.operations[name].model
        return schema.include(path=model.path, method=model.method)

    @contextmanager
    def _served(self, provider: Provider, name: str, traffic: list[tuple[Request, Response]]) -> Iterator[str]:
        upstream = self._ready(provider, name)

        async def answer(request: Request) -> Response:
            response = await upstream.answer(request)
            traffic.append((request, response))
            return response

        with ThreadedServer(Server(answer=answer)) as server:
            yield server.origin

    def _ready(self, provider: Provider, name: str) -> Upstream:
        """The provider in the state that the operation's first example begins in, taking our credential only."""
        upstream = provider.upstream(monotonic)
        if hasattr(upstream, "accept"):
            upstream.accept(provider.credential)
        examples = self.setting.agreement.operations[name].model.examples.values()
        state = next((each.given for each in examples), None)
        if state is not None and provider.remembers:
            try:
                asyncio.run(reach(self.setting.agreement, upstream, state, provider.credential))
            except StateNotReached:
                return upstream  # the liar has lied on the way already
        return upstream


def _failed(recorder: Any) -> Iterator[_Failed]:
    for case_id, nodes in recorder.checks.items():
        sent = recorder.interactions.get(case_id)
        for node in nodes:
            if node.failure_info is not None and sent is not None and sent.response is not None:
                kind = type(node.failure_info.failure).__name__
                yield _Failed(check=node.name, kind=kind, case=recorder.cases[case_id].value, response=sent.response)


def _as_theirs(response: Response, prepared: Any) -> Any:
    from schemathesis.core.transport import Response as Theirs

    headers: dict[str, list[str]] = {}
    for name, value in response.headers:
        headers.setdefault(name.lower(), []).append(value)
    return Theirs(status_code=response.status, headers=headers, content=response.body, request=prepared, elapsed=0.01, verify=False)
