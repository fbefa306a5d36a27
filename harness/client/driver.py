"""Takes a client through a scenario, in virtual time, with a wire between it and its provider."""

import asyncio
import logging
import os
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Protocol
from urllib.parse import urlsplit

from harness.client.binding import Binding
from harness.client.plain import plain
from harness.client.reaching import reach
from harness.client.scenario import ChangeCredential, Given, Invoke, Pass, Scenario, Step, Together, Watch
from harness.contract.expressions import EvaluationError
from harness.exchange import Call, Ending, Exchange, Level, Observation, Raised, Request, Returned
from harness.wire.clock import VirtualClock, run
from harness.wire.faults import Fault
from harness.wire.port import port_seam
from harness.wire.seam_httpx import httpx_seam
from harness.wire.wire import Rewrite, Script, Upstream, Wire

REAL_LIMIT_S = 20.0
MONITOR = "monitor"
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


def play(trial: Trial, scenario: Scenario) -> Observation:
    """What was observed; RealTimeExceeded or Stalled when the client hangs."""
    clock = VirtualClock()
    stage = _Stage(trial, clock)
    with stage.environment():
        run(partial(stage.play, scenario), clock=clock, real_limit_s=trial.real_limit_s)
    return stage.observation()


def play_in_real_time(trial: Trial, scenario: Scenario) -> Observation:
    """``play`` at the provider's own pace: for one that must not be hurried, since it is being recorded."""
    stage = _Stage(trial, _RealClock())
    with stage.environment():
        asyncio.run(stage.play(scenario))
    return stage.observation()


