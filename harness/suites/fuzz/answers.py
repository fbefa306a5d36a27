"""Good answers to start from, whatever the provider: made by the stub, or by the provider in a rehearsal."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle, islice

from harness.client.driver import play
from harness.client.scenario import Invoke
from harness.contract.agreement import OperationTerms
from harness.exchange import Level, Observation, Request, Response
from harness.suites.case import Skipped
from harness.suites.staging import Staging
from harness.verdict import SkipReason
from harness.wire.faults import Answer, Fault

Lies = Callable[[Request, Response], list[Response]]  # what to answer instead, one after the other
NOTHING_TO_CHANGE = "no example's answer can be made to break it: it holds too little, or nothing"
MOST_CALLS = 3


@dataclass(frozen=True)
class Answers:
    """The answers of one operation, and calls of the client that get others in their place."""

    staging: Staging
    terms: OperationTerms

    @property
    def _by_stub(self) -> bool:
        return self.terms.success[0] in self.terms.stub_bodies

    @cached_property
    def _rehearsed(self) -> dict[str, tuple[Request, Response] | None]:
        return {}

    def good(self, example: str) -> tuple[Request, Response] | None:
        """A request that means an example and the answer to it; None where there is no good one."""
        if example not in self._rehearsed:
            self._rehearsed[example] = self._asked(example) if self._by_stub else self._rehearsal(example)
        return self._rehearsed[example]

    def _asked(self, example: str) -> tuple[Request, Response]:
        invoke = self.staging.invoke(self.terms.name, example)
        request = self.staging.request(self.terms, invoke.parts)
        return request, self.staging.stub.answer_now(request)

    def _rehearsal(self, example: str) -> tuple[Request, Response] | None:
        """A stub can't answer for a provider that remembers: the client asks it once, and both are noted."""
        observed = self.staging.play((self.staging.invoke(self.terms.name, example),))
        for exchange in reversed(observed.calls[0].exchanges):
            if exchange.response is not None and exchange.response.status == self.terms.success[0]:
                return exchange.request, exchange.response
        return None

    def answer(self, request: Request) -> Response | None:
        """The good answer to what the client really sent."""
        if self._by_stub:
            return self.staging.stub.answer_now(request)
        known = [pair for pair in self._rehearsed.values() if pair is not None]
        same = [response for asked, response in known if (asked.target, asked.body) == (request.target, request.body)]
        return same[0] if same else known[-1][1] if known else None

    def examples(self) -> Iterator[str]:
        """The examples, those with short answers first."""
        sized = {name: len(pair[1].body) for name in self.terms.model.examples if (pair := self.good(name)) is not None}
        yield from sorted(sized, key=lambda name: sized[name])

    def told(self, lies: Lies, *, most: int = MOST_CALLS) -> Observation | Skipped:
        """The client calls for an example and gets, instead of each good answer, one of what ``lies`` makes of it.

        The first example that anything can be made of serves; as many calls are made as there are answers.
        """
        for example in self.examples():
            pair = self.good(example)
            count = len(lies(*pair)) if pair is not None else 0
            if not count:
                continue
            calls = [self.staging.invoke(self.terms.name, example)] * min(count, most, self._patience)
            observed = self._played(calls, lies)
            if any(exchange.injected for call in observed.calls for exchange in call.exchanges):
                return observed
        return Skipped(reason=SkipReason.NOT_DERIVED, detail=NOTHING_TO_CHANGE)

    def told_of_some(self, lies: Lies) -> Observation | Skipped:
        """As ``told``, but each call is for another example where there are enough: no cache shall answer instead.

        The example with the shortest answer comes first, then the first one of the contract, then the others.
        """
        names = list(self.examples())
        first = [name for name in self.terms.model.examples if name in names][:1]
        able, wanted = list[str](), 2
        for name in dict.fromkeys((*names[:1], *first, *names[1:])):
            pair = self.good(name)
            count = len(lies(*pair)) if pair is not None else 0
            wanted = max(wanted, count)
            able += [name] if count else []
            if len(able) >= wanted:
                break
        if not able:
            return Skipped(reason=SkipReason.NOT_DERIVED, detail=NOTHING_TO_CHANGE)
        return self._played([self.staging.invoke(self.terms.name, name) for name in islice(cycle(able), wanted)], lies)

    @property
    def _patience(self) -> int:
        """How many calls may go wrong before a circuit may open."""
        breaker = self.staging.setting.agreement.contract.resilience.circuit_breaker
        return max(1, breaker.failure_threshold - 1) if breaker else MOST_CALLS

    def _played(self, calls: list[Invoke], lies: Lies) -> Observation:
        told: dict[tuple[str, bytes], list[Response]] = {}

        def script(number: int, request: Request) -> Fault | None:
            key = (request.target, request.body)
            if key not in told:
                told[key] = self._instead(lies, request)
            made = told[key]
            return Answer(response=made[number % len(made)]) if made else None

        trial = replace(self.staging.trial(), script=script, level=Level.STUB)
        if self._by_stub:
            trial = replace(trial, upstream=lambda _: self.staging.stub)
        return play(trial, tuple(calls))

    def _instead(self, lies: Lies, request: Request) -> list[Response]:
        found = self.staging.setting.agreement.operation_of(request.method, request.path)
        good = self.answer(request) if found and found[0] is self.terms else None
        return lies(request, good) if good is not None else []
