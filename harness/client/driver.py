"""Takes a client through a scenario, in virtual time, with a wire between it and its provider."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from harness.client.abroad import assure_judgeable, assure_understood, made_there, process_of
from harness.client.attribution import Span, owners
from harness.client.binding import Binding
from harness.client.calling import called, closed, entered, method_of, raised, spoil
from harness.client.command import PATIENCE_S as OUTSIDE_PATIENCE_S
from harness.client.command import Foreign, OwnTime
from harness.client.overhearing import Overheard, shown
from harness.client.plain import plain
from harness.client.reaching import Reaching
from harness.client.real_time import RealClock
from harness.client.scenario import ChangeCredential, Given, Invoke, Pass, Scenario, Step, Together, Watch
from harness.client.seams import Seam, Tcp, at_hand
from harness.client.trio_loop import trio_loop
from harness.contract.expressions import EvaluationError
from harness.exchange import Call, Ending, Exchange, Level, Observation, Raised, Request, Returned, Unfinished
from harness.wire.clock import OutOfReach, RealTimeExceeded, Stalled, VirtualClock, run
from harness.wire.clock.model import Abort
from harness.wire.clock.runner import PATIENCE_S
from harness.wire.faults import Fault
from harness.wire.wire import Rewrite, Script, Upstream, Wire

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal

REAL_LIMIT_S = 30.0
MOST_REQUESTS = 3_000  # of one play: a client that makes more will not stop
PATIENCE = 10  # how many budgets a call may take before it is taken to hang
MONITOR = "monitor"
BESIDES = ""  # the operation of a call that nobody made: requests that belong to none
_call: ContextVar[int | None] = ContextVar("harness_call", default=None)


class StatefulUpstream(Upstream, Protocol):
    """An upstream that can be put into the contract's provider states and told which credential is right."""

    def enter(self, given: str | None) -> None: ...

    def accept(self, credential: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One client against one provider: everything that a scenario is played with.

    ``script`` breaks chosen requests, ``rewrite`` makes the provider lie. ``level`` is what the provider's
    word is worth.
    """

    binding: Binding
    upstream: Callable[[VirtualClock], Upstream]
    credential: str = field(repr=False)
    level: Level = Level.STUB
    script: Script | None = None
    rewrite: Rewrite | None = None
    seed: int | None = None
    real_limit_s: float = REAL_LIMIT_S
    tcp: Tcp | None = None  # below HTTP: what stands between the client and a real port


def play(trial: Trial, scenario: Scenario) -> Observation:
    """What was observed, up to where the client hangs if it does."""
    clock = VirtualClock()
    stage = _Stage(trial, clock)
    with at_hand(trial.tcp, clock), stage.environment():
        try:
            near = stage.process is None and (trial.tcp is None or trial.tcp.in_process)
            patience_s = PATIENCE_S if near else OUTSIDE_PATIENCE_S
            run(partial(stage.play, scenario), clock=clock, real_limit_s=trial.real_limit_s, patience_s=patience_s)
        except OutOfReach as error:
            raise OwnTime(str(error)) from None
        except (RealTimeExceeded, Stalled) as error:
            stage.hangs(error)
            assure_understood(stage.foreign)
            assure_judgeable(stage.foreign, stage.wire.exchanges, clock.now_s)
    assure_understood(stage.foreign)
    return stage.observation()


def play_in_real_time(trial: Trial, scenario: Scenario) -> Observation:
    """``play`` at the provider's own pace: for one that must not be hurried, since it is being recorded."""
    stage = _Stage(trial, RealClock())
    with stage.environment():
        asyncio.run(stage.play(scenario))
    return stage.observation()


@dataclass
class _Running:
    """A call that has begun; its exchanges are found when all is over.

    ``arguments`` are what the caller means by the contract's names, whatever the client calls them.
    """

    number: int
    operation: str
    arguments: Mapping[str, object]
    intended: Mapping[str, object] | None
    started_s: float
    ended_s: float = 0.0
    ending: Ending = field(default_factory=Unfinished)
    first: int = 0
    last: int | None = None
    step: str | None = None


class _Stage:
    """The state of one play."""

    def __init__(self, trial: Trial, clock: VirtualClock) -> None:
        self.trial, self.clock = trial, clock
        self.binding = trial.binding
        self.secrets = [trial.credential]
        self.given: str | None = None
        self.calls: list[_Running] = []
        self.tags: list[tuple[int | None, str | None]] = []
        self.measured: dict[str, float] = {}
        self.overheard = Overheard()
        self.shown: list[str] = []
        self.origin = ""
        self.hung = ""
        self.upstream = trial.upstream(clock)
        self.ready = Reaching(self.upstream, agreement=self.binding.agreement, credential=trial.credential)
        self.process = process_of(self.binding)
        self.foreign: Foreign | None = None
        self.portal: BlockingPortal | None = None  # to a loop of another kind, if the client needs one
        if self.process is not None and self.process.waiting_is_seen:
            clock.outside_waits, clock.outside_used_s = self.process.waits, self.process.used_s
        self.wire = Wire(upstream=self.ready, clock=lambda: clock.now_s, script=self._script, rewrite=trial.rewrite)
        self.seam = Seam(self.binding, self.wire, clock, tcp=trial.tcp, began=self._begun)

    def _begun(self) -> None:
        """A request goes out."""
        self.tags.append((_call.get(), self.given))
        if len(self.tags) > MOST_REQUESTS:
            self.clock.stop(Stalled(f"{MOST_REQUESTS} requests were made, and there is no end to it"))

    def _script(self, number: int, request: Request) -> Fault | None:
        if self.trial.tcp is None:  # else it was overheard before it came here
            self._begun()
        return self.trial.script(number, request) if self.trial.script else None

    @property
    def _variable(self) -> str | None:
        auth = self.binding.agreement.contract.provider.auth
        return auth.variable if auth else None

    @contextmanager
    def environment(self) -> Iterator[None]:
        """The credential stands in the environment variable that the contract names, for as long as this lasts."""
        before = dict(os.environ)
        try:
            if self._variable:
                os.environ[self._variable] = self.trial.credential
            with self.overheard.listening():
                yield
        finally:
            _restore_environment(before)

    def hangs(self, error: Exception) -> None:
        """The play ended here, because the client did not."""
        self.hung = str(error)
        self.seam.close()
        for call in self.calls:
            if isinstance(call.ending, Raised) and call.ending.type == "CancelledError" and call.ended_s >= self.clock.now_s:
                call.ending = Unfinished()  # the harness cut it off
            if isinstance(call.ending, Unfinished):
                call.ended_s = self.clock.now_s

    async def play(self, scenario: Scenario) -> None:
        async with self.seam.opened() as self.origin, self._client() as client:
            self.shown.append(shown(client))
            for step in scenario:
                await self._take(client, step)
            self.shown.append(shown(client))
            await self.seam.settled()
        self.seam.close()

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Any]:
        contract = self.binding.agreement.contract
        split = urlsplit(self.origin)
        names = {
            "origin": self.origin,
            "base_url": self.origin + self.binding.agreement.base_path,
            "host": split.hostname or "",
            "port": split.port or 0,
            "grpc_port": self.seam.grpc_port,
            "credential": self.trial.credential,
            "timeout_s": contract.provider.timeout,
        }
        for name, expression in self.binding.environment.items():
            os.environ[name] = str(expression.evaluate(names))
        async with AsyncExitStack() as stack:
            self.portal = await stack.enter_async_context(trio_loop()) if self.binding.loop == "trio" else None
            client = await self._made(names)
            try:
                yield client
            finally:
                await closed(client, None if self.process else self.binding.close, portal=self.portal)

    async def _made(self, names: Mapping[str, object]) -> Any:
        if self.portal is not None:
            return await called(self.binding.make, {"names": names}, portal=self.portal)
        if self.process is None:
            return self.binding.make(names)
        self.foreign = client = Foreign(self.process, clock=self.clock, said=self.overheard.lines.append)
        await made_there(client, self.binding, names, self._environment_there())
        return client

    def _environment_there(self) -> dict[str, str]:
        """What has changed in the environment since the process of a client was started."""
        names = [*self.binding.environment, *([self._variable] if self._variable else [])]
        return {name: os.environ[name] for name in names if name in os.environ}

    async def _take(self, client: Any, step: Step) -> None:
        match step:
            case Invoke():
                await self._invoke(client, step)
            case Together():
                await asyncio.gather(*(self._invoke(client, each) for each in step.calls))
            case Pass():
                await self.clock.elapse(step.seconds)
            case Given():
                self.given = step.state
                if hasattr(self.upstream, "enter"):
                    self.upstream.enter(step.state)
            case ChangeCredential():
                self._change(step)
            case Watch():
                await self._watch(client, step)

    def _change(self, step: ChangeCredential) -> None:
        self.secrets.append(step.to)
        self.measured["credential_changed_to"] = len(self.secrets) - 1
        if self._variable:
            os.environ[self._variable] = step.to
        if hasattr(self.upstream, "accept"):
            self.upstream.accept(step.to)

    # Calls

    def _begin(self, operation: str, arguments: Mapping[str, object], intended: Mapping[str, object] | None) -> _Running:
        running = _Running(
            number=len(self.calls),
            operation=operation,
            arguments=arguments,
            intended=intended,
            started_s=self.clock.now_s,
            first=len(self.tags),
        )
        self.calls.append(running)
        return running

    async def _invoke(self, client: Any, step: Invoke) -> None:
        self.ready.need(step.needs, renewed=step.step is None)
        if self.trial.tcp is not None and self.trial.tcp.grpc_address is not None:
            await self.ready.now()
        bound = self.binding.methods[step.operation]
        passed = {**self.binding.arguments(step.operation, step.parts, leave_out=step.leave_out), **step.arguments}
        meant = {**self.binding.meant(step.operation, step.parts, leave_out=step.leave_out), **step.arguments}
        running = self._begin(step.operation, meant, None if step.arguments or step.leave_out else step.parts)
        running.step = step.step

        async def work() -> Any:
            if isinstance(client, Foreign):
                return await client.method(bound.call, self._environment_there)(**passed)
            # A copy: what the client does to it must not change what was meant.
            return await called(method_of(client, bound.call), bound.typed(deepcopy(passed)), portal=self.portal)

        def read(value: Any) -> object:
            result = bound.returns.evaluate({"result": plain(value), "arguments": passed})
            if not step.spoil:
                return result
            result = deepcopy(result)
            spoil(value)
            return result

        await self._ended(running, work, read)

    async def _ended(self, running: _Running, work: Callable[[], Awaitable[Any]], read: Callable[[Any], object]) -> None:
        """Run a call to its end, in a context of its own so that its requests are known as its own."""

        async def tagged() -> None:
            _call.set(running.number)
            mark = len(self.overheard.lines)
            try:
                value = await work()
                try:
                    running.ending = Returned(value=read(value))
                except EvaluationError as error:
                    running.ending = Returned(value=f"unreadable: {error}")
            except (Abort, GeneratorExit):
                raise
            except BaseException as error:
                if isinstance(error, asyncio.CancelledError) and (task := asyncio.current_task()) is not None and task.cancelling():
                    raise
                told = self.binding.methods[running.operation].reported(error) if running.operation in self.binding.methods else None
                running.ending = replace(raised(error, self.binding.errors, self.overheard.lines[mark:]), report=told)
            running.ended_s, running.last = self.clock.now_s, len(self.tags)

        loop = asyncio.get_running_loop()
        watchdog = loop.call_later(self._patience_s, self._give_up, running)
        try:
            await loop.create_task(tagged())
        finally:
            watchdog.cancel()

    @property
    def _patience_s(self) -> float:
        contract = self.binding.agreement.contract
        longest = contract.monitoring.health_check_interval if contract.monitoring else 0.0
        return PATIENCE * max(contract.resilience.budget or 0.0, contract.provider.timeout, longest)

    def _give_up(self, running: _Running) -> None:
        over_grpc = self.trial.tcp is not None and self.trial.tcp.grpc_address is not None  # which waits where no clock reaches
        if not over_grpc and (where := self.clock.passed_by):
            self.clock.stop(OutOfReach(f"the client waits in real time, at {where}: what it does then can't be judged"))
        self.clock.stop(Stalled(f"a call of {running.operation} goes on after {self.clock.now_s - running.started_s:g} s"))

    async def _watch(self, client: Any, step: Watch) -> None:
        running = self._begin(MONITOR, {}, None)
        alerts: list[object] = []

        async def work() -> dict[str, object]:
            before = plain(client.metrics)
            async with entered(client.monitor(on_alert=alerts.append), portal=self.portal):
                await self.clock.elapse(step.seconds)
            self.shown.extend(map(repr, alerts))
            return {"alerts": len(alerts), "metrics": plain(client.metrics), "metrics_before": before}

        await self._ended(running, work, lambda value: value)

    # What was seen

    def observation(self) -> Observation:
        if self.seam.errors and not self.hung:
            raise self.seam.errors[0]
        exchanges = [replace(exchange, given=given) for exchange, (_, given) in zip(self.seam.exchanges, self.tags, strict=False)]
        spans = [
            Span(
                operation=call.operation,
                arguments=self.binding.carried(call.operation, call.intended, call.arguments),
                first=call.first,
                last=len(exchanges) if call.last is None else call.last,
            )
            for call in self.calls
        ]
        whose = owners(self.binding.agreement, exchanges, [call for call, _ in self.tags], spans)
        own: dict[int | None, list[Exchange]] = {}
        for exchange, owner in zip(exchanges, whose, strict=True):
            own.setdefault(owner, []).append(exchange)
        calls = [self._finished(call, own.get(call.number, [])) for call in self.calls]
        if None in own:
            calls.append(Call(operation=BESIDES, exchanges=tuple(own[None]), ending=Returned(), ended_s=self.clock.now_s))
        return Observation(
            calls=tuple(calls),
            level=self.trial.level,
            origin=self.origin,
            secrets=tuple(self.secrets),
            measured=self.measured,
            seed=self.trial.seed,
            note=self.seam.note,
            hung=self.hung,
            connections=self.seam.connections,
            stray="\n".join((*self.shown, *self.overheard.lines)),
        )

    def _finished(self, call: _Running, own: list[Exchange]) -> Call:
        return Call(
            operation=call.operation,
            arguments=call.arguments,
            intended=call.intended,
            exchanges=tuple(replace(exchange, step=call.step) for exchange in own) if call.step else tuple(own),
            ending=call.ending,
            started_s=call.started_s,
            ended_s=call.ended_s,
            step=call.step,
        )


def _restore_environment(before: Mapping[str, str]) -> None:
    """Set back what has changed; to set each variable takes longer than many a play."""
    now = dict(os.environ)
    for name in now.keys() - before.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in before.items() if now.get(name) != value})