class _RealClock(VirtualClock):
    """Time as it is."""

    def __init__(self) -> None:
        super().__init__()
        self._began_s = time.monotonic()

    @property
    def now_s(self) -> float:
        return time.monotonic() - self._began_s

    def advance(self, seconds: float) -> None:
        time.sleep(seconds)

    async def elapse(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class _Running:
    """A call that has begun; its exchanges are found when all is over."""

    number: int
    operation: str
    arguments: Mapping[str, object]
    intended: Mapping[str, object] | None
    started_s: float
    ended_s: float = 0.0
    ending: Ending | None = None
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
        self.reached: str | None = None
        self.measured: dict[str, float] = {}
        self.log: list[str] = []
        self.shown = ""
        self.origin = ""
        self.upstream = trial.upstream(clock)
        self.wire = Wire(upstream=self.upstream, clock=lambda: clock.now_s, script=self._script, rewrite=trial.rewrite)

    def _script(self, number: int, request: Request) -> Fault | None:
        self.tags.append((_call.get(), self.given))
        return self.trial.script(number, request) if self.trial.script else None

    @property
    def _variable(self) -> str | None:
        auth = self.binding.agreement.contract.provider.auth
        return auth.variable if auth else None

    @contextmanager
    def environment(self) -> Iterator[None]:
        """The credential stands in the environment variable that the contract names, for as long as this lasts."""
        before = dict(os.environ)
        handler = _Notes(self.log)
        root = logging.getLogger()
        level = root.level
        try:
            if self._variable:
                os.environ[self._variable] = self.trial.credential
            root.addHandler(handler)
            root.setLevel(logging.DEBUG)
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
            os.environ.clear()
            os.environ.update(before)

    async def play(self, scenario: Scenario) -> None:
        async with AsyncExitStack() as stack:
            self.origin = await stack.enter_async_context(self._seam())
            client = await stack.enter_async_context(self._client())
            self.shown = _repr(client)
            for step in scenario:
                await self._take(client, step)
            self.shown += _repr(client)
        self.wire.close()

    @asynccontextmanager
    async def _seam(self) -> AsyncIterator[str]:
        if self.binding.wire == "httpx":
            base = urlsplit(self.binding.agreement.contract.provider.base_url)
            with httpx_seam(self.wire, sleep=self.clock.advance, sleep_async=self.clock.elapse):
                yield f"{base.scheme}://{base.netloc}"
        else:
            server = port_seam(self.wire, sleep=self.clock.elapse)
            await server.start()
            try:
                yield server.origin
            finally:
                await server.stop(grace_s=0.0)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Any]:
        contract = self.binding.agreement.contract
        split = urlsplit(self.origin)
        names = {
            "origin": self.origin,
            "base_url": self.origin + self.binding.agreement.base_path,
            "host": split.hostname or "",
            "port": split.port or 0,
            "credential": self.trial.credential,
            "timeout_s": contract.provider.timeout,
        }
        for name, expression in self.binding.environment.items():
            os.environ[name] = str(expression.evaluate({"grpc_port": 0, **names}))
        client = self.binding.make(names)
        try:
            yield client
        finally:
            await _close(client, self.binding.close)

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

    def _begin(self, operation: str, arguments: Mapping[str, object], intended: Mapping[str, object] | None) -> _Running:
        running = _Running(
            number=len(self.calls), operation=operation, arguments=arguments, intended=intended, started_s=self.clock.now_s, first=len(self.tags)
        )
        self.calls.append(running)
        return running

    async def _reach(self, state: str | None) -> None:
        """Bring the provider into a state, past the client and unseen, if it is not in it already."""
        if state is not None and state != self.reached:
            await reach(self.binding.agreement, self.upstream, state, self.trial.credential)
            self.reached = state

    async def _invoke(self, client: Any, step: Invoke) -> None:
        await self._reach(step.needs)
        bound = self.binding.methods[step.operation]
        arguments = {**self.binding.arguments(step.operation, step.parts), **step.arguments}
        arguments = {name: value for name, value in arguments.items() if name not in step.leave_out}
        running = self._begin(step.operation, arguments, step.parts if not (step.arguments or step.leave_out) else None)
        running.step = step.step

        async def work() -> Any:
            method = client
            for name in bound.call.split("."):
                method = getattr(method, name)
            return await _called(method, arguments)

        await self._ended(running, work, lambda value: bound.returns.evaluate({"result": plain(value)}))

    async def _ended(self, running: _Running, work: Callable[[], Awaitable[Any]], read: Callable[[Any], object]) -> None:
        """Run a call to its end, in a context of its own so that its requests are known as its own."""

        async def tagged() -> None:
            _call.set(running.number)
            mark = len(self.log)
            try:
                value = await work()
                try:
                    running.ending = Returned(value=read(value))
                except EvaluationError as error:
                    running.ending = Returned(value=f"unreadable: {error}")
            except Exception as error:  # noqa: BLE001 - whatever a client raises is what is observed
                running.ending = _raised(error, self.binding.errors, self.log[mark:])
            running.ended_s, running.last = self.clock.now_s, len(self.tags)

        await asyncio.get_running_loop().create_task(tagged())

    async def _watch(self, client: Any, step: Watch) -> None:
        running = self._begin(MONITOR, {}, None)
        alerts: list[object] = []

        async def work() -> dict[str, object]:
            monitor = client.monitor(on_alert=alerts.append)
            async with monitor:
                await self.clock.elapse(step.seconds)
            return {"alerts": len(alerts), "metrics": plain(client.metrics)}

        await self._ended(running, work, lambda value: value)

    def observation(self) -> Observation:
        exchanges = [
            replace(exchange, given=given) for exchange, (_, given) in zip(self.wire.exchanges, self.tags, strict=False)
        ]
        if self.wire.errors:
            raise self.wire.errors[0]
        return Observation(
            calls=tuple(self._finished(call, exchanges) for call in self.calls),
            level=self.trial.level,
            origin=self.origin,
            secrets=tuple(self.secrets),
            measured=self.measured,
            seed=self.trial.seed,
            stray="\n".join((self.shown, *self.log)),
        )

    def _finished(self, call: _Running, exchanges: list[Exchange]) -> Call:
        tagged = self.binding.wire == "httpx"
        last = len(exchanges) if call.last is None else call.last
        own = [
            exchange
            for number, exchange in enumerate(exchanges)
            if (self.tags[number][0] == call.number if tagged else call.first <= number < last and self._fits(call, exchange))
        ]
        return Call(
            operation=call.operation,
            arguments=call.arguments,
            intended=call.intended,
            exchanges=tuple(replace(exchange, step=call.step) for exchange in own) if call.step else tuple(own),
            ending=call.ending or Returned(),
            started_s=call.started_s,
            ended_s=call.ended_s,
        )

    def _fits(self, call: _Running, exchange: Exchange) -> bool:
        """Whether a request on a port, where calls at one time can't be told apart otherwise, carries what this one gave."""
        rivals = [other for other in self.calls if other is not call and other.started_s <= call.ended_s and other.ended_s >= call.started_s]
        rivals = [other for other in rivals if other.first <= call.first < (other.last or 0) or call.first <= other.first < (call.last or 0)]
        if not rivals:
            return True
        body = exchange.request.body
        return any(text.encode() in body for text in _texts(call.arguments))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key != "model":
                yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


class _Notes(logging.Handler):
    """Keeps what is logged, so that it can be searched for a credential."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] not in ("asyncio", "harness"):
            self._lines.append(record.getMessage())


async def _called(method: Any, arguments: Mapping[str, object]) -> Any:
    """The method's result; one that blocks runs in a thread, in which time is virtual too."""
    if iscoroutinefunction(method):
        return await method(**arguments)
    value = await asyncio.to_thread(partial(method, **arguments))
    return await value if isawaitable(value) else value


async def _close(client: Any, close: str | None) -> None:
    for name in (close,) if close else ("aclose", "close"):
        method = getattr(client, name, None)
        if callable(method):
            value = method()
            if isawaitable(value):
                await value
            return


def _raised(error: Exception, names: Mapping[str, tuple[str, ...]], log: list[str]) -> Raised:
    """What an engineer would see of an error; its own class names and the contract's names for them."""
    own = [kind.__name__ for kind in type(error).__mro__ if kind not in (object, BaseException)]
    known = [name for name, aliases in names.items() if set(aliases) & set(own)]
    text = "\n".join((repr(error), str(error), "".join(traceback.format_exception(error)), *log))
    return Raised(type=type(error).__name__, bases=(*own[1:], *known), message=str(error), text=text)


def _repr(client: Any) -> str:
    try:
        return f"{client!r} {client}"
    except Exception:  # noqa: BLE001 - a client may refuse to be shown
        return ""
