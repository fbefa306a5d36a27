"""The client taken through a cassette: replayed from it, or recorded on it, as the record mode says."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from harness.checks.registry import judge
from harness.client.driver import Trial, play, play_in_real_time
from harness.client.reaching import Reaching
from harness.client.scenario import Invoke
from harness.exchange import Call, Level, Observation, Request, Response
from harness.provider.stub import Stub
from harness.suites.case import Setting, Skipped
from harness.suites.cassette.deck import Deck, EngineMissing, NotWritten, label_now
from harness.suites.cassette.meaning import Recorded, calls_of
from harness.suites.cassette.network import blocked_network
from harness.suites.cassette.secrets import Secrets
from harness.suites.cassette.tape import Label, Tape
from harness.suites.stand_in import StandIn
from harness.verdict import SkipReason
from harness.wire.faults import Fault
from harness.wire.wire import Upstream

CREDENTIAL = "hk-cassette-8d4b6f2a0c1e3957"  # made up: a recording takes any


class NotRecorded(Exception):
    """The client asked for what no cassette holds, and no check can name a clause that it broke."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One cassette and the calls that it stands for, each with the status that it is to end with.

    ``calls`` are for a cassette that is yet to be recorded; else they are those that its requests mean. ``given``
    is the state that a provider which remembers is brought into before it is recorded.
    """

    setting: Setting
    path: Path
    secrets: Secrets
    tape: Tape | None = None
    calls: tuple[tuple[Invoke, int], ...] = ()
    given: str | None = None
    today: date = field(default_factory=date.today)

    def execute(self) -> Observation | Skipped:
        held = outranked(self.tape, self.setting)
        if held is not None:
            return held
        mode = self.setting.record_mode
        try:
            deck = Deck(self.path, self.tape, mode=mode, agreement=self.setting.agreement, secrets=self.secrets)
        except EngineMissing as missing:
            return Skipped(reason=SkipReason.ENGINE_MISSING, detail=str(missing))
        return self._recorded(deck) if deck.can_record else self._replayed(deck)

    def _meant(self) -> tuple[tuple[Invoke, int], ...]:
        return tuple(calls_of(recorded(self.setting, self.tape))) if self.tape else self.calls

    # Replay

    def _replayed(self, deck: Deck) -> Observation | Skipped:
        player = Player(deck, Stub(self.setting.agreement))
        trial = Trial(
            binding=self.setting.binding,
            upstream=lambda _: player,
            credential=CREDENTIAL,
            level=self.tape.level if self.tape else Level.STUB,
            script=lambda *_: StandIn(name="cassette"),
            seed=self.setting.seed,
        )
        with blocked_network() as tried:
            seen = play(trial, tuple(call for call, _ in self._meant()))
        if tried:
            raise NotRecorded(f"the client asked for {', '.join(sorted(set(tried)))}, and the network is blocked")
        if player.unknown:
            return (
                replace(seen, level=Level.STUB)
                if self._has_findings(seen)
                else self._unexplained(player.unknown[0], deck)
            )
        return replace(seen, note=self.tape.told(self.today) if self.tape else "")

    def _unexplained(self, request: Request, deck: Deck) -> Skipped:
        """Nothing is wrong with a request that is not recorded: another client may ask otherwise, the same one may not."""
        alike = [known for known in deck.recorded if known.means(request)]
        told = "; ".join(known.difference(request) for known in alike or deck.recorded[:1])
        text = f"{self.path.name} holds no answer to {request.method} {request.target} as this client asks: {told}"
        by = self.tape.label.by if self.tape and self.tape.label else None
        if by != self.setting.binding.name:
            return Skipped(reason=SkipReason.NOT_FOR_THIS_CLIENT, detail=text)
        raise NotRecorded(f"{text}; record it with --record-mode=new_episodes")

    def _has_findings(self, seen: Observation) -> bool:
        return any(judgement.finding for judgement in judge(self.setting.agreement, seen))

    # Recording

    def _recorded(self, deck: Deck) -> Observation:
        provider = self.setting.provider
        recorder = Recorder(deck)
        trial = Trial(
            binding=self.setting.binding,
            upstream=lambda clock: recorder.before(self._ready(provider.upstream(lambda: clock.now_s))),
            credential=provider.credential,
            level=provider.level,
            script=recorder.script,
            seed=self.setting.seed,
        )
        meant = self._meant()
        seen = play_in_real_time(trial, tuple(call for call, _ in meant))
        surprise = next(self._surprises(seen, [status for _, status in meant]), None)
        if surprise and self._has_findings(seen):
            return replace(seen, note=surprise)
        if surprise:
            raise NotWritten(surprise)
        label = self._label()
        if not deck.save(label):
            return replace(seen, note=f"{self.path.name}: nothing new was sent, so nothing was recorded")
        return replace(seen, note=f"{self.path.name} was {label.told(self.today)}")

    def _ready(self, provider: Upstream) -> Upstream:
        """The provider, brought into the state that the recording starts from; how it got there is not recorded."""
        if self._state is None or not self.setting.provider.remembers:
            return provider
        ready = Reaching(provider, agreement=self.setting.agreement, credential=self.setting.provider.credential)
        ready.need(self._state, renewed=True)
        return ready

    @property
    def _state(self) -> str | None:
        return self.tape.label.given if self.tape and self.tape.label else self.given

    def _label(self) -> Label:
        """What is added to a cassette makes the older exchanges in it no better."""
        if self.tape is not None and self.tape.label is not None and self.setting.record_mode != "all":
            return self.tape.label
        against, by = str(self.setting.provider.level), self.setting.binding.name
        return label_now(self.setting.agreement, against=against, by=by, given=self._state)

    def _surprises(self, seen: Observation, expected: list[int]) -> Iterator[str]:
        """Why a recording must not take the place of one that is known to be good, such as a key that was refused."""
        for call, status in zip(seen.calls, expected, strict=True):
            ended = _status(call)
            if call.exchanges and ended != status:
                told = f"status {ended}" if ended else "no answer"
                yield (
                    f"{self.path.name} is left as it was: {call.operation} was to end with status {status} and got {told}; "
                    "if that is right now, delete the file and record it with --record-mode=once"
                )


def outranked(tape: Tape | None, setting: Setting) -> Skipped | None:
    """Why a cassette is not recorded anew: what a recording of this provider would be worth is less."""
    if tape is None or setting.record_mode not in ("all", "new_episodes") or tape.level <= min(setting.provider.level, Level.RECORDED):
        return None
    detail = f"{tape.told(date.today())}: a recording of {setting.provider.name} is worth less"  # noqa: DTZ011 - the day where it is run
    return Skipped(reason=SkipReason.NOT_FOR_THIS_PROVIDER, detail=detail)


def recorded(setting: Setting, tape: Tape) -> tuple[Recorded, ...]:
    """The exchanges of a cassette, as calls would mean them."""
    return tuple(Recorded(setting.agreement, exchange) for exchange in tape.exchanges)


def _status(call: Call) -> int | None:
    response = call.exchanges[-1].response if call.exchanges else None
    return response.status if response else None


class Player:
    """A cassette as an upstream.

    What it does not hold is noted, and answered as the contract says: what the client does next is then its own
    doing, and no consequence of the gap.
    """

    def __init__(self, deck: Deck, stub: Stub) -> None:
        self._deck, self._stub = deck, stub
        self.unknown: list[Request] = []

    async def answer(self, request: Request) -> Response:
        found = self._deck.play(request)
        if found is None:
            self.unknown.append(request)
            return self._stub.answer_now(request)
        return found


class Recorder:
    """A cassette in front of a provider, which is asked for what the cassette does not hold."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck
        self._played: dict[int, Response] = {}
        self._provider: Upstream

    def before(self, provider: Upstream) -> "Recorder":
        """This one, from now on in front of a provider."""
        self._provider = provider
        return self

    def script(self, _: int, request: Request) -> Fault | None:
        """What is played is not the provider's word of today."""
        found = self._deck.play(request)
        if found is None:
            return None
        self._played[id(request)] = found
        return StandIn(name="cassette")

    async def answer(self, request: Request) -> Response:
        if id(request) in self._played:
            return self._played.pop(id(request))
        response = await self._provider.answer(request)
        self._deck.record(request, response)
        return response
