"""What a run says while it goes on: a closed family of events, one JSON line each, in the order of time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from harness.exchange import Level
from harness.verdict import Verdict

FORMAT = 1


class StreamError(Exception):
    """An event stream that can't be trusted: cut short, out of order or unreadable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseListed:
    """A clause of the contract under test; ``waived`` is the reason, if it may stay unchecked."""

    id: str
    kind: str
    place: str
    waived: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins: what is proven, against what, with which client; ``partial`` when cases were chosen."""

    event: Literal["run_started"] = "run_started"
    format: int = FORMAT
    contract: str
    title: str
    file: str
    client: str
    provider: str
    level: Level
    seed: int
    clauses: tuple[ClauseListed, ...] = field(repr=False)
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinished:
    """One case came to a verdict."""

    event: Literal["case_finished"] = "case_finished"
    contract: str
    verdict: Verdict
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Something that whoever reads the result should know, such as the age of a recording."""

    event: Literal["noted"] = "noted"
    contract: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFinished:
    """The mutants of a contract were run; ``proof`` is the proof's own report."""

    event: Literal["proof_finished"] = "proof_finished"
    contract: str
    proof: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The run is complete; a stream without this event was cut short and proves nothing.

    ``vacuous`` says what was not done that should have been: a run that has such proves nothing either.
    """

    event: Literal["run_finished"] = "run_finished"
    contract: str
    cases: int
    vacuous: tuple[str, ...] = ()


Event = RunStarted | CaseFinished | Noted | ProofFinished | RunFinished
_LINE: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


def to_line(event: Event) -> str:
    """One event as a line of JSON, without the line's end."""
    return _LINE.dump_json(event).decode()


def from_line(line: str) -> Event:
    """One event from a line of JSON; ValidationError when it is none."""
    return _LINE.validate_json(line)


def read_lines(lines: Iterable[str], *, source: str = "the stream") -> Iterator[Event]:
    """The events of a stream, one run after another; StreamError when it is cut short or not what it says."""
    running: dict[str, int] = {}
    number = 0
    for number, line in enumerate(lines, start=1):
        try:
            event = from_line(line)
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"]
            raise StreamError(f"{source}:{number}: is not an event of a run ({reason}); the run's JSON report is expected") from None
        if isinstance(event, RunStarted):
            running[event.contract] = 0
        elif event.contract not in running:
            raise StreamError(f"{source}:{number}: {event.event} of `{event.contract}` before its run_started")
        elif isinstance(event, CaseFinished):
            running[event.contract] += 1
        elif isinstance(event, RunFinished):
            seen = running.pop(event.contract)
            if seen != event.cases:
                raise StreamError(f"{source}:{number}: the run of `{event.contract}` had {event.cases} cases, {seen} are here")
        yield event
    if running or number == 0:
        what = f"the run of `{next(iter(running))}` has no end" if running else "it is empty"
        raise StreamError(f"{source}:{max(number, 1)}: {what}: it was cut short, and can't be read as a result; run it again")
