"""A client in another language: a command that takes calls as lines of JSON and lets the harness keep its time.

The words of the protocol are in ``docs/clients.md``.
"""

import asyncio
import atexit
import json
import math
import os
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.wire.clock import VirtualClock, real

LOOKS, LOOK_S = 50, 0.002  # at a process whose output is closed: it ends only then
PATIENCE_S = 0.3  # real seconds for a process to do something before it is taken to wait

UTIME = 11  # the field of /proc/PID/stat, counted after the name

Message = dict[str, Any]
_running: dict[tuple[int, tuple[str, ...], Path], "Process"] = {}


class CommandFailed(Exception):
    """The command can't be run, or does not keep the protocol; the message says why."""


class OwnTime(Exception):
    """A client in another process waits without a word: whether it hangs, or only waits in real time, can't be told."""


class ForeignError(Exception):
    """What a client in another language raised."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(str(told.get("message", "")))
        self.type = str(told.get("type", "Error"))
        self.kinds = tuple(map(str, told.get("bases", ())))
        self.text = str(told.get("text", ""))


class Process:
    """A command that runs: it serves one client after the other, for starting it costs more than most plays."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.serving = False
        self.key = (os.getpid(), tuple(command), folder)
        try:
            self._child = subprocess.Popen(  # noqa: S603 - the command that the binding names
                list(command), cwd=folder, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise CommandFailed(f"{command[0]} can't be run: {error.strerror}") from error
        _running[self.key] = self

    @classmethod
    def of(cls, command: Sequence[str], folder: Path) -> "Process":
        """The one that runs, or a new one; one that was left in the middle of something is ended."""
        found = _running.get((os.getpid(), tuple(command), folder))
        if found is not None and found.lives and not found.serving:
            return found
        if found is not None:
            found.end()
        return cls(command, folder)

    @property
    def lives(self) -> bool:
        return self._child.poll() is None

    def ending(self) -> str:
        """How it has just ended, such as `` with status 1``; empty while it lives on, without an output."""
        for _ in range(LOOKS):
            if (code := self._child.poll()) is not None:
                return f" by signal {-code}" if code < 0 else f" with status {code}"
            real.sleep(LOOK_S)
        return ""

    def waits(self) -> bool:
        """Whether all of its threads sleep, as far as the platform tells; False where it does not."""
        try:
            states = [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{self._child.pid}/task").iterdir()]
        except (OSError, IndexError):
            return False
        return all(state == "S" for state in states)

    def used_s(self) -> float:
        """What it has used of the processor, in seconds."""
        try:
            fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return math.inf
        return (int(fields[UTIME]) + int(fields[UTIME + 1])) / os.sysconf("SC_CLK_TCK")

    @property
    def waiting_is_seen(self) -> bool:
        return Path(f"/proc/{self._child.pid}/task").is_dir()

    def pipes(self) -> tuple[Any, Any, Any]:
        """Its input, output and error output, to be closed by whoever asks."""
        child = self._child
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        fds = [os.dup(pipe.fileno()) for pipe in (child.stdin, child.stdout, child.stderr)]
        return os.fdopen(fds[0], "wb", 0), os.fdopen(fds[1], "rb", 0), os.fdopen(fds[2], "rb", 0)

    def end(self) -> None:
        """Kill it: what comes next gets a new one."""
        _running.pop(self.key, None)
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()


@atexit.register
def _end_all() -> None:
    for process in [each for each in _running.values() if each.key[0] == os.getpid()]:
        process.end()


class _Lines(asyncio.Protocol):
    """Cuts what a pipe brings into lines."""

    def __init__(self, take: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        self._take, self._ended = take, ended
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take(line)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended()


class Foreign:
    """A client in another process, as if it were one here; ``said`` is told each line of its error output."""

    def __init__(self, process: Process, *, clock: VirtualClock, said: Callable[[str], None]) -> None:
        self._process, self._clock, self._said = process, clock, said
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._sleeps: dict[int, asyncio.Task[None]] = {}
        self._transports: list[asyncio.BaseTransport] = []
        self._writer: asyncio.WriteTransport | None = None
        self._last_words = ""
        self._unanswered = 0
        self._asleep: set[int] = set()
        self.misunderstood = ""  # what it printed that is no message: nothing that it says is worth anything then

    @property
    def is_silent(self) -> bool:
        """Whether it owes an answer, and has not said that it waits for anything."""
        return self._unanswered > 0 and not self._asleep

    def __repr__(self) -> str:
        return "a client in another process"

    async def make(self, arguments: Mapping[str, object], environment: Mapping[str, str]) -> None:
        """Have the client made; CommandFailed when the command ends instead."""
        loop = asyncio.get_running_loop()
        self._process.serving = True
        stdin, stdout, stderr = self._process.pipes()
        self._writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, stdin)
        reader, _ = await loop.connect_read_pipe(lambda: _Lines(self._heard, self._over), stdout)
        errors, _ = await loop.connect_read_pipe(lambda: _Lines(self._overheard, lambda: None), stderr)
        self._transports = [self._writer, reader, errors]
        answer = await self._ask({"make": arguments, "environment": environment})
        if "raised" in answer:
            raise CommandFailed(f"it can't make the client: {answer['raised'].get('message')}")

    def method(self, name: str, environment: Callable[[], Mapping[str, str]]) -> Callable[..., Awaitable[object]]:
        """A method of the client, by its name over there."""

        async def call(**arguments: object) -> object:
            answer = await self._ask({"call": name, "arguments": arguments, "environment": environment()})
            if "raised" in answer:
                raise ForeignError(answer["raised"])
            return answer.get("returned")

        return call

    async def aclose(self) -> None:
        """Let go of the process; one that has not answered yet is ended."""
        for sleep in self._sleeps.values():
            sleep.cancel()
        self._process.serving = bool(self.misunderstood) or any(not answer.done() for answer in self._answers.values())
        for transport in self._transports:
            transport.close()

    # The protocol

    async def _ask(self, message: Message) -> Message:
        number = len(self._answers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._unanswered += 1
        self._tell({"id": number, **message})
        return await self._answers[number]

    def _tell(self, message: Message) -> None:
        assert self._writer is not None
        self._writer.write(json.dumps({**message, "now": self._clock.wall()}).encode() + b"\n")

    def _heard(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            if "sleep" in message:
                self._sleep(int(message["sleep"]), float(message["seconds"]))
            elif "forget" in message:
                self._forget(int(message["forget"]))
            elif not isinstance(message.get("raised", {}), dict):
                self._misunderstand(line)
            elif not (answer := self._answers[message["id"]]).done():
                self._unanswered -= 1
                answer.set_result(message)
        except (ValueError, KeyError, TypeError, AttributeError):
            self._misunderstand(line)

    def _misunderstand(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        self._said(text)
        self.misunderstood = self.misunderstood or f"it printed what is no message: {text[:200]}"
        self._fail(self.misunderstood)

    def _sleep(self, number: int, seconds: float) -> None:
        async def passed() -> None:
            await self._clock.elapse(max(0.0, seconds))
            self._asleep.discard(number)
            self._tell({"woken": number})

        self._asleep.add(number)
        self._sleeps[number] = asyncio.get_running_loop().create_task(passed())

    def _forget(self, number: int) -> None:
        self._asleep.discard(number)
        if sleep := self._sleeps.pop(number, None):
            sleep.cancel()

    def _overheard(self, line: bytes) -> None:
        self._last_words = line.decode("utf-8", "replace").strip() or self._last_words
        self._said(line.decode("utf-8", "replace"))

    def _over(self) -> None:
        self._fail(f"it ended{self._process.ending()}; the last that it said was: {self._last_words or 'nothing'}")

    def _fail(self, why: str) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(CommandFailed(why))
