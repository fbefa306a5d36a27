"""The pact suite: the client against Pact's mock server, the provider against Pact's verifier."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from harness.checks.registry import judge
from harness.client.driver import Trial, play
from harness.client.reaching import Reaching
from harness.client.scenario import Invoke
from harness.contract.agreement import Agreement
from harness.exchange import Exchange, Level, Observation, Request, Response
from harness.provider.had import Provider
from harness.provider.stub import Stub
from harness.provider.stubbed import StubProvider
from harness.suites.case import Case, Setting, Skipped
from harness.suites.pact.engine import STATES, EngineMissing, MockServer, Parties, engine, verify_pact, write_pact
from harness.suites.pact.interactions import Draft
from harness.suites.pact.prospects import Answers, Prospect, prospects
from harness.suites.stand_in import StandIn
from harness.verdict import SkipReason
from harness.wire.forward import forward
from harness.wire.port import port_seam
from harness.wire.server import ThreadedServer
from harness.wire.wire import Upstream, Wire

CREDENTIAL = "hk-pact-3c5e7a9d1f2b4860"  # made up: a mock server takes any
MOCK_TIMEOUT_S = 5.0


class PactDisagrees(Exception):
    """Pact says that something is wrong, and no check can name the clause: nothing is proven either way."""


class Pacts:
    """One case for each interaction that the client is to take part in, and the verification of the provider."""

    name = "pact"

    def cases(self, setting: Setting) -> Iterator[Case]:
        draft = draft_of(setting.agreement)
        for terms in setting.agreement.operations.values():
            for prospect in prospects(terms) if setting.binding.binds(terms.name) else ():
                at = f"operations.{terms.name}"
                aims = (
                    (f"{at}.responses.{prospect.status}.raises",)
                    if prospect.is_error
                    else (f"{at}.request.*", f"{at}.bind.*")
                )
                yield self._case(terms.name, prospect.name, partial(_consume, setting, draft, prospect), *aims)
        yield self._case(None, "verify", partial(_verify, setting, draft, given=False), "operations.*.responses.*")
        yield self._case(None, "verify-given", partial(_verify, setting, draft, given=True), "operations.*.responses.*")

    def _case(self, operation: str | None, name: str, work: Callable[[], Observation | Skipped], *aims: str) -> Case:
        def execute() -> Observation | Skipped:
            try:
                engine()
            except EngineMissing as missing:
                return Skipped(reason=SkipReason.ENGINE_MISSING, detail=str(missing))
            return work()

        return Case(suite=self.name, operation=operation, name=name, execute=execute, aims=aims)


def draft_of(agreement: Agreement) -> Draft:
    """What draws up the interactions of a contract."""
    return Draft(agreement=agreement, answers=Answers(agreement=agreement, stub=Stub(agreement)))


def parties_of(agreement: Agreement) -> Parties:
    """The two sides of the contract."""
    contract = agreement.contract
    return Parties(
        consumer=contract.consumer,
        provider=contract.service,
        notes={"name": agreement.name, "version": contract.version},
    )


def pact_file(setting: Setting) -> Path:
    """Where the pact of a contract is written."""
    return setting.build / "pacts" / f"{setting.agreement.contract.consumer}-{setting.agreement.name}.json"


# The client


class MockServers:
    """Pact's mock servers as an upstream: one for each different request, which expects what the contract allows there.

    A request that is refused is answered all the same: what the client does next is then its own doing, and no
    consequence of Pact's refusal.
    """

    def __init__(self, draft: Draft, prospect: Prospect) -> None:
        self._draft, self._prospect = draft, prospect
        self._servers: dict[tuple[str, str, bytes], MockServer] = {}

    async def answer(self, request: Request) -> Response:
        key = (request.method, request.target, request.body)
        if key not in self._servers:
            interaction = self._draft.for_consumer(self._prospect, request)
            self._servers[key] = MockServer(interaction, parties_of(self._draft.agreement))
        server = self._servers[key]
        before = len(server.refusals)
        answer = await forward(request, origin=server.origin, timeout_s=MOCK_TIMEOUT_S)
        return answer if len(server.refusals) == before else self._draft.answers.to(self._prospect, request)

    def stop(self) -> list[str]:
        """What was refused, and why."""
        refusals = [refusal for server in self._servers.values() for refusal in server.refusals]
        for server in self._servers.values():
            server.stop()
        return refusals


def _consume(setting: Setting, draft: Draft, prospect: Prospect) -> Observation:
    seen, refusals = met(setting, draft, prospect)
    return explained(setting, seen, refusals, "the mock server refuses what the client sent")


def met(setting: Setting, draft: Draft, prospect: Prospect) -> tuple[Observation, list[str]]:
    """What the client did against the mock server, and what the mock server refused."""
    servers = MockServers(draft, prospect)
    trial = Trial(
        binding=setting.binding,
        upstream=lambda _: servers,
        credential=CREDENTIAL,
        level=Level.STUB,
        script=lambda *_: StandIn(name="pact"),
        seed=setting.seed,
    )
    try:
        seen = play(trial, (Invoke(operation=prospect.terms.name, parts=prospect.parts),))
    finally:
        refusals = servers.stop()
    return seen, refusals


def explained(setting: Setting, seen: Observation, complaints: list[str], what: str) -> Observation:
    """The observation, unless Pact complains of something that no check finds in it."""
    if complaints and not any(judgement.finding for judgement in judge(setting.agreement, seen)):
        text = "\n".join(complaints)
        for secret in filter(None, seen.secrets):
            text = text.replace(secret, "[credential]")
        raise PactDisagrees(f"{what}, and no clause of the contract says why: {text}")
    return seen


# The provider


def _verify(setting: Setting, draft: Draft, *, given: bool) -> Observation | Skipped:
    provider: Provider = setting.provider
    everything = [
        each
        for terms in setting.agreement.operations.values()
        for each in prospects(terms)
        if each.given or not each.is_error
    ]
    expected = [each for each in everything if each.is_error == given]
    file = pact_file(setting)
    interactions = [draft.for_provider(each, number=number) for number, each in enumerate(everything, 1)]
    write_pact(interactions, parties_of(setting.agreement), to=file)
    if given and not provider.takes_states:  # what it has to be able to answer is shown by the stub instead
        provider = StubProvider(setting.agreement)
        setting = replace(setting, provider=provider)
    recorder = Recorder(provider.upstream(monotonic) if not provider.remembers else Remembering(setting, expected))
    with ThreadedServer(recorder.server) as server:
        found = verify_pact(
            file,
            provider=setting.agreement.contract.service,
            port=urlsplit(server.origin).port or 0,
            headers=_credential(setting),
            given=given,
            timeout_s=setting.agreement.contract.provider.timeout + 1,
        )
    if found.verified != len(expected):
        raise PactDisagrees(
            f"{found.verified} of {len(expected)} interactions were verified: {'; '.join(found.failures)}"
        )
    seen = Observation(
        exchanges=recorder.exchanges, level=provider.level, secrets=(provider.credential,), seed=setting.seed
    )
    return explained(setting, seen, list(found.failures), "the verifier refuses what the provider answered")


def _credential(setting: Setting) -> Mapping[str, str]:
    auth = setting.agreement.contract.provider.auth
    if auth is None or not setting.provider.credential:
        return {}
    return {auth.header: ("Bearer " if auth.scheme == "bearer" else "") + setting.provider.credential}


class Remembering:
    """A provider that remembers: for each request that an example is, it is brought to where that example starts."""

    def __init__(self, setting: Setting, expected: list[Prospect]) -> None:
        self._setting = setting
        self._provider = setting.provider.upstream(monotonic)
        self._expected = expected

    async def answer(self, request: Request) -> Response:
        ready = Reaching(
            self._provider, agreement=self._setting.agreement, credential=self._setting.provider.credential
        )
        ready.need(self._state_for(request), renewed=True)
        return await ready.answer(request)

    def _state_for(self, request: Request) -> str | None:
        for each in self._expected:
            model, parts = each.terms.model, each.parts
            target = self._setting.agreement.target(
                each.terms.name, _mapping(parts.get("path")), _mapping(parts.get("query"))
            )
            same_body = model.request.body is None or (bool(request.body) and request.json() == parts["body"])
            if request.method == model.method and request.target == target and same_body:
                return model.examples[each.example].given
        return None


def _mapping(part: object) -> Mapping[str, object]:
    return part if isinstance(part, Mapping) else {}


class Recorder:
    """A port in front of the provider: it notes each exchange, and puts the provider into the states it is told of."""

    def __init__(self, provider: Upstream) -> None:
        self._provider = provider
        self._given: str | None = None
        self._states: list[str | None] = []
        self._wire = Wire(upstream=self, clock=monotonic)
        self.server = port_seam(self._wire)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Those with the provider, each with the state that it was under; an error of the harness is raised."""
        if self._wire.errors:
            raise self._wire.errors[0]
        told = [exchange for exchange in self._wire.exchanges if exchange.request.target != STATES]
        return tuple(replace(exchange, given=given) for exchange, given in zip(told, self._states, strict=True))

    async def answer(self, request: Request) -> Response:
        if request.target == STATES:
            self._enter(json.loads(request.body))
            return Response(status=200)
        self._states.append(self._given)
        return await self._provider.answer(request)

    def _enter(self, change: Mapping[str, str]) -> None:
        self._given = change["state"] if change["action"] == "setup" and change["state"] else None
        if hasattr(self._provider, "enter"):
            self._provider.enter(self._given)


SUITE = Pacts()
